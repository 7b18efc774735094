//! ext4 file systems against e2fsck, debugfs, resize2fs and the kernel.

mod oracle;
mod sample;

use std::io::Cursor;

use disk::Uuid;
use disk::ext4::{self, Ext4Error, Journal, Options, Size, Written};
use oracle::Oracle;
use pkg::SourceDateEpoch;
use sample::Sample;
use tree::{Kind, Meta, Node};

fn options(size: Size) -> Options {
    Options {
        size,
        uuid: Uuid::derive(b"test", "root"),
        hash_seed: Uuid::derive(b"test", "hash"),
        label: "skiff-root".to_owned(),
        at: SourceDateEpoch(1_700_000_000),
        journal: Journal::Usual,
        reserved_percent: 5,
    }
}

fn check(e2fsck: &Oracle, path: &str) {
    let output = e2fsck.output(&["-f", "-n", path]);
    let text = oracle::text(&output);
    assert!(output.status.success() && !text.contains("Fix?") && !text.contains("WARNING"), "{text}");
}

fn image(sample: &Sample, options: &Options) -> (tempfile::TempDir, String, Written) {
    let mut written = None;
    let (folder, path) = oracle::image("root.ext4", |file| {
        written = Some(ext4::write(&sample.tree, &sample.blobs, options, file).expect("a sound sample"));
    });
    let written = written.expect("a sound sample");
    assert_eq!(ext4::measure(&sample.tree, options).expect("a sound sample"), written.size);
    (folder, path, written)
}

#[test]
fn files_e2fsck_finds_no_fault_in_any_size() {
    let Some(e2fsck) = oracle::tool("e2fsck", "e2fsprogs") else { return };
    let sample = sample::all_kinds();
    // One group; several; a last group too small to be used; more than sixteen groups; with and without a journal.
    for size in [60 << 20, (300 << 20) + 12345, (256 << 20) + (600 << 10), 3 << 30, 70 << 30] {
        for journal in [Journal::Usual, Journal::None] {
            let options = Options { journal, ..options(Size::Exactly(size)) };
            let (_folder, path, written) = image(&sample, &options);
            assert_eq!(fs_err::metadata(&path).unwrap().len(), size);
            assert!(written.size <= size && written.size + (10 << 20) > size);
            check(&e2fsck, &path);
        }
    }
}

#[test]
fn files_the_smallest_size_holds_the_tree_and_what_is_to_be_free() {
    let Some(e2fsck) = oracle::tool("e2fsck", "e2fsprogs") else { return };
    for free in [0, 100 << 20, 5 << 30] {
        for sample in [sample::all_kinds(), Sample::new(), sample::many(30_000, 10)] {
            let (_folder, path, written) = image(&sample, &options(Size::Minimal { free }));
            assert_eq!(fs_err::metadata(&path).unwrap().len(), written.size);
            assert!(written.free >= free, "{written:?}");
            assert!(written.free < free + (40 << 20), "{written:?}");
            check(&e2fsck, &path);
        }
    }
}

#[test]
fn files_large_directories_are_indexed_as_the_kernel_does() {
    let (Some(e2fsck), Some(debugfs)) = (oracle::tool("e2fsck", "e2fsprogs"), oracle::tool("debugfs", "e2fsprogs"))
    else {
        return;
    };
    // One block, one level of index, two levels.
    for (count, length) in [(300, 4), (5000, 60), (40_000, 200)] {
        let sample = sample::many(count, length);
        let (_folder, path, _) = image(&sample, &options(Size::Minimal { free: 0 }));
        check(&e2fsck, &path);
        let dump = debugfs.run(&["-R", "htree_dump many", &path]);
        let levels = if count == 300 {
            "Not a hash-indexed"
        } else if count == 5000 {
            "Indirect levels: 0"
        } else {
            "Indirect levels: 1"
        };
        assert!(dump.contains(levels), "{count}: {}", &dump[..dump.len().min(2000)]);
    }
}

#[test]
fn files_debugfs_sees_what_the_tree_says() {
    let Some(debugfs) = oracle::tool("debugfs", "e2fsprogs") else { return };
    let sample = sample::all_kinds();
    let (folder, path, _) = image(&sample, &options(Size::Exactly(300 << 20)));
    for (name, node) in sample.tree.iter() {
        let text = debugfs.run(&["-R", &format!("stat \"{name}\""), &path]);
        let has = |what: String| assert!(text.contains(&what), "{name}: `{what}` is not in\n{text}");
        has(format!("Mode:  0{:03o} ", node.meta.mode));
        has(format!("User: {:5}   Group: {:5}", node.meta.uid as i32, node.meta.gid as i32));
        for (xattr, value) in node.meta.xattrs.iter().filter(|(name, _)| !name.starts_with("system.")) {
            let out = folder.path().join("xattr");
            let command = format!("ea_get -f {} \"{name}\" {xattr}", out.display());
            debugfs.run(&["-R", &command, &path]);
            assert_eq!(&fs_err::read(out).unwrap(), value, "{name} {xattr}");
        }
        match &node.kind {
            Kind::File { digest, .. } => {
                let out = folder.path().join("dumped");
                debugfs.run(&["-R", &format!("dump \"{name}\" {}", out.display()), &path]);
                assert_eq!(&pkg::Digest::of(&fs_err::read(out).unwrap()), digest, "{name}");
            }
            Kind::Symlink { target } if target.len() < 60 => has(format!("Fast link dest: \"{target}\"")),
            Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
                has(format!("Device major/minor number: {major:02}:{minor:02}"));
            }
            _ => {}
        }
    }
    let text = debugfs.run(&["-R", "stats -h", &path]);
    for line in
        ["Filesystem volume name:   skiff-root", "Filesystem state:         clean", "Journal inode:            8"]
    {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains(&Uuid::derive(b"test", "root").to_string()), "{text}");
}

