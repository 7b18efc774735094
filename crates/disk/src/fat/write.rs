use std::collections::BTreeSet;
use std::io::{Seek, SeekFrom, Write};

use super::directory::{Directory, Entry};
use super::geometry::{Geometry, Kind, ROOT_ENTRIES, SECTOR};
use super::{FatError, Options, boot, name, time};

const ENTRY: usize = 32;
/// A directory has at most this many bytes, in any FAT.
const DIRECTORY_MAX: usize = 65536 * ENTRY;
const DIRECTORY: u8 = 0x10;
const ARCHIVE: u8 = 0x20;
const VOLUME: u8 = 0x08;
const LONG: u8 = 0x0f;

/// Writes a file system that holds `root`.
///
/// `out` is to read as zeros; what is unused is not written. Errors are found before anything is written, `out`'s own excepted.
pub fn write<W: Write + Seek + ?Sized>(root: &Directory<'_>, options: &Options, out: &mut W) -> Result<(), FatError> {
    let geometry = Geometry::new(options.size, options.kind)?;
    let label = label(options.label.as_deref())?;
    let (date, clock) = time::dos_time(options.at);
    let mut plan = Plan { geometry, date, clock, next: 2, chains: Vec::new(), pieces: Vec::new() };
    let mut head = Vec::new();
    if options.label.is_some() {
        head.extend_from_slice(&plan.entry(&label, VOLUME, 0, 0));
    }
    plan.directory("", root, head, None)?;
    if plan.next - 2 > geometry.clusters {
        let (needed, clusters, cluster_size) = (plan.next - 2, geometry.clusters, geometry.cluster_size());
        return Err(FatError::Full { needed, clusters, cluster_size });
    }

    for (at, piece) in &plan.pieces {
        out.seek(SeekFrom::Start(*at))?;
        out.write_all(match piece {
            Piece::Made(bytes) => bytes,
            Piece::File(bytes) => bytes,
        })?;
    }
    let table = plan.table();
    for copy in 0..2 {
        out.seek(SeekFrom::Start(geometry.table_at(copy)))?;
        out.write_all(&table)?;
    }
    let sector = boot::boot_sector(&geometry, &label, options.serial);
    out.seek(SeekFrom::Start(0))?;
    out.write_all(&sector)?;
    if geometry.kind == Kind::Fat32 {
        let info = boot::info_sector(geometry.clusters - (plan.next - 2), plan.next);
        out.write_all(&info)?;
        out.seek(SeekFrom::Start(u64::from(boot::BACKUP) * SECTOR))?;
        out.write_all(&sector)?;
        out.write_all(&info)?;
    }
    crate::section::extend(out, options.size)?;
    Ok(())
}

/// The label in the eleven bytes of a volume entry.
fn label(text: Option<&str>) -> Result<[u8; 11], FatError> {
    let text = text.unwrap_or("NO NAME");
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" -_".contains(&byte);
    if text.trim().is_empty() || text.len() > 11 || text.starts_with(' ') || !text.bytes().all(allowed) {
        return Err(FatError::Label(text.to_owned()));
    }
    let mut label = [b' '; 11];
    label[..text.len()].copy_from_slice(text.to_ascii_uppercase().as_bytes());
    Ok(label)
}

enum Piece<'a> {
    Made(Vec<u8>),
    File(&'a [u8]),
}

/// Where everything goes: filled by one walk over the directories.
struct Plan<'a> {
    geometry: Geometry,
    date: u16,
    clock: u16,
    /// The first free cluster.
    next: u64,
    /// How many clusters each chain has, in the order in which they lie.
    chains: Vec<u64>,
    /// Bytes and the place they belong to.
    pieces: Vec<(u64, Piece<'a>)>,
}

impl<'a> Plan<'a> {
    /// Takes as many clusters as `bytes` need; 0 where they need none, which is how FAT writes "no cluster".
    fn allocate(&mut self, bytes: usize) -> u64 {
        let count = (bytes as u64).div_ceil(self.geometry.cluster_size());
        if count == 0 {
            return 0;
        }
        self.chains.push(count);
        self.next += count;
        self.next - count
    }

