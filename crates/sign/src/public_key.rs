use std::io::{self, BufReader, Read};
use std::sync::OnceLock;

use pgp::composed::{ArmorOptions, Deserializable as _, DetachedSignature, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails as _, VerifyingKey};

use crate::rsa::{Modulus, Quick};

/// Bytes of signature that are looked at: a handful of signatures fits, a denial of service does not.
const SIGNATURE_MAX: usize = 64 << 10;

/// Keys that may stand in one text of keys.
const KEYS_MAX: usize = 1000;

/// An OpenPGP certificate: a public key, its user ids and subkeys.
#[derive(Clone, Debug)]
pub struct PublicKey {
    certificate: SignedPublicKey,
    /// Whether the certificate's own signatures are right: looked at once, as that costs more than a package's signature.
    is_bound: OnceLock<bool>,
    /// Of the primary key, then of each subkey.
    moduli: OnceLock<Vec<Option<Modulus>>>,
}

/// Why a signature is not accepted.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum VerifyError {
    #[error("this is no OpenPGP signature: {0}")]
    NotASignature(String),
    #[error("this is no OpenPGP public key: {0}")]
    NotAKey(String),
    #[error("the signature is by key {issuers}, which is none of the {known} accepted ones")]
    UnknownKey { issuers: String, known: usize },
    #[error("the signature by key {fingerprint} uses {algorithm}, which is no longer safe")]
    WeakHash { fingerprint: String, algorithm: String },
    #[error("the signature is by key {fingerprint}, which {why}")]
    BadKey { fingerprint: String, why: &'static str },
    #[error("the signature by key {fingerprint} is not over these bytes")]
    Mismatch { fingerprint: String },
    #[error(transparent)]
    Read(#[from] io::Error),
}

impl PublicKey {
    pub(crate) fn new(certificate: SignedPublicKey) -> PublicKey {
        PublicKey { certificate, is_bound: OnceLock::new(), moduli: OnceLock::new() }
    }

    /// Reads the first key of an armoured or binary text.
    pub fn parse(bytes: &[u8]) -> Result<PublicKey, VerifyError> {
        let wrong = |why: String| VerifyError::NotAKey(why);
        parse_keys(bytes)?.into_iter().next().ok_or_else(|| wrong("it holds none".to_owned()))
    }

    /// Upper-case hexadecimal digits, 40 for v4 keys.
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.certificate.primary_key.fingerprint())
    }

    /// The last 16 digits of a v4 key's fingerprint, lower case: how rpm names keys.
    pub fn key_id(&self) -> String {
        self.certificate.primary_key.legacy_key_id().to_string()
    }

    /// The user ids, as in `Name <address>`.
    pub fn user_ids(&self) -> Vec<String> {
        let users = self.certificate.details.users.iter();
        users.map(|user| String::from_utf8_lossy(user.id.id()).into_owned()).collect()
    }

    /// When the key was made, seconds since 1970.
    pub fn created(&self) -> u64 {
        u64::from(self.certificate.primary_key.created_at().as_secs())
    }

    /// The certificate in ASCII armour.
    pub(crate) fn to_armored(&self) -> pgp::errors::Result<String> {
        self.certificate.to_armored_string(ArmorOptions::default())
    }

    /// Checks that `signature` (a packet, binary or armoured) is by this key and over `bytes`.
    pub fn verify(&self, signature: &[u8], bytes: &[u8]) -> Result<(), VerifyError> {
        check(std::slice::from_ref(self), signature, &|| Ok(Box::new(bytes))).map(drop)
    }

    /// Whether `signature` says that this key, or one of its subkeys, made it.
    fn claims(&self, signature: &Signature) -> bool {
        let matches = |fingerprint: &pgp::types::Fingerprint, id: &pgp::types::KeyId| {
            let (fingerprints, ids) = (signature.issuer_fingerprint(), signature.issuer_key_id());
            fingerprints.contains(&fingerprint) || (fingerprints.is_empty() && ids.contains(&id))
        };
        let primary = &self.certificate.primary_key;
        matches(&primary.fingerprint(), &primary.legacy_key_id())
            || self.certificate.public_subkeys.iter().any(|sub| matches(&sub.fingerprint(), &sub.legacy_key_id()))
    }

    fn modulus(&self, index: usize) -> Option<&Modulus> {
        let moduli = || {
            let subkeys = self.certificate.public_subkeys.iter().map(|sub| Modulus::of(&sub.key));
            std::iter::once(Modulus::of(&self.certificate.primary_key)).chain(subkeys).collect()
        };
        self.moduli.get_or_init(moduli).get(index)?.as_ref()
    }

    fn check(&self, signature: &Signature, open: Open<'_>) -> Result<(), VerifyError> {
        let fingerprint = self.fingerprint();
        let bad = |why| VerifyError::BadKey { fingerprint: fingerprint.clone(), why };
        match signature.hash_alg() {
            Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512) => {}
            Some(HashAlgorithm::Sha224 | HashAlgorithm::Sha3_256 | HashAlgorithm::Sha3_512) => {}
            other => {
                let algorithm = other.map_or_else(|| "an unknown hash".to_owned(), |algorithm| algorithm.to_string());
                return Err(VerifyError::WeakHash { fingerprint, algorithm });
            }
        }
        if signature.typ() != Some(SignatureType::Binary) {
            return Err(VerifyError::NotASignature("it is not over a file's bytes".to_owned()));
        }
        let primary = &self.certificate.primary_key;
        if !*self.is_bound.get_or_init(|| self.certificate.verify_bindings().is_ok()) {
            return Err(bad("is not signed by itself"));
        }
        if !self.certificate.details.revocation_signatures.is_empty() {
            return Err(bad("was revoked"));
        }
        let time = signature.created().ok_or_else(|| bad("did not say when it signed"))?.as_secs();
        let own = self.certificate.details.users.iter().flat_map(|user| &user.signatures);
        let latest = own.chain(&self.certificate.details.direct_signatures).max_by_key(|own| own.created());
        let made = primary.created_at().as_secs();
        if time < made {
            return Err(bad("was made after the signature"));
        }
        let ends = latest.and_then(Signature::key_expiration_time).map(|length| made.saturating_add(length.as_secs()));
        if ends.is_some_and(|ends| ends > made && time >= ends) {
            return Err(bad("had expired when it signed"));
        }
        let mismatch = || VerifyError::Mismatch { fingerprint: fingerprint.clone() };
        let over = |is_right: bool| if is_right { Ok(()) } else { Err(mismatch()) };
        if by(signature, primary) {
            let key = Quick { key: primary, modulus: self.modulus(0) };
            let content = open()?;
            return over(signature.verify(&key, content).is_ok());
        }
        let subkeys = self.certificate.public_subkeys.iter().enumerate();
        for (index, sub) in subkeys.filter(|(_, sub)| by(signature, &sub.key)) {
            let may_sign = sub.signatures.iter().any(|binding| binding.key_flags().sign());
            if may_sign && sub.signatures.iter().all(|own| own.typ() != Some(SignatureType::SubkeyRevocation)) {
                let key = Quick { key: &sub.key, modulus: self.modulus(index + 1) };
                let content = open()?;
                return over(signature.verify(&key, content).is_ok());
            }
        }
        Err(bad("may not sign"))
    }
}

