use std::io::{self, Read, Seek, SeekFrom};

use super::{ENTRIES, ENTRY_SIZE, Layout, SECTOR, entry};
use crate::Uuid;

/// Entries that a table may have before it is refused: a kernel reads as many as it has minors, far fewer than this.
const ENTRIES_MAX: usize = 1024;

/// Reads the layout of a disk: from the primary table or, where that is damaged, from the backup at the end.
///
/// Errors: `InvalidData` when neither has its signature and right checksums; `disk`'s own.
pub fn read<R: Read + Seek + ?Sized>(disk: &mut R) -> io::Result<Layout> {
    let size = disk.seek(SeekFrom::End(0))? / SECTOR * SECTOR;
    for sector in [1, (size / SECTOR).saturating_sub(1)] {
        if let Some(layout) = read_table(disk, size, sector)? {
            return Ok(layout);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "neither end of the disk has a partition table with right checksums",
    ))
}

fn read_table<R: Read + Seek + ?Sized>(disk: &mut R, size: u64, sector: u64) -> io::Result<Option<Layout>> {
    if size < 3 * SECTOR {
        return Ok(None);
    }
    let mut header = [0; SECTOR as usize];
    disk.seek(SeekFrom::Start(sector * SECTOR))?;
    disk.read_exact(&mut header)?;
    let u32_at = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
    let header_size = u32_at(12) as usize;
    let (entries, entry_size) = (u32_at(80) as usize, u32_at(84) as usize);
    if &header[..8] != b"EFI PART" || !(92..=header.len()).contains(&header_size) || u64_at(24) != sector {
        return Ok(None);
    }
    let mut checked = header;
    checked[16..20].fill(0);
    if crc32fast::hash(&checked[..header_size]) != u32_at(16) {
        return Ok(None);
    }
    if entries > ENTRIES_MAX.max(ENTRIES) || entry_size != ENTRY_SIZE {
        return Ok(None);
    }
    let Some(start) = u64_at(72).checked_mul(SECTOR).filter(|start| *start < size) else { return Ok(None) };
    let mut table = vec![0; entries * entry_size];
    disk.seek(SeekFrom::Start(start))?;
    if disk.read_exact(&mut table).is_err() || crc32fast::hash(&table) != u32_at(88) {
        return Ok(None);
    }
    let (rows, _) = table.as_chunks::<ENTRY_SIZE>();
    let mut guid = [0; 16];
    guid.copy_from_slice(&header[56..72]);
    let partitions = rows.iter().filter_map(entry::decode).collect();
    Ok(Some(Layout { id: Uuid::from_guid(guid), size, partitions }))
}
