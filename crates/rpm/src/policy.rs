//! Whether a package may be trusted, and why not.

use std::io::{self, Read};

use crate::{Algorithm, Checksum, Checksummer, Header, Package, PackageError, Tag, base64, signature};

/// What a package must prove. The strictest by default: a signature by an accepted key, and digests of header and payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether a good signature by an accepted key must be there.
    pub signature: Signatures,
    /// Whether SHA-1 and MD5 count where nothing better is there. They never do by default.
    pub weak_digests: WeakDigests,
}

/// What is asked of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// One by an accepted key must be there and be good.
    Required,
    /// Those that are there by an accepted key must be good; one by an unknown key counts as none.
    IfAccepted,
    /// They are not looked at.
    Ignored,
}

/// What SHA-1 and MD5 are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakDigests {
    /// Nothing: whoever wants can make another package of the same digest.
    Refused,
    /// They tell a damaged package from a whole one.
    Accepted,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { signature: Signatures::Required, weak_digests: WeakDigests::Refused }
    }
}

/// What became of one digest or signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which one, as rpmkeys calls it: `Header SHA256 digest`, `Header OpenPGP signature`.
    pub what: String,
    /// Its outcome.
    pub outcome: Outcome,
}

/// How a digest or signature compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is right; of a signature, by which key.
    Good(Option<String>),
    /// It is wrong.
    Bad(String),
    /// Its key is none of the accepted ones.
    NoKey(String),
    /// It was not compared, for this reason.
    Unchecked(&'static str),
}

/// What checking a signature gives: the key by name, or why not.
pub enum SignatureCheck {
    /// It is good, and by this key.
    Good(String),
    /// It is by none of the accepted keys.
    NoKey(String),
    /// It is by an accepted key, and not over these bytes, or not one that may be accepted.
    Bad(String),
}

/// A package that was looked at to its end.
#[derive(Clone, Debug)]
pub struct Report {
    /// All but the payload.
    pub package: Package,
    /// Every digest and signature that it has.
    pub findings: Vec<Finding>,
    /// Why the policy refuses it; empty when it may be trusted.
    pub refusals: Vec<Refusal>,
}

/// Why a policy refuses a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Refusal {
    #[error("its {what} is wrong: {why}")]
    Wrong { what: String, why: String },
    #[error("it has no signature")]
    Unsigned,
    #[error("it is signed by no accepted key: {0}")]
    NoKey(String),
    #[error("it has no digest of its {0}")]
    NoDigest(&'static str),
    #[error("its {0} has digests by SHA-1 or MD5 only, which anybody can forge")]
    WeakDigest(&'static str),
    #[error("its payload is {found} bytes long, and its header says {expected}")]
    Length { expected: u64, found: u64 },
}

/// Bytes that are read at a time.
const BUFFER: usize = 256 << 10;

/// Reads a package to its end, compares all that can be compared, and judges it by `policy`.
///
/// `check` says of a signature packet and the bytes that it covers whether they go together. The payload is digested as it
/// comes, compressed: memory is that of the headers, whatever its length. Digests that a better one makes superfluous are
/// not computed.
pub fn verify(
    reader: &mut impl Read,
    policy: &Policy,
    check: &dyn Fn(&[u8], &[u8]) -> SignatureCheck,
) -> Result<Report, PackageError> {
    let package = Package::read(reader)?;
    let mut judge = Judge { policy, findings: Vec::new(), refusals: Vec::new() };
    let covered = package.header.region_bytes();
    judge.header(&package, &covered);
    if policy.signature != Signatures::Ignored {
        judge.signatures(&package, &covered, check);
    }
    judge.payload(&package, &covered, reader)?;
    Ok(Report { package, findings: judge.findings, refusals: judge.refusals })
}

struct Judge<'a> {
    policy: &'a Policy,
    findings: Vec<Finding>,
    refusals: Vec<Refusal>,
}

