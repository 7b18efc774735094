use std::io::Write;

use spec::overlay::Search;

use super::*;

/// An archive of entries: a name and what it holds; a name with a slash at its end is a folder.
fn tar_of(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (number, (name, text)) in entries.iter().enumerate() {
        let mut header = tar::Header::new_gnu();
        // What packing again must not keep.
        header.set_mtime(1_000_000 + number as u64);
        header.set_uid(1000);
        header.set_mode(if name.ends_with('/') || name.ends_with(".sh") { 0o755 } else { 0o644 });
        header.set_size(text.len() as u64);
        header.set_entry_type(if name.ends_with('/') { tar::EntryType::Directory } else { tar::EntryType::Regular });
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// An archive with one entry of any kind under any name, which the writer above would refuse.
fn tar_with(kind: tar::EntryType, name: &str, target: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_gnu_mut().unwrap().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(0);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn names(bytes: &[u8]) -> Vec<String> {
    let tar = Compression::of(bytes).unpack("x", bytes, LARGEST).unwrap();
    let mut archive = tar::Archive::new(tar.as_slice());
    archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned()).collect()
}

fn text(bytes: &[u8], path: &str) -> String {
    let tar = Compression::of(bytes).unpack("x", bytes, LARGEST).unwrap();
    let tree = entries::read("x", &tar).unwrap();
    match &tree.nodes[path].content {
        Content::File(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn remove(pattern: &str) -> Overlay {
    Overlay::new(Operation::RemoveFile { pattern: pattern.to_owned() })
}

fn replace(pattern: &str, expression: &str, replacement: &str) -> Overlay {
    Overlay::new(Operation::SearchReplaceInFile {
        pattern: pattern.to_owned(),
        search: Search::new(expression).unwrap(),
        replacement: replacement.to_owned(),
    })
}

const ENTRIES: [(&str, &str); 6] = [
    ("pkg-1/", ""),
    ("pkg-1/vendor/z/a.c", "int z;\n"),
    ("pkg-1/configure.ac", "AC_CHECK_LIB(old)\n"),
    ("pkg-1/vendor/a.c", "int a;\n"),
    ("pkg-1/run.sh", "#!/bin/sh\n"),
    ("pkg-1/vendor-notes", "keep\n"),
];

#[test]
fn files_are_removed_and_changed_below_the_one_folder() {
    let changed =
        change("pkg-1.tar", &tar_of(&ENTRIES), &[remove("vendor/**"), replace("configure.ac", "\\(old", "(new")])
            .unwrap();
    let expected =
        ["pkg-1/", "pkg-1/configure.ac", "pkg-1/run.sh", "pkg-1/vendor/", "pkg-1/vendor/z/", "pkg-1/vendor-notes"];
    assert_eq!(names(&changed), expected, "sorted by the parts of paths; folders stay");
    assert_eq!(text(&changed, "pkg-1/configure.ac"), "AC_CHECK_LIB(new)\n");
    let mut archive = tar::Archive::new(changed.as_slice());
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        let owner = (header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap());
        assert_eq!(owner, (0, 0, 0));
        let is_script = entry.path().unwrap().ends_with("run.sh");
        assert_eq!(
            header.mode().unwrap() & 0o111 != 0,
            is_script || entry.path().unwrap().to_string_lossy().ends_with('/')
        );
    }
}

#[test]
fn several_things_at_the_top_are_the_root() {
    let changed = change("a.tar", &tar_of(&[("a", "1"), ("b/c", "2")]), &[remove("b/c")]).unwrap();
    assert_eq!(names(&changed), ["a", "b/"]);
}

#[test]
fn the_compression_stays_and_two_runs_give_equal_bytes() {
    let tar = tar_of(&ENTRIES);
    let mut reversed = ENTRIES;
    reversed[1..].reverse();
    let (overlays, mut digests) = ([remove("vendor/**")], Vec::new());
    for compression in [Compression::None, Compression::Gzip, Compression::Xz, Compression::Zstd] {
        let packed = compression.pack(&tar).unwrap();
        assert_eq!(Compression::of(&packed), compression);
        // The name does not count.
        let once = change("wrong.txz", &packed, &overlays).unwrap();
        assert_eq!(Compression::of(&once), compression);
        let again = change("x", &compression.pack(&tar_of(&reversed)).unwrap(), &overlays).unwrap();
        assert_eq!(once, again, "{compression:?}: neither order nor times of the original count");
        digests.push(Digest::of(&compression.unpack("x", &once, LARGEST).unwrap()));
    }
    digests.dedup();
    assert_eq!(digests.len(), 1);
}

#[test]
fn an_overlay_that_finds_nothing_fails_and_says_what_is_nearest() {
    let tar = tar_of(&ENTRIES);
    let error = change("pkg-1.tar", &tar, &[remove("vendor/**"), replace("configure.a", "x", "y")]).unwrap_err();
    let ArchiveError::Overlay { error: inner, .. } = &error else { panic!("{error:?}") };
    assert_eq!(inner.overlay, 1);
    assert_eq!(inner.failure.nearest.as_ref().map(|seen| seen.file.as_str()), Some("configure.ac"));
    assert_eq!(error.to_string(), format!("in `pkg-1.tar`: {}", inner.failure));
    // Once done there is nothing left to do, unless that is said to be fine.
    let once = change("pkg-1.tar", &tar, &[remove("vendor/**")]).unwrap();
    assert!(change("pkg-1.tar", &once, &[remove("vendor/**")]).is_err());
    let optional = Overlay { is_optional: true, ..remove("vendor/**") };
    assert_eq!(change("pkg-1.tar", &once, &[optional]).unwrap(), once, "packing again changes nothing");
}

#[test]
fn links_are_removed_and_never_searched() {
    let mut builder = tar::Builder::new(tar_of(&[("p/a", "text\n")])[..1024].to_vec());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    header.set_mode(0o777);
    builder.append_link(&mut header, "p/link", "a").unwrap();
    let tar = builder.into_inner().unwrap();
    let changed = change("p.tar", &tar, &[replace("*", "text", "word")]).unwrap();
    assert_eq!((names(&changed).len(), text(&changed, "p/a").as_str()), (3, "word\n"));
    let changed = change("p.tar", &tar, &[remove("link")]).unwrap();
    assert_eq!(names(&changed), ["p/", "p/a"]);
}

#[test]
fn hostile_entries_are_refused() {
    use tar::EntryType;
    let deep = "../".repeat(3) + "etc/passwd";
    for (kind, name, target, problem) in [
        (EntryType::Link, "p/a", "p/b", "hard link"),
        (EntryType::Char, "p/tty", "", "device"),
        (EntryType::Block, "p/sda", "", "device"),
        (EntryType::Fifo, "p/pipe", "", "cannot be packed again"),
        (EntryType::Regular, "/etc/passwd", "", "absolute"),
        (EntryType::Regular, "p/../../x", "", "out of the archive"),
        (EntryType::Symlink, "p/l", "/etc", "out of the archive"),
        (EntryType::Symlink, "p/l", &deep, "out of the archive"),
        (EntryType::Symlink, "p/l", "", "nothing that could be named"),
    ] {
        let error = change("h.tar", &tar_with(kind, name, target), &[]).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("h.tar"), "{name}: {error}");
    }
    // Through a link, and a file in the place of a folder.
    let mut tar = tar_with(EntryType::Symlink, "p", "q")[..512].to_vec();
    tar.extend(tar_of(&[("p/x", "")]));
    assert!(change("h.tar", &tar, &[]).unwrap_err().to_string().contains("no folder"));
    let mut tar = tar_of(&[("p/x", "")])[..512].to_vec();
    tar.extend(tar_with(EntryType::Regular, "p", ""));
    assert!(change("h.tar", &tar, &[]).unwrap_err().to_string().contains("another kind"));
}

#[test]
fn what_is_too_large_or_cut_off_is_refused() {
    let zeros = Compression::Gzip.pack(&vec![0; 4 << 20]).unwrap();
    let error = change_within("bomb.tar.gz", &zeros, &[], 1 << 20).unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { limit, .. } if limit == 1 << 20), "{error}");
    for compression in [Compression::None, Compression::Gzip, Compression::Xz, Compression::Zstd] {
        let packed = compression.pack(&tar_of(&ENTRIES)).unwrap();
        let cut = if compression == Compression::None { 700 } else { packed.len() / 2 };
        assert!(change("cut.tar", &packed[..cut], &[]).is_err(), "{compression:?}");
    }
    let mut noise = Vec::new();
    noise.write_all(b"no archive at all, but long enough to be one: ").unwrap();
    noise.resize(2048, b'x');
    assert!(change("noise.tar", &noise, &[]).is_err());
}

#[test]
fn another_digest_is_told_with_both() {
    let bytes = tar_of(&ENTRIES);
    let hex = hex::encode(sha2::Sha512::digest(&bytes));
    check("a.tar", &bytes, &Expected::Sha512(hex.to_ascii_uppercase())).unwrap();
    check("a.tar", &bytes, &Expected::Sha256(Digest::of(&bytes).hex())).unwrap();
    let error = check("a.tar", &bytes, &Expected::Sha512("00".repeat(64))).unwrap_err();
    let ArchiveError::Differs { expected, received, .. } = error else { panic!("{error:?}") };
    assert_eq!((expected, received), (format!("SHA512 {}", "00".repeat(64)), format!("SHA512 {hex}")));
}
