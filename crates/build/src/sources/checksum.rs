use std::fmt;
use std::io::{self, Read as _};
use std::path::Path;

use pkg::Digest;
use sha2::Digest as _;
use store::Store;

/// How the digest of a source was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-512.
    Sha512,
    /// SHA-256.
    Sha256,
    /// MD5, which tells an accident and no attack.
    Md5,
}

/// The digest by which a source is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checksum {
    /// How it was made.
    pub algorithm: Algorithm,
    /// Lower-case hexadecimal digits.
    pub hex: String,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Algorithm::Sha512 => "sha512",
            Algorithm::Sha256 => "sha256",
            Algorithm::Md5 => "md5",
        })
    }
}

/// As in `sha512:9a93b2b7dfda0f11`: 16 digits, which are enough for people.
impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex.get(..16).unwrap_or(&self.hex))
    }
}

impl Checksum {
    /// A digest of these digits, whatever their case.
    pub fn new(algorithm: Algorithm, hex: &str) -> Checksum {
        Checksum { algorithm, hex: hex.to_ascii_lowercase() }
    }

    /// The object that has this digest, if the store has seen it.
    pub fn find(&self, store: &Store) -> Option<Digest> {
        let object = match self.algorithm {
            Algorithm::Sha256 => Digest::parse(&self.hex).ok()?,
            _ => {
                let recorded = store.record("source", &self.record_key())?;
                Digest::parse(std::str::from_utf8(&recorded).ok()?).ok()?
            }
        };
        store.contains(&object).then_some(object)
    }

    /// Notes that `object` has this digest.
    pub(super) fn note(&self, object: &Digest, store: &Store) -> Result<(), store::StoreError> {
        store.set_record("source", &self.record_key(), object.hex().as_bytes())
    }

    fn record_key(&self) -> Digest {
        Digest::of(format!("{}:{}", self.algorithm, self.hex).as_bytes())
    }
}

/// A file, measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Bytes.
    pub size: u64,
    /// Its SHA-512.
    pub sha512: Checksum,
    /// Its digest by the algorithm that was asked for.
    pub asked: Checksum,
}

/// Reads a file once; its SHA-512, and its digest by `algorithm`.
pub fn measure(path: &Path, algorithm: Algorithm) -> io::Result<Measured> {
    let mut file = fs_err::File::open(path)?;
    let (mut sha512, mut size) = (sha2::Sha512::new(), 0);
    let (mut sha256, mut md5) = (None, None);
    match algorithm {
        Algorithm::Sha512 => {}
        Algorithm::Sha256 => sha256 = Some(sha2::Sha256::new()),
        Algorithm::Md5 => md5 = Some(md5::Md5::new()),
    }
    let mut chunk = vec![0; 1 << 17];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        size += count as u64;
        sha512.update(&chunk[..count]);
        if let Some(sha256) = &mut sha256 {
            sha256.update(&chunk[..count]);
        }
        if let Some(md5) = &mut md5 {
            md5.update(&chunk[..count]);
        }
    }
    let sha512 = Checksum { algorithm: Algorithm::Sha512, hex: hex::encode(sha512.finalize()) };
    let other =
        sha256.map(|hash| hex::encode(hash.finalize())).or_else(|| md5.map(|hash| hex::encode(hash.finalize())));
    let asked = other.map_or_else(|| sha512.clone(), |hex| Checksum { algorithm, hex });
    Ok(Measured { size, sha512, asked })
}