#[test]
fn files_holes_are_not_written() {
    let mut sample = Sample::new();
    let mut bytes = vec![0; 8 << 20];
    for block in [1, 2, 700, 701, 1500, 2000, 2047] {
        bytes[block * 4096 + 5] = 1;
    }
    sample.file("holes", 0o644, &bytes);
    let (_folder, path, with) = image(&sample, &options(Size::Exactly(100 << 20)));
    let (_other, _, without) = image(&Sample::new(), &options(Size::Exactly(100 << 20)));
    // Seven blocks, in five pieces: one more for the extents.
    assert_eq!(without.free - with.free, 8 * 4096);
    assert_eq!(without.free_inodes - with.free_inodes, 1);
    let allocated = std::os::unix::fs::MetadataExt::blocks(&fs_err::metadata(&path).unwrap()) * 512;
    assert!(allocated < 1 << 20, "{allocated} bytes are allocated for an image with 28 KiB of data");
}

#[test]
fn files_resize2fs_grows_and_shrinks_it() {
    let (Some(e2fsck), Some(resize2fs)) = (oracle::tool("e2fsck", "e2fsprogs"), oracle::tool("resize2fs", "e2fsprogs"))
    else {
        return;
    };
    let sample = sample::all_kinds();
    for (from, to) in [
        (Size::Exactly(60 << 20), "20G"),
        (Size::Minimal { free: 0 }, "300M"),
        (Size::Exactly(3 << 30), "1G"),
        (Size::Exactly(900 << 20), "1T"),
    ] {
        let (_folder, path, _) = image(&sample, &options(from));
        resize2fs.run(&[&path, to]);
        check(&e2fsck, &path);
    }
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let sample = sample::all_kinds();
    let write = |options: &Options| {
        let mut image = Cursor::new(Vec::new());
        ext4::write(&sample.tree, &sample.blobs, options, &mut image).unwrap();
        image.into_inner()
    };
    let first = write(&options(Size::Minimal { free: 0 }));
    assert!(first == write(&options(Size::Minimal { free: 0 })));
    let later = Options { at: SourceDateEpoch(1_700_000_001), ..options(Size::Minimal { free: 0 }) };
    assert!(first != write(&later));
}

#[test]
fn what_ext4_cannot_hold_is_refused() {
    let try_with = |options: &Options, change: &dyn Fn(&mut Sample)| {
        let mut sample = Sample::new();
        change(&mut sample);
        ext4::write(&sample.tree, &sample.blobs, options, &mut Cursor::new(Vec::new())).unwrap_err()
    };
    let fixed = options(Size::Exactly(16 << 20));
    let nothing = |_: &mut Sample| {};
    assert!(matches!(try_with(&options(Size::Exactly(100_000)), &nothing), Ext4Error::Size(100_000)));
    assert!(matches!(try_with(&options(Size::Exactly(1 << 50)), &nothing), Ext4Error::Size(_)));
    assert!(matches!(try_with(&Options { label: "x".repeat(17), ..fixed.clone() }, &nothing), Ext4Error::Label(_)));
    let full = try_with(&fixed, &|sample| sample.file("large", 0o644, &vec![1; 17 << 20]));
    assert!(matches!(full, Ext4Error::Full { .. }), "{full}");
    let long = try_with(&fixed, &|sample| sample.symlink("link", &"x".repeat(4096)));
    assert!(matches!(long, Ext4Error::Symlink { length: 4096, .. }), "{long}");
    let lost = try_with(&fixed, &|sample| sample.file("lost+found", 0o644, b""));
    assert!(matches!(lost, Ext4Error::LostFound), "{lost}");
    for (name, size) in [("user.", 1), ("other.name", 1), ("system.posix_acl_access", 3)] {
        let xattr = try_with(&fixed, &|sample| {
            sample.file("file", 0o644, b"");
            sample.xattr("file", name, &vec![1; size]);
        });
        assert!(matches!(xattr, Ext4Error::XattrName { .. }), "{name}: {xattr}");
    }
    let large = try_with(&fixed, &|sample| {
        sample.file("file", 0o644, b"");
        sample.xattr("file", "user.large", &vec![1; 4096]);
    });
    assert!(matches!(large, Ext4Error::Xattrs { .. }), "{large}");
    for size in [9, 11] {
        let length = try_with(&fixed, &|sample| {
            sample.file("file", 0o644, b"ten bytes.");
            let node = sample.tree.get_mut(&sample::path("file")).unwrap();
            node.kind = Kind::File { digest: pkg::Digest::of(b"ten bytes."), size, hard_link: None };
        });
        assert!(matches!(length, Ext4Error::Length { actual, .. } if actual == 10), "{length}");
    }
    let lacking = try_with(&fixed, &|sample| {
        sample.tree.insert(sample::path("file"), Node::file(0o644, 0, pkg::Digest::of(b"nowhere"), 7)).unwrap();
    });
    assert!(matches!(lacking, Ext4Error::Content { .. }), "{lacking}");
    let differs = try_with(&fixed, &|sample| {
        for name in ["a", "b"] {
            sample.file(name, 0o644, name.as_bytes());
            let kind = Kind::File { digest: pkg::Digest::of(name.as_bytes()), size: 1, hard_link: Some(1) };
            sample.tree.insert(sample::path(name), Node { meta: Meta::root(0o644, 0), kind }).unwrap();
        }
    });
    assert!(matches!(differs, Ext4Error::HardLink { .. }), "{differs}");
}
