use super::geometry::{Geometry, Kind, ROOT_ENTRIES, SECTOR};

/// Sector of the FSInfo of a FAT32, and of the copy of the boot sector; both as everybody has them.
const INFO: u16 = 1;
pub(super) const BACKUP: u16 = 6;

/// "Fixed disk".
pub(super) const MEDIA: u8 = 0xf8;

/// Boot sector of the file system. The specification, section 3; its code only halts, since firmware does not run it.
pub(super) fn boot_sector(geometry: &Geometry, label: &[u8; 11], serial: u32) -> [u8; SECTOR as usize] {
    let mut sector = [0; SECTOR as usize];
    let mut put = |at: usize, bytes: &[u8]| sector[at..at + bytes.len()].copy_from_slice(bytes);
    // The name that the specification recommends: some programs believe only this one.
    put(3, b"MSWIN4.1");
    put(11, &(SECTOR as u16).to_le_bytes());
    put(13, &[geometry.sectors_per_cluster as u8]);
    put(14, &(geometry.reserved as u16).to_le_bytes());
    put(16, &[2]);
    put(21, &[MEDIA]);
    // Sectors per track and heads: no disk has any, these are the numbers that fill a CHS address.
    put(24, &63_u16.to_le_bytes());
    put(26, &255_u16.to_le_bytes());
    let tail = match geometry.kind {
        Kind::Fat16 => {
            put(0, &[0xeb, 0x3c, 0x90]);
            put(17, &(ROOT_ENTRIES as u16).to_le_bytes());
            match u16::try_from(geometry.sectors) {
                Ok(sectors) => put(19, &sectors.to_le_bytes()),
                Err(_) => put(32, &(geometry.sectors as u32).to_le_bytes()),
            }
            put(22, &(geometry.table_sectors as u16).to_le_bytes());
            36
        }
        Kind::Fat32 => {
            put(0, &[0xeb, 0x58, 0x90]);
            put(32, &(geometry.sectors as u32).to_le_bytes());
            put(36, &(geometry.table_sectors as u32).to_le_bytes());
            put(44, &2_u32.to_le_bytes());
            put(48, &INFO.to_le_bytes());
            put(50, &BACKUP.to_le_bytes());
            64
        }
    };
    // Drive number and the mark that the next three fields are there.
    put(tail, &[0x80, 0, 0x29]);
    put(tail + 3, &serial.to_le_bytes());
    put(tail + 7, label);
    put(tail + 18, if geometry.kind == Kind::Fat16 { b"FAT16   " } else { b"FAT32   " });
    put(tail + 26, &[0xf4, 0xeb, 0xfd]);
    put(510, &[0x55, 0xaa]);
    sector
}

/// The FSInfo of a FAT32: how many clusters are free, and where to look for one. The specification, section 5.
pub(super) fn info_sector(free: u64, next: u64) -> [u8; SECTOR as usize] {
    let mut sector = [0; SECTOR as usize];
    sector[..4].copy_from_slice(b"RRaA");
    sector[484..488].copy_from_slice(b"rrAa");
    sector[488..492].copy_from_slice(&(free as u32).to_le_bytes());
    sector[492..496].copy_from_slice(&(next as u32).to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}
