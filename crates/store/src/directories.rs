use std::path::{Path, PathBuf};

use pkg::Digest;

use crate::locks::Guard;
use crate::store::check_name;
use crate::{Store, StoreError};

impl Store {
    /// The prepared directory `kind` of `key`, if it was made.
    pub fn directory(&self, kind: &str, key: &Digest) -> Option<PathBuf> {
        check_name(kind).ok()?;
        Some(self.directory_path(kind, key)).filter(|path| path.is_dir())
    }

    /// The prepared directory `kind` of `key`; `make` fills an empty folder when there is none yet.
    ///
    /// Whoever asks for the same key meanwhile, in this process or another, waits and gets the same directory.
    /// When `make` fails, nothing stays. `make` must not ask for the same kind and key.
    pub fn make_directory<E: From<StoreError>>(
        &self,
        kind: &str,
        key: &Digest,
        make: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        check_name(kind)?;
        let path = self.directory_path(kind, key);
        if path.is_dir() {
            return Ok(path);
        }
        let lock = self.root().join("locks").join(format!("{kind}-{}", key.hex()));
        let _guard = Guard::wait(&lock).map_err(|error| self.error(error))?;
        if path.is_dir() {
            return Ok(path);
        }
        let temporary = self.temp_dir()?;
        make(temporary.path())?;
        let named = fs_err::create_dir_all(self.root().join("directories").join(kind))
            .and_then(|()| fs_err::rename(temporary.path(), &path));
        named.map_err(|error| self.error(error))?;
        Ok(path)
    }

    /// Removes the prepared directory `kind` of `key`; none there is no error.
    pub fn remove_directory(&self, kind: &str, key: &Digest) -> Result<(), StoreError> {
        check_name(kind)?;
        self.discard(&self.directory_path(kind, key))
    }

    /// Removes what `path` names in one step for others, then deletes it.
    pub(crate) fn discard(&self, path: &Path) -> Result<(), StoreError> {
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let temporary = self.shared.session.temp_path();
        fs_err::rename(path, &temporary).and_then(|()| host::remove_tree(&temporary)).map_err(|error| self.error(error))
    }

    fn directory_path(&self, kind: &str, key: &Digest) -> PathBuf {
        self.root().join("directories").join(kind).join(key.hex())
    }
}
