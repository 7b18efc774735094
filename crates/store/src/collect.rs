use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pkg::Digest;

use crate::{Store, StoreError};

/// What a collection leaves alone. Kinds that are not named lose everything.
#[derive(Debug, Clone, Default)]
pub struct Keep {
    /// Objects still needed.
    pub objects: BTreeSet<Digest>,
    /// Records still needed, by kind.
    pub records: BTreeMap<String, BTreeSet<Digest>>,
    /// Prepared directories still needed, by kind.
    pub directories: BTreeMap<String, BTreeSet<Digest>>,
}

/// Whether a collection deletes, or only counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// Count what would go.
    Count,
    /// Delete it.
    Delete,
}

/// What a collection removed, or would remove.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Objects.
    pub objects: u64,
    /// Records.
    pub records: u64,
    /// Prepared directories.
    pub directories: u64,
    /// Bytes of disk that the objects and directories took; a file with two names counts with the first.
    pub bytes: u64,
}

/// Disk use of one part of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// `objects`, `records`, `directories/KIND`, `areas/NAME` or `quarantine`.
    pub part: String,
    /// Entries: objects, records, directories.
    pub entries: u64,
    /// Bytes of disk; a file with two names counts in the part that comes first.
    pub bytes: u64,
}

impl Store {
    /// Removes every object, record and prepared directory that `keep` does not name. Areas and quarantine stay.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has the store open.
    pub fn collect(&self, keep: &Keep, purge: Purge) -> Result<Collected, StoreError> {
        let in_use = self.shared.in_use.file();
        if in_use.try_lock().is_err() {
            in_use.lock_shared().map_err(|error| self.error(error))?;
            return Err(StoreError::Busy(self.root().to_owned()));
        }
        let collected = self.collect_alone(keep, purge);
        in_use.lock_shared().map_err(|error| self.error(error))?;
        collected
    }

    fn collect_alone(&self, keep: &Keep, purge: Purge) -> Result<Collected, StoreError> {
        let mut collected = Collected::default();
        let mut seen = BTreeSet::new();
        let none = BTreeSet::new();
        let remove = |path: &Path| if purge == Purge::Delete { self.discard(path) } else { Ok(()) };
        for kind in self.names("records")? {
            let needed = keep.records.get(&kind).unwrap_or(&none);
            for name in self.names(&format!("records/{kind}"))? {
                if Digest::parse(&name).is_ok_and(|key| !needed.contains(&key)) {
                    remove(&self.root().join("records").join(&kind).join(&name))?;
                    collected.records += 1;
                }
            }
        }
        for kind in self.names("directories")? {
            let needed = keep.directories.get(&kind).unwrap_or(&none);
            for name in self.names(&format!("directories/{kind}"))? {
                if Digest::parse(&name).is_ok_and(|key| !needed.contains(&key)) {
                    let path = self.root().join("directories").join(&kind).join(&name);
                    collected.bytes += disk_use(&path, &mut seen).map_err(|error| self.error(error))?;
                    remove(&path)?;
                    collected.directories += 1;
                }
            }
        }
        for folder in self.names("objects")? {
            for name in self.names(&format!("objects/{folder}"))? {
                if Digest::parse(&format!("{folder}{name}")).is_ok_and(|digest| !keep.objects.contains(&digest)) {
                    let path = self.root().join("objects").join(&folder).join(&name);
                    collected.bytes += disk_use(&path, &mut seen).map_err(|error| self.error(error))?;
                    remove(&path)?;
                    collected.objects += 1;
                }
            }
        }
        Ok(collected)
    }

    /// How much disk each part of the store takes.
    pub fn usage(&self) -> Result<Vec<Usage>, StoreError> {
        let mut parts = vec!["objects".to_owned(), "records".to_owned()];
        for group in ["directories", "areas"] {
            parts.extend(self.names(group)?.into_iter().map(|name| format!("{group}/{name}")));
        }
        parts.push("quarantine".to_owned());
        let mut seen = BTreeSet::new();
        parts.into_iter().map(|part| self.usage_of(part, &mut seen).map_err(|error| self.error(error))).collect()
    }

    fn usage_of(&self, part: String, seen: &mut BTreeSet<(u64, u64)>) -> io::Result<Usage> {
        let path = self.root().join(&part);
        let nested = part == "objects" || part == "records";
        let mut entries = 0;
        for entry in fs_err::read_dir(&path)? {
            entries += if nested { fs_err::read_dir(entry?.path())?.count() as u64 } else { 1 };
        }
        Ok(Usage { bytes: disk_use(&path, seen)?, part, entries })
    }

    /// The sorted names in a folder of the store.
    fn names(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let list = || -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in fs_err::read_dir(self.root().join(folder))? {
                names.extend(entry?.file_name().into_string());
            }
            names.sort();
            Ok(names)
        };
        list().map_err(|error| self.error(error))
    }
}

/// Bytes of disk below `path`, without the files in `seen` (device and inode).
fn disk_use(path: &Path, seen: &mut BTreeSet<(u64, u64)>) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in walkdir::WalkDir::new(path) {
        let metadata = entry?.metadata()?;
        if metadata.nlink() < 2 || metadata.is_dir() || seen.insert((metadata.dev(), metadata.ino())) {
            bytes += metadata.blocks() * 512;
        }
    }
    Ok(bytes)
}
