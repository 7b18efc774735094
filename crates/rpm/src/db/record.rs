use super::DatabaseError;
use crate::query::OF_SIGNATURE;
use crate::{Header, HeaderBuilder, Tag, Value, ValueKind};

/// What became of a file of an installed package: rpm's `rpmfileState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileState {
    /// It is there.
    Normal = 0,
    /// Another package's file took its place.
    Replaced = 1,
    /// It was left out (documentation, a language).
    NotInstalled = 2,
    /// It lies on a shared file system.
    NetShared = 3,
    /// The other architecture's file is there.
    WrongColor = 4,
}

impl FileState {
    fn from_number(number: u8) -> FileState {
        match number {
            1 => FileState::Replaced,
            2 => FileState::NotInstalled,
            3 => FileState::NetShared,
            4 => FileState::WrongColor,
            _ => FileState::Normal,
        }
    }
}

/// What installing adds to a package's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Installation {
    /// When it was installed, seconds since 1970.
    pub time: u32,
    /// The transaction's number; packages of one transaction share it. rpm takes the time at which it began.
    pub transaction: u32,
    /// Colours that the machine prefers: 3 where 64- and 32-bit files may be mixed, otherwise 0.
    pub color: u32,
}

/// A package in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Its `hnum`; 0 until it was written and read.
    pub number: u32,
    /// The package's header, and behind its region the signature header's values and what installing added.
    pub header: Header,
}

impl InstalledPackage {
    /// The record of a package that was just installed, by its header and signature header. `states` has one state for each file, in the header's order.
    ///
    /// Fails when there are fewer or more states than files.
    pub fn new(
        header: &Header,
        signature: &Header,
        states: &[FileState],
        installation: Installation,
    ) -> Result<InstalledPackage, DatabaseError> {
        let files = header.count(Tag::BASENAMES);
        if states.len() != files {
            return Err(crate::FilesError::Count { files, tag: Tag::FILESTATES, values: states.len() }.into());
        }
        if header.str(Tag::NAME).is_none() {
            return Err(DatabaseError::Missing(Tag::NAME));
        }
        let mut added = HeaderBuilder::new();
        for (from, to) in OF_SIGNATURE {
            // v6 packages use the old numbers for nothing.
            if header.format() >= 6 && from >= Tag::NAME {
                continue;
            }
            if let Some(value) = signature.value(from).filter(|_| !header.contains(to)) {
                added.set(to, value);
            }
        }
        added.set(Tag::INSTALLTIME, installation.time);
        added.set(Tag::INSTALLTID, installation.transaction);
        added.set(Tag::INSTALLCOLOR, installation.color);
        added.set(Tag::FILESTATES, Value::Chars(states.iter().map(|state| *state as u8).collect()));
        Ok(InstalledPackage { number: 0, header: added.add_to(header)? })
    }

    /// The same with other states, as when a later package replaces a file of this one.
    pub fn with_states(&self, states: &[FileState]) -> Result<InstalledPackage, DatabaseError> {
        let files = self.header.count(Tag::BASENAMES);
        if states.len() != files {
            return Err(crate::FilesError::Count { files, tag: Tag::FILESTATES, values: states.len() }.into());
        }
        let mut added = HeaderBuilder::new();
        added.set(Tag::FILESTATES, Value::Chars(states.iter().map(|state| *state as u8).collect()));
        Ok(InstalledPackage { number: self.number, header: added.add_to(&self.header)? })
    }

    /// The states of its files, in the header's order.
    pub fn file_states(&self) -> Vec<FileState> {
        match self.header.raw(Tag::FILESTATES) {
            Some((ValueKind::Char, bytes)) => bytes.iter().map(|number| FileState::from_number(*number)).collect(),
            _ => vec![FileState::Normal; self.header.count(Tag::BASENAMES)],
        }
    }

    /// When and with what it was installed.
    pub fn installation(&self) -> Installation {
        let number = |tag| self.header.number(tag).unwrap_or_default() as u32;
        Installation {
            time: number(Tag::INSTALLTIME),
            transaction: number(Tag::INSTALLTID),
            color: number(Tag::INSTALLCOLOR),
        }
    }
}
