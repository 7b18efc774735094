//! Checking RSA signatures by the exponent that keys have, 65537: seventeen products, where a power in general, by a library
//! that has to keep its exponent secret, takes a hundred.
//!
//! Only what is public is computed with here. Whatever is not found good is left to rpgp, which has the last word: other
//! sizes, exponents and hashes, and signatures that are wrong.

use crypto_bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
use crypto_bigint::{U2048, U3072, U4096, Uint};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::ser::Serialize as _;
use pgp::types::{
    Fingerprint, KeyDetails, KeyId, KeyVersion, Mpi, PublicParams, SignatureBytes, Timestamp, VerifyingKey,
};

/// The exponent, as bytes.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// A key's modulus, with what products by it need.
#[derive(Clone, Debug)]
pub(crate) enum Modulus {
    Bits2048(Box<DynResidueParams<{ U2048::LIMBS }>>),
    Bits3072(Box<DynResidueParams<{ U3072::LIMBS }>>),
    Bits4096(Box<DynResidueParams<{ U4096::LIMBS }>>),
}

impl Modulus {
    /// That of a key; `None` where this module does not know its kind.
    pub(crate) fn of(key: &impl KeyDetails) -> Option<Modulus> {
        let PublicParams::RSA(public) = key.public_params() else { return None };
        // Two numbers, each behind its length in bits (RFC 9580, section 3.2).
        let bytes = public.to_bytes().ok()?;
        let (modulus, rest) = number(&bytes)?;
        let (exponent, rest) = number(rest)?;
        let is_odd = modulus.last()? & 1 == 1;
        if exponent != EXPONENT || !rest.is_empty() || !is_odd || modulus.first()? & 0x80 == 0 {
            return None;
        }
        Some(match modulus.len() * 8 {
            2048 => Modulus::Bits2048(Box::new(DynResidueParams::new(&Uint::from_be_slice(modulus)))),
            3072 => Modulus::Bits3072(Box::new(DynResidueParams::new(&Uint::from_be_slice(modulus)))),
            4096 => Modulus::Bits4096(Box::new(DynResidueParams::new(&Uint::from_be_slice(modulus)))),
            _ => return None,
        })
    }

    /// Whether `signature` is one over `digest`. `false` says that it is wrong, or that this module does not know.
    fn accepts(&self, hash: HashAlgorithm, digest: &[u8], signature: &[u8]) -> bool {
        match self {
            Modulus::Bits2048(modulus) => accepts(modulus, 256, hash, digest, signature),
            Modulus::Bits3072(modulus) => accepts(modulus, 384, hash, digest, signature),
            Modulus::Bits4096(modulus) => accepts(modulus, 512, hash, digest, signature),
        }
    }
}

fn number(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (bits, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*bits)).div_ceil(8))
}

/// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2.2), by comparing with the one encoding that the digest has.
fn accepts<const LIMBS: usize>(
    modulus: &DynResidueParams<LIMBS>,
    length: usize,
    hash: HashAlgorithm,
    digest: &[u8],
    signature: &[u8],
) -> bool {
    let Some(expected) = encoded(hash, digest, length) else { return false };
    if signature.len() > length {
        return false;
    }
    // OpenPGP leaves out zeros in front.
    let mut padded = vec![0; length];
    padded[length - signature.len()..].copy_from_slice(signature);
    let signature = Uint::<LIMBS>::from_be_slice(&padded);
    if signature >= *modulus.modulus() {
        return false;
    }
    let signature = DynResidue::new(&signature, *modulus);
    let mut power = signature;
    for _ in 0..16 {
        power = power.square();
    }
    power.mul(&signature).retrieve() == Uint::<LIMBS>::from_be_slice(&expected)
}

/// EMSA-PKCS1-v1_5 (RFC 8017, section 9.2): 00 01, many FF, 00, the hash's name in DER, the digest.
fn encoded(hash: HashAlgorithm, digest: &[u8], length: usize) -> Option<Vec<u8>> {
    let (name, size): ([u8; 19], usize) = match hash {
        HashAlgorithm::Sha256 => (*b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 32),
        HashAlgorithm::Sha384 => (*b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30", 48),
        HashAlgorithm::Sha512 => (*b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40", 64),
        _ => return None,
    };
    if digest.len() != size {
        return None;
    }
    let mut encoded = vec![0xff; length];
    encoded[..2].copy_from_slice(&[0, 1]);
    let start = length - size - name.len();
    encoded[start - 1] = 0;
    encoded[start..start + name.len()].copy_from_slice(&name);
    encoded[start + name.len()..].copy_from_slice(digest);
    Some(encoded)
}

/// A key that is asked here first.
#[derive(Debug)]
pub(crate) struct Quick<'a, K> {
    pub(crate) key: &'a K,
    pub(crate) modulus: Option<&'a Modulus>,
}

impl<K: VerifyingKey> VerifyingKey for Quick<'_, K> {
    fn verify(&self, hash: HashAlgorithm, digest: &[u8], signature: &SignatureBytes) -> pgp::errors::Result<()> {
        if let (Some(modulus), SignatureBytes::Mpis(numbers)) = (self.modulus, signature)
            && let [one] = numbers.as_slice()
            && modulus.accepts(hash, digest, Mpi::as_ref(one))
        {
            return Ok(());
        }
        self.key.verify(hash, digest, signature)
    }
}

