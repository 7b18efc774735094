//! zchunk, read: a file whose chunks are compressed apart, so that a client can fetch only those that changed.
//!
//! ```text
//! lead     0 'Z' 'C' 'K' '1'  checksum type  header size  header checksum
//! preface  data checksum  flags  compression type  [optional elements: count, then id, size, bytes of each]
//! index    size  chunk checksum type  chunk count  then for the dictionary and each chunk:
//!          [stream]  checksum  compressed length  length  [checksum of the decompressed bytes: flags bit 2]
//! signatures  count, then type, size, bytes of each
//! data     dictionary, chunks
//! ```
//!
//! Numbers are little endian in groups of seven bits; the last byte of each has its top bit set. Checksums, all of them,
//! are checked. Source: zchunk's `zchunk_format.txt`, and what its tool zck(1) 1.2 writes.

use std::io;

use pkg::Digest;

use crate::ReadError;

/// The first bytes of every zchunk file.
pub(crate) const MAGIC: &[u8; 5] = b"\0ZCK1";

/// The header of a file of a million chunks.
const MAX_HEADER: usize = 64 << 20;

/// Flags that are known: streams, optional elements, checksums of decompressed chunks.
const STREAMS: u64 = 1;
const OPTIONAL: u64 = 2;
const OPEN_CHECKSUMS: u64 = 4;

/// The bytes that a zchunk file holds, decompressed; at most `limit` of them.
///
/// # Errors
/// [`ReadError::Compression`] when it is cut off, of an unknown kind, larger than `limit`, or contradicts its checksums.
pub(crate) fn read(bytes: &[u8], limit: u64) -> Result<Vec<u8>, ReadError> {
    Reader { bytes, at: 0 }.all(limit).map_err(|fact| ReadError::Compression(io::Error::other(fact)))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

struct Chunk<'a> {
    checksum: &'a [u8],
    length: usize,
    open_length: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length).ok_or("the zchunk file is cut off")?;
        self.at += length;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, String> {
        let mut number = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 != 0 {
                return Ok(number);
            }
        }
        Err("a number of the zchunk file is too large".to_owned())
    }

    fn length(&mut self) -> Result<usize, String> {
        usize::try_from(self.number()?).map_err(|_| "a length of the zchunk file is too large".to_owned())
    }

    fn all(&mut self, limit: u64) -> Result<Vec<u8>, String> {
        if self.take(5)? != MAGIC {
            return Err("it is no zchunk file of version 1".to_owned());
        }
        let kind = Kind::of(self.number()?)?;
        let size = self.length()?;
        if size > MAX_HEADER {
            return Err(format!("the zchunk header has {size} bytes, more than {MAX_HEADER}"));
        }
        let lead = self.at;
        let checksum = self.take(kind.length())?;
        let header = self.at;
        let rest = self.take(size)?;
        // The header checksum covers all of the header but itself.
        kind.check(&[&self.bytes[..lead], rest], checksum, "header")?;
        self.at = header;
        let data_checksum = self.take(kind.length())?;
        let flags = self.number()?;
        if flags & !(STREAMS | OPTIONAL | OPEN_CHECKSUMS) != 0 {
            return Err(format!("the zchunk file has unknown flags: {flags}"));
        }
        let compression = self.number()?;
        if flags & OPTIONAL != 0 {
            for _ in 0..self.length()? {
                self.number()?;
                let size = self.length()?;
                self.take(size)?;
            }
        }
        let chunks = self.index(flags)?;
        if self.at > header + size {
            return Err("the index of the zchunk file is longer than its header".to_owned());
        }
        self.at = header + size;
        kind.check(&[&self.bytes[self.at..]], data_checksum, "data")?;
        self.data(&chunks, compression, limit)
    }

    fn index(&mut self, flags: u64) -> Result<(Kind, Vec<Chunk<'a>>), String> {
        let size = self.length()?;
        let end = self.at.checked_add(size).ok_or("the index of the zchunk file is too long")?;
        let kind = Kind::of(self.number()?)?;
        let count = self.length()?;
        let mut chunks = Vec::new();
        for _ in 0..count {
            if flags & STREAMS != 0 {
                self.number()?;
            }
            let checksum = self.take(kind.length())?;
            let (length, open_length) = (self.length()?, self.length()?);
            if flags & OPEN_CHECKSUMS != 0 {
                self.take(kind.length())?;
            }
            chunks.push(Chunk { checksum, length, open_length });
        }
        match self.at == end {
            true => Ok((kind, chunks)),
            false => Err("the index of the zchunk file has another length than it says".to_owned()),
        }
    }

    fn data(
        &mut self,
        (kind, chunks): &(Kind, Vec<Chunk<'a>>),
        compression: u64,
        limit: u64,
    ) -> Result<Vec<u8>, String> {
        let total: u64 = chunks.iter().skip(1).fold(0, |sum: u64, chunk| sum.saturating_add(chunk.open_length as u64));
        if total > limit {
            return Err(format!("it has more than the expected {limit} bytes"));
        }
        let mut out = Vec::new();
        let mut dictionary = Vec::new();
        for (number, chunk) in chunks.iter().enumerate() {
            let packed = self.take(chunk.length)?;
            if chunk.length == 0 && chunk.open_length == 0 {
                continue;
            }
            kind.check(&[packed], chunk.checksum, "chunk")?;
            if number == 0 && chunk.open_length as u64 > limit {
                return Err(format!("its dictionary has more than the expected {limit} bytes"));
            }
            let open = match compression {
                0 => packed.to_vec(),
                2 => unpack(packed, &dictionary, chunk.open_length)?,
                other => return Err(format!("the zchunk file is compressed by the unknown method {other}")),
            };
            if open.len() != chunk.open_length {
                return Err("a chunk of the zchunk file has another length than it says".to_owned());
            }
            if number == 0 {
                dictionary = open;
            } else {
                out.extend(open);
            }
        }
        match self.at == self.bytes.len() {
            true => Ok(out),
            false => Err("the zchunk file goes on behind its end".to_owned()),
        }
    }
}

fn unpack(packed: &[u8], dictionary: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("a chunk of the zchunk file is damaged: {error}");
    let mut unpacker = zstd::bulk::Decompressor::with_dictionary(dictionary).map_err(failed)?;
    unpacker.decompress(packed, length).map_err(failed)
}

/// How checksums are computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sha1,
    Sha256,
    Sha512,
    /// The first 16 bytes of SHA-512.
    Sha512Half,
}

impl Kind {
    fn of(number: u64) -> Result<Kind, String> {
        Ok(match number {
            0 => Kind::Sha1,
            1 => Kind::Sha256,
            2 => Kind::Sha512,
            3 => Kind::Sha512Half,
            other => return Err(format!("the zchunk file has checksums of the unknown kind {other}")),
        })
    }

    fn length(self) -> usize {
        match self {
            Kind::Sha1 => 20,
            Kind::Sha256 => 32,
            Kind::Sha512 => 64,
            Kind::Sha512Half => 16,
        }
    }

    fn check(self, parts: &[&[u8]], expected: &[u8], what: &str) -> Result<(), String> {
        use sha2::Digest as _;
        let joined = parts.concat();
        let found = match self {
            Kind::Sha1 => sha1::Sha1::digest(&joined).to_vec(),
            Kind::Sha256 => Digest::of(&joined).as_bytes().to_vec(),
            Kind::Sha512 | Kind::Sha512Half => sha2::Sha512::digest(&joined).to_vec(),
        };
        match found.get(..self.length()) == Some(expected) {
            true => Ok(()),
            false => Err(format!("the checksum of a {what} of the zchunk file differs")),
        }
    }
}
