use std::collections::BTreeMap;
use std::io::{self, Read, Seek, Write};
use std::ops::Range;

use pkg::{Blobs, Digest};
use tree::{Kind, Node, Tree};

use super::blocks::{Allocator, NoBlocks, Output};
use super::crc32c::crc32c;
use super::extents::{self, Extents};
use super::geometry::{GROUP, Geometry, has_copies};
use super::groups::{self, State, Tables};
use super::inode::{self, Inode, inode_seed};
use super::inventory::{Entry, Inventory, LOST_FOUND, LOST_FOUND_BLOCKS};
use super::superblock::{self, Totals};
use super::{BLOCK, Ext4Error, Options, Written, directory, system, xattrs};

/// Bytes of a file that are read at a time.
const CHUNK: usize = 1 << 20;

/// The bytes that the file system of `tree` will have: what [`write()`] returns as its size, known before anything is read.
pub fn measure(tree: &Tree, options: &Options) -> Result<u64, Ext4Error> {
    let lost_found = lost_found(options);
    Ok(Geometry::new(options, &Inventory::new(tree, &lost_found)?)?.blocks * BLOCK)
}

/// Writes `tree` as an ext4 file system; the bytes of files come from `blobs`.
///
/// `out` is to read as zeros. With [`super::Size::Exactly`] it has that many bytes afterwards, else [`Written::size`].
/// Equal trees and options give equal bytes. Every file is read once; errors may come after parts were written.
pub fn write<W: Write + Seek + ?Sized>(
    tree: &Tree,
    blobs: &dyn Blobs,
    options: &Options,
    out: &mut W,
) -> Result<Written, Ext4Error> {
    if options.label.len() > 16 || options.label.contains('\0') {
        return Err(Ext4Error::Label(options.label.clone()));
    }
    if options.reserved_percent > 50 {
        return Err(Ext4Error::Reserved(options.reserved_percent));
    }
    let lost_found = lost_found(options);
    let inventory = Inventory::new(tree, &lost_found)?;
    let geometry = Geometry::new(options, &inventory)?;
    let mut writer = Writer::new(options, geometry, &inventory, out)?;
    system::resize(&mut writer)?;
    let directories = inventory.entries.iter().filter(|entry| entry.node.is_directory());
    for entry in directories {
        writer.directory(entry)?;
    }
    let journal = system::journal(&mut writer)?;
    for entry in &inventory.entries {
        match &entry.node.kind {
            Kind::Directory => {}
            Kind::File { digest, size, .. } => writer.file(entry, digest, *size, blobs)?,
            Kind::Symlink { target } => writer.symlink(entry, target)?,
            Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
                let (path, major, minor) = (entry.path, *major, *minor);
                let wrong = || Ext4Error::Device { path: path.to_owned(), major, minor };
                let content = inode::device(major, minor).ok_or_else(wrong)?;
                let inode = Inode { content, ..writer.inode(entry)? };
                writer.set_inode(entry.number, &inode);
            }
            Kind::Fifo => {
                let inode = writer.inode(entry)?;
                writer.set_inode(entry.number, &inode);
            }
        }
    }
    let written = writer.finish(options, journal.as_ref())?;
    let size = match options.size {
        super::Size::Exactly(size) => size,
        super::Size::Minimal { .. } => written.size,
    };
    crate::section::extend(out, size)?;
    Ok(written)
}

fn lost_found(options: &Options) -> Node {
    Node::directory(0o700, i64::from(options.at.as_u32()))
}

/// A file system on its way to the disk.
pub(super) struct Writer<'a, W: Write + Seek + ?Sized> {
    pub(super) geometry: Geometry,
    /// The time of the file system.
    pub(super) at: i64,
    pub(super) output: Output<'a, W>,
    hash_seed: crate::Uuid,
    blocks: Allocator,
    tables: Vec<Tables>,
    /// Checksums begin with this: that of the UUID.
    seed: u32,
    /// The inodes up to the last one in use, as they are on disk.
    inodes: Vec<[u8; inode::SIZE]>,
    /// Directories in each group.
    directories: Vec<u32>,
    /// Blocks of attributes: where the last one with that content is, and those that are to be written.
    shared: BTreeMap<Vec<u8>, usize>,
    xattr_blocks: Vec<XattrBlock>,
    chunk: Vec<u8>,
    /// Bytes that surely suffice, for the message when these do not.
    needed: u64,
}

struct XattrBlock {
    at: u64,
    references: u32,
    bytes: Vec<u8>,
}

