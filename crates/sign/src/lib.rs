//! Keys and signatures: whoever publishes is handed a [`Signer`] and never sees how the key is kept.
//!
//! Signatures are OpenPGP v4 (RFC 9580), which rpm 4, dnf and GnuPG all read; they hold the time that they are given and
//! nothing random, so that the same key signs the same bytes with the same bytes. Checking is as strict as it can be: hashes
//! older than SHA-256 and keys that were revoked or had expired are refused.

mod key;
mod public_key;
mod rsa;
mod signer;

pub use key::{Key, KeyAlgorithm, KeyError};
pub use public_key::{KeyRing, PublicKey, VerifyError};
pub use signer::{SignError, Signer};
