//! GUID partition tables: how a disk is divided.
//!
//! ```text
//! sector 0        protective MBR: one partition of type 0xEE over the whole disk
//! sector 1        primary header, 92 bytes, CRC-32 over itself and over the entries
//! sectors 2-33    128 entries of 128 bytes
//! ..              partitions, each aligned to 1 MiB
//! last 33 sectors the entries again, then the backup header
//! ```
//!
//! Sectors are 512 bytes. Source: UEFI 2.10, chapter 5.

mod entry;
mod read;
mod types;
mod write;

use std::ops::Range;

pub use read::read;
pub use types::PartitionType;
pub use write::write;

use crate::Uuid;

/// Bytes in a sector: the unit in which a partition table counts.
pub const SECTOR: u64 = 512;
/// Partitions begin and end at multiples of this many bytes, as sfdisk and systemd-repart do: it suits every known disk.
pub const ALIGNMENT: u64 = 1 << 20;
/// Entries in a table; the smallest number that the standard allows, and the one that everybody uses.
pub const ENTRIES: usize = 128;

const ENTRY_SIZE: usize = 128;
const TABLE_SECTORS: u64 = (ENTRIES * ENTRY_SIZE) as u64 / SECTOR;
/// The first sector behind the primary table.
const FIRST_USABLE: u64 = 2 + TABLE_SECTORS;
/// Sectors behind the last usable one: table and header of the backup.
const BEHIND: u64 = TABLE_SECTORS + 1;

/// What a partition is to be; [`Layout::arrange`] gives it a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the partition is for.
    pub kind: PartitionType,
    /// The partition's own UUID (`PARTUUID`).
    pub id: Uuid,
    /// Its label (`PARTLABEL`): at most 36 UTF-16 units.
    pub name: String,
    /// Attribute bits, such as [`PartitionType`]-specific bit 60 (read-only) and 59 (grow file system).
    pub attributes: u64,
    /// Bytes; rounded up to [`ALIGNMENT`].
    pub size: u64,
}

/// A partition in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// What the partition is for.
    pub kind: PartitionType,
    /// The partition's own UUID (`PARTUUID`).
    pub id: Uuid,
    /// Its label (`PARTLABEL`).
    pub name: String,
    /// Attribute bits.
    pub attributes: u64,
    /// The bytes of the disk that belong to it; multiples of [`SECTOR`].
    pub range: Range<u64>,
}

/// A disk and its partitions, in the order of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The disk's own UUID.
    pub id: Uuid,
    /// Bytes of the whole disk; a multiple of [`SECTOR`].
    pub size: u64,
    /// The partitions; table entries without one are not listed.
    pub partitions: Vec<Partition>,
}

/// Why a disk cannot be divided as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// More partitions than table entries.
    #[error("{0} partitions are asked for, a table holds {ENTRIES}")]
    TooMany(usize),
    /// Partitions of no size cannot be written down.
    #[error("partition `{0}` has no size")]
    Empty(String),
    /// The name does not fit its 36 UTF-16 units, or has a NUL.
    #[error("partition name `{0}` is longer than 36 UTF-16 units or has a NUL in it")]
    Name(String),
    /// The disk's size is not a whole number of sectors.
    #[error("a disk of {0} bytes is not a whole number of {SECTOR}-byte sectors")]
    Size(u64),
    /// The partitions need more than there is.
    #[error("the partitions need a disk of {needed} bytes, it has {size}")]
    DiskFull {
        /// Bytes that a disk with these partitions has at least.
        needed: u64,
        /// Bytes that were given.
        size: u64,
    },
    /// A partition lies outside the usable area or over another one.
    #[error("partition `{name}` at bytes {}..{} overlaps `{with}`", range.start, range.end)]
    Overlap {
        /// The later one of the two.
        name: String,
        /// Where it lies.
        range: Range<u64>,
        /// What is there already: a partition's name, or `partition table`.
        with: String,
    },
}

impl Layout {
    /// Places partitions one behind the other from 1 MiB on.
    ///
    /// Without `size` the disk becomes as large as needed, a multiple of 1 MiB; with it, what is left at the end stays free.
    pub fn arrange(id: Uuid, size: Option<u64>, requests: Vec<Request>) -> Result<Layout, LayoutError> {
        let mut at = ALIGNMENT;
        let mut partitions = Vec::with_capacity(requests.len());
        for request in requests {
            let Request { kind, id, name, attributes, size } = request;
            // A sum beyond 64 bits is no disk either: saturation makes it larger than any size given.
            let end = at.saturating_add(size).checked_next_multiple_of(ALIGNMENT).unwrap_or(u64::MAX);
            partitions.push(Partition { kind, id, name, attributes, range: at..end });
            at = end;
        }
        let needed = at.saturating_add(BEHIND * SECTOR);
        let size = match size {
            Some(size) if size < needed => return Err(LayoutError::DiskFull { needed, size }),
            Some(size) => size,
            None => needed
                .checked_next_multiple_of(ALIGNMENT)
                .ok_or(LayoutError::DiskFull { needed: u64::MAX, size: u64::MAX })?,
        };
        let layout = Layout { id, size, partitions };
        layout.check()?;
        Ok(layout)
    }

    /// What no table can say: overlaps, places off the disk, names that are too long.
    pub fn check(&self) -> Result<(), LayoutError> {
        if !self.size.is_multiple_of(SECTOR) {
            return Err(LayoutError::Size(self.size));
        }
        if self.partitions.len() > ENTRIES {
            return Err(LayoutError::TooMany(self.partitions.len()));
        }
        let smallest = (FIRST_USABLE + BEHIND + 1) * SECTOR;
        if self.size < smallest {
            return Err(LayoutError::DiskFull { needed: smallest, size: self.size });
        }
        let table = "partition table".to_owned();
        let mut taken = vec![(0..FIRST_USABLE * SECTOR, table.clone()), (self.size - BEHIND * SECTOR..u64::MAX, table)];
        for partition in &self.partitions {
            let range = partition.range.clone();
            if partition.name.encode_utf16().count() > 36 || partition.name.contains('\0') {
                return Err(LayoutError::Name(partition.name.clone()));
            }
            if range.is_empty() {
                return Err(LayoutError::Empty(partition.name.clone()));
            }
            if !range.start.is_multiple_of(SECTOR) || !range.end.is_multiple_of(SECTOR) {
                return Err(LayoutError::Size(range.end - range.start));
            }
            if let Some((_, with)) = taken.iter().find(|(other, _)| range.start < other.end && other.start < range.end)
            {
                return Err(LayoutError::Overlap { name: partition.name.clone(), range, with: with.clone() });
            }
            taken.push((range, partition.name.clone()));
        }
        Ok(())
    }
}