impl<'a, W: Write + Seek + ?Sized> Writer<'a, W> {
    fn new(
        options: &Options,
        geometry: Geometry,
        inventory: &Inventory<'_>,
        out: &'a mut W,
    ) -> Result<Self, Ext4Error> {
        let mut blocks = Allocator::new(geometry.blocks);
        let needed = (inventory.blocks_at_most() + 1 + geometry.blocks - geometry.capacity()) * BLOCK;
        let full = |_: NoBlocks| Ext4Error::Full { size: geometry.blocks * BLOCK, needed };
        let tables = groups::place(&geometry, &mut blocks).map_err(full)?;
        Ok(Writer {
            geometry,
            at: i64::from(options.at.as_u32()),
            output: Output::new(out),
            hash_seed: options.hash_seed,
            blocks,
            tables,
            seed: crc32c(!0, options.uuid.as_bytes()),
            inodes: vec![[0; inode::SIZE]; inventory.last_inode() as usize],
            directories: vec![0; geometry.groups() as usize],
            shared: BTreeMap::new(),
            xattr_blocks: Vec::new(),
            chunk: vec![0; CHUNK],
            needed,
        })
    }

    /// Takes up to `most` blocks in a row.
    pub(super) fn place(&mut self, most: u64) -> Result<Range<u64>, Ext4Error> {
        let (size, needed) = (self.geometry.blocks * BLOCK, self.needed);
        self.blocks.next(most).map_err(|NoBlocks| Ext4Error::Full { size, needed })
    }

    /// Takes `count` blocks for a file without holes.
    pub(super) fn place_all(&mut self, count: u64) -> Result<Extents, Ext4Error> {
        let mut extents = Extents::default();
        let mut logical = 0;
        while logical < count {
            let range = self.place(count - logical)?;
            extents.push(logical as u32, range.start, range.end - range.start);
            logical += range.end - range.start;
        }
        Ok(extents)
    }

    pub(super) fn set_inode(&mut self, number: u32, inode: &Inode) {
        self.inodes[number as usize - 1] = inode.encode(number, self.seed);
    }

