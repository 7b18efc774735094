use pkg::SourceDateEpoch;

/// Something that can sign: a key in a file, a token, a service.
///
/// `at` is the time that the signature claims. Equal bytes, key and time give an equal signature where the algorithm
/// allows it (RSA and Ed25519 do).
pub trait Signer: Send + Sync {
    /// A binary OpenPGP signature packet over `bytes`: what goes into an rpm header.
    fn sign_binary(&self, bytes: &[u8], at: SourceDateEpoch) -> Result<Vec<u8>, SignError>;

    /// The same signature in ASCII armour: what stands beside a file as `FILE.asc`.
    fn sign_detached_armored(&self, bytes: &[u8], at: SourceDateEpoch) -> Result<String, SignError>;

    /// The public key in ASCII armour, for `rpmkeys --import` and `gpgkey=`.
    fn public_key_armored(&self) -> Result<String, SignError>;

    /// The key's fingerprint, upper-case hexadecimal digits (40 for v4 keys).
    fn fingerprint(&self) -> String;
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[error("key {fingerprint} does not sign: {cause}")]
pub struct SignError {
    /// Of the key.
    pub fingerprint: String,
    /// What its keeper says.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}
