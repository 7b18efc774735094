//! What we write, rpm reads and installs; where it must not be written, it is not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use pkg::{Nevra, SourceDateEpoch};
use rpm::write::{Format, NewFile, PackageBuilder, WriteError};
use rpm::{Checksum, Compression, FileFlags, FileKind, Package, Tag, UnpackError};

const AT: SourceDateEpoch = SourceDateEpoch(1_750_000_000);

#[expect(clippy::disallowed_methods, reason = "the oracle is a program")]
fn output(program: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let text = text.lines().filter(|line| !line.starts_with("rpm: ")).collect::<Vec<_>>().join("\n");
    Some((output.status.success(), text))
}

fn builder() -> PackageBuilder {
    PackageBuilder::new(Nevra::parse("alpha-2:1.0-1.sk1.noarch").unwrap(), AT)
        .file("/usr/share/alpha/text", NewFile::regular("one\n".repeat(100_000)))
        .file("/usr/share/alpha/again", NewFile::hard_link("/usr/share/alpha/text"))
        // Names of two files that take turns by path: each set must stay one file.
        .file("/usr/share/alpha/set1", NewFile::regular("first set\n"))
        .file("/usr/share/alpha/set2", NewFile::regular("second set\n").mode(0o600))
        .file("/usr/share/alpha/set3", NewFile::hard_link("/usr/share/alpha/set1"))
        .file("/usr/share/alpha/set4", NewFile::hard_link("/usr/share/alpha/set2"))
        .file("/usr/share/alpha/zero", NewFile::regular(""))
        .file("/usr/share/alpha/link", NewFile::symlink("text"))
        .file("/usr/share/alpha", NewFile::directory().mode(0o700))
        .file("/etc/alpha.conf", NewFile::regular("conf").mode(0o600).flags(FileFlags::CONFIG))
        .file("/run/alpha", NewFile::ghost())
}

fn entries(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs_err::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            if name.starts_with("var") {
                continue;
            }
            let content = match () {
                () if metadata.is_symlink() => fs_err::read_link(&path).unwrap().display().to_string(),
                () if metadata.is_file() => Checksum::of(rpm::Algorithm::Sha256, &fs_err::read(&path).unwrap()).hex,
                () => String::new(),
            };
            let links = if metadata.is_dir() { 0 } else { metadata.nlink() };
            // rpm 4.18 changes a directory's time again when it puts files into it.
            let mtime = if metadata.is_dir() { 0 } else { metadata.mtime() };
            found.push(format!("{name} {:o} {links} {mtime} {content}", metadata.mode()));
        }
    }
    found.sort();
    found
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn files_rpm_installs_what_we_write_as_we_unpack_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut cases: Vec<(Compression, Format)> =
        [Compression::Gzip, Compression::Bzip2, Compression::Xz, Compression::Lzma, Compression::Zstd]
            .map(|compression| (compression, Format::V4))
            .to_vec();
    cases.push((Compression::Zstd, Format::V6));
    for (number, (compression, format)) in cases.into_iter().enumerate() {
        let bytes = builder().compression(compression).format(format).build().unwrap();
        let path = folder.path().join(format!("{number}.rpm"));
        fs_err::write(&path, &bytes).unwrap();
        let (theirs, ours) =
            (folder.path().join(format!("theirs{number}")), folder.path().join(format!("ours{number}")));
        fs_err::create_dir(&theirs).unwrap();
        fs_err::create_dir(&ours).unwrap();
        let define = format!("_dbpath {}", folder.path().join("db").display());
        let Some((good, text)) = output("rpmkeys", &["--define", &define, "-Kv", path.to_str().unwrap()]) else {
            println!("skipped: rpm not installed");
            return;
        };
        assert!(good && text.contains("Payload SHA256 digest: OK"), "{compression:?} {format:?}: {text}");
        let (_, unpacked) = rpm::unpack(&mut bytes.as_slice(), &ours).unwrap();
        assert_eq!(unpacked.bytes, 400_025);
        let arguments = [
            "--root",
            theirs.to_str().unwrap(),
            "--dbpath",
            "/var/lib/rpm",
            "-i",
            "--nodeps",
            "--ignorearch",
            path.to_str().unwrap(),
        ];
        let (good, text) = output("rpm", &arguments).unwrap();
        if !rustix::process::geteuid().is_root() {
            println!("skipped: not root, and rpm --root needs to be");
            return;
        }
        assert!(good, "{compression:?} {format:?}: {text}");
        assert_eq!(entries(&ours), entries(&theirs), "{compression:?} {format:?}");
    }
}

#[test]
fn equal_values_give_equal_bytes() {
    let plain = || builder().compression(Compression::None);
    assert_eq!(plain().build().unwrap(), plain().build().unwrap());
    let digest = pkg::Digest::of(&plain().build().unwrap());
    assert_eq!(
        digest.hex(),
        "63de7a857120ad81b029f00638a59e165bfcb4b1b32bcb452f633b45af8e61ad",
        "the format changed: is that meant?"
    );
}

#[test]
fn wrong_packages_are_not_written() {
    let twice = builder().file("/etc/alpha.conf", NewFile::regular("")).build();
    assert!(matches!(twice, Err(WriteError::Twice(path)) if path == "/etc/alpha.conf"));
    let nowhere = builder().file("/x", NewFile::hard_link("/usr/share/alpha")).build();
    assert!(matches!(nowhere, Err(WriteError::HardLink { .. })));
    assert!(matches!(builder().requires("a ~ 1").build(), Err(WriteError::Relation(_))));
    for path in ["/../etc/passwd", "relative", "/a//b", "/a/.", "/a/"] {
        let wrong = builder().file(path, NewFile::regular("")).build();
        assert!(matches!(wrong, Err(WriteError::Files(_))), "{path}");
    }
}

