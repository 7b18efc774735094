use super::BLOCK;
use super::blocks::{Allocator, NoBlocks};
use super::crc32c::crc32c;
use super::geometry::{DESCRIPTOR, FLEX_LOG, GROUP, Geometry, has_copies};

/// Where a group's own tables are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables {
    pub(super) block_bitmap: u64,
    pub(super) inode_bitmap: u64,
    pub(super) inodes: u64,
}

/// Takes the blocks of all superblocks, descriptors, bitmaps and inode tables.
pub(super) fn place(geometry: &Geometry, blocks: &mut Allocator) -> Result<Vec<Tables>, NoBlocks> {
    for group in (0..geometry.groups()).filter(|group| has_copies(*group)) {
        let start = group * GROUP;
        blocks.take(start..start + geometry.copies(group));
    }
    let mut tables = Vec::new();
    let groups: Vec<u64> = (0..geometry.groups()).collect();
    for flex in groups.chunks(1 << FLEX_LOG) {
        let goal = flex[0] * GROUP;
        let mut all = |count: u64| flex.iter().map(|_| blocks.run(goal, count)).collect::<Result<Vec<u64>, NoBlocks>>();
        let (block_bitmaps, inode_bitmaps, inodes) = (all(1)?, all(1)?, all(geometry.table_blocks())?);
        for ((block_bitmap, inode_bitmap), inodes) in block_bitmaps.into_iter().zip(inode_bitmaps).zip(inodes) {
            tables.push(Tables { block_bitmap, inode_bitmap, inodes });
        }
    }
    Ok(tables)
}

/// A group as it is in the end: its descriptor, and its bitmaps where they are to be written.
pub(super) struct Group {
    pub(super) descriptor: [u8; DESCRIPTOR as usize],
    pub(super) block_bitmap: Option<Vec<u8>>,
    pub(super) inode_bitmap: Option<Vec<u8>>,
    pub(super) free_blocks: u64,
}

/// What a group's descriptor is made from, beside the geometry.
pub(super) struct State<'a> {
    pub(super) blocks: &'a Allocator,
    pub(super) tables: &'a Tables,
    /// The highest inode in use, in the whole file system.
    pub(super) last_inode: u64,
    /// Directories among the inodes of this group.
    pub(super) directories: u32,
    /// The seed of checksums.
    pub(super) seed: u32,
}

/// The kernel makes the inode bitmap when it first needs one here.
const INODES_UNUSED: u16 = 1;
/// Likewise the block bitmap.
const BLOCKS_UNUSED: u16 = 2;
/// The inode table is zero where it is unused: nobody needs to clear it.
const TABLE_ZEROED: u16 = 4;

pub(super) fn finish(geometry: &Geometry, group: u64, state: &State<'_>) -> Group {
    let range = geometry.range(group);
    let used = state.blocks.count_in(range.clone());
    let free_blocks = range.end - range.start - used;
    let per_group = geometry.inodes_per_group;
    let used_inodes = state.last_inode.saturating_sub(group * per_group).min(per_group);
    // The bitmap of the last group marks blocks beyond the end, which only a written one can.
    let is_empty = used == geometry.copies(group) && group + 1 != geometry.groups();
    let mut flags = TABLE_ZEROED;
    let block_bitmap = if is_empty {
        flags |= BLOCKS_UNUSED;
        None
    } else {
        let mut bitmap = vec![0; BLOCK as usize];
        for part in state.blocks.used_in(range.clone()) {
            set_bits(&mut bitmap, part.start - range.start..part.end - range.start);
        }
        set_bits(&mut bitmap, range.end - range.start..GROUP);
        Some(bitmap)
    };
    let inode_bitmap = if used_inodes == 0 {
        flags |= INODES_UNUSED;
        None
    } else {
        let mut bitmap = vec![0; BLOCK as usize];
        set_bits(&mut bitmap, 0..used_inodes);
        set_bits(&mut bitmap, per_group..GROUP);
        Some(bitmap)
    };
    let checksum = |bitmap: &Option<Vec<u8>>, bits: u64| {
        bitmap.as_ref().map_or(0, |bitmap| crc32c(state.seed, &bitmap[..bits as usize / 8]))
    };
    let (blocks_checksum, inodes_checksum) = (checksum(&block_bitmap, GROUP), checksum(&inode_bitmap, per_group));

    let mut descriptor = [0; DESCRIPTOR as usize];
    // A number's lower and upper half lie 32 bytes apart.
    let mut put_u32 = |at: usize, value: u64| {
        descriptor[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
        descriptor[at + 32..at + 36].copy_from_slice(&((value >> 32) as u32).to_le_bytes());
    };
    put_u32(0x00, state.tables.block_bitmap);
    put_u32(0x04, state.tables.inode_bitmap);
    put_u32(0x08, state.tables.inodes);
    let free_inodes = per_group - used_inodes;
    let pairs = [
        (0x0c, 0x2c, free_blocks),
        (0x0e, 0x2e, free_inodes),
        (0x10, 0x30, u64::from(state.directories)),
        (0x1c, 0x32, free_inodes),
    ];
    let checksums = [(0x18, 0x38, u64::from(blocks_checksum)), (0x1a, 0x3a, u64::from(inodes_checksum))];
    for (low, high, value) in pairs.into_iter().chain(checksums) {
        descriptor[low..low + 2].copy_from_slice(&(value as u16).to_le_bytes());
        descriptor[high..high + 2].copy_from_slice(&((value >> 16) as u16).to_le_bytes());
    }
    descriptor[0x12..0x14].copy_from_slice(&flags.to_le_bytes());
    let own = crc32c(crc32c(state.seed, &(group as u32).to_le_bytes()), &descriptor);
    descriptor[0x1e..0x20].copy_from_slice(&(own as u16).to_le_bytes());
    Group { descriptor, block_bitmap, inode_bitmap, free_blocks }
}

fn set_bits(bitmap: &mut [u8], bits: std::ops::Range<u64>) {
    let mut bit = bits.start;
    while bit < bits.end {
        let at = (bit / 8) as usize;
        if bit.is_multiple_of(8) && bits.end - bit >= 8 {
            bitmap[at] = 0xff;
            bit += 8;
        } else {
            bitmap[at] |= 1 << (bit % 8);
            bit += 1;
        }
    }
}
