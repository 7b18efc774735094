use super::crc32c::crc32c;
use super::hash::half_md4;
use super::{BLOCK, Ext4Error};
use crate::Uuid;

const SIZE: usize = BLOCK as usize;
/// The entry that ends every block of names: 12 bytes that look like a free entry and hold the checksum.
const TAIL: usize = 12;
/// Room for names in a block.
const ROOM: usize = SIZE - TAIL;
/// Rows in the root of an index: behind `.`, `..` and its header, and 8 bytes left for the checksum.
const IN_ROOT: usize = (SIZE - 32 - 8) / 8;
/// Rows in a further block of an index: behind one free entry.
const IN_NODE: usize = (SIZE - 8 - 8) / 8;

/// Directories have no larger index than two levels, unless a feature is set that old kernels do not know.
const LEAVES_MAX: usize = IN_ROOT * IN_NODE;

/// What a directory says of a child.
#[derive(Clone, Copy, Debug)]
pub(super) struct Child<'a> {
    pub(super) name: &'a str,
    pub(super) inode: u32,
    /// The file type as entries have it: 1 file, 2 directory, 3 and 4 devices, 5 pipe, 7 symbolic link.
    pub(super) kind: u8,
}

/// A directory's blocks, in the order of the file.
pub(super) struct Directory {
    pub(super) blocks: Vec<Vec<u8>>,
    /// Whether the first block is the root of an index.
    pub(super) is_indexed: bool,
}

fn entry_size(name: &str) -> usize {
    (8 + name.len()).next_multiple_of(4)
}

/// Blocks of names under way; `self.last` is where the last entry of the last block begins.
struct Filling {
    blocks: Vec<Vec<u8>>,
    last: usize,
}

impl Filling {
    fn fits(&self, name: &str) -> bool {
        self.blocks.last().is_some_and(|block| block.len() + entry_size(name) <= ROOM)
    }

    fn add(&mut self, child: &Child<'_>) {
        if !self.fits(child.name) {
            self.close();
            self.blocks.push(Vec::with_capacity(SIZE));
        }
        if let Some(block) = self.blocks.last_mut() {
            self.last = block.len();
            let size = entry_size(child.name);
            put_entry(block, child.inode, size, child.name, child.kind);
        }
    }

    /// Lets the last entry of the block reach to its tail, and adds that.
    fn close(&mut self) {
        if let Some(block) = self.blocks.last_mut() {
            let size = (ROOM - self.last) as u16;
            block[self.last + 4..self.last + 6].copy_from_slice(&size.to_le_bytes());
            block.resize(ROOM, 0);
            block.extend_from_slice(&[0, 0, 0, 0, TAIL as u8, 0, 0, 0xde, 0, 0, 0, 0]);
        }
    }
}

fn put_entry(block: &mut Vec<u8>, inode: u32, size: usize, name: &str, kind: u8) {
    let end = block.len() + size;
    block.extend_from_slice(&inode.to_le_bytes());
    block.extend_from_slice(&(size as u16).to_le_bytes());
    block.push(name.len() as u8);
    block.push(kind);
    block.extend_from_slice(name.as_bytes());
    block.resize(end, 0);
}

const DIRECTORY: u8 = 2;