fn by(signature: &Signature, key: &impl VerifyingKey) -> bool {
    let (fingerprints, ids) = (signature.issuer_fingerprint(), signature.issuer_key_id());
    fingerprints.contains(&&key.fingerprint()) || (fingerprints.is_empty() && ids.contains(&&key.legacy_key_id()))
}

/// The keys whose signatures are accepted.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    keys: Vec<PublicKey>,
}

impl KeyRing {
    /// No keys: accepts nothing.
    pub fn new() -> KeyRing {
        KeyRing::default()
    }

    /// Adds all keys of an armoured or binary text; several armoured blocks may follow one another.
    pub fn add(&mut self, bytes: &[u8]) -> Result<usize, VerifyError> {
        let keys = parse_keys(bytes)?;
        let count = keys.len();
        self.keys.extend(keys);
        Ok(count)
    }

    /// Adds a key.
    pub fn insert(&mut self, key: PublicKey) {
        self.keys.push(key);
    }

    /// The keys, in the order in which they were added.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The key whose signature over `bytes` is in `signature` (packets, binary or armoured).
    ///
    /// Of several signatures one good one by a known key is enough; otherwise the error is about the first that is by a
    /// known key, or names the unknown ones.
    pub fn verify(&self, signature: &[u8], bytes: &[u8]) -> Result<&PublicKey, VerifyError> {
        check(&self.keys, signature, &|| Ok(Box::new(bytes)))
    }

