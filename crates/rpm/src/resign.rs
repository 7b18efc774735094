use std::io::{self, Read, Write};

use crate::verify::SIGNATURE_TAGS;
use crate::{HeaderBuilder, HeaderError, Package, PackageError, Tag, Value, base64, signature};

/// Why a package was not signed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ResignError {
    #[error(transparent)]
    Package(#[from] PackageError),
    #[error("the package has no digest of its payload, so that a signature of its header would not cover it")]
    NoPayloadDigest,
    #[error("the signature is no OpenPGP signature packet of version 4 or 6")]
    Packet,
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Sign(Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Copies a package and puts a signature into the copy, in place of those it had.
///
/// `sign` gets the bytes that a signature covers and gives an OpenPGP signature packet. Everything behind the signature
/// header is copied as it is. Space that the package reserves for a signature is used up, so that the length stays.
pub fn sign<E>(
    reader: &mut impl Read,
    writer: &mut impl Write,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<Package, ResignError>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let package = Package::read(reader)?;
    let packet = sign(&package.signed_region()).map_err(|error| ResignError::Sign(Box::new(error)))?;
    let package = package.with_signature(&packet)?;
    package.write_start(writer)?;
    io::copy(reader, writer)?;
    Ok(package)
}

impl Package {
    /// The package with one signature, a binary OpenPGP packet, in place of those it had.
    pub fn with_signature(&self, packet: &[u8]) -> Result<Package, ResignError> {
        if ![Tag::PAYLOADSHA256, Tag::PAYLOADSHA512].into_iter().any(|tag| self.header.contains(tag)) {
            return Err(ResignError::NoPayloadDigest);
        }
        let algorithm = public_key_algorithm(packet).ok_or(ResignError::Packet)?;
        let mut builder = HeaderBuilder::from_header(&self.signature);
        for tag in SIGNATURE_TAGS {
            builder.remove(tag);
        }
        let reserve = if self.header.format() >= 6 {
            builder.set(Tag::OPENPGP, vec![base64::encode(packet)]);
            signature::RESERVED
        } else {
            // 1 to 3 are RSA (RFC 9580, section 9.1); all others share the tag that DSA had first.
            let tag = if matches!(algorithm, 1..=3) { Tag::RSAHEADER } else { Tag::DSAHEADER };
            builder.set(tag, Value::Binary(packet.to_vec()));
            signature::RESERVEDSPACE
        };
        let mut rebuilt = builder.build(Tag::HEADERSIGNATURES)?;
        let reserved = rebuilt.count(reserve);
        let grown = rebuilt.blob().len() as i64 - self.signature.blob().len() as i64;
        if reserved > 0 && grown != 0 {
            // A package that never had the space, or not enough of it, just grows.
            let left = usize::try_from(reserved as i64 - grown).unwrap_or_default().min(1 << 20);
            builder.set(reserve, Value::Binary(vec![0; left]));
            rebuilt = builder.build(Tag::HEADERSIGNATURES)?;
        }
        Ok(self.with_signature_header(rebuilt))
    }

    fn with_signature_header(&self, signature: crate::Header) -> Package {
        let length = self.header_range.end - self.header_range.start;
        let start = crate::Lead::BYTES as u64 + (signature.blob().len() as u64 + 8).next_multiple_of(8);
        Package { signature, header_range: start..start + length, ..self.clone() }
    }

    /// Writes all but the payload: lead, signature header, padding, main header.
    pub fn write_start(&self, writer: &mut impl Write) -> io::Result<()> {
        let signature = self.signature.to_bytes();
        writer.write_all(self.lead.as_bytes())?;
        writer.write_all(&signature)?;
        writer.write_all(&[0; 8][..signature.len().next_multiple_of(8) - signature.len()])?;
        writer.write_all(&self.header.to_bytes())
    }
}

/// The algorithm's number in a signature packet, old or new framing (RFC 9580, sections 4.2 and 5.2).
fn public_key_algorithm(packet: &[u8]) -> Option<u8> {
    let (first, rest) = packet.split_first()?;
    let (tag, skip) = if first & 0xc0 == 0xc0 {
        let skip = match rest.first()? {
            0..192 => 1,
            192..224 => 2,
            255 => 5,
            _ => return None,
        };
        (first & 0x3f, skip)
    } else if first & 0xc0 == 0x80 {
        let skip = match first & 3 {
            0 => 1,
            1 => 2,
            2 => 4,
            _ => return None,
        };
        (first >> 2 & 0xf, skip)
    } else {
        return None;
    };
    match rest.get(skip..)? {
        [4 | 6, _kind, algorithm, ..] if tag == 2 => Some(*algorithm),
        _ => None,
    }
}
