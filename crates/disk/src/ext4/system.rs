//! The file system's own inodes: the one that keeps blocks for growing, and the journal.

use std::io::{Seek, Write};

use super::geometry::{GROUP, POINTERS, has_copies};
use super::inode::{EXTENTS, Inode};
use super::write::Writer;
use super::{BLOCK, Ext4Error};

/// The inode that owns the blocks kept for descriptors.
pub(super) const RESIZE: u32 = 7;
/// The journal's inode.
pub(super) const JOURNAL: u32 = 8;
const MODE: u32 = 0o100_600;

/// Writes the resize inode: a file of the old kind, whose doubly indirect block lists the kept blocks of the first group, each
/// of which lists its copies in the other groups. Source: e2fsprogs, `lib/ext2fs/res_gdt.c`, for what it has to look like.
pub(super) fn resize<W: Write + Seek + ?Sized>(writer: &mut Writer<'_, W>) -> Result<(), Ext4Error> {
    let geometry = writer.geometry;
    if geometry.reserved_blocks == 0 {
        return Ok(());
    }
    let copies: Vec<u64> = (1..geometry.groups()).filter(|group| has_copies(*group)).collect();
    let at = writer.place(1)?.start;
    let mut list = vec![0; BLOCK as usize];
    for number in 0..geometry.reserved_blocks {
        let kept = 1 + geometry.descriptor_blocks + number;
        let row = ((geometry.descriptor_blocks + number) % POINTERS * 4) as usize;
        list[row..row + 4].copy_from_slice(&(kept as u32).to_le_bytes());
        let of_copies = copies.iter().flat_map(|group| ((group * GROUP + kept) as u32).to_le_bytes());
        let bytes: Vec<u8> = of_copies.collect();
        if !bytes.is_empty() {
            writer.output.put(kept, &bytes)?;
        }
    }
    writer.output.put(at, &list)?;
    let mut inode = Inode::own(MODE, writer.at);
    inode.size = (POINTERS * POINTERS + POINTERS + 12) * BLOCK;
    inode.blocks = 1 + geometry.reserved_blocks * (1 + copies.len() as u64);
    inode.content[13 * 4..14 * 4].copy_from_slice(&(at as u32).to_le_bytes());
    writer.set_inode(RESIZE, &inode);
    Ok(())
}

/// Writes the journal: its superblock, and blocks that are never looked at before they are written.
/// Source: the documentation of ext4's on-disk format, "Journal (jbd2)".
pub(super) fn journal<W: Write + Seek + ?Sized>(writer: &mut Writer<'_, W>) -> Result<Option<Inode>, Ext4Error> {
    let count = writer.geometry.journal_blocks;
    if count == 0 {
        return Ok(None);
    }
    let extents = writer.place_all(count)?;
    let mut head = Vec::new();
    // Magic, "superblock, version 2", its sequence; block size, blocks, the first one of the log, the first sequence; 0: it is clean.
    for field in [0xc03b_3998, 4, 0, BLOCK as u32, count as u32, 1, 1, 0] {
        head.extend_from_slice(&field.to_be_bytes());
    }
    head.resize(64, 0);
    // One file system uses it.
    head.extend_from_slice(&1_u32.to_be_bytes());
    let first = extents.first().unwrap_or(0);
    writer.output.put(first, &head)?;
    let mut inode = Inode::own(MODE, writer.at);
    inode.size = count * BLOCK;
    inode.flags = EXTENTS;
    writer.put_extents(JOURNAL, &mut inode, &extents)?;
    writer.set_inode(JOURNAL, &inode);
    Ok(Some(inode))
}
