use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Disk, FOLDER, is_directory};
use super::journal::{self, Record};

/// Where a transaction keeps what comes and what went: a folder at the top of each mount, since only within a mount a file
/// changes its name without being copied.
pub(super) struct Holds<'a> {
    pub(super) disk: Disk<'a>,
    /// By number of the mount: its top, below the root.
    tops: BTreeMap<u64, String>,
    /// By directory, as steps write it: the top of its mount.
    known: BTreeMap<String, String>,
}

/// What is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    New,
    Old,
}

impl<'a> Holds<'a> {
    /// The folder at the root's own top is there afterwards.
    pub(super) fn begin(disk: Disk<'a>) -> io::Result<Holds<'a>> {
        let mut holds = Holds { disk, tops: BTreeMap::new(), known: BTreeMap::new() };
        holds.make("")?;
        disk.append(&journal::file(disk.root), b"")?;
        holds.tops.insert(disk.mount(disk.root)?, String::new());
        Ok(holds)
    }

    /// The folders of a transaction that was cut off.
    pub(super) fn found(disk: Disk<'a>, records: &[Record]) -> io::Result<Holds<'a>> {
        let mut holds = Holds { disk, tops: BTreeMap::new(), known: BTreeMap::new() };
        let others = records.iter().filter_map(|record| match record {
            Record::Mount(top) => Some(top.as_str()),
            _ => None,
        });
        let own = disk.mount(disk.root)?;
        holds.tops.insert(own, String::new());
        for top in others {
            let place = disk.root.join(top);
            let mount = if is_directory(&place) { disk.mount(&place)? } else { own };
            if mount == own {
                let text = format!(
                    "`{}` was being changed by a transaction that was cut off, and is not mounted now",
                    place.display()
                );
                return Err(io::Error::other(text));
            }
            holds.tops.insert(mount, top.to_owned());
        }
        Ok(holds)
    }

    fn make(&mut self, top: &str) -> io::Result<()> {
        let folder = self.disk.root.join(top).join(FOLDER);
        // What is not for everybody's eyes, or runs with another user's rights, is not for everybody's hands either.
        self.disk.make_directory(&folder, 0o700)?;
        self.disk.make_directory(&folder.join("new"), 0o700)?;
        self.disk.make_directory(&folder.join("old"), 0o700)
    }

    /// The folder at the root's own top is whole again, if it was being removed.
    pub(super) fn make_again(&mut self) -> io::Result<()> {
        self.make("")
    }

    /// The name under which the folder of the mount of `path` keeps something.
    pub(super) fn name(&mut self, path: &str, which: Which, number: u64) -> io::Result<PathBuf> {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let top = match self.known.get(parent) {
            Some(top) => top.clone(),
            None => {
                let top = self.top(parent)?;
                self.known.insert(parent.to_owned(), top.clone());
                top
            }
        };
        let which = if which == Which::New { "new" } else { "old" };
        Ok(self.disk.root.join(top).join(FOLDER).join(which).join(number.to_string()))
    }

    fn top(&mut self, parent: &str) -> io::Result<String> {
        // A directory that comes is on the mount of the one that it comes into.
        let mut directory = parent;
        while !directory.is_empty() && !is_directory(&self.disk.root.join(directory)) {
            directory = directory.rsplit_once('/').map_or("", |(above, _)| above);
        }
        let mount = self.disk.mount(&self.disk.root.join(directory))?;
        if let Some(top) = self.tops.get(&mount) {
            return Ok(top.clone());
        }
        let mut top = directory;
        while let Some((above, _)) = top.rsplit_once('/') {
            if self.disk.mount(&self.disk.root.join(above))? != mount {
                break;
            }
            top = above;
        }
        journal::append(&Record::Mount(top.to_owned()), &self.disk)?;
        self.make(top)?;
        self.tops.insert(mount, top.to_owned());
        Ok(top.to_owned())
    }

    /// The tops of all mounts that are changed.
    pub(super) fn tops(&self) -> Vec<PathBuf> {
        self.tops.values().map(|top| self.disk.root.join(top)).collect()
    }

    /// Brings everything to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        let tops = self.tops();
        self.disk.sync(tops.iter().map(PathBuf::as_path))
    }

    /// Removes the folders, the journal last.
    pub(super) fn end(&self) -> io::Result<()> {
        let own = self.disk.root.join(FOLDER);
        let mut tops = self.tops();
        tops.retain(|top| top != self.disk.root);
        for top in &tops {
            self.disk.remove_folder(&top.join(FOLDER))?;
        }
        self.disk.remove_folder(&own.join("new"))?;
        self.disk.remove_folder(&own.join("old"))?;
        self.disk.remove_file(&own.join("script"))?;
        self.sync()?;
        self.disk.remove_file(&journal::file(self.disk.root))?;
        self.disk.remove_folder(&own)
    }
}

/// A folder that a transaction left before or behind its journal: nothing of the root depends on it.
pub(super) fn remove_rest(disk: &Disk<'_>) -> io::Result<()> {
    disk.remove_folder(&Path::new(disk.root).join(FOLDER))
}
