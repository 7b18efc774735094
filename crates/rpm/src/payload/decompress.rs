use std::io::{self, BufReader, Read};

use crate::{Algorithm, Checksum, Checksummer};

/// The most memory that unpacking xz may take: `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;
/// The largest window that unpacking zstd accepts, as a power of two: what `zstd --ultra -22` needs.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How a payload is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the programs'")]
pub enum Compression {
    None,
    Gzip,
    Bzip2,
    Xz,
    Lzma,
    Zstd,
}

impl Compression {
    /// By the name in a header's `PAYLOADCOMPRESSOR`.
    pub fn parse(name: &str) -> Option<Compression> {
        Some(match name {
            "identity" | "none" | "ufdio" => Compression::None,
            "gzip" => Compression::Gzip,
            "bzip2" => Compression::Bzip2,
            "xz" => Compression::Xz,
            "lzma" => Compression::Lzma,
            "zstd" => Compression::Zstd,
            _ => return None,
        })
    }

    /// The name in a header.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "identity",
            Compression::Gzip => "gzip",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
            Compression::Lzma => "lzma",
            Compression::Zstd => "zstd",
        }
    }
}

/// A reader that digests what passes.
pub(super) struct Digested<R> {
    reader: R,
    hash: Option<Checksummer>,
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        Ok(count)
    }
}

type Input<R> = BufReader<Digested<R>>;

/// The unpacked bytes of a compressed reader.
pub(super) enum Decompressor<R: Read> {
    None(Box<Input<R>>),
    Gzip(Box<flate2::bufread::MultiGzDecoder<Input<R>>>),
    Bzip2(Box<bzip2::bufread::MultiBzDecoder<Input<R>>>),
    Xz(Box<liblzma::bufread::XzDecoder<Input<R>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Input<R>>>),
}

impl<R: Read> Decompressor<R> {
    /// `hash` digests the compressed bytes.
    pub(super) fn new(compression: Compression, reader: R, hash: Option<Algorithm>) -> io::Result<Decompressor<R>> {
        let input = BufReader::with_capacity(128 << 10, Digested { reader, hash: hash.map(Checksummer::new) });
        Ok(match compression {
            Compression::None => Decompressor::None(Box::new(input)),
            Compression::Gzip => Decompressor::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(input))),
            Compression::Bzip2 => Decompressor::Bzip2(Box::new(bzip2::bufread::MultiBzDecoder::new(input))),
            Compression::Xz => {
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)?;
                Decompressor::Xz(Box::new(liblzma::bufread::XzDecoder::new_stream(input, stream)))
            }
            Compression::Lzma => {
                let stream = liblzma::stream::Stream::new_lzma_decoder(XZ_MEMORY)?;
                Decompressor::Xz(Box::new(liblzma::bufread::XzDecoder::new_stream(input, stream)))
            }
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Decompressor::Zstd(Box::new(decoder))
            }
        })
    }

    /// Reads what is left of the compressed bytes and gives their digest.
    pub(super) fn finish(self) -> io::Result<Option<Checksum>> {
        let mut input = match self {
            Decompressor::None(input) => *input,
            Decompressor::Gzip(decoder) => decoder.into_inner(),
            Decompressor::Bzip2(decoder) => decoder.into_inner(),
            Decompressor::Xz(decoder) => decoder.into_inner(),
            Decompressor::Zstd(decoder) => decoder.finish(),
        };
        io::copy(&mut input, &mut io::sink())?;
        Ok(input.into_inner().hash.map(Checksummer::finish))
    }
}

impl<R: Read> Read for Decompressor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Decompressor::None(reader) => reader.read(buffer),
            Decompressor::Gzip(reader) => reader.read(buffer),
            Decompressor::Bzip2(reader) => reader.read(buffer),
            Decompressor::Xz(reader) => reader.read(buffer),
            Decompressor::Zstd(reader) => reader.read(buffer),
        }
    }
}
