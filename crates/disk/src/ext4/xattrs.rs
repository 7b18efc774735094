use std::collections::BTreeMap;

use super::crc32c::crc32c;
use super::{BLOCK, Ext4Error};

const MAGIC: u32 = 0xea02_0000;
/// Bytes in the inode behind its fixed part.
pub(super) const IN_INODE: usize = 256 - 160;
const HEADER: usize = 32;
/// The number that stands for `security.`.
const SECURITY: u8 = 6;
/// Inodes that may share one block of attributes: more, and the kernel makes another.
pub(super) const SHARED_MAX: u32 = 1024;

/// Extended attributes in the form of the disk: as much as fits in the inode, the rest in one block.
#[derive(Clone, Debug, Default)]
pub(super) struct Xattrs {
    /// What follows the fixed part of the inode; empty or [`IN_INODE`] bytes.
    pub(super) in_inode: Vec<u8>,
    /// The block without reference count and checksum.
    pub(super) block: Option<Vec<u8>>,
}

/// One attribute: the number that stands for the beginning of its name, the rest of the name, the value.
struct Attribute {
    index: u8,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Attribute {
    /// Source: the documentation of ext4's on-disk format, "Extended Attributes".
    fn new(full: &str, value: &[u8]) -> Option<Attribute> {
        const PREFIXES: [(&str, u8); 4] = [("user.", 1), ("trusted.", 4), ("security.", SECURITY), ("system.", 7)];
        let acl = match full {
            "system.posix_acl_access" => Some(2),
            "system.posix_acl_default" => Some(3),
            _ => None,
        };
        if let Some(index) = acl {
            return Some(Attribute { index, name: Vec::new(), value: acl_on_disk(value)? });
        }
        let found = PREFIXES.iter().find_map(|(prefix, index)| Some((full.strip_prefix(prefix)?, *index)));
        let (name, index) = found.filter(|(name, _)| !name.is_empty() && name.len() <= 255)?;
        Some(Attribute { index, name: name.as_bytes().to_vec(), value: value.to_vec() })
    }

    fn entry_size(&self) -> usize {
        16 + self.name.len().next_multiple_of(4)
    }

    fn size(&self) -> usize {
        self.entry_size() + self.value.len().next_multiple_of(4)
    }

    /// The hash that an entry bears: of its name, then of its value in words.
    fn hash(&self) -> u32 {
        let name = self.name.iter().fold(0_u32, |hash, byte| hash.rotate_left(5) ^ i32::from(*byte as i8) as u32);
        let words = self.value.chunks(4).map(|bytes| {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            u32::from_le_bytes(word)
        });
        words.fold(name, |hash, word| hash.rotate_left(16) ^ word)
    }

    fn entry(&self, value_at: usize) -> Vec<u8> {
        let mut entry = vec![self.name.len() as u8, self.index];
        let at = if self.value.is_empty() { 0 } else { value_at as u16 };
        entry.extend_from_slice(&at.to_le_bytes());
        entry.extend_from_slice(&[0; 4]);
        entry.extend_from_slice(&(self.value.len() as u32).to_le_bytes());
        entry.extend_from_slice(&self.hash().to_le_bytes());
        entry.extend_from_slice(&self.name);
        entry.resize(self.entry_size(), 0);
        entry
    }
}

/// A POSIX access control list as ext4 keeps it, from the form in which system calls have it: version 1 instead of 2, and
/// no id where none is meant.
fn acl_on_disk(value: &[u8]) -> Option<Vec<u8>> {
    const USER: u16 = 2;
    const GROUP: u16 = 8;
    let (header, entries) = value.split_first_chunk::<4>()?;
    let (entries, rest) = entries.as_chunks::<8>();
    if *header != 2_u32.to_le_bytes() || !rest.is_empty() {
        return None;
    }
    let mut bytes = 1_u32.to_le_bytes().to_vec();
    for entry in entries {
        let has_id = matches!(u16::from_le_bytes([entry[0], entry[1]]), USER | GROUP);
        bytes.extend_from_slice(if has_id { entry } else { &entry[..4] });
    }
    Some(bytes)
}

/// Lays out the attributes of the node at `path`.
pub(super) fn build(path: &str, given: &BTreeMap<String, Vec<u8>>) -> Result<Xattrs, Ext4Error> {
    if given.is_empty() {
        return Ok(Xattrs::default());
    }
    let mut attributes = Vec::with_capacity(given.len());
    for (name, value) in given {
        let wrong = || Ext4Error::XattrName { path: path.to_owned(), name: name.clone() };
        attributes.push(Attribute::new(name, value).ok_or_else(wrong)?);
    }
    // What every access needs to know comes into the inode first: labels and capabilities.
    attributes.sort_by_key(|attribute| (attribute.index != SECURITY, attribute.size()));
    // Four bytes for the magic number, four that end the entries.
    let mut left = IN_INODE - 8;
    let (mut inside, mut outside): (Vec<_>, Vec<_>) = attributes.into_iter().partition(|attribute| {
        let fits = attribute.size() <= left;
        left -= if fits { attribute.size() } else { 0 };
        fits
    });
    // The kernel looks for an attribute in a block by this order.
    for part in [&mut inside, &mut outside] {
        part.sort_by(|a, b| (a.index, a.name.len(), &a.name).cmp(&(b.index, b.name.len(), &b.name)));
    }
    let needed: usize = outside.iter().map(Attribute::size).sum();
    if needed > BLOCK as usize - HEADER - 4 {
        return Err(Ext4Error::Xattrs { path: path.to_owned(), bytes: needed });
    }
    let mut xattrs = Xattrs::default();
    if !inside.is_empty() {
        xattrs.in_inode = MAGIC.to_le_bytes().to_vec();
        // Places of values count from behind the magic number.
        xattrs.in_inode.extend(lay_out(&inside, IN_INODE - 4, 0));
    }
    if !outside.is_empty() {
        let mut block = vec![0; HEADER];
        block.extend(lay_out(&outside, BLOCK as usize - HEADER, HEADER));
        let hash = outside.iter().fold(0_u32, |hash, attribute| hash.rotate_left(16) ^ attribute.hash());
        block[..4].copy_from_slice(&MAGIC.to_le_bytes());
        block[8..12].copy_from_slice(&1_u32.to_le_bytes());
        block[12..16].copy_from_slice(&hash.to_le_bytes());
        xattrs.block = Some(block);
    }
    Ok(xattrs)
}

/// Entries from the front, values from the back of `size` bytes; places of values count from `base` bytes before.
fn lay_out(attributes: &[Attribute], size: usize, base: usize) -> Vec<u8> {
    let mut entries = Vec::new();
    let mut values = vec![0; size];
    let mut end = size;
    for attribute in attributes {
        end -= attribute.value.len().next_multiple_of(4);
        values[end..end + attribute.value.len()].copy_from_slice(&attribute.value);
        entries.extend(attribute.entry(base + end));
    }
    values[..entries.len()].copy_from_slice(&entries);
    values
}

/// Puts reference count and checksum into a block of attributes.
pub(super) fn seal(block: &mut [u8], at: u64, references: u32, seed: u32) {
    block[4..8].copy_from_slice(&references.to_le_bytes());
    block[16..20].fill(0);
    let checksum = crc32c(crc32c(seed, &at.to_le_bytes()), block);
    block[16..20].copy_from_slice(&checksum.to_le_bytes());
}
