//! The `newc` cpio archive, which the Linux kernel unpacks as its initial root filesystem.
//!
//! Each entry is a 110-byte header of `070701` and thirteen 8-digit hexadecimal numbers, the NUL-ended name padded to a
//! multiple of four bytes, and the data padded likewise; `TRAILER!!!` ends the archive. Extended attributes are lost.
//! Source: cpio(5), and `Documentation/driver-api/early-userspace/buffer-format.rst` of Linux.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use pkg::Blobs;

use crate::{Kind, Meta, Node, Tree, TreePath};

/// Writes `tree` as a `newc` archive, nodes by path, inodes numbered from 1.
///
/// Of files that are one inode the last one carries the bytes, as the kernel and GNU cpio expect.
pub fn write(tree: &Tree, blobs: &dyn Blobs, out: &mut dyn Write) -> io::Result<()> {
    let mut links: BTreeMap<u32, Link> = BTreeMap::new();
    for (_, node) in tree.iter() {
        if let Kind::File { hard_link: Some(number), .. } = node.kind {
            links.entry(number).or_default().names += 1;
        }
    }
    let mut next_inode = 1;
    for (path, node) in tree.iter().filter(|(path, _)| !path.is_root()) {
        let mut entry = Entry::of(path, node, next_inode);
        let mut data: Option<Box<dyn Read + Send + '_>> = None;
        let mut is_new_inode = true;
        match &node.kind {
            Kind::File { digest, size, hard_link } => {
                let mut carries_bytes = true;
                if let Some(link) = hard_link.and_then(|number| links.get_mut(&number)) {
                    is_new_inode = link.inode == 0;
                    if is_new_inode {
                        link.inode = next_inode;
                    }
                    link.written += 1;
                    entry.inode = link.inode;
                    entry.links = link.names;
                    carries_bytes = link.written == link.names;
                }
                if carries_bytes {
                    entry.size = *size;
                    data = Some(blobs.open(digest)?);
                }
            }
            Kind::Symlink { target } => {
                entry.size = target.len() as u64;
                data = Some(Box::new(target.as_bytes()));
            }
            _ => {}
        }
        if is_new_inode {
            next_inode += 1;
        }
        entry.write(out)?;
        if let Some(data) = data {
            copy_padded(data, entry.size, path, out)?;
        }
    }
    let end = Node { meta: Meta::default(), kind: Kind::Fifo };
    let root = TreePath::root();
    Entry { name: "TRAILER!!!", mode: 0, ..Entry::of(&root, &end, 0) }.write(out)
}

#[derive(Default)]
struct Link {
    inode: u32,
    names: u32,
    written: u32,
}

struct Entry<'a> {
    name: &'a str,
    inode: u32,
    mode: u32,
    uid: u32,
    gid: u32,
    links: u32,
    mtime: u32,
    size: u64,
    device: (u32, u32),
}

impl<'a> Entry<'a> {
    fn of(path: &'a TreePath, node: &Node, inode: u32) -> Entry<'a> {
        let device = match node.kind {
            Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => (major, minor),
            _ => (0, 0),
        };
        Entry {
            name: path.as_str(),
            inode,
            mode: node.st_mode(),
            uid: node.meta.uid,
            gid: node.meta.gid,
            links: 1,
            mtime: u32::try_from(node.meta.mtime).unwrap_or(0),
            size: 0,
            device,
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let size = u32::try_from(self.size)
            .map_err(|_| io::Error::other(format!("`/{}` is over 4 GiB, more than cpio holds", self.name)))?;
        let name_size = u32::try_from(self.name.len() + 1).unwrap_or(u32::MAX);
        let fields = [
            self.inode,
            self.mode,
            self.uid,
            self.gid,
            self.links,
            self.mtime,
            size,
            0,
            0,
            self.device.0,
            self.device.1,
            name_size,
            0,
        ];
        let mut header = String::from("070701");
        for field in fields {
            header.push_str(&format!("{field:08x}"));
        }
        header.push_str(self.name);
        header.push('\0');
        out.write_all(header.as_bytes())?;
        pad(header.len() as u64, out)
    }
}

fn copy_padded(data: Box<dyn Read + Send + '_>, size: u64, path: &TreePath, out: &mut dyn Write) -> io::Result<()> {
    let copied = io::copy(&mut data.take(size), out)?;
    if copied != size {
        return Err(io::Error::other(format!("`{path}` should have {size} bytes, but only {copied} could be read")));
    }
    pad(size, out)
}

fn pad(written: u64, out: &mut dyn Write) -> io::Result<()> {
    let missing = (4 - written % 4) % 4;
    out.write_all(&[0; 3][..missing as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use pkg::Digest;

    #[test]
    fn archive_is_laid_out_as_the_kernel_reads_it() {
        let path = |text: &str| TreePath::new(text).unwrap();
        let blobs = BTreeMap::from([(Digest::of(b"hello"), b"hello".to_vec())]);
        let mut tree = Tree::new();
        tree.insert(path("dev"), Node::directory(0o755, 5)).unwrap();
        let kind = Kind::CharDevice { major: 5, minor: 1 };
        tree.insert(path("dev/console"), Node { meta: Meta::root(0o600, 5), kind }).unwrap();
        for name in ["a", "b"] {
            let kind = Kind::File { digest: Digest::of(b"hello"), size: 5, hard_link: Some(0) };
            tree.insert(path(name), Node { meta: Meta::root(0o644, 5), kind }).unwrap();
        }
        let mut archive = Vec::new();
        write(&tree, &blobs, &mut archive).unwrap();
        assert_eq!(archive.len() % 4, 0);
        let text = String::from_utf8(archive).unwrap();
        let sizes: Vec<&str> = text.match_indices("070701").map(|(at, _)| &text[at + 54..at + 62]).collect();
        assert_eq!(sizes, ["00000000", "00000005", "00000000", "00000000", "00000000"]);
        let inodes: Vec<&str> = text.match_indices("070701").map(|(at, _)| &text[at + 6..at + 14]).collect();
        assert_eq!(inodes, ["00000001", "00000001", "00000002", "00000003", "00000000"]);
        assert!(text.contains("TRAILER!!!\0"));
    }

    #[test]
    fn missing_bytes_are_an_error() {
        let mut tree = Tree::new();
        tree.insert(TreePath::new("a").unwrap(), Node::file(0o644, 0, Digest::of(b"abc"), 9)).unwrap();
        let blobs = BTreeMap::from([(Digest::of(b"abc"), b"abc".to_vec())]);
        let error = write(&tree, &blobs, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("only 3"), "{error}");
    }
}