    /// Gives an inode its blocks, and writes those of the extent tree that it has no room for.
    pub(super) fn put_extents(&mut self, number: u32, inode: &mut Inode, extents: &Extents) -> Result<(), Ext4Error> {
        let tree = extents.tree(|| Ok::<u64, Ext4Error>(self.place(1)?.start))?;
        let seed = inode_seed(self.seed, number);
        inode.blocks += extents.blocks() + tree.blocks.len() as u64;
        inode.content = tree.root;
        for (at, mut block) in tree.blocks {
            let checksum = crc32c(seed, &block[..extents::CHECKSUM_AT]);
            block[extents::CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
            self.output.put(at, &block)?;
        }
        Ok(())
    }

    /// The inode of an entry with everything but its content.
    fn inode(&mut self, entry: &Entry<'_>) -> Result<Inode, Ext4Error> {
        let meta = &entry.node.meta;
        let mut inode = Inode::own(entry.node.st_mode(), self.at);
        (inode.uid, inode.gid, inode.mtime) = (meta.uid, meta.gid, meta.mtime);
        inode.links = entry.links();
        inode.xattrs.clone_from(&entry.xattrs.in_inode);
        if let Some(block) = &entry.xattrs.block {
            inode.xattr_block = self.share_xattrs(block)?;
            inode.blocks += 1;
        }
        Ok(inode)
    }

    /// The place of a block of attributes, which inodes with the same ones share.
    fn share_xattrs(&mut self, bytes: &[u8]) -> Result<u64, Ext4Error> {
        if let Some(known) = self.shared.get(bytes).and_then(|index| self.xattr_blocks.get_mut(*index))
            && known.references < xattrs::SHARED_MAX
        {
            known.references += 1;
            return Ok(known.at);
        }
        let at = self.place(1)?.start;
        self.shared.insert(bytes.to_vec(), self.xattr_blocks.len());
        self.xattr_blocks.push(XattrBlock { at, references: 1, bytes: bytes.to_vec() });
        Ok(at)
    }

    fn directory(&mut self, entry: &Entry<'_>) -> Result<(), Ext4Error> {
        let at_least = if entry.number == LOST_FOUND { LOST_FOUND_BLOCKS } else { 1 };
        let made = directory::build(entry.number, entry.parent, &entry.children, self.hash_seed, at_least)?;
        let mut inode = self.inode(entry)?;
        inode.flags = inode::EXTENTS | if made.is_indexed { inode::INDEX } else { 0 };
        inode.size = made.blocks.len() as u64 * BLOCK;
        let extents = self.place_all(made.blocks.len() as u64)?;
        let seed = inode_seed(self.seed, entry.number);
        for (index, (mut block, at)) in made.blocks.into_iter().zip(extents.places()).enumerate() {
            directory::seal(&mut block, seed, made.is_indexed, index);
            self.output.put(at, &block)?;
        }
        self.put_extents(entry.number, &mut inode, &extents)?;
        self.set_inode(entry.number, &inode);
        self.directories[((u64::from(entry.number) - 1) / self.geometry.inodes_per_group) as usize] += 1;
        Ok(())
    }

    fn symlink(&mut self, entry: &Entry<'_>, target: &str) -> Result<(), Ext4Error> {
        let mut inode = self.inode(entry)?;
        inode.size = target.len() as u64;
        if target.len() < inode.content.len() {
            inode.content[..target.len()].copy_from_slice(target.as_bytes());
        } else {
            inode.flags = inode::EXTENTS;
            let extents = self.place_all(1)?;
            self.output.put(extents.first().unwrap_or(0), target.as_bytes())?;
            self.put_extents(entry.number, &mut inode, &extents)?;
        }
        self.set_inode(entry.number, &inode);
        Ok(())
    }

    fn file(&mut self, entry: &Entry<'_>, digest: &Digest, size: u64, blobs: &dyn Blobs) -> Result<(), Ext4Error> {
        let mut inode = self.inode(entry)?;
        inode.size = size;
        inode.flags = inode::EXTENTS;
        let mut extents = Extents::default();
        if size > 0 {
            let unread = |source: io::Error| Ext4Error::Content { path: entry.path.to_owned(), source };
            let wrong = |actual: u64| Ext4Error::Length { path: entry.path.to_owned(), expected: size, actual };
            let mut content = blobs.open(digest).map_err(unread)?;
            let mut chunk = std::mem::take(&mut self.chunk);
            let mut done = 0;
            while done < size {
                let wanted = (CHUNK as u64).min(size - done) as usize;
                let length = fill(&mut content, &mut chunk[..wanted]).map_err(unread)?;
                if length < wanted {
                    return Err(wrong(done + length as u64));
                }
                self.data(&chunk[..length], (done / BLOCK) as u32, &mut extents)?;
                done += length as u64;
            }
            if content.read(&mut chunk[..1]).map_err(unread)? != 0 {
                return Err(wrong(size + 1));
            }
            self.chunk = chunk;
        }
        self.put_extents(entry.number, &mut inode, &extents)?;
        self.set_inode(entry.number, &inode);
        Ok(())
    }

    /// Writes a part of a file that begins at block `logical` of it; blocks of zeros are left out.
    fn data(&mut self, bytes: &[u8], logical: u32, extents: &mut Extents) -> Result<(), Ext4Error> {
        let mut blocks = bytes.chunks(BLOCK as usize).enumerate().peekable();
        while let Some((first, block)) = blocks.next() {
            if is_zero(block) {
                continue;
            }
            let mut end = first + 1;
            while blocks.next_if(|(_, block)| !is_zero(block)).is_some() {
                end += 1;
            }
            let mut at = first;
            while at < end {
                let range = self.place((end - at) as u64)?;
                let next = at + (range.end - range.start) as usize;
                let part = &bytes[at * BLOCK as usize..(next * BLOCK as usize).min(bytes.len())];
                self.output.put(range.start, part)?;
                extents.push(logical + at as u32, range.start, range.end - range.start);
                at = next;
            }
        }
        Ok(())
    }

    /// Writes what can be known only now: attributes, bitmaps, inode tables, descriptors, superblocks.
    fn finish(mut self, options: &Options, journal: Option<&Inode>) -> Result<Written, Ext4Error> {
        for mut block in std::mem::take(&mut self.xattr_blocks) {
            xattrs::seal(&mut block.bytes, block.at, block.references, self.seed);
            self.output.put(block.at, &block.bytes)?;
        }
        let geometry = self.geometry;
        let last_inode = self.inodes.len() as u64;
        let mut descriptors = Vec::new();
        let mut free_blocks = 0;
        for (number, tables) in self.tables.iter().enumerate() {
            let directories = self.directories[number];
            let state = State { blocks: &self.blocks, tables, last_inode, directories, seed: self.seed };
            let group = groups::finish(&geometry, number as u64, &state);
            free_blocks += group.free_blocks;
            descriptors.extend_from_slice(&group.descriptor);
            if let Some(bitmap) = group.block_bitmap {
                self.output.put(tables.block_bitmap, &bitmap)?;
            }
            if let Some(bitmap) = group.inode_bitmap {
                self.output.put(tables.inode_bitmap, &bitmap)?;
            }
        }
        for (inodes, tables) in self.inodes.chunks(geometry.inodes_per_group as usize).zip(&self.tables) {
            self.output.put(tables.inodes, inodes.as_flattened())?;
        }
        let free_inodes = geometry.inodes() - last_inode;
        let totals = Totals { free_blocks, free_inodes, journal };
        for group in (0..geometry.groups()).filter(|group| has_copies(*group)) {
            let superblock = superblock::encode(options, &geometry, &totals, group);
            // The first one leaves the first 1024 bytes to boot loaders.
            let block = if group == 0 { [&[0; 1024], &superblock[..]].concat() } else { superblock.to_vec() };
            self.output.put(group * GROUP, &block)?;
            self.output.put(group * GROUP + 1, &descriptors)?;
        }
        self.output.flush()?;
        Ok(Written {
            size: geometry.blocks * BLOCK,
            free: free_blocks * BLOCK,
            inodes: geometry.inodes() as u32,
            free_inodes: free_inodes as u32,
        })
    }
}

/// Reads until `bytes` are full or the source ends; returns how many there were.
fn fill(source: &mut dyn Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match source.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn is_zero(block: &[u8]) -> bool {
    static ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];
    block == &ZEROS[..block.len()]
}