#[test]
fn files_nothing_is_written_through_symlinks() {
    let folder = tempfile::tempdir().unwrap();
    let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
    fs_err::create_dir(&root).unwrap();
    fs_err::create_dir(&outside).unwrap();
    let package = |link: NewFile| {
        let nevra = Nevra::parse("evil-1-1.noarch").unwrap();
        let own = PackageBuilder::new(nevra, AT).file("/d", link);
        own.file("/d/file", NewFile::regular("x")).build().unwrap()
    };
    // The package's own link, and one that was there before.
    let own = package(NewFile::symlink(outside.to_str().unwrap()));
    let result = rpm::unpack(&mut own.as_slice(), &root);
    assert!(matches!(result, Err(UnpackError::ThroughLink { link, .. }) if link == "/d"));
    let plain = package(NewFile::directory());
    assert!(matches!(rpm::unpack(&mut plain.as_slice(), &root), Err(UnpackError::ThroughLink { .. })));
    assert_eq!(fs_err::read_dir(&outside).unwrap().count(), 0);
    // A file that is a link is replaced, not followed.
    let target = outside.join("target");
    fs_err::write(&target, "kept").unwrap();
    fs_err::remove_file(root.join("d")).unwrap();
    fs_err::create_dir(root.join("d")).unwrap();
    fs_err::os::unix::fs::symlink(&target, root.join("d/file")).unwrap();
    rpm::unpack(&mut plain.as_slice(), &root).unwrap();
    assert_eq!(fs_err::read_to_string(&target).unwrap(), "kept");
    assert_eq!(fs_err::read_to_string(root.join("d/file")).unwrap(), "x");
    // Places that lead out.
    let mut astray = |_: &rpm::FileEntry| Some("/../x".to_owned());
    assert!(matches!(rpm::unpack_at(&mut plain.as_slice(), &root, &mut astray), Err(UnpackError::Place { .. })));
}

#[test]
fn files_may_be_placed_elsewhere_or_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = builder().build().unwrap();
    // The name that has the bytes of the two is left out: the other gets them.
    let mut place = |file: &rpm::FileEntry| match file.path.as_str() {
        "/usr/share/alpha/text" => None,
        path => Some(path.replace("/usr/share", "/opt")),
    };
    rpm::unpack_at(&mut bytes.as_slice(), folder.path(), &mut place).unwrap();
    assert_eq!(fs_err::metadata(folder.path().join("opt/alpha/again")).unwrap().len(), 400_000);
    assert!(!folder.path().join("usr").exists());
}

#[test]
fn files_rows_hold_the_bytes_of_files_and_nothing_else() {
    for format in [Format::V4, Format::V6] {
        let folder = tempfile::tempdir().unwrap();
        let bytes = builder().format(format).build().unwrap();
        let package = rpm::unpack_rows(&mut bytes.as_slice(), folder.path()).unwrap();
        let mut expected: Vec<(String, String, u32, i64)> = Vec::new();
        for (row, file) in package.files().unwrap().into_iter().enumerate() {
            let is_first = file.hard_link.is_none_or(|first| first == row);
            if file.kind == FileKind::Regular && !file.is_ghost() && is_first {
                let hex = file.digest.unwrap().hex;
                expected.push((rpm::row_name(row), hex, file.mode & 0o777, file.mtime as i64));
            }
        }
        assert_eq!(expected.len(), 5, "text, two sets, zero and the configuration");
        expected.sort();
        let mut found = Vec::new();
        for entry in fs_err::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            let metadata = fs_err::symlink_metadata(entry.path()).unwrap();
            let hex = Checksum::of(rpm::Algorithm::Sha256, &fs_err::read(entry.path()).unwrap()).hex;
            let name = entry.file_name().into_string().unwrap();
            found.push((name, hex, metadata.mode() & 0o777, metadata.mtime()));
        }
        found.sort();
        assert_eq!(found, expected, "{format:?}");
    }
    // The payload's own digest is not looked at, those of the files are.
    let mut bytes = builder().compression(Compression::None).build().unwrap();
    let at = bytes.windows(4).rposition(|part| part == b"conf").unwrap();
    bytes[at] = b'C';
    let folder = tempfile::tempdir().unwrap();
    let error = rpm::unpack_rows(&mut bytes.as_slice(), folder.path()).unwrap_err();
    assert!(matches!(&error, UnpackError::FileDigest { path, .. } if path == "/etc/alpha.conf"), "{error}");
}

#[test]
fn v6_packages_are_read() {
    let bytes = builder().format(Format::V6).build().unwrap();
    let mut reader = bytes.as_slice();
    let package = Package::read(&mut reader).unwrap();
    assert_eq!((package.header.format(), package.header.contains(Tag::FILESIZES)), (6, false));
    assert_eq!(package.verify_header().unwrap(), [Tag::SHA256HEADER]);
    let text = package.files().unwrap().into_iter().find(|file| file.path.ends_with("/text")).unwrap();
    assert_eq!((text.kind, text.size), (FileKind::Regular, 400_000));
    package.payload(reader).unwrap().finish().unwrap();
}