impl Judge<'_> {
    fn note(&mut self, what: &str, outcome: Outcome) {
        if let Outcome::Bad(why) = &outcome {
            self.refusals.push(Refusal::Wrong { what: what.to_owned(), why: why.clone() });
        }
        self.findings.push(Finding { what: what.to_owned(), outcome });
    }

    fn compare(&mut self, what: &str, expected: &str, found: &Checksum) {
        let outcome = if expected.eq_ignore_ascii_case(&found.hex) {
            Outcome::Good(None)
        } else {
            Outcome::Bad(format!("{expected} is expected, {} found", found.hex))
        };
        self.note(what, outcome);
    }

    fn header(&mut self, package: &Package, covered: &[u8]) {
        let strong = package.signature.str(Tag::SHA256HEADER);
        if let Some(expected) = strong {
            self.compare("Header SHA256 digest", expected, &Checksum::of(Algorithm::Sha256, covered));
        }
        if package.signature.contains(Tag::SHA3_256HEADER) {
            self.note("Header SHA3-256 digest", Outcome::Unchecked("SHA-256 is compared"));
        }
        let weak = package.signature.str(Tag::SHA1HEADER);
        if let Some(expected) = weak {
            self.compare("Header SHA1 digest", expected, &Checksum::of(Algorithm::Sha1, covered));
        }
        match (strong, weak, self.policy.weak_digests) {
            (Some(_), _, _) | (None, Some(_), WeakDigests::Accepted) => {}
            (None, Some(_), WeakDigests::Refused) => self.refusals.push(Refusal::WeakDigest("header")),
            (None, None, _) => {
                let has_whole = package.signature.contains(signature::MD5);
                match (has_whole, self.policy.weak_digests) {
                    (true, WeakDigests::Accepted) => {}
                    (true, WeakDigests::Refused) => self.refusals.push(Refusal::WeakDigest("header")),
                    (false, _) => self.refusals.push(Refusal::NoDigest("header")),
                }
            }
        }
    }

    fn signatures(&mut self, package: &Package, covered: &[u8], check: &dyn Fn(&[u8], &[u8]) -> SignatureCheck) {
        let mut good = false;
        let mut unknown = Vec::new();
        let mut count = 0;
        for packet in package.signatures() {
            count += 1;
            let outcome = match check(&packet, covered) {
                SignatureCheck::Good(key) => {
                    good = true;
                    Outcome::Good(Some(key))
                }
                SignatureCheck::NoKey(why) => {
                    unknown.push(why.clone());
                    Outcome::NoKey(why)
                }
                SignatureCheck::Bad(why) => Outcome::Bad(why),
            };
            self.note("Header OpenPGP signature", outcome);
        }
        // Signatures of rpm 3 cover header and payload; a header that is signed makes them superfluous.
        for (tag, what) in [(signature::PGP, "RSA signature"), (signature::GPG, "DSA signature")] {
            if package.header.format() < 6 && package.signature.contains(tag) {
                self.note(what, Outcome::Unchecked("it is of rpm 3's kind; the header's counts"));
            }
        }
        if package.header.strs(Tag::OPENPGP).any(|text| base64::decode(text).is_none()) {
            self.note("Header OpenPGP signature", Outcome::Bad("it is not base64".to_owned()));
        }
        if self.policy.signature == Signatures::Required && !good {
            match (count, unknown.is_empty()) {
                (0, _) => self.refusals.push(Refusal::Unsigned),
                (_, false) => self.refusals.push(Refusal::NoKey(unknown.join("; "))),
                // A wrong one is refused for being wrong.
                (_, true) => {}
            }
        }
    }

    fn payload(&mut self, package: &Package, covered: &[u8], reader: &mut impl Read) -> io::Result<()> {
        let strong = [
            ("Payload SHA256 digest", Tag::PAYLOADSHA256, Algorithm::Sha256),
            ("Payload SHA512 digest", Tag::PAYLOADSHA512, Algorithm::Sha512),
        ];
        let mut known = strong.into_iter().filter_map(|(what, tag, algorithm)| {
            let expected = package.header.str(tag).filter(|hex| hex.len() == algorithm.digits())?;
            Some((what, expected, algorithm))
        });
        let chosen = known.next();
        let others: Vec<&'static str> = known.map(|(what, _, _)| what).collect();
        let md5 = package.signature.bytes(signature::MD5).filter(|_| package.header.format() < 6);
        let mut sum = chosen.map(|(_, _, algorithm)| Checksummer::new(algorithm));
        let mut whole = md5.filter(|_| chosen.is_none()).map(|_| {
            let mut sum = Checksummer::new(Algorithm::Md5);
            sum.update(covered);
            sum
        });
        let mut length = 0;
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            length += count as u64;
            for sum in sum.iter_mut().chain(&mut whole) {
                sum.update(&buffer[..count]);
            }
        }
        if let (Some((what, expected, _)), Some(sum)) = (chosen, sum) {
            self.compare(what, expected, &sum.finish());
        }
        if package.header.contains(Tag::PAYLOADSHA3_256) {
            self.note("Payload SHA3-256 digest", Outcome::Unchecked("another digest of the payload is compared"));
        }
        for what in others {
            self.note(what, Outcome::Unchecked("another digest of the payload is compared"));
        }
        match (md5, whole) {
            (Some(expected), Some(sum)) => self.compare("MD5 digest", &hex::encode(expected), &sum.finish()),
            (Some(_), None) => self.note("MD5 digest", Outcome::Unchecked("SHA-256 is compared")),
            _ => {}
        }
        match (chosen.is_some(), md5.is_some(), self.policy.weak_digests) {
            (true, _, _) | (false, true, WeakDigests::Accepted) => {}
            (false, true, WeakDigests::Refused) => self.refusals.push(Refusal::WeakDigest("payload")),
            (false, false, _) => self.refusals.push(Refusal::NoDigest("payload")),
        }
        if let Some(expected) = declared_length(&package.signature, &package.header, covered.len() as u64)
            && expected != length
        {
            self.refusals.push(Refusal::Length { expected, found: length });
        }
        Ok(())
    }
}

/// How long the payload is to be, from the sizes that the package states.
fn declared_length(signature: &Header, header: &Header, header_bytes: u64) -> Option<u64> {
    if header.format() >= 6 {
        return header.number(Tag::PAYLOADSIZE);
    }
    let both = signature.number(Tag::LONGSIGSIZE).or_else(|| signature.number(signature::SIZE))?;
    both.checked_sub(header_bytes)
}