impl<K: KeyDetails> KeyDetails for Quick<'_, K> {
    fn version(&self) -> KeyVersion {
        self.key.version()
    }

    fn legacy_key_id(&self) -> KeyId {
        self.key.legacy_key_id()
    }

    fn fingerprint(&self) -> Fingerprint {
        self.key.fingerprint()
    }

    fn algorithm(&self) -> PublicKeyAlgorithm {
        self.key.algorithm()
    }

    fn created_at(&self) -> Timestamp {
        self.key.created_at()
    }

    fn legacy_v3_expiration_days(&self) -> Option<u16> {
        self.key.legacy_v3_expiration_days()
    }

    fn public_params(&self) -> &PublicParams {
        self.key.public_params()
    }
}

#[cfg(test)]
mod tests {
    use pgp::composed::KeyType;
    use pgp::packet::PubKeyInner;
    use pgp::types::{Password, SigningKey as _};

    use super::*;

    /// A key of each size that is known here, and one that is not.
    #[test]
    fn what_is_accepted_is_what_rpgp_accepts() {
        let digests = [(HashAlgorithm::Sha256, 32), (HashAlgorithm::Sha384, 48), (HashAlgorithm::Sha512, 64)];
        for (bits, is_known) in [(2048, true), (2560, false), (3072, true), (4096, true)] {
            let kind = KeyType::Rsa(bits);
            let (public, secret) = kind.generate(rand::rngs::OsRng).unwrap();
            let made = Timestamp::from_secs(1_700_000_000);
            let public = PubKeyInner::new(KeyVersion::V4, kind.to_alg(), made, None, public).unwrap();
            let public = pgp::packet::PublicKey::from_inner(public).unwrap();
            let secret = pgp::packet::SecretKey::new(public.clone(), secret).unwrap();
            let modulus = Modulus::of(&public);
            assert_eq!(modulus.is_some(), is_known, "{bits}");
            for (hash, size) in digests {
                let digest: Vec<u8> = (0..size).map(|at| at * 7 + 1).collect();
                let signature = secret.sign(&Password::empty(), hash, &digest).unwrap();
                let SignatureBytes::Mpis(numbers) = &signature else { panic!("RSA has numbers") };
                let bytes: &[u8] = numbers[0].as_ref();
                let quick = Quick { key: &public, modulus: modulus.as_ref() };
                assert!(quick.verify(hash, &digest, &signature).is_ok());
                let Some(modulus) = &modulus else { continue };
                assert!(modulus.accepts(hash, &digest, bytes), "{bits} {hash}");

                // Nothing else is: another digest, hash, length, or a bit of the signature.
                let mut other = digest.clone();
                other[5] ^= 1;
                assert!(!modulus.accepts(hash, &other, bytes));
                assert!(!modulus.accepts(hash, &digest[1..], bytes));
                for (another, _) in digests.iter().filter(|(another, _)| *another != hash) {
                    assert!(!modulus.accepts(*another, &digest, bytes));
                }
                for at in (0..bytes.len()).step_by(29).chain([bytes.len() - 1]) {
                    let mut wrong = bytes.to_vec();
                    wrong[at] ^= 0x10;
                    assert!(!modulus.accepts(hash, &digest, &wrong), "byte {at}");
                    let wrong = SignatureBytes::Mpis(vec![Mpi::from_slice(&wrong)]);
                    assert!(quick.verify(hash, &digest, &wrong).is_err());
                }
                assert!(!modulus.accepts(hash, &digest, &[bytes, &[0]].concat()));
                assert!(!modulus.accepts(hash, &digest, &[]));
            }
        }
    }

    /// A number that is not below the modulus is no signature, though it has the same remainder.
    #[test]
    fn a_signature_is_below_the_modulus() {
        // 2^2047 + 1 is an odd number of 2048 bits; 1 to any power is 1, and so is the modulus and 1.
        let mut modulus = [0; 256];
        (modulus[0], modulus[255]) = (0x80, 1);
        let residues = DynResidueParams::<{ U2048::LIMBS }>::new(&Uint::from_be_slice(&modulus));
        let mut signature = modulus;
        signature[255] = 2;
        let one = DynResidue::new(&Uint::from_be_slice(&signature), residues);
        assert_eq!(one.square().retrieve(), Uint::ONE);
        assert!(!accepts(&residues, 256, HashAlgorithm::Sha256, &[0; 32], &signature));
    }
}
