use sha2::Digest as _;

/// A digest algorithm, by its number in OpenPGP (RFC 9580, section 9.5), which is how headers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the algorithms'")]
pub enum Algorithm {
    Md5 = 1,
    Sha1 = 2,
    Sha256 = 8,
    Sha384 = 9,
    Sha512 = 10,
    Sha224 = 11,
}

impl Algorithm {
    /// By OpenPGP's number; `None` for those that no package uses.
    pub fn from_number(number: u32) -> Option<Algorithm> {
        Some(match number {
            1 => Algorithm::Md5,
            2 => Algorithm::Sha1,
            8 => Algorithm::Sha256,
            9 => Algorithm::Sha384,
            10 => Algorithm::Sha512,
            11 => Algorithm::Sha224,
            _ => return None,
        })
    }

    /// The name as rpm-md writes it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "md5",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha224 => "sha224",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// Hexadecimal digits of a digest.
    pub fn digits(self) -> usize {
        match self {
            Algorithm::Md5 => 32,
            Algorithm::Sha1 => 40,
            Algorithm::Sha224 => 56,
            Algorithm::Sha256 => 64,
            Algorithm::Sha384 => 96,
            Algorithm::Sha512 => 128,
        }
    }
}

/// A digest as headers hold it: the algorithm, and lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum {
    /// Which digest.
    pub algorithm: Algorithm,
    /// Its digits.
    pub hex: String,
}

impl Checksum {
    /// The digest of `bytes`.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Checksum {
        let mut checksummer = Checksummer::new(algorithm);
        checksummer.update(bytes);
        checksummer.finish()
    }
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex)
    }
}

/// Collects bytes into a [`Checksum`].
#[derive(Clone)]
pub struct Checksummer {
    algorithm: Algorithm,
    state: State,
}

#[derive(Clone)]
enum State {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha224(sha2::Sha224),
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl Checksummer {
    /// Nothing digested so far.
    pub fn new(algorithm: Algorithm) -> Checksummer {
        let state = match algorithm {
            Algorithm::Md5 => State::Md5(md5::Md5::new()),
            Algorithm::Sha1 => State::Sha1(sha1::Sha1::new()),
            Algorithm::Sha224 => State::Sha224(sha2::Sha224::new()),
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha384 => State::Sha384(sha2::Sha384::new()),
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
        };
        Checksummer { algorithm, state }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Md5(state) => state.update(bytes),
            State::Sha1(state) => state.update(bytes),
            State::Sha224(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all that was added.
    pub fn finish(self) -> Checksum {
        let hex = match self.state {
            State::Md5(state) => hex::encode(state.finalize()),
            State::Sha1(state) => hex::encode(state.finalize()),
            State::Sha224(state) => hex::encode(state.finalize()),
            State::Sha256(state) => hex::encode(state.finalize()),
            State::Sha384(state) => hex::encode(state.finalize()),
            State::Sha512(state) => hex::encode(state.finalize()),
        };
        Checksum { algorithm: self.algorithm, hex }
    }
}
