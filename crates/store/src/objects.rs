use std::io::{self, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pkg::{Blobs, Digest, Hasher};

use crate::{Durability, Store, StoreError};

/// How much is read at once.
const CHUNK: usize = 1 << 17;

impl Store {
    /// Keeps `bytes` and returns their digest.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        if self.contains(&digest) {
            return Ok(digest);
        }
        self.put_reader(bytes)
    }

    /// Keeps a copy of the file at `path`.
    pub fn put_file(&self, path: &Path) -> Result<Digest, StoreError> {
        let file = fs_err::File::open(path).map_err(|error| self.error(error))?;
        self.put_reader(file)
    }

    /// Keeps everything that `reader` gives. On error nothing is kept.
    pub fn put_reader(&self, mut reader: impl Read) -> Result<Digest, StoreError> {
        let temporary = self.shared.session.temp_path();
        let copied =
            self.copy_digested(&mut reader, &temporary).and_then(|digest| self.name_object(&temporary, digest));
        if copied.is_err() {
            let _ = fs_err::remove_file(&temporary);
        }
        copied.map_err(|error| self.error(error))
    }

    /// Takes the file at `path` (on the store's disk; it moves) as an object.
    pub fn adopt_file(&self, path: &Path) -> Result<Digest, StoreError> {
        let adopt = || {
            let mut hasher = Hasher::new();
            io::copy(&mut fs_err::File::open(path)?, &mut hasher)?;
            self.name_object(path, hasher.finish())
        };
        adopt().map_err(|error| self.error(error))
    }

    /// Whether the bytes of `digest` are here.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.object_path(digest).is_file()
    }

    /// Where the bytes of `digest` are, if they are here. The file is read-only and shared: copy it, never change it.
    pub fn object_path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root().join("objects").join(&hex[..2]).join(&hex[2..])
    }

    /// Opens the object `digest`.
    pub fn open_object(&self, digest: &Digest) -> Result<fs_err::File, StoreError> {
        fs_err::File::open(self.object_path(digest)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::Missing(*digest),
            _ => self.error(error),
        })
    }

    /// Reads the object `digest` and compares its bytes with its name.
    pub fn verify(&self, digest: &Digest) -> Result<(), StoreError> {
        let mut hasher = Hasher::new();
        io::copy(&mut self.open_object(digest)?, &mut hasher).map_err(|error| self.error(error))?;
        match hasher.finish() {
            found if found == *digest => Ok(()),
            found => Err(StoreError::Damaged { expected: *digest, found }),
        }
    }

    /// Copies the object `digest` to the new file `to`, writable for its owner.
    pub fn copy_object(&self, digest: &Digest, to: &Path) -> Result<(), StoreError> {
        let mut from = self.open_object(digest)?;
        let copy = || {
            let mut file = fs_err::File::create(to)?;
            io::copy(&mut from, &mut file)?;
            file.set_permissions(std::fs::Permissions::from_mode(0o644))
        };
        let mut copy = copy;
        copy().map_err(|error| StoreError::from_io(error, to))
    }

    fn copy_digested(&self, reader: &mut impl Read, to: &Path) -> io::Result<Digest> {
        let mut file = fs_err::File::create(to)?;
        let mut hasher = Hasher::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => {
                    hasher.update(&chunk[..count]);
                    file.write_all(&chunk[..count])?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(hasher.finish())
    }

    /// Gives the complete file at `temporary` its name. Two makers of one object both succeed; the bytes are equal.
    fn name_object(&self, temporary: &Path, digest: Digest) -> io::Result<Digest> {
        let path = self.object_path(&digest);
        if path.is_file() {
            fs_err::remove_file(temporary)?;
            return Ok(digest);
        }
        fs_err::set_permissions(temporary, std::fs::Permissions::from_mode(0o444))?;
        if self.shared.durability == Durability::Flushed {
            fs_err::File::open(temporary)?.sync_data()?;
        }
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::rename(temporary, &path)?;
        Ok(digest)
    }
}

impl Blobs for Store {
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(fs_err::File::open(self.object_path(digest))?))
    }
}
