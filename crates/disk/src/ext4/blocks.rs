use std::collections::BTreeMap;
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;

use super::BLOCK;

/// Which blocks are in use: a few ranges, since everything is placed one behind the other.
#[derive(Clone, Debug)]
pub(super) struct Allocator {
    /// First block and the one behind the last, of ranges that do not touch.
    used: BTreeMap<u64, u64>,
    /// Blocks of the file system.
    blocks: u64,
    /// Data before this block is in place.
    cursor: u64,
}

/// No block is left.
#[derive(Debug)]
pub(super) struct NoBlocks;

impl Allocator {
    pub(super) fn new(blocks: u64) -> Allocator {
        Allocator { used: BTreeMap::new(), blocks, cursor: 0 }
    }

    /// Marks `range` used; it was free before.
    pub(super) fn take(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let Range { mut start, mut end } = range;
        if let Some((before, until)) = self.used.range(..=start).next_back().map(|(start, end)| (*start, *end))
            && until >= start
        {
            start = before;
            end = end.max(until);
        }
        if let Some(until) = self.used.remove(&end) {
            end = until;
        }
        self.used.insert(start, end);
    }

    /// Where the used range that holds `block` ends; none if it is free.
    fn used_until(&self, block: u64) -> Option<u64> {
        self.used.range(..=block).next_back().map(|(_, end)| *end).filter(|end| *end > block)
    }

    fn free_run(&self, from: u64) -> Option<Range<u64>> {
        let mut start = from;
        while let Some(end) = self.used_until(start) {
            start = end;
        }
        let end = self.used.range(start..).next().map_or(self.blocks, |(next, _)| *next);
        (start < end).then_some(start..end)
    }

    /// Takes the next free blocks, up to `most` in a row, in the order of the disk.
    pub(super) fn next(&mut self, most: u64) -> Result<Range<u64>, NoBlocks> {
        let free = self.free_run(self.cursor).ok_or(NoBlocks)?;
        let range = free.start..free.end.min(free.start + most);
        self.cursor = range.end;
        self.take(range.clone());
        Ok(range)
    }

    /// Takes `count` blocks in a row: the first place from `goal` on, else the first one at all.
    pub(super) fn run(&mut self, goal: u64, count: u64) -> Result<u64, NoBlocks> {
        for from in [goal, 0] {
            let mut at = from;
            while let Some(free) = self.free_run(at) {
                if free.end - free.start >= count {
                    self.take(free.start..free.start + count);
                    return Ok(free.start);
                }
                at = free.end;
            }
        }
        Err(NoBlocks)
    }

    /// The used ranges inside `range`.
    pub(super) fn used_in(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
        let first = self.used.range(..=range.start).next_back().map_or(range.start, |(start, _)| *start);
        let parts = self.used.range(first..range.end);
        parts
            .map(move |(start, end)| *start.max(&range.start)..*end.min(&range.end))
            .filter(|part| part.start < part.end)
    }

    /// How many blocks of `range` are used.
    pub(super) fn count_in(&self, range: Range<u64>) -> u64 {
        self.used_in(range).map(|part| part.end - part.start).sum()
    }
}

/// Writes blocks at their places; what follows on is collected into large writes.
pub(super) struct Output<'a, W: Write + Seek + ?Sized> {
    out: &'a mut W,
    /// The byte at which `pending` belongs.
    at: u64,
    pending: Vec<u8>,
}

/// Bytes that are collected before they are written.
const PENDING: usize = 1 << 20;

impl<'a, W: Write + Seek + ?Sized> Output<'a, W> {
    pub(super) fn new(out: &'a mut W) -> Output<'a, W> {
        Output { out, at: 0, pending: Vec::with_capacity(PENDING) }
    }

    /// Writes `bytes` from the start of `block` on; what is missing of the last block is zero.
    pub(super) fn put(&mut self, block: u64, bytes: &[u8]) -> io::Result<()> {
        if self.at + self.pending.len() as u64 != block * BLOCK || self.pending.len() + bytes.len() > PENDING {
            self.flush()?;
            self.at = block * BLOCK;
        }
        if bytes.len() >= PENDING {
            self.pending.extend_from_slice(bytes);
            return self.flush();
        }
        self.pending.extend_from_slice(bytes);
        self.pending.resize(self.pending.len().next_multiple_of(BLOCK as usize), 0);
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.out.seek(SeekFrom::Start(self.at))?;
            self.out.write_all(&self.pending)?;
            self.at += self.pending.len() as u64;
            self.pending.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_given_out_around_what_is_used() {
        let mut blocks = Allocator::new(20);
        blocks.take(0..3);
        blocks.take(5..6);
        blocks.take(3..4);
        assert_eq!(blocks.next(3).unwrap(), 4..5);
        assert_eq!(blocks.next(3).unwrap(), 6..9);
        assert_eq!(blocks.run(15, 5).unwrap(), 15);
        assert_eq!(blocks.run(15, 5).unwrap(), 9);
        assert_eq!(blocks.next(9).unwrap(), 14..15);
        assert!(blocks.next(1).is_err());
        assert_eq!(blocks.count_in(0..20), 20);
        assert!(blocks.used_in(4..7).eq(std::iter::once(4..7)));
    }
}
