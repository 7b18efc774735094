use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fs_err::os::unix::fs::OpenOptionsExt as _;
use pgp::composed::{
    ArmorOptions, Deserializable as _, DetachedSignature, KeyType, SignedKeyDetails, SignedPublicKey, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    Features, KeyFlags, PubKeyInner, SecretKey, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData,
    UserId,
};
use pgp::types::{KeyDetails as _, KeyVersion, Password, SignedUser, Tag, Timestamp};
use pkg::SourceDateEpoch;

use crate::{PublicKey, SignError, Signer};

/// What kind of key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// RSA with 3072 bits: what every rpm and dnf in use accepts.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
    /// Ed25519 in its v4 form (EdDSA, RFC 9580 section 9.2): small and fast; rpm 4.16 and later accept it.
    Ed25519,
}

/// A secret OpenPGP key without a passphrase.
///
/// Made for signing only: no encryption, no subkeys.
pub struct Key {
    secret: SignedSecretKey,
}

/// Why a key was not made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Others than its owner may read the file.
    #[error("the secret key `{path}` may be read by others than its owner (mode {mode:o})")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file has no usable secret key.
    #[error("`{path}` holds no OpenPGP secret key that can sign: {cause}")]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: Box<pgp::errors::Error>,
    },
    /// The key is locked.
    #[error("the secret key `{0}` is locked by a passphrase")]
    Locked(PathBuf),
    /// Making a key failed.
    #[error("no key could be made: {0}")]
    Generate(Box<pgp::errors::Error>),
    /// Reading or writing failed.
    #[error(transparent)]
    File(#[from] io::Error),
}

impl Key {
    /// Makes a key from the system's random numbers. `user_id` is `Name <address>`; `at` is when it claims to be made.
    pub fn generate(user_id: &str, algorithm: KeyAlgorithm, at: SourceDateEpoch) -> Result<Key, KeyError> {
        Key::generate_from(user_id, algorithm, at, rand::rngs::OsRng)
    }

    /// Makes a key from the random numbers given. For tests: equal numbers give an equal key.
    pub fn generate_from(
        user_id: &str,
        algorithm: KeyAlgorithm,
        at: SourceDateEpoch,
        random: impl rand::Rng + rand::CryptoRng,
    ) -> Result<Key, KeyError> {
        generate(user_id, algorithm, at, random)
            .map(|secret| Key { secret })
            .map_err(|cause| KeyError::Generate(cause.into()))
    }

    /// Reads an armoured secret key, as `gpg --armor --export-secret-keys` or [`Key::save`] writes it.
    ///
    /// A file that others may read is refused, like ssh does.
    pub fn load(path: &Path) -> Result<Key, KeyError> {
        let file = fs_err::File::open(path)?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Readable { path: path.to_owned(), mode });
        }
        let wrong = |cause: pgp::errors::Error| KeyError::NotAKey { path: path.to_owned(), cause: cause.into() };
        let (secret, _) = SignedSecretKey::from_armor_single(file).map_err(wrong)?;
        secret.verify_bindings().map_err(wrong)?;
        if secret.primary_key.secret_params().is_encrypted() {
            return Err(KeyError::Locked(path.to_owned()));
        }
        Ok(Key { secret })
    }

    /// Writes the secret key, armoured, into a new file that only its owner may read. A file that is there is left alone.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let text =
            self.secret.to_armored_bytes(ArmorOptions::default()).map_err(|cause| KeyError::Generate(cause.into()))?;
        let mut file = fs_err::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&text)?;
        file.sync_all()?;
        Ok(())
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::new(SignedPublicKey::from(self.secret.clone()))
    }

    fn sign(&self, bytes: &[u8], at: SourceDateEpoch) -> pgp::errors::Result<Signature> {
        let key = &self.secret.primary_key;
        let mut config = SignatureConfig::v4(SignatureType::Binary, key.algorithm(), HashAlgorithm::Sha256);
        config.hashed_subpackets = vec![
            Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
            Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(at.as_u32())))?,
        ];
        // rpm before 4.19 finds the key by this one only.
        config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))?];
        config.sign(key, &Password::empty(), bytes)
    }

    fn error(&self, cause: pgp::errors::Error) -> SignError {
        SignError { fingerprint: self.fingerprint(), cause: Box::new(cause) }
    }
}

impl Signer for Key {
    fn sign_binary(&self, bytes: &[u8], at: SourceDateEpoch) -> Result<Vec<u8>, SignError> {
        let packet = || {
            let signature = DetachedSignature::new(self.sign(bytes, at)?);
            pgp::ser::Serialize::to_bytes(&signature)
        };
        packet().map_err(|cause| self.error(cause))
    }

    fn sign_detached_armored(&self, bytes: &[u8], at: SourceDateEpoch) -> Result<String, SignError> {
        let text = || DetachedSignature::new(self.sign(bytes, at)?).to_armored_string(ArmorOptions::default());
        text().map_err(|cause| self.error(cause))
    }

    fn public_key_armored(&self) -> Result<String, SignError> {
        self.public_key().to_armored().map_err(|cause| self.error(cause))
    }

    fn fingerprint(&self) -> String {
        format!("{:X}", self.secret.primary_key.fingerprint())
    }
}

/// The library's own key maker reads the clock for the self-signature; this one is told the time.
fn generate(
    user_id: &str,
    algorithm: KeyAlgorithm,
    at: SourceDateEpoch,
    mut random: impl rand::Rng + rand::CryptoRng,
) -> pgp::errors::Result<SignedSecretKey> {
    let kind = match algorithm {
        KeyAlgorithm::Rsa3072 => KeyType::Rsa(3072),
        KeyAlgorithm::Rsa4096 => KeyType::Rsa(4096),
        KeyAlgorithm::Ed25519 => KeyType::Ed25519Legacy,
    };
    let made = Timestamp::from_secs(at.as_u32());
    let (public, secret) = kind.generate(&mut random)?;
    let public = PubKeyInner::new(KeyVersion::V4, kind.to_alg(), made, None, public)?;
    let public = pgp::packet::PublicKey::from_inner(public)?;
    let secret = SecretKey::new(public.clone(), secret)?;

    let mut flags = KeyFlags::default();
    flags.set_certify(true);
    flags.set_sign(true);
    let user_id = UserId::from_str(Default::default(), user_id)?;
    let mut config = SignatureConfig::v4(SignatureType::CertPositive, secret.algorithm(), HashAlgorithm::Sha256);
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::IssuerFingerprint(secret.fingerprint()))?,
        Subpacket::regular(SubpacketData::SignatureCreationTime(made))?,
        Subpacket::regular(SubpacketData::KeyFlags(flags))?,
        Subpacket::regular(SubpacketData::Features(Features::default()))?,
        Subpacket::regular(SubpacketData::PreferredHashAlgorithms(
            [HashAlgorithm::Sha512, HashAlgorithm::Sha256].into_iter().collect(),
        ))?,
        Subpacket::regular(SubpacketData::IsPrimary(true))?,
    ];
    config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(secret.legacy_key_id()))?];
    let signature = config.sign_certification(&secret, &public, &Password::empty(), Tag::UserId, &user_id)?;
    let details =
        SignedKeyDetails::new(Vec::new(), Vec::new(), vec![SignedUser::new(user_id, vec![signature])], Vec::new());
    Ok(SignedSecretKey::new(secret, details, Vec::new(), Vec::new()))
}
