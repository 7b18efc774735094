//! Upstream's signatures of sources: checked before a source gets a name in the store.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pkg::Digest;
use sign::KeyRing;
use store::Store;

use crate::BuildError;

/// Which signature a source has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Where the signature is.
    pub by: SignedBy,
    /// The public keys of which one has to have signed.
    pub key: PathBuf,
    /// It is over the archive before it was compressed.
    pub uncompressed: bool,
    /// Where the definition says so, for messages.
    pub at: String,
}

/// Where a signature is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBy {
    /// Another source of the same component, by its file name.
    Source(String),
    /// A file.
    File(PathBuf),
}

/// A signature at hand.
#[derive(Debug)]
pub struct Signed {
    name: String,
    signature: Vec<u8>,
    key: PathBuf,
    key_bytes: Vec<u8>,
    ring: KeyRing,
    uncompressed: bool,
    at: String,
}

impl Signature {
    /// Reads signature and keys; `source` is the object of the source that is the signature.
    pub fn load(&self, source: Option<&Digest>, store: &Store) -> Result<Signed, BuildError> {
        let (name, path) = match (&self.by, source) {
            (SignedBy::File(path), _) => (path.display().to_string(), path.clone()),
            (SignedBy::Source(name), Some(digest)) => (name.clone(), store.object_path(digest)),
            (SignedBy::Source(name), None) => return Err(BuildError::FileName(name.clone())),
        };
        let (signature, key_bytes) = (fs_err::read(path)?, fs_err::read(&self.key)?);
        let mut ring = KeyRing::new();
        let refused = |cause: String| BuildError::SourceKey { key: self.key.clone(), at: self.at.clone(), cause };
        if ring.add(&key_bytes).map_err(|error| refused(error.to_string()))? == 0 {
            return Err(refused("it holds no public key".to_owned()));
        }
        let (key, uncompressed, at) = (self.key.clone(), self.uncompressed, self.at.clone());
        Ok(Signed { name, signature, key, key_bytes, ring, uncompressed, at })
    }
}

impl Signed {
    /// Checks the signature over the file at `place`; the cause where it is not right.
    pub(super) fn check(&self, place: &Path) -> Result<(), String> {
        let path = place.to_owned();
        let uncompressed = self.uncompressed;
        let open = move || -> io::Result<Box<dyn Read>> {
            let file = io::BufReader::new(fs_err::File::open(&path)?);
            if uncompressed { decompressed(file) } else { Ok(Box::new(file)) }
        };
        // A bad archive is told as one, and not as a signature that does not match.
        if uncompressed {
            open().map_err(|error| error.to_string())?;
        }
        self.ring.verify_read(&self.signature, &open).map(drop).map_err(|error| error.to_string())
    }

    /// The error of a signature that is not right.
    pub(super) fn refused(
        &self,
        component: &str,
        file: &str,
        cause: String,
        quarantine: Option<PathBuf>,
    ) -> BuildError {
        BuildError::SourceSignature {
            component: component.to_owned(),
            file: file.to_owned(),
            signature: self.name.clone(),
            key: self.key.clone(),
            at: self.at.clone(),
            cause,
            quarantine,
        }
    }

    /// Whether this signature over the object was checked before.
    pub(super) fn is_noted(&self, object: &Digest, store: &Store) -> bool {
        store.record("source-signature", &self.record_key(object)).is_some()
    }

    /// Notes that it was checked.
    pub(super) fn note(&self, object: &Digest, store: &Store) -> Result<(), store::StoreError> {
        store.set_record("source-signature", &self.record_key(object), b"good")
    }

    fn record_key(&self, object: &Digest) -> Digest {
        let (signature, key) = (Digest::of(&self.signature), Digest::of(&self.key_bytes));
        let text = format!("{} {} {} {}", object.hex(), signature.hex(), key.hex(), self.uncompressed);
        Digest::of(text.as_bytes())
    }
}

/// What was compressed, by its first bytes.
fn decompressed(mut file: impl io::BufRead + io::Seek + 'static) -> io::Result<Box<dyn Read>> {
    let mut magic = [0; 6];
    let count = file.read(&mut magic)?;
    file.rewind()?;
    Ok(match &magic[..count] {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(file)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        _ => return Err(io::Error::other("it is not compressed by gzip, xz, bzip2 or zstd, as `uncompressed` wants")),
    })
}
