use super::crc32c::crc32c;
use super::geometry::{DESCRIPTOR, FLEX_LOG, GROUP, Geometry};
use super::inode::{self, Inode};
use super::inventory::LOST_FOUND;
use super::system::JOURNAL;
use super::{BLOCK, Options};

/// Bytes of a superblock.
pub(super) const SIZE: usize = 1024;

/// has_journal.
const JOURNALLED: u32 = 0x4;
/// ext_attr, dir_index.
const COMPATIBLE: u32 = 0x8 | 0x20;
/// resize_inode.
const RESIZE_INODE: u32 = 0x10;
/// filetype, extents, 64bit, flex_bg.
const INCOMPATIBLE: u32 = 0x2 | 0x40 | 0x80 | 0x200;
/// sparse_super, large_file, huge_file, dir_nlink, extra_isize, metadata_csum.
const READ_ONLY_COMPATIBLE: u32 = 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x400;

/// What is known of a file system in the end, beside options and geometry.
pub(super) struct Totals<'a> {
    pub(super) free_blocks: u64,
    pub(super) free_inodes: u64,
    pub(super) journal: Option<&'a Inode>,
}

/// The superblock as it stands in `group`.
pub(super) fn encode(options: &Options, geometry: &Geometry, totals: &Totals<'_>, group: u64) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    let reserved = geometry.blocks * u64::from(options.reserved_percent) / 100;
    let at = options.at.as_u32();
    for (low, high, value) in
        [(0x04, 0x150, geometry.blocks), (0x08, 0x154, reserved), (0x0c, 0x158, totals.free_blocks)]
    {
        put(low, &(value as u32).to_le_bytes());
        put(high, &((value >> 32) as u32).to_le_bytes());
    }
    let compatible = COMPATIBLE
        | if totals.journal.is_some() { JOURNALLED } else { 0 }
        | if geometry.reserved_blocks > 0 { RESIZE_INODE } else { 0 };
    for (place, value) in [
        (0x00, geometry.inodes() as u32),
        (0x10, totals.free_inodes as u32),
        // Block and cluster size, as a power of two above 1024.
        (0x18, BLOCK.trailing_zeros() - 10),
        (0x1c, BLOCK.trailing_zeros() - 10),
        (0x20, GROUP as u32),
        (0x24, GROUP as u32),
        (0x28, geometry.inodes_per_group as u32),
        (0x30, at),
        (0x40, at),
        // Revision 1: inode size and features count.
        (0x4c, 1),
        (0x54, LOST_FOUND),
        (0x5c, compatible),
        (0x60, INCOMPATIBLE),
        (0x64, READ_ONLY_COMPATIBLE),
        // Mount options user_xattr and acl, as mke2fs sets them.
        (0x100, 0x0c),
        (0x108, at),
        // Hashes of names take bytes as signed.
        (0x160, 1),
    ] {
        put(place, &value.to_le_bytes());
    }
    // Never checked by count of mounts; clean; go on after errors; the group of this copy; sizes.
    for (place, value) in [
        (0x36, 0xffff),
        (0x38, 0xef53),
        (0x3a, 1),
        (0x3c, 1),
        (0x58, inode::SIZE as u16),
        (0x5a, group as u16),
        (0xce, geometry.reserved_blocks as u16),
        (0xfe, DESCRIPTOR as u16),
        (0x15c, 32),
        (0x15e, 32),
    ] {
        put(place, &u16::to_le_bytes(value));
    }
    put(0x68, options.uuid.as_bytes());
    put(0x78, options.label.as_bytes());
    put(0xec, options.hash_seed.as_bytes());
    // half_md4; groups that lie together; checksums are CRC-32C.
    put(0xfc, &[1]);
    put(0x174, &[FLEX_LOG, 1]);
    if let Some(journal) = totals.journal {
        put(0xe0, &JOURNAL.to_le_bytes());
        // A copy of where the journal is, in case its inode is damaged.
        put(0xfd, &[1]);
        put(0x10c, &journal.content);
        put(0x10c + 60, &((journal.size >> 32) as u32).to_le_bytes());
        put(0x10c + 64, &(journal.size as u32).to_le_bytes());
    }
    let checksum = crc32c(!0, &bytes[..0x3fc]);
    bytes[0x3fc..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}
