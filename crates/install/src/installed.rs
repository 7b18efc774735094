use std::collections::BTreeMap;
use std::sync::Arc;

use rpm::Header;
use rpm::db::{Database, FileState, Installation, InstalledPackage};

use crate::InstallError;
use crate::facts::{Facts, Record};

/// The packages of the root: as triggers and scriptlets see them while a transaction runs, and as the database keeps them.
pub(crate) struct InstalledSet {
    records: BTreeMap<u32, Record>,
    /// What the next package is numbered.
    next: u32,
    /// The first number of this transaction.
    first_new: u32,
    /// The file as it was; none where the root had none.
    before: Option<Vec<u8>>,
    changes: BTreeMap<u32, Change>,
}

enum Change {
    /// New, or with other states of its files.
    Written(InstalledPackage),
    Removed,
}

impl InstalledSet {
    /// Reads the database of a root; `None` where it has none.
    pub(crate) fn read(bytes: Option<Vec<u8>>) -> Result<InstalledSet, InstallError> {
        let mut set =
            InstalledSet { records: BTreeMap::new(), next: 1, first_new: 1, before: None, changes: BTreeMap::new() };
        let Some(bytes) = bytes else { return Ok(set) };
        let database = Database::open(&bytes)?;
        for package in database.packages()? {
            let states = package.file_states();
            let facts = Arc::new(Facts::new(package.header));
            set.records.insert(package.number, Record { number: package.number, facts, states });
        }
        set.next = database.next_number()?;
        set.first_new = set.next;
        set.before = Some(bytes);
        Ok(set)
    }

    /// All, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Record> {
        self.records.get(&number)
    }

    /// Those of a name.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Record> {
        self.records.values().filter(move |record| record.facts.name == name)
    }

    pub(crate) fn count(&self, name: &str) -> u32 {
        self.named(name).count() as u32
    }

    /// Records a package whose files have come.
    pub(crate) fn add(
        &mut self,
        signature: &Header,
        facts: Arc<Facts>,
        states: Vec<FileState>,
        installation: Installation,
    ) -> Result<u32, InstallError> {
        let number = self.next;
        self.next += 1;
        let written = InstalledPackage::new(&facts.header, signature, &states, installation)?;
        self.changes.insert(number, Change::Written(written));
        self.records.insert(number, Record { number, facts, states });
        Ok(number)
    }

    pub(crate) fn remove(&mut self, number: u32) {
        self.records.remove(&number);
        if number >= self.first_new {
            self.changes.remove(&number);
        } else {
            self.changes.insert(number, Change::Removed);
        }
    }

    /// Notes what became of files of a package that stays.
    pub(crate) fn set_states(&mut self, number: u32, changed: &[(usize, FileState)]) -> Result<(), InstallError> {
        let Some(record) = self.records.get_mut(&number) else { return Ok(()) };
        for (index, state) in changed {
            if let Some(there) = record.states.get_mut(*index) {
                *there = *state;
            }
        }
        let package = InstalledPackage { number, header: record.facts.header.clone() };
        let package = match self.changes.get(&number) {
            Some(Change::Written(written)) => written.with_states(&record.states)?,
            _ => package.with_states(&record.states)?,
        };
        self.changes.insert(number, Change::Written(package));
        Ok(())
    }

    /// What is to be changed in the database.
    pub(crate) fn rows(&self) -> Vec<rpm::db::Row<'_>> {
        let rows = self.changes.iter().map(|(number, change)| match change {
            Change::Removed => rpm::db::Row::Remove(*number),
            Change::Written(package) if *number < self.first_new => rpm::db::Row::Replace(*number, package),
            Change::Written(package) => rpm::db::Row::Put(*number, package),
        });
        rows.collect()
    }

    /// The database file as it is to be now.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, InstallError> {
        let Some(before) = &self.before else {
            let written = self.changes.values().filter_map(|change| match change {
                Change::Written(package) => Some(package),
                Change::Removed => None,
            });
            return Ok(rpm::db::write(written)?);
        };
        let mut database = Database::open(before)?;
        for (number, change) in &self.changes {
            match change {
                Change::Removed => database.remove(*number)?,
                Change::Written(package) if *number < self.first_new => database.replace(*number, package)?,
                Change::Written(package) => database.put(*number, package)?,
            }
        }
        Ok(database.bytes()?)
    }
}
