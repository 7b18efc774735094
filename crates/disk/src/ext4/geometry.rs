use std::ops::Range;

use super::inventory::Inventory;
use super::{BLOCK, Ext4Error, Journal, Options, Size, inode};

/// Blocks in a group: as many as its bitmap of one block has bits.
pub(super) const GROUP: u64 = BLOCK * 8;
/// Bytes of a group descriptor, with the 64bit feature.
pub(super) const DESCRIPTOR: u64 = 64;
/// Groups whose tables lie together: 2 to the power of this.
pub(super) const FLEX_LOG: u8 = 4;
/// One inode for so many bytes, as mke2fs has it; more where the tree needs more.
const BYTES_PER_INODE: u64 = 16384;
/// Block numbers in the resize inode have 32 bits.
const BLOCKS_MAX: u64 = u32::MAX as u64;
const BLOCKS_MIN: u64 = 256;
/// A last group is dropped if it has fewer blocks than this beside its tables; mke2fs's number.
const LAST_GROUP_MIN: u64 = 50;
/// Numbers of blocks in a block of the resize inode.
pub(super) const POINTERS: u64 = BLOCK / 4;

/// How the file system is divided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub(super) blocks: u64,
    pub(super) inodes_per_group: u64,
    /// Blocks of group descriptors.
    pub(super) descriptor_blocks: u64,
    /// Blocks kept for more of them.
    pub(super) reserved_blocks: u64,
    pub(super) journal_blocks: u64,
}

impl Geometry {
    /// The geometry for a tree: of the size that is asked for, or the smallest one that surely suffices.
    pub(super) fn new(options: &Options, inventory: &Inventory<'_>) -> Result<Geometry, Ext4Error> {
        let inodes = inventory.last_inode();
        match options.size {
            Size::Exactly(size) => {
                Geometry::with(size / BLOCK, inodes, options.journal).map_err(|wrong| wrong.error(size, inodes))
            }
            Size::Minimal { free } => {
                let content = inventory.blocks_at_most().saturating_add(free.div_ceil(BLOCK));
                let mut blocks = content.max(BLOCKS_MIN).next_multiple_of(BLOCKS_MIN);
                loop {
                    // One block is for the resize inode.
                    let missing = match Geometry::with(blocks, inodes, options.journal) {
                        Ok(geometry) => (content + 1).saturating_sub(geometry.capacity()),
                        Err(Wrong::Inodes(_)) => GROUP,
                        Err(Wrong::Size) if blocks < GROUP => BLOCKS_MIN,
                        Err(Wrong::Size) => return Err(Ext4Error::Size(blocks.saturating_mul(BLOCK))),
                    };
                    if missing == 0 {
                        return Geometry::with(blocks, inodes, options.journal)
                            .map_err(|wrong| wrong.error(blocks * BLOCK, inodes));
                    }
                    blocks = blocks.saturating_add(missing).next_multiple_of(BLOCKS_MIN);
                }
            }
        }
    }

    fn with(blocks: u64, inodes: u64, journal: Journal) -> Result<Geometry, Wrong> {
        if !(BLOCKS_MIN..=BLOCKS_MAX).contains(&blocks) {
            return Err(Wrong::Size);
        }
        let groups = blocks.div_ceil(GROUP);
        let descriptor_blocks = (groups * DESCRIPTOR).div_ceil(BLOCK);
        // Room for the descriptors of a file system 1024 times as large, as mke2fs has it.
        let largest = (blocks * 1024).min(BLOCKS_MAX);
        let all_descriptors = (largest.div_ceil(GROUP) * DESCRIPTOR).div_ceil(BLOCK);
        let reserved_blocks = all_descriptors.saturating_sub(descriptor_blocks).min(POINTERS);
        let wanted = (blocks * BLOCK / BYTES_PER_INODE).max(inodes + inodes / 10 + 16);
        if inodes > groups * GROUP {
            return Err(Wrong::Inodes(groups * GROUP));
        }
        // Whole blocks of the inode table.
        let inodes_per_group = wanted.div_ceil(groups).next_multiple_of(BLOCK / inode::SIZE as u64).min(GROUP);
        let journal_blocks = if journal == Journal::None { 0 } else { usual_journal(blocks) };
        let geometry = Geometry { blocks, inodes_per_group, descriptor_blocks, reserved_blocks, journal_blocks };
        let last = groups - 1;
        let least = geometry.copies(last) + 2 + geometry.table_blocks() + LAST_GROUP_MIN;
        if blocks - last * GROUP < least {
            if last == 0 {
                return Err(Wrong::Size);
            }
            return Geometry::with(last * GROUP, inodes, journal);
        }
        Ok(geometry)
    }

    pub(super) fn groups(&self) -> u64 {
        self.blocks.div_ceil(GROUP)
    }

    pub(super) fn inodes(&self) -> u64 {
        self.groups() * self.inodes_per_group
    }

    /// Blocks of a group's inode table.
    pub(super) fn table_blocks(&self) -> u64 {
        self.inodes_per_group * inode::SIZE as u64 / BLOCK
    }

    /// The blocks of a group.
    pub(super) fn range(&self, group: u64) -> Range<u64> {
        group * GROUP..((group + 1) * GROUP).min(self.blocks)
    }

    /// Blocks at the start of a group for superblock, descriptors and those kept for more; 0 in most groups.
    pub(super) fn copies(&self, group: u64) -> u64 {
        if has_copies(group) { 1 + self.descriptor_blocks + self.reserved_blocks } else { 0 }
    }

    /// Blocks left for the tree.
    pub(super) fn capacity(&self) -> u64 {
        let copies: u64 = (0..self.groups()).filter(|group| has_copies(*group)).map(|group| self.copies(group)).sum();
        let tables = self.groups() * (2 + self.table_blocks());
        self.blocks.saturating_sub(copies + tables + self.journal_blocks)
    }
}

/// What stands against a number of blocks.
enum Wrong {
    Size,
    /// So many inodes there can be.
    Inodes(u64),
}

impl Wrong {
    fn error(&self, size: u64, files: u64) -> Ext4Error {
        match self {
            Wrong::Size => Ext4Error::Size(size),
            Wrong::Inodes(most) => Ext4Error::Inodes { files, size, most: *most },
        }
    }
}

/// Whether a group begins with a copy of superblock and descriptors: 0, 1, and powers of 3, 5 and 7.
pub(super) fn has_copies(group: u64) -> bool {
    let is_power = |base: u64| {
        let mut rest = group;
        while rest > 1 && rest.is_multiple_of(base) {
            rest /= base;
        }
        rest == 1
    };
    group <= 1 || is_power(3) || is_power(5) || is_power(7)
}

/// Blocks of the journal that mke2fs chooses for so many blocks; it has no smaller one than 1024.
fn usual_journal(blocks: u64) -> u64 {
    const TABLE: [(u64, u64); 8] = [
        (2048, 0),
        (32768, 1024),
        (256 * 1024, 4096),
        (512 * 1024, 8192),
        (4096 * 1024, 16384),
        (8192 * 1024, 32768),
        (16384 * 1024, 65536),
        (32768 * 1024, 131_072),
    ];
    TABLE.iter().find(|(below, _)| blocks < *below).map_or(262_144, |(_, journal)| *journal)
}
