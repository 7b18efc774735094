use std::io;

use crate::Digest;

/// Where the bytes behind a digest are read.
///
/// A value such as a file in a root filesystem holds only the digest of its bytes; whoever writes it out is handed a
/// `Blobs`. The store implements it, and so does [`std::collections::BTreeMap<Digest, Vec<u8>>`] for small values and tests.
pub trait Blobs: Sync {
    /// Opens the bytes of `digest` from their start.
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn io::Read + Send + '_>>;

    /// Reads all bytes of `digest` into memory.
    fn read(&self, digest: &Digest) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut self.open(digest)?, &mut bytes)?;
        Ok(bytes)
    }
}

impl Blobs for std::collections::BTreeMap<Digest, Vec<u8>> {
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn io::Read + Send + '_>> {
        match self.get(digest) {
            Some(bytes) => Ok(Box::new(bytes.as_slice())),
            None => Err(io::Error::new(io::ErrorKind::NotFound, format!("no bytes for {digest}"))),
        }
    }
}