    /// As [`KeyRing::verify`], for what is too large to hold: `open` starts to read it, once for each signature that is tried.
    ///
    /// # Errors
    /// [`VerifyError`]; what cannot be read to its end does not match.
    pub fn verify_read(
        &self,
        signature: &[u8],
        open: &dyn Fn() -> io::Result<Box<dyn Read>>,
    ) -> Result<&PublicKey, VerifyError> {
        check(&self.keys, signature, &|| {
            let read: Box<dyn Read> = open()?;
            Ok(read)
        })
    }
}

/// Starts to read what is signed.
type Open<'b> = &'b dyn Fn() -> io::Result<Box<dyn Read + 'b>>;

fn check<'a>(keys: &'a [PublicKey], signature: &[u8], open: Open<'_>) -> Result<&'a PublicKey, VerifyError> {
    let signatures = parse_signatures(signature)?;
    let mut first_error = None;
    for signature in &signatures {
        for key in keys.iter().filter(|key| key.claims(signature)) {
            match key.check(signature, open) {
                Ok(()) => return Ok(key),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
    }
    Err(first_error.unwrap_or_else(|| {
        let ids = signatures.iter().flat_map(Signature::issuer_key_id).map(ToString::to_string);
        let fingerprints = signatures.iter().flat_map(|signature| signature.issuer_fingerprint());
        let mut issuers: Vec<String> = fingerprints.map(|fingerprint| format!("{fingerprint:X}")).collect();
        if issuers.is_empty() {
            issuers = ids.collect();
        }
        VerifyError::UnknownKey { issuers: issuers.join(", "), known: keys.len() }
    }))
}

fn parse_signatures(bytes: &[u8]) -> Result<Vec<Signature>, VerifyError> {
    let wrong = |why: String| VerifyError::NotASignature(why);
    if bytes.len() > SIGNATURE_MAX {
        return Err(wrong(format!("it has {} bytes, more than {SIGNATURE_MAX}", bytes.len())));
    }
    let parsed: Result<Vec<DetachedSignature>, _> = if is_armored(bytes) {
        match DetachedSignature::from_armor_many(BufReader::new(bytes)) {
            Ok((signatures, _)) => signatures.collect(),
            Err(error) => Err(error),
        }
    } else {
        DetachedSignature::from_bytes_many(BufReader::new(bytes)).and_then(Iterator::collect)
    };
    let parsed = parsed.map_err(|error| wrong(error.to_string()))?;
    if parsed.is_empty() {
        return Err(wrong("it holds none".to_owned()));
    }
    Ok(parsed.into_iter().map(|one| one.signature).collect())
}

fn parse_keys(bytes: &[u8]) -> Result<Vec<PublicKey>, VerifyError> {
    let wrong = |error: pgp::errors::Error| VerifyError::NotAKey(error.to_string());
    let mut keys = Vec::new();
    if is_armored(bytes) {
        for block in armored_blocks(bytes) {
            let (certificates, _) = SignedPublicKey::from_armor_many(BufReader::new(block)).map_err(wrong)?;
            for certificate in certificates.take(KEYS_MAX) {
                keys.push(PublicKey::new(certificate.map_err(wrong)?));
            }
        }
    } else {
        for certificate in SignedPublicKey::from_bytes_many(BufReader::new(bytes)).map_err(wrong)?.take(KEYS_MAX) {
            keys.push(PublicKey::new(certificate.map_err(wrong)?));
        }
    }
    Ok(keys)
}

const ARMOR: &[u8] = b"-----BEGIN PGP ";

fn is_armored(bytes: &[u8]) -> bool {
    // Binary packets have the top bit of their first byte set.
    bytes.first().is_some_and(|byte| byte & 0x80 == 0)
}

/// Splits a text into its armoured blocks; what stands before the first (comments) is dropped.
fn armored_blocks(bytes: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(ARMOR)).take(KEYS_MAX).collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts.iter().zip(ends).map(|(start, end)| &bytes[*start..end]).collect()
}
