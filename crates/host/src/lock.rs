//! Advisory file locks between processes and threads.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// A lock could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot lock `{}`: {source}", path.display())]
pub struct LockError {
    /// The lock file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// An exclusive or shared `flock(2)` lock on a file, held until drop or the end of the process (kill -9 included).
///
/// Locks of one process on one path exclude each other too, since each is an open file of its own.
#[derive(Debug)]
pub struct Lock {
    file: fs_err::File,
}

impl Lock {
    /// Waits until `path` (made when missing) is ours alone.
    pub fn exclusive(path: &Path) -> Result<Lock, LockError> {
        Self::take(path, FlockOperation::LockExclusive).map_err(|source| LockError { path: path.to_owned(), source })
    }

    /// Waits until nobody holds `path` (made when missing) exclusively.
    pub fn shared(path: &Path) -> Result<Lock, LockError> {
        Self::take(path, FlockOperation::LockShared).map_err(|source| LockError { path: path.to_owned(), source })
    }

    /// Takes `path` exclusively, or says `None` when another one holds it.
    pub fn try_exclusive(path: &Path) -> Result<Option<Lock>, LockError> {
        match Self::take(path, FlockOperation::NonBlockingLockExclusive) {
            Ok(lock) => Ok(Some(lock)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(source) => Err(LockError { path: path.to_owned(), source }),
        }
    }

    /// The lock file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    fn take(path: &Path, operation: FlockOperation) -> io::Result<Lock> {
        let file = fs_err::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        loop {
            match flock(&file, operation) {
                Ok(()) => return Ok(Lock { file }),
                // a signal for somebody else; whoever wants to stop on Ctrl-C uses `try_exclusive`
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Explicit, because a sandbox that is being started in another thread may hold a duplicate of the file for a
        // moment: closing ours would not release the lock then, unlocking does.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// An exclusive `fcntl(2)` lock on a whole file, held until drop: the kind that rpm takes on its `.rpm.lock`.
///
/// It excludes other processes alone, and not the programs that they start.
#[derive(Debug)]
pub struct RecordLock {
    _file: fs_err::File,
}

impl RecordLock {
    /// Takes `path` (made when missing), or says `None` when another process holds it.
    pub fn try_exclusive(path: &Path) -> Result<Option<RecordLock>, LockError> {
        let failed = |source| LockError { path: path.to_owned(), source };
        let file = fs_err::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(failed)?;
        match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(RecordLock { _file: file })),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(None),
            Err(errno) => Err(failed(errno.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_a_lock_excludes_others_until_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::exclusive(&path).unwrap();
        assert!(Lock::try_exclusive(&path).unwrap().is_none());
        drop(held);
        let again = Lock::try_exclusive(&path).unwrap();
        assert!(again.is_some());
        let error = Lock::exclusive(&folder.path().join("missing/lock")).unwrap_err();
        assert!(error.to_string().starts_with("cannot lock `"), "{error}");
    }
}
