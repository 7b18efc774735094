//! The database of installed packages, `rpmdb.sqlite`, as rpm 4.16 and later keep it.
//!
//! ```text
//! Packages(hnum, blob)        one header a package, with what installing added behind its region
//! Name(key, hnum, idx) ..     one table for each of 18 tags: value, package, place in the tag's array
//! ```
//!
//! A database is made and read in memory, as bytes of the file: whoever installs puts them in place. A live system's
//! database may have a write-ahead log beside it (`rpmdb.sqlite-wal`) that is not empty; its bytes alone are then not all:
//! [`snapshot`] reads both, and [`commit`] changes the file in place, in one transaction of SQLite.
//! Source: rpm, `lib/backend/sqlite.cc`, `lib/rpmdb.cc`; compared with what rpm 4.18 writes.

mod change;
mod file;
mod index;
mod record;
mod rich;

use rusqlite::{Connection, MAIN_DB};

pub use change::Database;
pub use file::{Row, commit, snapshot};
pub use record::{FileState, Installation, InstalledPackage};

use crate::HeaderError;

/// Bytes 18 and 19 of a database file: write and read version. 2 is write-ahead logging, which rpm switches on.
const VERSIONS: std::ops::Range<usize> = 18..20;

/// Why a database cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// SQLite refuses the file, or a statement.
    #[error("rpmdb.sqlite: {}", said(.0))]
    Sqlite(#[from] rusqlite::Error),
    /// Not a database file at all.
    #[error("rpmdb.sqlite does not start like an SQLite database")]
    NotADatabase,
    /// A package's record is damaged.
    #[error("package {number} of rpmdb.sqlite: {cause}")]
    Record {
        /// Its `hnum`.
        number: u32,
        /// What is wrong with the header.
        cause: HeaderError,
    },
    /// There is no such index.
    #[error("rpmdb.sqlite has no index `{0}`")]
    NoIndex(String),
    /// There is no such package.
    #[error("rpmdb.sqlite has no package number {0}")]
    NoPackage(u32),
    /// Package numbers are used up.
    #[error("rpmdb.sqlite has no number left for another package")]
    Full,
    /// A header to be written cannot take what installing adds.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A package without a package's tags.
    #[error("a package to be recorded has no {0}")]
    Missing(crate::Tag),
    /// A table of files that makes no sense.
    #[error(transparent)]
    Files(#[from] crate::FilesError),
}

impl DatabaseError {
    /// Whether the disk was full.
    pub fn is_full(&self) -> bool {
        matches!(self, DatabaseError::Sqlite(error) if no_room(error))
    }
}

/// SQLite calls a disk that is full by several names.
fn said(error: &rusqlite::Error) -> String {
    if no_room(error) { format!("the disk is full: {error}") } else { error.to_string() }
}

/// Whether SQLite found no room. The index beside its log is the first thing that it makes, and has a code of its own.
fn no_room(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(error, _) = error else { return false };
    error.code == rusqlite::ErrorCode::DiskFull || error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
}

/// The database of `packages`, in the order of installation: the first gets number 1.
///
/// Equal packages give equal bytes. Write the bytes to `/usr/lib/sysimage/rpm/rpmdb.sqlite`, or wherever the machine's
/// `%_dbpath` points to.
pub fn write<'a>(packages: impl IntoIterator<Item = &'a InstalledPackage>) -> Result<Vec<u8>, DatabaseError> {
    let mut connection = Connection::open_in_memory()?;
    // rpm's own settings, where they end up in the file.
    connection.execute_batch("PRAGMA secure_delete = OFF; PRAGMA page_size = 4096;")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)",
    )?;
    let mut rows = Vec::new();
    {
        let mut insert = transaction.prepare("INSERT INTO Packages VALUES (?1, ?2)")?;
        for (package, number) in packages.into_iter().zip(1u32..) {
            insert.execute((number, package.header.blob()))?;
            rows.push((number, &package.header));
        }
    }
    for table in index::TABLES {
        transaction.execute_batch(&table.schema())?;
        {
            let mut insert = transaction.prepare(&format!("INSERT INTO '{}' VALUES (?1, ?2, ?3)", table.name))?;
            for (number, header) in &rows {
                for (key, place) in table.keys(header) {
                    insert.execute((key, number, place))?;
                }
            }
        }
        // Made after the rows, which is faster; the index is the same.
        transaction.execute_batch(&table.indexes())?;
    }
    transaction.commit()?;
    let mut bytes = connection.serialize(MAIN_DB)?.to_vec();
    bytes[VERSIONS].fill(2);
    Ok(bytes)
}

/// The packages of a database file, by rising number.
pub fn read(bytes: &[u8]) -> Result<Vec<InstalledPackage>, DatabaseError> {
    packages(&open(bytes, Access::Read)?)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

fn open(bytes: &[u8], access: Access) -> Result<Connection, DatabaseError> {
    if bytes.len() < 100 || !bytes.starts_with(b"SQLite format 3\0") {
        return Err(DatabaseError::NotADatabase);
    }
    let mut bytes = bytes.to_vec();
    // In memory there is no write-ahead log.
    bytes[VERSIONS].fill(1);
    let mut connection = Connection::open_in_memory()?;
    let length = bytes.len();
    connection.deserialize_read_exact(MAIN_DB, bytes.as_slice(), length, access == Access::Read)?;
    // The file may come from anywhere: nothing in its schema is to run, nothing damaged to be followed.
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    Ok(connection)
}

fn packages(connection: &Connection) -> Result<Vec<InstalledPackage>, DatabaseError> {
    let mut select = connection.prepare("SELECT hnum, blob FROM Packages ORDER BY hnum")?;
    let mut rows = select.query(())?;
    let mut packages = Vec::new();
    while let Some(row) = rows.next()? {
        let number: u32 = row.get(0)?;
        let blob: Vec<u8> = row.get(1)?;
        let header = crate::Header::parse(blob).map_err(|cause| DatabaseError::Record { number, cause })?;
        packages.push(InstalledPackage { number, header });
    }
    Ok(packages)
}
