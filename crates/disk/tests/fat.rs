//! FAT file systems against fsck.fat and mtools.

mod oracle;

use std::io::Cursor;

use disk::fat::{self, Directory, FatError, Kind, Options};
use pkg::SourceDateEpoch;

fn options(size: u64) -> Options {
    Options {
        size,
        kind: None,
        label: Some("skiff-esp".to_owned()),
        serial: 0x1234_abcd,
        at: SourceDateEpoch(1_700_000_000),
    }
}

/// Directories of several clusters, files of none, one and many clusters, long names with and without the same beginning.
fn sample() -> (Directory<'static>, Vec<(String, Vec<u8>)>) {
    let mut files = vec![
        ("EFI/BOOT/BOOTX64.EFI".to_owned(), (0..300_001_u32).map(|n| (n * 7) as u8).collect()),
        ("EFI/Linux/skiff-6.12.0-1.sk1.efi".to_owned(), vec![1; 4096]),
        ("EFI/Linux/skiff-6.12.0-2.sk1.efi".to_owned(), vec![2; 1]),
        ("loader/loader.conf".to_owned(), b"timeout 3\n".to_vec()),
        ("empty".to_owned(), Vec::new()),
        ("größe mit Umlaut.txt".to_owned(), b"x".to_vec()),
    ];
    for number in 0..400 {
        files.push((format!("loader/entries/a longer name, number {number}.conf"), format!("{number}\n").into_bytes()));
    }
    let mut root = Directory::new();
    for (path, bytes) in &files {
        root.add_file(path, bytes.clone()).expect("a sound sample");
    }
    root.add_directory("EFI/nothing").expect("a sound sample");
    (root, files)
}

#[test]
fn files_fsck_finds_no_fault_and_mtools_read_what_was_written() {
    let (Some(fsck), Some(mcopy), Some(mdir)) =
        (oracle::tool("fsck.fat", "dosfstools"), oracle::tool("mcopy", "mtools"), oracle::tool("mdir", "mtools"))
    else {
        return;
    };
    let (root, files) = sample();
    for (size, kind) in
        [(8 << 20, "FAT16"), ((32 << 20) + 777, "FAT16"), (64 << 20, "FAT32"), (512 << 20, "FAT32"), (5 << 30, "FAT32")]
    {
        let (folder, path) = oracle::image("fat.img", |file| fat::write(&root, &options(size), file).unwrap());
        assert_eq!(fs_err::metadata(&path).unwrap().len(), size);
        let verdict = fsck.run(&["-n", "-v", &path]);
        assert!(verdict.contains("413 files") && !verdict.contains("Dirty"), "{verdict}");
        let bits = if kind == "FAT16" { "16 bit" } else { "32 bit" };
        assert!(
            verdict.contains(&format!("{bits} entries")) || verdict.contains(&format!("{} bits per FAT", &bits[..2])),
            "{verdict}"
        );
        let listing = mdir.run(&["-i", &path, "::EFI/BOOT"]);
        assert!(listing.contains("2023-11-14  22:13") && listing.contains("SKIFF-ESP"), "{listing}");
        assert!(listing.contains("1234-ABCD"), "{listing}");
        let out = folder.path().join("out");
        fs_err::create_dir(&out).unwrap();
        mcopy.run(&["-s", "-n", "-i", &path, "::*", out.to_str().unwrap()]);
        for (name, bytes) in &files {
            assert_eq!(&fs_err::read(out.join(name)).unwrap(), bytes, "{name} of {size}");
        }
        assert!(out.join("EFI/nothing").is_dir());
    }
}

#[test]
fn the_same_directory_gives_the_same_bytes() {
    let write = || {
        let mut image = Cursor::new(Vec::new());
        fat::write(&sample().0, &options(16 << 20), &mut image).unwrap();
        image.into_inner()
    };
    assert!(write() == write());
}

#[test]
fn what_fat_cannot_hold_is_refused() {
    let mut image = Cursor::new(Vec::new());
    let mut root = Directory::new();
    root.add_file("EFI/a", vec![0; 5 << 20]).unwrap();
    assert!(matches!(root.add_file("EFI/A", Vec::new()), Err(FatError::Duplicate(_))));
    assert!(matches!(root.add_file("efi/b", Vec::new()), Err(FatError::Duplicate(_))));
    assert!(matches!(root.add_file("EFI/a/b", Vec::new()), Err(FatError::Duplicate(_))));
    assert!(matches!(root.add_file("../b", Vec::new()), Err(FatError::Name(_))));
    assert!(matches!(fat::write(&root, &options(4 << 20), &mut image), Err(FatError::Full { .. })));
    assert!(matches!(fat::write(&root, &options(1 << 20), &mut image), Err(FatError::Size { .. })));
    let fat32 = Options { kind: Some(Kind::Fat32), ..options(16 << 20) };
    assert!(matches!(fat::write(&root, &fat32, &mut image), Err(FatError::Size { .. })));
    let label = Options { label: Some("twelve chars".to_owned()), ..options(16 << 20) };
    assert!(matches!(fat::write(&root, &label, &mut image), Err(FatError::Label(_))));
    assert!(image.into_inner().is_empty(), "nothing is written before all is known");
}
