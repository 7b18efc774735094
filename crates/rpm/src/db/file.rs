use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, MAIN_DB, OpenFlags, TransactionBehavior};

use super::change::{insert_keys, remove_keys};
use super::{DatabaseError, InstalledPackage, index};

/// What one transaction does to a database.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// A package comes, under a number that is free.
    Put(u32, &'a InstalledPackage),
    /// A package has another record.
    Replace(u32, &'a InstalledPackage),
    /// A package goes.
    Remove(u32),
}

/// How long another writer of the database is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection, DatabaseError> {
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection
        .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA secure_delete = OFF;")?;
    Ok(connection)
}

/// The bytes of a live system's database, with what is only in its write-ahead log so far.
pub fn snapshot(file: &Path) -> Result<Vec<u8>, DatabaseError> {
    // A log is only seen by who may write beside it; without one the file is all.
    let mut connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .or_else(|_| connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    Ok(connection.serialize(MAIN_DB)?.to_vec())
}

/// Changes a live system's database in one transaction of SQLite: all of it or nothing, also when power is lost meanwhile.
/// Processes that read it see what was before or what is then.
pub fn commit<'a>(file: &Path, rows: impl IntoIterator<Item = Row<'a>>) -> Result<(), DatabaseError> {
    let mut connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("PRAGMA synchronous = FULL;")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in index::TABLES {
        transaction.execute_batch(&table.schema())?;
        transaction.execute_batch(&table.indexes())?;
    }
    for row in rows {
        match row {
            Row::Put(number, package) => {
                let mut insert = transaction.prepare_cached("INSERT INTO Packages VALUES (?1, ?2)")?;
                insert.execute((number, package.header.blob()))?;
                insert_keys(&transaction, number, package)?;
            }
            Row::Replace(number, package) => {
                remove_keys(&transaction, number)?;
                let mut update = transaction.prepare_cached("UPDATE Packages SET blob = ?2 WHERE hnum = ?1")?;
                if update.execute((number, package.header.blob()))? == 0 {
                    return Err(DatabaseError::NoPackage(number));
                }
                insert_keys(&transaction, number, package)?;
            }
            Row::Remove(number) => {
                remove_keys(&transaction, number)?;
                let mut delete = transaction.prepare_cached("DELETE FROM Packages WHERE hnum = ?1")?;
                if delete.execute((number,))? == 0 {
                    return Err(DatabaseError::NoPackage(number));
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_a_change_that_fails_leaves_all_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rpmdb.sqlite");
        fs_err::write(&file, crate::db::write([]).unwrap()).unwrap();
        let record = |nevra: &str| {
            let nevra = pkg::Nevra::parse(nevra).unwrap();
            let bytes = crate::write::PackageBuilder::new(nevra, pkg::SourceDateEpoch(1)).build().unwrap();
            let package = crate::Package::read(&mut bytes.as_slice()).unwrap();
            let at = crate::db::Installation { time: 1, transaction: 1, color: 0 };
            InstalledPackage::new(&package.header, &package.signature, &[], at).unwrap()
        };
        let (one, two) = (record("one-1-1.noarch"), record("two-1-1.noarch"));
        commit(&file, [Row::Put(1, &one)]).unwrap();
        let before = snapshot(&file).unwrap();
        let error = commit(&file, [Row::Put(2, &two), Row::Remove(7)]).unwrap_err();
        assert!(matches!(error, DatabaseError::NoPackage(7)), "{error}");
        assert_eq!(snapshot(&file).unwrap(), before);
        commit(&file, [Row::Put(2, &two), Row::Remove(1)]).unwrap();
        let packages = crate::db::read(&fs_err::read(&file).unwrap()).unwrap();
        assert_eq!(
            packages.iter().map(|package| (package.number, package.header.name())).collect::<Vec<_>>(),
            [(2, "two")]
        );
    }
}
