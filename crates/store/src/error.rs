use std::io;
use std::path::{Path, PathBuf};

use pkg::Digest;

/// Why the store could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk or the quota below `path` is used up; nothing half-written got a name.
    #[error("no space is left on the disk of `{}`{}", path.display(), needed.map(|bytes| format!(": {bytes} bytes are needed")).unwrap_or_default())]
    Full {
        /// The store's folder, or the one that was written to.
        path: PathBuf,
        /// Bytes that were to be written, as far as known.
        needed: Option<u64>,
    },
    /// The folder holds a store of another layout, or something else.
    #[error("`{}` is not a store of this version: VERSION says `{found}`, expected `{expected}`", path.display())]
    Version {
        /// The store's folder.
        path: PathBuf,
        /// What its VERSION says.
        found: String,
        /// What this program writes.
        expected: &'static str,
    },
    /// An object is asked for that is not there.
    #[error("the store has no object {0}")]
    Missing(Digest),
    /// An object's bytes are not those of its name.
    #[error("object {expected} has other bytes: they are {found}")]
    Damaged {
        /// The object's name.
        expected: Digest,
        /// The digest of its bytes.
        found: Digest,
    },
    /// A kind, area or lock name with other characters than ASCII letters, digits, `-`, `_`, `.` and `+`.
    #[error("`{0}` cannot name a part of the store")]
    Name(String),
    /// Another process works with the store, and what was asked for needs it alone.
    #[error("another process uses the store `{}`", .0.display())]
    Busy(PathBuf),
    /// The operating system refused something; the message names the path.
    #[error(transparent)]
    Io(io::Error),
}

impl StoreError {
    /// The error for an I/O failure below `path`: [`StoreError::Full`] when disk or quota are used up.
    pub fn from_io(error: io::Error, path: &Path) -> StoreError {
        match host::is_full(&error) {
            true => StoreError::Full { path: path.to_owned(), needed: None },
            false => StoreError::Io(error),
        }
    }

    /// Whether a disk was full.
    pub fn is_full(&self) -> bool {
        match self {
            StoreError::Full { .. } => true,
            StoreError::Io(error) => host::is_full(error),
            _ => false,
        }
    }
}