/// The blocks of a directory with these children, in the given order; indexed by hash where one block does not suffice.
/// `at_least` blocks are made in any case.
pub(super) fn build(
    own: u32,
    parent: u32,
    children: &[Child<'_>],
    seed: Uuid,
    at_least: usize,
) -> Result<Directory, Ext4Error> {
    let dots = [Child { name: ".", inode: own, kind: DIRECTORY }, Child { name: "..", inode: parent, kind: DIRECTORY }];
    let size: usize = dots.iter().chain(children).map(|child| entry_size(child.name)).sum();
    if size > ROOM {
        return indexed(own, parent, children, seed);
    }
    let mut filling = Filling { blocks: Vec::new(), last: 0 };
    for child in dots.iter().chain(children) {
        filling.add(child);
    }
    filling.close();
    while filling.blocks.len() < at_least {
        let mut block = Vec::with_capacity(SIZE);
        put_entry(&mut block, 0, 8, "", 0);
        filling.blocks.push(block);
        filling.last = 0;
        filling.close();
    }
    Ok(Directory { blocks: filling.blocks, is_indexed: false })
}

/// How many blocks a directory needs at most.
pub(super) fn blocks_at_most(children: &[Child<'_>]) -> u64 {
    let size: usize = 24 + children.iter().map(|child| entry_size(child.name)).sum::<usize>();
    if size <= ROOM {
        return 1;
    }
    // A block may stay empty by what the longest name needs.
    let leaves = size.div_ceil(ROOM - entry_size(&"x".repeat(255)));
    (leaves + 1 + leaves.div_ceil(IN_NODE)) as u64
}

/// Leaves in the order of their names' hashes, under an index of one or two levels.
fn indexed(own: u32, parent: u32, children: &[Child<'_>], seed: Uuid) -> Result<Directory, Ext4Error> {
    let mut hashed: Vec<(u32, &Child<'_>)> =
        children.iter().map(|child| (half_md4(child.name.as_bytes(), seed), child)).collect();
    hashed.sort_by_key(|(hash, child)| (*hash, child.name));
    let mut filling = Filling { blocks: Vec::new(), last: 0 };
    let mut starts: Vec<u32> = Vec::new();
    let mut previous = None;
    for (hash, child) in hashed {
        if !filling.fits(child.name) {
            // The lowest bit says that names of this hash begin in the leaf before.
            starts.push(hash | u32::from(previous == Some(hash)));
        }
        filling.add(child);
        previous = Some(hash);
    }
    filling.close();
    let leaves = filling.blocks;
    if leaves.len() > LEAVES_MAX {
        return Err(Ext4Error::Directory { entries: children.len() });
    }

    let is_deep = leaves.len() > IN_ROOT;
    let groups: Vec<&[u32]> = if is_deep { starts.chunks(IN_NODE).collect() } else { Vec::new() };
    let first_leaf = 1 + groups.len() as u32;
    let mut root = Vec::with_capacity(SIZE);
    put_entry(&mut root, own, 12, ".", DIRECTORY);
    put_entry(&mut root, parent, SIZE - 12, "..", DIRECTORY);
    root.truncate(24);
    // Reserved, half_md4, the size of this header, further levels.
    root.extend_from_slice(&[0, 0, 0, 0, 1, 8, u8::from(is_deep), 0]);
    let mut blocks = Vec::with_capacity(leaves.len() + 1 + groups.len());
    let mut nodes = Vec::new();
    if is_deep {
        let rows: Vec<(u32, u32)> = groups.iter().zip(1..).map(|(group, block)| (group[0], block)).collect();
        rows_behind(&mut root, &rows, IN_ROOT);
        let mut leaf = first_leaf;
        for group in groups {
            let mut node = Vec::with_capacity(SIZE);
            put_entry(&mut node, 0, 8, "", 0);
            node[4..6].copy_from_slice(&(SIZE as u16).to_le_bytes());
            let rows: Vec<(u32, u32)> = group.iter().copied().zip(leaf..).collect();
            leaf += group.len() as u32;
            rows_behind(&mut node, &rows, IN_NODE);
            nodes.push(node);
        }
    } else {
        let rows: Vec<(u32, u32)> = starts.iter().copied().zip(first_leaf..).collect();
        rows_behind(&mut root, &rows, IN_ROOT);
    }
    blocks.push(root);
    blocks.extend(nodes);
    blocks.extend(leaves);
    Ok(Directory { blocks, is_indexed: true })
}

/// Appends rows of an index: hash and block. The first row has no hash, but how many rows can be and are there.
fn rows_behind(block: &mut Vec<u8>, rows: &[(u32, u32)], most: usize) {
    for (index, (hash, at)) in rows.iter().enumerate() {
        let first = if index == 0 { most as u32 | (rows.len() as u32) << 16 } else { *hash };
        block.extend_from_slice(&first.to_le_bytes());
        block.extend_from_slice(&at.to_le_bytes());
    }
    block.resize(SIZE, 0);
}

/// Puts the checksum into block `index` of a directory; `seed` is that of its inode.
pub(super) fn seal(block: &mut [u8], seed: u32, directory_is_indexed: bool, index: usize) {
    let is_leaf = block[SIZE - TAIL..SIZE - 4] == [0, 0, 0, 0, TAIL as u8, 0, 0, 0xde];
    let (checksum, at) = if directory_is_indexed && (index == 0 || !is_leaf) {
        let rows_at = if index == 0 { 32 } else { 8 };
        let most = usize::from(u16::from_le_bytes([block[rows_at], block[rows_at + 1]]));
        let count = usize::from(u16::from_le_bytes([block[rows_at + 2], block[rows_at + 3]]));
        let tail = rows_at + most * 8;
        // The tail's own eight bytes count as zeros.
        (crc32c(crc32c(seed, &block[..rows_at + count * 8]), &[0; 8]), tail + 4)
    } else {
        (crc32c(seed, &block[..ROOM]), SIZE - 4)
    };
    block[at..at + 4].copy_from_slice(&checksum.to_le_bytes());
}
