use super::crc32c::crc32c;

/// Bytes of an inode on disk.
pub(super) const SIZE: usize = 256;
/// Bytes of fields beyond the first 128, as every ext4 has them.
const EXTRA: u16 = 32;
/// Where extended attributes begin.
const XATTRS_AT: usize = 128 + EXTRA as usize;
/// The file's blocks are found by extents.
pub(super) const EXTENTS: u32 = 0x0008_0000;
/// The directory has an index.
pub(super) const INDEX: u32 = 0x0000_1000;

/// What an inode on disk says.
#[derive(Clone, Debug)]
pub(super) struct Inode {
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    pub(super) links: u16,
    /// Blocks of data, extent tree and attributes.
    pub(super) blocks: u64,
    pub(super) flags: u32,
    /// Last access and change of content.
    pub(super) mtime: i64,
    /// Change of the inode, and birth.
    pub(super) ctime: i64,
    /// Root of the extent tree, target of a short symbolic link, or numbers of a device.
    pub(super) content: [u8; 60],
    pub(super) xattr_block: u64,
    /// Attributes in the inode itself.
    pub(super) xattrs: Vec<u8>,
}

impl Inode {
    /// An inode of root's without blocks, for the file system's own use.
    pub(super) fn own(mode: u32, at: i64) -> Inode {
        Inode {
            mode,
            uid: 0,
            gid: 0,
            size: 0,
            links: 1,
            blocks: 0,
            flags: 0,
            mtime: at,
            ctime: at,
            content: [0; 60],
            xattr_block: 0,
            xattrs: Vec::new(),
        }
    }

    /// The bytes on disk; `seed` is the checksum seed of the file system.
    pub(super) fn encode(&self, number: u32, seed: u32) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        let sectors = self.blocks * (super::BLOCK / 512);
        let (mtime, mtime_extra) = time(self.mtime);
        let (ctime, ctime_extra) = time(self.ctime);
        put(0x00, &(self.mode as u16).to_le_bytes());
        put(0x02, &(self.uid as u16).to_le_bytes());
        put(0x04, &(self.size as u32).to_le_bytes());
        put(0x08, &mtime);
        put(0x0c, &ctime);
        put(0x10, &mtime);
        put(0x18, &(self.gid as u16).to_le_bytes());
        put(0x1a, &self.links.to_le_bytes());
        put(0x1c, &(sectors as u32).to_le_bytes());
        put(0x20, &self.flags.to_le_bytes());
        put(0x28, &self.content);
        put(0x68, &(self.xattr_block as u32).to_le_bytes());
        put(0x6c, &((self.size >> 32) as u32).to_le_bytes());
        put(0x74, &((sectors >> 32) as u16).to_le_bytes());
        put(0x76, &((self.xattr_block >> 32) as u16).to_le_bytes());
        put(0x78, &((self.uid >> 16) as u16).to_le_bytes());
        put(0x7a, &((self.gid >> 16) as u16).to_le_bytes());
        put(0x80, &EXTRA.to_le_bytes());
        put(0x84, &ctime_extra);
        put(0x88, &mtime_extra);
        put(0x8c, &mtime_extra);
        put(0x90, &ctime);
        put(0x94, &ctime_extra);
        put(XATTRS_AT, &self.xattrs);
        let checksum = crc32c(inode_seed(seed, number), &bytes);
        bytes[0x7c..0x7e].copy_from_slice(&(checksum as u16).to_le_bytes());
        bytes[0x82..0x84].copy_from_slice(&((checksum >> 16) as u16).to_le_bytes());
        bytes
    }
}

/// The seed of checksums of what belongs to an inode: its number, and its generation, which is always 0 here.
pub(super) fn inode_seed(seed: u32, number: u32) -> u32 {
    crc32c(crc32c(seed, &number.to_le_bytes()), &[0; 4])
}

/// Seconds in 34 bits from 1901 to 2446: 32 signed bits, and two more in the "extra" field below the nanoseconds, which
/// are zero. What lies outside is moved to the nearest.
fn time(seconds: i64) -> ([u8; 4], [u8; 4]) {
    let first = i64::from(i32::MIN);
    let seconds = seconds.clamp(first, first + (1 << 34) - 1);
    let low = seconds as i32;
    let epoch = (seconds - i64::from(low)) >> 32;
    (low.to_le_bytes(), (epoch as u32).to_le_bytes())
}

/// The numbers of a device as `i_block` holds them: 16 bits where they suffice, else Linux's 32.
pub(super) fn device(major: u32, minor: u32) -> Option<[u8; 60]> {
    let mut content = [0; 60];
    if major < 256 && minor < 256 {
        content[..4].copy_from_slice(&(major << 8 | minor).to_le_bytes());
    } else if major < 1 << 12 && minor < 1 << 20 {
        let number = minor & 0xff | major << 8 | (minor & !0xff) << 12;
        content[4..8].copy_from_slice(&number.to_le_bytes());
    } else {
        return None;
    }
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_34_bits() {
        for (seconds, low, extra) in [
            (0, 0, 0),
            (-1, -1, 0),
            (0x7fff_ffff, 0x7fff_ffff, 0),
            (0x8000_0000, i32::MIN, 1),
            (1 << 32, 0, 1),
            (i64::MAX, i32::MAX, 3),
        ] {
            assert_eq!(time(seconds), (i32::to_le_bytes(low), u32::to_le_bytes(extra)), "{seconds}");
        }
    }
}
