use super::BLOCK;

/// Blocks of a file that lie in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The first one, counted from the start of the file.
    pub(super) logical: u32,
    /// Where that is on the disk.
    pub(super) physical: u64,
    /// How many there are.
    pub(super) length: u32,
}

/// The most blocks of one extent; longer ones mean "not written yet".
const LENGTH_MAX: u32 = 32768;
/// Entries in the inode.
const IN_INODE: usize = 4;
/// Entries in a block: 12 bytes each behind the header, and 4 left for the checksum.
const IN_BLOCK: usize = (BLOCK as usize - 12) / 12;
/// Where a block's checksum lies.
pub(super) const CHECKSUM_AT: usize = 12 + IN_BLOCK * 12;

/// Where the blocks of a file are, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Extents(Vec<Extent>);

impl Extents {
    /// Adds blocks behind those that are there.
    pub(super) fn push(&mut self, logical: u32, physical: u64, count: u64) {
        let (mut logical, mut physical, mut left) = (logical, physical, count);
        if let Some(last) = self.0.last_mut()
            && last.logical + last.length == logical
            && last.physical + u64::from(last.length) == physical
        {
            let more = left.min(u64::from(LENGTH_MAX - last.length)) as u32;
            last.length += more;
            (logical, physical, left) = (logical + more, physical + u64::from(more), left - u64::from(more));
        }
        while left > 0 {
            let length = left.min(u64::from(LENGTH_MAX)) as u32;
            self.0.push(Extent { logical, physical, length });
            (logical, physical, left) = (logical + length, physical + u64::from(length), left - u64::from(length));
        }
    }

    /// Blocks of all extents.
    pub(super) fn blocks(&self) -> u64 {
        self.0.iter().map(|extent| u64::from(extent.length)).sum()
    }

    /// The place of the first block.
    pub(super) fn first(&self) -> Option<u64> {
        self.0.first().map(|extent| extent.physical)
    }

    /// The places of all blocks, in the order of the file.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|extent| extent.physical..extent.physical + u64::from(extent.length))
    }

    /// The tree of extents: the 60 bytes in the inode, and the blocks below, each without its checksum.
    ///
    /// `place` gives a block its place; `Err` ends it.
    pub(super) fn tree<E>(&self, mut place: impl FnMut() -> Result<u64, E>) -> Result<Tree, E> {
        let leaves = self.0.iter().map(|extent| {
            let mut entry = [0; 12];
            entry[..4].copy_from_slice(&extent.logical.to_le_bytes());
            entry[4..6].copy_from_slice(&(extent.length as u16).to_le_bytes());
            entry[6..8].copy_from_slice(&((extent.physical >> 32) as u16).to_le_bytes());
            entry[8..].copy_from_slice(&(extent.physical as u32).to_le_bytes());
            entry
        });
        let mut level: Vec<[u8; 12]> = leaves.collect();
        let mut blocks = Vec::new();
        let mut depth = 0;
        while level.len() > IN_INODE {
            let mut above = Vec::new();
            for entries in level.chunks(IN_BLOCK) {
                let at = place()?;
                let mut block = node(entries, IN_BLOCK, depth);
                block.resize(BLOCK as usize, 0);
                blocks.push((at, block));
                let mut entry = [0; 12];
                entry[..4].copy_from_slice(&entries[0][..4]);
                entry[4..8].copy_from_slice(&(at as u32).to_le_bytes());
                entry[8..10].copy_from_slice(&((at >> 32) as u16).to_le_bytes());
                above.push(entry);
            }
            level = above;
            depth += 1;
        }
        let mut root = [0; 60];
        let bytes = node(&level, IN_INODE, depth);
        root[..bytes.len()].copy_from_slice(&bytes);
        Ok(Tree { root, blocks })
    }
}

/// A tree of extents, ready to be written.
pub(super) struct Tree {
    pub(super) root: [u8; 60],
    pub(super) blocks: Vec<(u64, Vec<u8>)>,
}

fn node(entries: &[[u8; 12]], most: usize, depth: u16) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(12 + entries.len() * 12);
    for field in [0xf30a, entries.len() as u16, most as u16, depth] {
        bytes.extend_from_slice(&field.to_le_bytes());
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(entries.as_flattened());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_joined_up_to_the_limit() {
        let mut extents = Extents::default();
        extents.push(0, 100, 10);
        extents.push(10, 110, 32768);
        extents.push(32778, 32878, 1);
        extents.push(40000, 32879, 1);
        let expected = [(0, 100, 32768), (32768, 32868, 11), (40000, 32879, 1)];
        assert_eq!(extents.0, expected.map(|(logical, physical, length)| Extent { logical, physical, length }));
        assert_eq!(extents.blocks(), 10 + 32768 + 2);
    }

    #[test]
    fn many_extents_make_a_tree() {
        let mut extents = Extents::default();
        for number in 0..4 * IN_BLOCK as u32 + 1 {
            extents.push(number * 2, u64::from(number) * 3, 1);
        }
        let mut next = 1000;
        let tree = extents
            .tree(|| {
                next += 1;
                Ok::<u64, ()>(next)
            })
            .unwrap();
        // Five leaves, and one node above them: more than the inode's four entries.
        assert_eq!(tree.blocks.len(), 6);
        assert_eq!(tree.root[..8], [0x0a, 0xf3, 1, 0, 4, 0, 2, 0]);
        assert_eq!(tree.root[16..20], 1006_u32.to_le_bytes());
    }
}
