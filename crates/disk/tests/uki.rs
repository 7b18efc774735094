//! Unified kernel images against objdump and ukify, with a stub made here and with systemd's where it is installed.

mod oracle;

use disk::uki::{self, Section, Uki, UkiError};

/// A PE32+ program with two sections and no code: what a stub is to whoever adds sections.
fn stub() -> Vec<u8> {
    let mut bytes = vec![0; 0x400];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, b"MZ");
    put(0x3c, &0x40_u32.to_le_bytes());
    put(0x40, b"PE\0\0\x64\x86");
    put(0x46, &2_u16.to_le_bytes());
    put(0x54, &240_u16.to_le_bytes());
    put(0x56, &0x22e_u16.to_le_bytes());
    put(0x58, &0x20b_u16.to_le_bytes());
    for (at, value) in [(16, 0x1000_u32), (20, 0x1000), (32, 0x1000), (36, 0x200), (56, 0x3000), (60, 0x400), (108, 16)]
    {
        put(0x58 + at, &value.to_le_bytes());
    }
    put(0x58 + 68, &[10, 0]);
    for (index, name, size, flags) in
        [(0_u32, b".text\0\0\0", 0x150_u32, 0x6000_0020_u32), (1, b".sbat\0\0\0", 0x40, 0x4000_0040)]
    {
        let at = 0x58 + 240 + 40 * index as usize;
        put(at, name);
        for (number, value) in [size, 0x1000 * (index + 1), 0x200, 0x400 + 0x200 * index].into_iter().enumerate() {
            put(at + 8 + 4 * number, &value.to_le_bytes());
        }
        put(at + 36, &flags.to_le_bytes());
    }
    bytes.resize(0x800, b'x');
    bytes
}

#[test]
fn sections_are_read_back_as_they_were_given() {
    let linux = vec![7; 100_000];
    let parts = Uki {
        os_release: "ID=skiff\n",
        command_line: "quiet",
        uname: "6.12",
        linux: &linux,
        initrd: &[1, 2, 3],
        ..Uki::default()
    };
    let image = parts.build(&stub()).unwrap();
    let sections = uki::read(&image).unwrap();
    let names: Vec<&str> = sections.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [".text", ".sbat", ".osrel", ".cmdline", ".uname", ".linux", ".initrd"]);
    for (section, (_, bytes)) in parts.sections().iter().zip(&sections[2..]) {
        assert_eq!(section.bytes, *bytes, "{}", section.name);
    }
    assert_eq!(image.len() % 0x200, 0);
    assert_eq!(image, parts.build(&stub()).unwrap());
}

#[test]
fn a_section_of_the_stub_can_be_replaced() {
    let image = uki::build(&stub(), &[Section { name: ".sbat", bytes: b"sbat,1\n" }]).unwrap();
    assert_eq!(uki::read(&image).unwrap()[1], (".sbat".to_owned(), &b"sbat,1\n"[..]));
    let large = [0; 0x201];
    let error = uki::build(&stub(), &[Section { name: ".sbat", bytes: &large }]).unwrap_err();
    assert_eq!(error, UkiError::Replace { name: ".sbat".to_owned(), size: 0x201, place: 0x200 });
}

#[test]
fn what_is_no_stub_is_refused() {
    let section = [Section { name: ".linux", bytes: b"kernel" }];
    for length in 0..0x800 {
        assert!(uki::build(&stub()[..length], &section).is_err(), "cut off at {length}");
    }
    let change = |at: usize, bytes: &[u8]| {
        let mut stub = stub();
        stub[at..at + bytes.len()].copy_from_slice(bytes);
        uki::build(&stub, &section).unwrap_err()
    };
    assert_eq!(change(0x58 + 112 + 32, &[0, 8, 0, 0]), UkiError::Signed);
    assert_eq!(change(0x58 + 60, &[0x98, 1]), UkiError::Headers { place: 0, needed: 1 });
    assert!(matches!(change(0x58 + 240 + 20, &[0xff; 4]), UkiError::NotPe(_)));
    assert_eq!(uki::build(&[stub(), vec![1]].concat(), &section), Err(UkiError::Trailing(1)));
    let name = |name| uki::build(&stub(), &[Section { name, bytes: &[] }, Section { name, bytes: &[] }]).unwrap_err();
    assert_eq!(name(".longnames"), UkiError::Name(".longnames".to_owned()));
    assert_eq!(name(".a"), UkiError::Duplicate(".a".to_owned()));
}

#[test]
fn no_bytes_of_a_header_make_it_panic() {
    let good = stub();
    for at in 0..0x400 {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut stub = good.clone();
            stub[at] = value;
            let _ = uki::build(&stub, &[Section { name: ".linux", bytes: b"kernel" }]);
            let _ = uki::read(&stub);
        }
    }
}

#[test]
fn files_objdump_and_ukify_see_the_sections() {
    let path = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
    let (Some(objdump), Ok(stub)) = (oracle::tool("objdump", "binutils"), fs_err::read(path)) else {
        return oracle::skip(&format!("{path} not installed (package systemd-boot-efi)"));
    };
    let linux: Vec<u8> = (0..1_000_001_u32).map(|n| (n >> 3) as u8).collect();
    let parts = Uki {
        os_release: "ID=skiff\nNAME=Skiff\n",
        command_line: "quiet rw",
        uname: "6.12",
        linux: &linux,
        initrd: &linux[1..],
        ..Uki::default()
    };
    let image = parts.build(&stub).unwrap();
    let (_folder, path) = oracle::image("uki.efi", |file| std::io::Write::write_all(file, &image).unwrap());
    let listing = objdump.run(&["-h", &path]);
    for section in parts.sections() {
        let size = format!("{:08x}", section.bytes.len());
        assert!(listing.lines().any(|line| line.contains(section.name) && line.contains(&size)), "{listing}");
    }
    let Some(ukify) = oracle::tool("ukify", "") else { return };
    let inspected = ukify.run(&["inspect", &path]);
    assert!(inspected.contains("quiet rw") && inspected.contains("NAME=Skiff"), "{inspected}");
    for section in parts.sections() {
        assert!(inspected.contains(&pkg::Digest::of(section.bytes).hex()), "{inspected}");
    }
}