    /// Plans a directory and all below it; returns its first cluster. `head` are the entries in front, `parent` is the
    /// cluster of the directory above, none for the root.
    fn directory(
        &mut self,
        called: &str,
        directory: &'a Directory<'a>,
        head: Vec<u8>,
        parent: Option<u64>,
    ) -> Result<u64, FatError> {
        let mut taken = BTreeSet::new();
        let mut names = Vec::with_capacity(directory.entries.len());
        for (name, _) in directory.entries.values() {
            names.push(name::assign(name, &mut taken)?);
        }
        let long = |name: &name::Name| name.long.as_ref().map_or(0, |units| units.len().div_ceil(13));
        let dots = if parent.is_some() { 2 } else { 0 };
        let needed = head.len() / ENTRY + dots + names.iter().map(|name| 1 + long(name)).sum::<usize>();
        let is_fixed = parent.is_none() && self.geometry.kind == Kind::Fat16;
        let most = if is_fixed { ROOT_ENTRIES as usize } else { DIRECTORY_MAX / ENTRY };
        if needed > most {
            return Err(FatError::DirectoryFull { name: called.to_owned(), needed, most });
        }
        // A root without entries still has its cluster.
        let here = if is_fixed { 0 } else { self.allocate((needed * ENTRY).max(1)) };
        let mut bytes = head;
        if let Some(parent) = parent {
            bytes.extend_from_slice(&self.entry(b".          ", DIRECTORY, here, 0));
            bytes.extend_from_slice(&self.entry(b"..         ", DIRECTORY, parent, 0));
        }
        // What lies in the root says "cluster 0" for its parent, even on FAT32.
        let parent_of_children = if parent.is_none() { 0 } else { here };
        for (name, (called, entry)) in names.iter().zip(directory.entries.values()) {
            let (attribute, cluster, size) = match entry {
                Entry::Directory(below) => {
                    (DIRECTORY, self.directory(called, below, Vec::new(), Some(parent_of_children))?, 0)
                }
                Entry::File(content) => {
                    let size = u32::try_from(content.len())
                        .map_err(|_| FatError::FileSize { name: called.clone(), size: content.len() as u64 })?;
                    let cluster = self.allocate(content.len());
                    if cluster != 0 {
                        self.pieces.push((self.geometry.cluster_at(cluster), Piece::File(content)));
                    }
                    (ARCHIVE, cluster, size)
                }
            };
            long_entries(name, &mut bytes);
            bytes.extend_from_slice(&self.entry(&name.short, attribute, cluster, size));
        }
        let at = if is_fixed { self.geometry.root_at() } else { self.geometry.cluster_at(here) };
        self.pieces.push((at, Piece::Made(bytes)));
        Ok(here)
    }

    /// A directory entry. The specification, section 6.
    fn entry(&self, short: &name::Short, attribute: u8, cluster: u64, size: u32) -> [u8; ENTRY] {
        let mut entry = [0; ENTRY];
        entry[..11].copy_from_slice(short);
        entry[11] = attribute;
        for (at, value) in [(14, self.clock), (16, self.date), (18, self.date), (22, self.clock), (24, self.date)] {
            entry[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
        entry[20..22].copy_from_slice(&((cluster >> 16) as u16).to_le_bytes());
        entry[26..28].copy_from_slice(&(cluster as u16).to_le_bytes());
        entry[28..].copy_from_slice(&size.to_le_bytes());
        entry
    }

    /// The file allocation table up to the last cluster in use; the others are zero, that is free.
    fn table(&self) -> Vec<u8> {
        let mut table = Vec::new();
        let mut push = |value: u32| match self.geometry.kind {
            Kind::Fat16 => table.extend_from_slice(&(value as u16).to_le_bytes()),
            Kind::Fat32 => table.extend_from_slice(&(value & 0x0fff_ffff).to_le_bytes()),
        };
        push(0xffff_ff00 | u32::from(boot::MEDIA));
        push(0xffff_ffff);
        let mut cluster = 2_u32;
        for count in &self.chains {
            for _ in 1..*count {
                cluster += 1;
                push(cluster);
            }
            cluster += 1;
            push(0xffff_ffff);
        }
        table
    }
}

/// The entries of a long name, last part first, in front of the short one. The specification, section 7.
fn long_entries(name: &name::Name, bytes: &mut Vec<u8>) {
    const PLACES: [usize; 13] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
    let Some(units) = &name.long else { return };
    let checksum = name::checksum(&name.short);
    let parts: Vec<&[u16]> = units.chunks(13).collect();
    for (index, part) in parts.iter().enumerate().rev() {
        let mut entry = [0; ENTRY];
        let last = if index + 1 == parts.len() { 0x40 } else { 0 };
        entry[0] = (index + 1) as u8 | last;
        entry[11] = LONG;
        entry[13] = checksum;
        for (number, place) in PLACES.into_iter().enumerate() {
            // A zero ends the name, ones fill the rest.
            let unit = part.get(number).copied().unwrap_or(if number == part.len() { 0 } else { 0xffff });
            entry[place..place + 2].copy_from_slice(&unit.to_le_bytes());
        }
        bytes.extend_from_slice(&entry);
    }
}
