use std::io::{self, Seek, SeekFrom, Write};

use super::{BEHIND, ENTRIES, ENTRY_SIZE, FIRST_USABLE, Layout, LayoutError, SECTOR, TABLE_SECTORS, entry};

/// The protective MBR counts sectors in 32 bits; a larger disk says all ones.
const MBR_SECTORS_MAX: u64 = 0xffff_ffff;

/// Writes protective MBR, primary and backup table of `layout`; what is between them is left alone.
///
/// Equal layouts give equal bytes. Errors: a layout that [`Layout::check`] refuses (as `InvalidInput`), or `out`'s own.
pub fn write<W: Write + Seek + ?Sized>(layout: &Layout, out: &mut W) -> io::Result<()> {
    layout.check().map_err(|error: LayoutError| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let sectors = layout.size / SECTOR;
    let mut table = vec![0; ENTRIES * ENTRY_SIZE];
    for (row, partition) in table.chunks_exact_mut(ENTRY_SIZE).zip(&layout.partitions) {
        row.copy_from_slice(&entry::encode(partition));
    }
    let last = sectors - 1;
    out.seek(SeekFrom::Start(0))?;
    out.write_all(&protective_mbr(sectors))?;
    out.write_all(&header(layout, &table, &Place { here: 1, other: last, table: 2 }))?;
    out.write_all(&table)?;
    out.seek(SeekFrom::Start((sectors - BEHIND) * SECTOR))?;
    out.write_all(&table)?;
    out.write_all(&header(layout, &table, &Place { here: last, other: 1, table: last - TABLE_SECTORS }))
}

/// Sectors of a header, of its twin, and of the entries that it describes.
struct Place {
    here: u64,
    other: u64,
    table: u64,
}

fn header(layout: &Layout, table: &[u8], place: &Place) -> [u8; SECTOR as usize] {
    const HEADER_SIZE: u32 = 92;
    let last_usable = layout.size / SECTOR - BEHIND - 1;
    let mut bytes = Vec::with_capacity(SECTOR as usize);
    bytes.extend_from_slice(b"EFI PART");
    bytes.extend_from_slice(&0x0001_0000_u32.to_le_bytes());
    bytes.extend_from_slice(&HEADER_SIZE.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    for sector in [place.here, place.other, FIRST_USABLE, last_usable] {
        bytes.extend_from_slice(&sector.to_le_bytes());
    }
    bytes.extend_from_slice(&layout.id.to_guid());
    bytes.extend_from_slice(&place.table.to_le_bytes());
    bytes.extend_from_slice(&(ENTRIES as u32).to_le_bytes());
    bytes.extend_from_slice(&(ENTRY_SIZE as u32).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(table).to_le_bytes());
    let crc = crc32fast::hash(&bytes);
    bytes[16..20].copy_from_slice(&crc.to_le_bytes());
    let mut sector = [0; SECTOR as usize];
    sector[..bytes.len()].copy_from_slice(&bytes);
    sector
}

/// One partition of type 0xEE over the disk, so that programs which know only the MBR see no free space.
fn protective_mbr(sectors: u64) -> [u8; SECTOR as usize] {
    let mut sector = [0; SECTOR as usize];
    // Start is CHS 0/0/2, that is sector 1; the end is one that CHS cannot say.
    sector[446..454].copy_from_slice(&[0, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff]);
    sector[454..458].copy_from_slice(&1_u32.to_le_bytes());
    let count = u32::try_from((sectors - 1).min(MBR_SECTORS_MAX)).unwrap_or(u32::MAX);
    sector[458..462].copy_from_slice(&count.to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}
