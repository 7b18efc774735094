//! Trees to be written.
#![allow(dead_code, reason = "each test file uses some of these")]

use std::collections::BTreeMap;

use pkg::Digest;
use tree::{Kind, Meta, Node, Tree, TreePath};

/// A tree and the bytes of its files.
pub(crate) struct Sample {
    pub(crate) tree: Tree,
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
}

pub(crate) fn path(text: &str) -> TreePath {
    TreePath::new(text).expect("a sound path")
}

const TIME: i64 = 1_600_000_000;

impl Sample {
    pub(crate) fn new() -> Sample {
        Sample { tree: Tree::new(), blobs: BTreeMap::new() }
    }

    pub(crate) fn insert(&mut self, name: &str, mode: u32, kind: Kind) {
        let at = path(name);
        if let Some(parent) = at.parent() {
            self.tree.make_directories(&parent, TIME).expect("directories above");
        }
        self.tree.insert(at, Node { meta: Meta::root(mode, TIME), kind }).expect("a place for it");
    }

    pub(crate) fn file(&mut self, name: &str, mode: u32, bytes: &[u8]) {
        let digest = Digest::of(bytes);
        self.blobs.insert(digest, bytes.to_vec());
        self.insert(name, mode, Kind::File { digest, size: bytes.len() as u64, hard_link: None });
    }

    pub(crate) fn symlink(&mut self, name: &str, target: &str) {
        self.insert(name, 0o777, Kind::Symlink { target: target.to_owned() });
    }

    pub(crate) fn meta(&mut self, name: &str) -> &mut Meta {
        &mut self.tree.get_mut(&path(name)).expect("it was inserted").meta
    }

    pub(crate) fn xattr(&mut self, name: &str, attribute: &str, value: &[u8]) {
        self.meta(name).xattrs.insert(attribute.to_owned(), value.to_vec());
    }
}

/// Bytes that repeat nothing for long.
pub(crate) fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(next).collect()
}

/// Every kind of node, owners and modes of many bits, times far off, attributes in inodes and in blocks, holes.
pub(crate) fn all_kinds() -> Sample {
    let mut sample = Sample::new();
    sample.file("etc/hostname", 0o644, b"skiff\n");
    sample.file("empty", 0o600, b"");
    sample.file("usr/bin/one-block", 0o755, &noise(4096));
    sample.file("usr/bin/passwd", 0o4755, &noise(70_001));
    sample.file("usr/lib/large", 0o644, &noise((20 << 20) + 1));
    let mut holes = vec![0; 6 << 20];
    for block in (0..1500).step_by(2) {
        holes[block * 4096] = block as u8 | 1;
    }
    sample.file("usr/lib/holes", 0o644, &holes);
    sample.file("usr/lib/all-zero", 0o644, &vec![0; 1 << 20]);
    sample.file("usr/share/größe/ein Name mit Leerzeichen", 0o644, b"x");
    sample.insert("usr/lib/linked", 0o644, Kind::File { digest: Digest::of(b"x"), size: 1, hard_link: Some(7) });
    sample.insert(
        "usr/libexec/linked too",
        0o644,
        Kind::File { digest: Digest::of(b"x"), size: 1, hard_link: Some(7) },
    );
    sample.symlink("bin", "usr/bin");
    sample.symlink("usr/lib/59", &"x".repeat(59));
    sample.symlink("usr/lib/60", &"x".repeat(60));
    sample.symlink("usr/lib/4095", &"y".repeat(4095));
    sample.insert("dev/null", 0o666, Kind::CharDevice { major: 1, minor: 3 });
    sample.insert("dev/large", 0o660, Kind::BlockDevice { major: 259, minor: 70_000 });
    sample.insert("run/pipe", 0o600, Kind::Fifo);
    sample.insert("tmp", 0o1777, Kind::Directory);
    sample.insert("var/empty", 0o700, Kind::Directory);
    *sample.meta("etc/hostname") =
        Meta { mode: 0o640, uid: 70_000, gid: 4_000_000_000, mtime: -5, xattrs: BTreeMap::new() };
    sample.meta("empty").mtime = 5_000_000_000;
    sample.meta("").mtime = TIME;
    // cap_net_raw=ep, revision 2.
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    sample.xattr("usr/bin/passwd", "security.capability", &capability);
    let names: Vec<String> = sample.tree.iter().map(|(path, _)| path.as_str().to_owned()).collect();
    for name in names {
        sample.xattr(&name, "security.selinux", b"system_u:object_r:some_longer_type_of_file_t:s0\0");
    }
    for name in ["etc", "empty", "usr/bin/one-block"] {
        sample.xattr(name, "user.shared", &noise(1000));
        sample.xattr(name, "trusted.overlay.opaque", b"y");
    }
    sample.xattr("usr/lib", "user.own", &noise(4000));
    sample.xattr("usr/lib", "user.none", b"");
    // user::rw-, user:1000:r--, group::r--, mask::r--, other::---
    let acl: Vec<u8> = [(1, 6, u32::MAX), (2, 4, 1000), (4, 4, u32::MAX), (16, 4, u32::MAX), (32, 0, u32::MAX)]
        .into_iter()
        .flat_map(|(tag, permissions, id)| [[tag, 0, permissions, 0], u32::to_le_bytes(id)].concat())
        .collect();
    sample.xattr("etc/hostname", "system.posix_acl_access", &[&[2, 0, 0, 0], &acl[..]].concat());
    sample
}

/// A directory of `count` small files with names of `length` bytes.
pub(crate) fn many(count: usize, length: usize) -> Sample {
    let mut sample = Sample::new();
    let digest = Digest::of(b"");
    sample.blobs.insert(digest, Vec::new());
    for number in 0..count {
        let kind = Kind::File { digest, size: 0, hard_link: None };
        // Letters beyond ASCII, too: the hash takes their bytes as signed.
        let letter = if number % 3 == 0 { "ä" } else { "x" };
        sample.insert(&format!("many/{letter}{number:0>width$}", width = length - letter.len()), 0o644, kind);
    }
    sample
}
