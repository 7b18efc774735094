use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pkg::{Blobs, Digest};
use store::Store;

/// Where the bytes of an installed tree's files are: in the packages unpacked in the store, or among its objects.
#[derive(Clone)]
pub struct Contents<'a> {
    store: &'a Store,
    places: HashMap<Digest, PathBuf>,
}

impl<'a> Contents<'a> {
    /// The objects of `store`, and nothing else so far.
    pub fn new(store: &'a Store) -> Contents<'a> {
        Contents { store, places: HashMap::new() }
    }

    /// Notes that `place` has the bytes of `digest`.
    pub(crate) fn add(&mut self, digest: Digest, place: PathBuf) {
        self.places.insert(digest, place);
    }

    /// Takes `bytes` into the store.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(Digest, u64), store::StoreError> {
        Ok((self.store.put_bytes(bytes)?, bytes.len() as u64))
    }

    /// Takes over what is known of other contents.
    pub fn merge(&mut self, other: Contents<'a>) {
        self.places.extend(other.places);
    }

    /// The file of the machine that has the bytes of `digest`.
    pub fn place(&self, digest: &Digest) -> PathBuf {
        self.places.get(digest).cloned().unwrap_or_else(|| self.store.object_path(digest))
    }

    /// Brings the bytes of `digest` to the path `to`, by a hard link if their file has the permissions `mode` and the
    /// time `mtime`, and by a copy otherwise.
    pub(crate) fn place_file(&self, digest: &Digest, mode: u32, mtime: i64, to: &Path) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let from = self.place(digest);
        let found = fs_err::metadata(&from)?;
        if found.mode() & 0o777 == mode & 0o777 && found.mtime() == mtime && fs_err::hard_link(&from, to).is_ok() {
            return Ok(());
        }
        fs_err::copy(&from, to)?;
        fs_err::set_permissions(to, PermissionsExt::from_mode(mode & 0o777))?;
        tree::directory::set_time(to, mtime)
    }
}

impl Blobs for Contents<'_> {
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(fs_err::File::open(self.place(digest))?))
    }
}
