use rusqlite::{Connection, MAIN_DB};

use super::{DatabaseError, InstalledPackage, VERSIONS, index, open};

/// A database that is being changed: a row goes or comes, all others stay as they are.
///
/// The bytes are read and written as a whole, since who installs puts them in place in one step; SQLite changes only the
/// pages that a package is on.
pub struct Database {
    connection: Connection,
}

impl Database {
    /// A database without packages.
    pub fn new() -> Result<Database, DatabaseError> {
        Database::open(&super::write([])?)
    }

    /// Opens the bytes of a database file.
    ///
    /// Tables that an older rpm did not make yet are made.
    pub fn open(bytes: &[u8]) -> Result<Database, DatabaseError> {
        let connection = open(bytes, super::Access::Write)?;
        connection.execute_batch("PRAGMA secure_delete = OFF; BEGIN;")?;
        for table in index::TABLES {
            connection.execute_batch(&table.schema())?;
            connection.execute_batch(&table.indexes())?;
        }
        connection.execute_batch("COMMIT;")?;
        Ok(Database { connection })
    }

    /// The packages, by rising number.
    pub fn packages(&self) -> Result<Vec<InstalledPackage>, DatabaseError> {
        super::packages(&self.connection)
    }

    /// The numbers of the packages that have `key` in the index of `table`, rising: as in `Name` and `bash`.
    pub fn find(&self, table: &str, key: &str) -> Result<Vec<u32>, DatabaseError> {
        if !index::TABLES.iter().any(|known| known.name == table) {
            return Err(DatabaseError::NoIndex(table.to_owned()));
        }
        let mut select = self
            .connection
            .prepare_cached(&format!("SELECT DISTINCT hnum FROM '{table}' WHERE key = ?1 ORDER BY hnum"))?;
        let numbers = select.query_map((key,), |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(numbers)
    }

    /// The number that the next package gets: one that no package had before, as rpm counts.
    pub fn next_number(&self) -> Result<u32, DatabaseError> {
        let mut select = self.connection.prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'Packages'")?;
        let mut rows = select.query(())?;
        let last: u32 = match rows.next()? {
            Some(row) => row.get(0)?,
            None => 0,
        };
        last.checked_add(1).ok_or(DatabaseError::Full)
    }

    /// Adds a package and gives the number that it got: [`Database::next_number`].
    pub fn add(&mut self, package: &InstalledPackage) -> Result<u32, DatabaseError> {
        let number = self.next_number()?;
        self.put(number, package)?;
        Ok(number)
    }

    /// Adds a package under a number that is free.
    pub fn put(&mut self, number: u32, package: &InstalledPackage) -> Result<(), DatabaseError> {
        let transaction = self.connection.transaction()?;
        transaction.prepare_cached("INSERT INTO Packages VALUES (?1, ?2)")?.execute((number, package.header.blob()))?;
        insert_keys(&transaction, number, package)?;
        transaction.commit()?;
        Ok(())
    }

    /// Writes another header in the place of package `number`, as when its files' states changed.
    pub fn replace(&mut self, number: u32, package: &InstalledPackage) -> Result<(), DatabaseError> {
        let transaction = self.connection.transaction()?;
        remove_keys(&transaction, number)?;
        let blob = package.header.blob();
        if transaction.prepare_cached("UPDATE Packages SET blob = ?2 WHERE hnum = ?1")?.execute((number, blob))? == 0 {
            return Err(DatabaseError::NoPackage(number));
        }
        insert_keys(&transaction, number, package)?;
        transaction.commit()?;
        Ok(())
    }

    /// Removes package `number`.
    pub fn remove(&mut self, number: u32) -> Result<(), DatabaseError> {
        let transaction = self.connection.transaction()?;
        remove_keys(&transaction, number)?;
        if transaction.prepare_cached("DELETE FROM Packages WHERE hnum = ?1")?.execute((number,))? == 0 {
            return Err(DatabaseError::NoPackage(number));
        }
        transaction.commit()?;
        Ok(())
    }

    /// The bytes of the database file.
    pub fn bytes(&mut self) -> Result<Vec<u8>, DatabaseError> {
        let mut bytes = self.connection.serialize(MAIN_DB)?.to_vec();
        bytes[VERSIONS].fill(2);
        Ok(bytes)
    }
}

pub(super) fn insert_keys(
    connection: &Connection,
    number: u32,
    package: &InstalledPackage,
) -> Result<(), DatabaseError> {
    for table in index::TABLES {
        let mut insert = connection.prepare_cached(&format!("INSERT INTO '{}' VALUES (?1, ?2, ?3)", table.name))?;
        for (key, place) in table.keys(&package.header) {
            insert.execute((key, number, place))?;
        }
    }
    Ok(())
}

pub(super) fn remove_keys(connection: &Connection, number: u32) -> Result<(), DatabaseError> {
    for table in index::TABLES {
        connection.prepare_cached(&format!("DELETE FROM '{}' WHERE hnum = ?1", table.name))?.execute((number,))?;
    }
    Ok(())
}
