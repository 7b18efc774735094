//! ext4 file systems as the kernel sees them.

mod oracle;
mod sample;

use std::path::Path;

use disk::Uuid;
use disk::ext4::{self, Journal, Options, Size};
use oracle::Oracle;
use pkg::SourceDateEpoch;
use sample::Sample;
use tree::{Kind, Tree};

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

/// A mounted image; unmounted when it goes.
struct Mount {
    folder: tempfile::TempDir,
    umount: Oracle,
}

impl Mount {
    fn new(image: &str, how: &str) -> Option<Mount> {
        let (mount, umount) = (oracle::tool("mount", "mount")?, oracle::tool("umount", "mount")?);
        let folder = tempfile::tempdir().expect("a readable mount");
        let output = mount.output(&["-t", "ext4", "-o", how, image, folder.path().to_str().expect("a readable mount")]);
        if !output.status.success() {
            let text = oracle::text(&output);
            // A broken file system is no reason to skip: only that this machine lets us mount none.
            let is_ours =
                ["bad superblock", "wrong fs type", "Structure needs cleaning"].iter().any(|sign| text.contains(sign));
            assert!(!is_ours, "{text}");
            oracle::skip(&format!("mounting needs root and a loop device ({})", text.trim()));
            return None;
        }
        Some(Mount { folder, umount })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.umount.output(&[self.folder.path().to_str().expect("a readable mount")]);
    }
}

/// The tree that is mounted at `path`, attributes included.
fn read(path: &Path) -> Tree {
    let mut tree = tree::directory::read(path, &mut tree::directory::digest_only).expect("a readable mount");
    let names: Vec<tree::TreePath> = tree.iter().map(|(path, _)| path.clone()).collect();
    for name in names {
        let place = path.join(name.as_str());
        let mut list = vec![0; 4096];
        let length = rustix::fs::llistxattr(&place, &mut list[..]).expect("a readable mount");
        for attribute in list[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let attribute = std::str::from_utf8(attribute).expect("a readable mount");
            let mut value = vec![0; 65536];
            let length = rustix::fs::lgetxattr(&place, attribute, &mut value[..]).expect("a readable mount");
            tree.get_mut(&name)
                .expect("a readable mount")
                .meta
                .xattrs
                .insert(attribute.to_owned(), value[..length].to_vec());
        }
    }
    tree.remove(&sample::path("lost+found"));
    tree
}

fn assert_same(expected: &Tree, mounted: &Tree) {
    for (path, node) in expected.iter() {
        let mut seen = mounted.get(path).unwrap_or_else(|| panic!("{path} is missing")).clone();
        // Numbers of hard links are names only.
        if let (Kind::File { hard_link: seen, .. }, Kind::File { hard_link, .. }) = (&mut seen.kind, &node.kind) {
            assert_eq!(seen.is_some(), hard_link.is_some(), "{path}");
            *seen = *hard_link;
        }
        assert_eq!(&seen, node, "{path}");
    }
    assert_eq!(expected.len(), mounted.len());
}

fn image(sample: &Sample, size: Size) -> (tempfile::TempDir, String) {
    oracle::image("root.ext4", |file| {
        ext4::write(&sample.tree, &sample.blobs, &options(size), file).expect("a sound sample");
    })
}

#[test]
fn host_the_kernel_sees_the_tree() {
    let sample = sample::all_kinds();
    let (_folder, path) = image(&sample, Size::Exactly(300 << 20));
    let Some(mount) = Mount::new(&path, "loop,ro") else { return };
    assert_same(&sample.tree, &read(mount.path()));
}

#[test]
fn host_the_kernel_finds_every_name_of_large_directories() {
    let sample = sample::many(40_000, 200);
    let (_folder, path) = image(&sample, Size::Minimal { free: 64 << 20 });
    let Some(mount) = Mount::new(&path, "loop") else { return };
    // By name first, so that it is the index that leads there.
    for (name, _) in sample.tree.iter() {
        assert!(mount.path().join(name.as_str()).symlink_metadata().is_ok(), "{name}");
    }
    assert!(!mount.path().join("many/other").exists());
    assert_same(&sample.tree, &read(mount.path()));
    for number in 0..2000 {
        fs_err::write(mount.path().join(format!("many/new {number}")), b"new").unwrap();
    }
    drop(mount);
    let Some(e2fsck) = oracle::tool("e2fsck", "e2fsprogs") else { return };
    e2fsck.run(&["-f", "-n", &path]);
}

#[test]
fn host_the_kernel_grows_it_while_it_is_in_use() {
    let (Some(e2fsck), Some(resize2fs)) = (oracle::tool("e2fsck", "e2fsprogs"), oracle::tool("resize2fs", "e2fsprogs"))
    else {
        return;
    };
    let sample = sample::all_kinds();
    for (from, to) in [(Size::Minimal { free: 0 }, 5 << 30), (Size::Exactly(900 << 20), 40 << 30_u64)] {
        let (_folder, path) = image(&sample, from);
        fs_err::OpenOptions::new().write(true).open(&path).unwrap().set_len(to).unwrap();
        let Some(mount) = Mount::new(&path, "loop") else { return };
        let mounts = fs_err::read_to_string("/proc/mounts").unwrap();
        let place = mount.path().to_str().unwrap();
        let device = mounts.lines().find(|line| line.contains(place)).and_then(|line| line.split(' ').next()).unwrap();
        let output = resize2fs.output(&[device]);
        let text = oracle::text(&output);
        if text.contains("Permission denied to resize") {
            return oracle::skip("growing a mounted file system needs CAP_SYS_RESOURCE");
        }
        assert!(output.status.success(), "{text}");
        assert!(text.contains("on-line resizing"), "{text}");
        assert_same(&sample.tree, &read(mount.path()));
        let space = rustix::fs::statvfs(mount.path()).unwrap();
        assert!(space.f_blocks * space.f_frsize > to * 9 / 10, "{} blocks", space.f_blocks);
        fs_err::write(mount.path().join("new"), sample::noise(200 << 20)).unwrap();
        drop(mount);
        e2fsck.run(&["-f", "-n", &path]);
    }
}
