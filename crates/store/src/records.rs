use std::io;
use std::path::PathBuf;

use pkg::Digest;

use crate::store::check_name;
use crate::{Durability, Store, StoreError};

impl Store {
    /// The bytes recorded as `kind` for `key`, if any. A record that cannot be read counts as none.
    pub fn record(&self, kind: &str, key: &Digest) -> Option<Vec<u8>> {
        check_name(kind).ok()?;
        fs_err::read(self.record_path(kind, key)).ok()
    }

    /// Records `bytes` as `kind` for `key`, in place of what was recorded before; readers see the old or the new bytes.
    pub fn set_record(&self, kind: &str, key: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        check_name(kind)?;
        let path = self.record_path(kind, key);
        let temporary = self.shared.session.temp_path();
        let write = || -> io::Result<()> {
            fs_err::create_dir_all(self.root().join("records").join(kind))?;
            fs_err::write(&temporary, bytes)?;
            if self.shared.durability == Durability::Flushed {
                fs_err::File::open(&temporary)?.sync_data()?;
            }
            fs_err::rename(&temporary, &path)
        };
        write().map_err(|error| {
            let _ = fs_err::remove_file(&temporary);
            self.error(error)
        })
    }

    /// Forgets the record of `kind` for `key`; none there is no error.
    pub fn remove_record(&self, kind: &str, key: &Digest) -> Result<(), StoreError> {
        check_name(kind)?;
        match fs_err::remove_file(self.record_path(kind, key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.error(error)),
            _ => Ok(()),
        }
    }

    /// The keys of all records of `kind`, sorted.
    pub fn keys(&self, kind: &str) -> Result<Vec<Digest>, StoreError> {
        check_name(kind)?;
        let folder = self.root().join("records").join(kind);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut keys = Vec::new();
        for entry in fs_err::read_dir(folder).map_err(|error| self.error(error))? {
            let name = entry.map_err(|error| self.error(error))?.file_name();
            keys.extend(name.to_str().and_then(|name| Digest::parse(name).ok()));
        }
        keys.sort();
        Ok(keys)
    }

    fn record_path(&self, kind: &str, key: &Digest) -> PathBuf {
        self.root().join("records").join(kind).join(key.hex())
    }
}
