use std::io::{self, BufRead, BufReader, Read, Write as _};

use pkg::{Digest, Hasher};

use crate::ReadError;

/// How a document is compressed when it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, level 6, without name and time: every reader of rpm-md knows it.
    #[default]
    Gzip,
    /// RFC 8878, level 10: smaller and faster to read; needs dnf 4.15-class readers or newer.
    Zstd,
}

/// zlib's own default: higher levels win less than 2 percent on these documents and cost three times as much.
const GZIP_LEVEL: u32 = 6;

/// What createrepo_c uses for zstd.
const ZSTD_LEVEL: i32 = 10;

impl Compression {
    /// The extension of the file's name, with its dot.
    pub fn extension(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        }
    }

    /// Compresses `bytes`; equal bytes give equal output.
    ///
    /// # Errors
    /// Those of the compressor, which for output into memory means that memory ran out.
    pub fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Compression::None => Ok(bytes.to_vec()),
            Compression::Gzip => {
                let output = Vec::with_capacity(bytes.len() / 6);
                let mut encoder = flate2::write::GzEncoder::new(output, flate2::Compression::new(GZIP_LEVEL));
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Compression::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL),
        }
    }
}

/// Reads `reader` decompressed, whatever of gzip, zstd, xz, bzip2, zchunk or nothing it is compressed by, but at most `limit` bytes:
/// more end in an error, so that a small file cannot fill the memory. Give repomd's `open-size` where there is one.
///
/// # Errors
/// [`ReadError::Compression`] when the first bytes cannot be read.
pub fn decompress<'a>(reader: impl Read + Send + 'a, limit: u64) -> Result<Box<dyn BufRead + Send + 'a>, ReadError> {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let start = reader.fill_buf().map_err(ReadError::Compression)?;
    let open: Box<dyn Read + Send + 'a> = match start {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Box::new(zstd::stream::read::Decoder::with_buffer(reader).map_err(ReadError::Compression)?)
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(reader)),
        [0, b'Z', b'C', b'K', b'1', ..] => {
            // Its chunks are checked before any of it is used, so all of it has to be here.
            let mut bytes = Vec::new();
            reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(ReadError::Compression)?;
            Box::new(io::Cursor::new(crate::zchunk::read(&bytes, limit)?))
        }
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(reader)),
        _ => Box::new(reader),
    };
    Ok(Box::new(BufReader::with_capacity(1 << 16, Limited { inner: open, left: limit, limit })))
}

/// As [`decompress`], on a thread of its own that runs a few megabytes ahead: whoever parses the text need not wait for it.
///
/// The text is `expected`, where that is known, or its end is an error.
///
/// # Errors
/// Those of [`decompress`]; what goes wrong later is told when it is read.
pub fn decompress_ahead(
    reader: impl Read + Send + 'static,
    limit: u64,
    expected: Option<Digest>,
) -> Result<impl Read + Send, ReadError> {
    let mut open =
        Checked { inner: decompress(reader, limit)?, expected: expected.map(|digest| (digest, Hasher::new())) };
    let (sender, receiver) = std::sync::mpsc::sync_channel::<io::Result<Vec<u8>>>(AHEAD);
    std::thread::spawn(move || {
        loop {
            let mut part = Vec::with_capacity(PART);
            let result = open.by_ref().take(PART as u64).read_to_end(&mut part);
            let last = !matches!(result, Ok(count) if count > 0);
            // A reader that went away needs no more.
            if sender.send(result.map(|_| part)).is_err() || last {
                return;
            }
        }
    });
    Ok(Ahead { receiver, part: io::Cursor::new(Vec::new()), ended: false })
}

/// Bytes that the thread gives at once, and how many of them it may be ahead.
const PART: usize = 1 << 18;
const AHEAD: usize = 8;

struct Ahead {
    receiver: std::sync::mpsc::Receiver<io::Result<Vec<u8>>>,
    part: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.part.position() == self.part.get_ref().len() as u64 && !self.ended {
            let lost = || io::Error::other("the decompressing thread died");
            self.part = io::Cursor::new(self.receiver.recv().map_err(|_| lost())??);
            self.ended = self.part.get_ref().is_empty();
        }
        self.part.read(buffer)
    }
}

/// Compares the digest of all that was read at its end.
struct Checked<R> {
    inner: R,
    expected: Option<(Digest, Hasher)>,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some((_, hasher)) = &mut self.expected {
            hasher.update(&buffer[..count]);
        }
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        let is_expected = self.expected.take().is_none_or(|(expected, hasher)| hasher.finish() == expected);
        match is_expected {
            true => Ok(0),
            false => Err(io::Error::other("its decompressed bytes are not those that the index names")),
        }
    }
}

struct Limited<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // One byte more than allowed is asked for, to tell "exactly the limit" from "more".
        let wanted = usize::try_from(self.left.saturating_add(1)).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..wanted])?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(format!("it has more than the expected {} bytes", self.limit))),
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_reads_back() {
        let text = b"<metadata/>".repeat(1000);
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let bytes = compression.compress(&text).unwrap();
            assert_eq!(bytes, compression.compress(&text).unwrap());
            let mut read = Vec::new();
            decompress(bytes.as_slice(), text.len() as u64).unwrap().read_to_end(&mut read).unwrap();
            assert!(read == text, "{compression:?}");
            read.clear();
            let bytes = io::Cursor::new(bytes);
            decompress_ahead(bytes.clone(), text.len() as u64, Some(Digest::of(&text)))
                .unwrap()
                .read_to_end(&mut read)
                .unwrap();
            assert!(read == text, "{compression:?} ahead");
            let other = decompress_ahead(bytes.clone(), text.len() as u64, Some(Digest::of(b"other"))).unwrap();
            let error = io::copy(&mut { other }, &mut io::sink()).unwrap_err();
            assert_eq!(error.to_string(), "its decompressed bytes are not those that the index names");
            let error = decompress_ahead(bytes, 9, None).unwrap().read_to_end(&mut read).unwrap_err();
            assert_eq!(error.to_string(), "it has more than the expected 9 bytes");
        }
    }

    #[test]
    fn more_than_the_limit_is_refused() {
        let bytes = Compression::Gzip.compress(&[0; 1 << 20]).unwrap();
        let error = io::copy(&mut decompress(bytes.as_slice(), (1 << 20) - 1).unwrap(), &mut io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "it has more than the expected 1048575 bytes");
    }
}
