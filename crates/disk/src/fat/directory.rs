use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{FatError, name};

/// Directories below one another, at most: firmware takes paths of 260 letters.
const DEPTH_MAX: usize = 128;

/// A directory of files and directories: what a FAT file system is filled with.
#[derive(Clone, Debug, Default)]
pub struct Directory<'a> {
    /// By folded name, which is what makes names equal and gives them their order.
    pub(super) entries: BTreeMap<String, (String, Entry<'a>)>,
}

#[derive(Clone, Debug)]
pub(super) enum Entry<'a> {
    Directory(Directory<'a>),
    File(Cow<'a, [u8]>),
}

impl<'a> Directory<'a> {
    /// An empty directory.
    pub fn new() -> Directory<'a> {
        Directory::default()
    }

    /// Adds a file under a path such as `EFI/BOOT/BOOTX64.EFI`; directories on the way are made.
    ///
    /// Errors: a name that FAT does not allow; a path that is taken already, also when only the case differs.
    pub fn add_file(&mut self, path: &str, bytes: impl Into<Cow<'a, [u8]>>) -> Result<(), FatError> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let directory = self.add_directory(parent)?;
        name::check(name)?;
        let entry = (name.to_owned(), Entry::File(bytes.into()));
        match directory.entries.entry(name::folded(name)) {
            std::collections::btree_map::Entry::Vacant(place) => place.insert(entry),
            std::collections::btree_map::Entry::Occupied(_) => return Err(FatError::Duplicate(path.to_owned())),
        };
        Ok(())
    }

    /// The directory at a path, made where it is not there yet. The empty path is this directory.
    pub fn add_directory(&mut self, path: &str) -> Result<&mut Directory<'a>, FatError> {
        if path.split('/').count() > DEPTH_MAX {
            return Err(FatError::Name(path.to_owned()));
        }
        let mut here = self;
        for component in path.split('/').filter(|component| !component.is_empty()) {
            name::check(component)?;
            let made = || (component.to_owned(), Entry::Directory(Directory::new()));
            let (known, entry) = here.entries.entry(name::folded(component)).or_insert_with(made);
            here = match entry {
                Entry::Directory(directory) if known == component => directory,
                Entry::Directory(_) | Entry::File(_) => return Err(FatError::Duplicate(path.to_owned())),
            };
        }
        Ok(here)
    }

    /// Bytes of all files in it and below.
    pub fn file_bytes(&self) -> u64 {
        let sizes = self.entries.values().map(|(_, entry)| match entry {
            Entry::Directory(directory) => directory.file_bytes(),
            Entry::File(bytes) => bytes.len() as u64,
        });
        sizes.sum()
    }
}
