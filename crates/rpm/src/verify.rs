use std::io::{self, Read};

use crate::{Algorithm, Checksum, Checksummer, Header, Package, Tag, base64, signature};

/// Why a package is not what its digests say, or cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// A digest differs.
    #[error("{what} is {found}; the package says {expected}")]
    Differs {
        /// What was digested.
        what: &'static str,
        /// What the package says.
        expected: String,
        /// What its bytes give.
        found: String,
    },
    /// There is nothing to compare with.
    #[error("the package has no digest of its {0} that is known here")]
    None(&'static str),
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] io::Error),
}

impl Package {
    /// Compares the main header with the digests in the signature header; gives the tags of those that were compared.
    ///
    /// At least one of SHA-256 and SHA-1 must be there; packages since rpm 4.14 have the first, v6 packages only that.
    pub fn verify_header(&self) -> Result<Vec<Tag>, DigestError> {
        let bytes = self.header.region_bytes();
        let mut compared = Vec::new();
        for (tag, algorithm) in [(Tag::SHA256HEADER, Algorithm::Sha256), (Tag::SHA1HEADER, Algorithm::Sha1)] {
            if let Some(expected) = self.signature.str(tag) {
                let found = Checksum::of(algorithm, &bytes);
                differs("the header's digest", expected, &found)?;
                compared.push(tag);
            }
        }
        if compared.is_empty() { Err(DigestError::None("header")) } else { Ok(compared) }
    }

    /// Reads the payload to its end, without unpacking it, and compares its digest with the header's.
    ///
    /// The reader stands at the payload's start, as after [`Package::read`]. Trust the answer as far as the header is trusted:
    /// see [`Package::verify_header`] and [`Package::signatures`].
    pub fn verify_payload(&self, reader: &mut impl Read) -> Result<(), DigestError> {
        let known = [(Tag::PAYLOADSHA256, Algorithm::Sha256), (Tag::PAYLOADSHA512, Algorithm::Sha512)];
        let (expected, algorithm) = known
            .into_iter()
            .find_map(|(tag, algorithm)| self.header.str(tag).map(|expected| (expected, algorithm)))
            .ok_or(DigestError::None("payload"))?;
        let mut checksummer = Checksummer::new(algorithm);
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => checksummer.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        differs("the payload's digest", expected, &checksummer.finish())
    }

    /// What an OpenPGP signature of the package covers: the main header, which holds the payload's digest.
    pub fn signed_region(&self) -> Vec<u8> {
        self.header.region_bytes()
    }

    /// The OpenPGP signatures over [`Package::signed_region`], each a binary packet.
    ///
    /// rpm v4 has at most one, by RSA or another algorithm; v6 has a list in base64.
    pub fn signatures(&self) -> Vec<Vec<u8>> {
        signatures(&self.signature)
    }
}

impl Header {
    /// The signatures that the database keeps of an installed package, over [`Header::region_bytes`].
    pub fn signatures(&self) -> Vec<Vec<u8>> {
        signatures(self)
    }
}

fn signatures(header: &Header) -> Vec<Vec<u8>> {
    let binary = [Tag::RSAHEADER, Tag::DSAHEADER].into_iter().filter_map(|tag| header.bytes(tag).map(<[u8]>::to_vec));
    let listed = header.strs(Tag::OPENPGP).filter_map(base64::decode);
    let mut all: Vec<Vec<u8>> = Vec::new();
    for packet in binary.chain(listed) {
        // rpm 6 may write one signature in both places.
        if !all.contains(&packet) {
            all.push(packet);
        }
    }
    all
}

fn differs(what: &'static str, expected: &str, found: &Checksum) -> Result<(), DigestError> {
    if expected.eq_ignore_ascii_case(&found.hex) {
        return Ok(());
    }
    let expected = format!("{}:{expected}", found.algorithm.name());
    Err(DigestError::Differs { what, expected, found: found.to_string() })
}

/// Tags of the signature header that hold a signature.
pub(crate) const SIGNATURE_TAGS: [Tag; 5] =
    [Tag::RSAHEADER, Tag::DSAHEADER, Tag::OPENPGP, signature::PGP, signature::GPG];
