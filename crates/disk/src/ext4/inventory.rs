use std::collections::BTreeMap;

use tree::{Kind, Node, Tree};

use super::directory::{self, Child};
use super::xattrs::{self, Xattrs};
use super::{BLOCK, Ext4Error};

/// The root directory's inode.
pub(super) const ROOT: u32 = 2;
/// The inode of `lost+found`, and the first one that is not reserved.
pub(super) const LOST_FOUND: u32 = 11;
/// Blocks that `lost+found` has from the start, so that e2fsck need not look for any when they are scarce.
pub(super) const LOST_FOUND_BLOCKS: usize = 4;
/// More subdirectories cannot be counted; 1 then stands for "many".
const LINKS_MAX: u32 = 65000;

/// Everything that becomes an inode: root, `lost+found`, then the others by path; a hard-linked file once.
pub(super) struct Inventory<'a> {
    pub(super) entries: Vec<Entry<'a>>,
}

/// What becomes one inode.
pub(super) struct Entry<'a> {
    pub(super) path: &'a str,
    pub(super) node: &'a Node,
    pub(super) number: u32,
    pub(super) parent: u32,
    links: u32,
    pub(super) children: Vec<Child<'a>>,
    pub(super) xattrs: Xattrs,
}

impl Entry<'_> {
    /// The link count on disk.
    pub(super) fn links(&self) -> u16 {
        if self.links > LINKS_MAX { 1 } else { self.links as u16 }
    }
}

fn kind(node: &Node) -> u8 {
    match node.kind {
        Kind::File { .. } => 1,
        Kind::Directory => 2,
        Kind::CharDevice { .. } => 3,
        Kind::BlockDevice { .. } => 4,
        Kind::Fifo => 5,
        Kind::Symlink { .. } => 7,
    }
}

impl<'a> Inventory<'a> {
    /// Numbers the nodes of `tree`. `lost_found` is used where the tree has no such directory itself.
    pub(super) fn new(tree: &'a Tree, lost_found: &'a Node) -> Result<Inventory<'a>, Ext4Error> {
        let mut inventory = Inventory { entries: Vec::with_capacity(tree.len() + 1) };
        let mut directories: BTreeMap<&str, usize> = BTreeMap::new();
        let mut linked: BTreeMap<u32, usize> = BTreeMap::new();
        let mut nodes = tree.iter().map(|(path, node)| (path.as_str(), node));
        if let Some((path, root)) = nodes.next() {
            inventory.add(path, root, ROOT, ROOT)?;
            directories.insert(path, 0);
        }
        let own = tree.iter().find(|(path, _)| path.as_str() == "lost+found").map(|(_, node)| node);
        if own.is_some_and(|node| !node.is_directory()) {
            return Err(Ext4Error::LostFound);
        }
        inventory.add("lost+found", own.unwrap_or(lost_found), LOST_FOUND, ROOT)?;
        directories.insert("lost+found", 1);
        inventory.name(0, "lost+found", 1);

        for (path, node) in nodes.filter(|(path, _)| *path != "lost+found") {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            // A tree has no node without a directory above it.
            let Some(parent) = directories.get(parent).copied() else { continue };
            if let Kind::File { hard_link: Some(link), digest, size } = &node.kind {
                if let Some(first) = linked.get(link).copied() {
                    inventory.link(first, path, (digest, *size))?;
                    inventory.name(parent, name, first);
                    continue;
                }
                linked.insert(*link, inventory.entries.len());
            }
            let index = inventory.entries.len();
            let number = LOST_FOUND - 1 + index as u32;
            let above = inventory.entries[parent].number;
            inventory.add(path, node, number, above)?;
            inventory.name(parent, name, index);
            if node.is_directory() {
                directories.insert(path, index);
            }
        }
        Ok(inventory)
    }

    fn add(&mut self, path: &'a str, node: &'a Node, number: u32, parent: u32) -> Result<(), Ext4Error> {
        match &node.kind {
            Kind::Symlink { target } if target.is_empty() || target.len() as u64 >= BLOCK => {
                return Err(Ext4Error::Symlink { path: path.to_owned(), length: target.len() });
            }
            Kind::File { size, .. } if size.div_ceil(BLOCK) > u64::from(u32::MAX) => {
                return Err(Ext4Error::FileSize { path: path.to_owned(), size: *size });
            }
            _ => {}
        }
        let links = if node.is_directory() { 2 } else { 1 };
        let xattrs = xattrs::build(path, &node.meta.xattrs)?;
        self.entries.push(Entry { path, node, number, parent, links, children: Vec::new(), xattrs });
        Ok(())
    }

    /// Enters `name` for the inode at `child` into the directory at `parent`.
    fn name(&mut self, parent: usize, name: &'a str, child: usize) {
        let (inode, node) = (self.entries[child].number, self.entries[child].node);
        self.entries[parent].children.push(Child { name, inode, kind: kind(node) });
        if node.is_directory() {
            self.entries[parent].links += 1;
        }
    }

    /// Counts one more name for a file, whose content has to be the same.
    fn link(&mut self, first: usize, path: &str, content: (&pkg::Digest, u64)) -> Result<(), Ext4Error> {
        let entry = &mut self.entries[first];
        let is_same = matches!(&entry.node.kind, Kind::File { digest, size, .. } if (digest, *size) == content);
        if !is_same {
            return Err(Ext4Error::HardLink { path: path.to_owned(), other: entry.path.to_owned() });
        }
        entry.links += 1;
        if entry.links > LINKS_MAX {
            return Err(Ext4Error::Links { path: path.to_owned() });
        }
        Ok(())
    }

    /// The highest inode number in use; all below it are in use too.
    pub(super) fn last_inode(&self) -> u64 {
        self.entries.len() as u64 + u64::from(LOST_FOUND) - 2
    }

    /// Blocks that suffice for content, directories, attributes and extent trees. Holes can make it fewer.
    pub(super) fn blocks_at_most(&self) -> u64 {
        let blocks = self.entries.iter().map(|entry| {
            let content = match &entry.node.kind {
                Kind::Directory => directory::blocks_at_most(&entry.children),
                Kind::File { size, .. } => size.div_ceil(BLOCK),
                Kind::Symlink { target } if target.len() >= 60 => 1,
                _ => 0,
            };
            // Four pieces need no block of extents. A hole saves more than the piece that it adds costs; else it takes
            // the metadata of groups to part a file, at most three times a group.
            let pieces = content / 10_000;
            content + pieces.div_ceil(300) + pieces.div_ceil(90_000) + u64::from(entry.xattrs.block.is_some())
        });
        blocks.sum::<u64>() + LOST_FOUND_BLOCKS as u64
    }
}
