//! How an archive is compressed: told by its first bytes, as names are wrong now and then.

use std::io::{self, Read, Write};

use super::ArchiveError;

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
}

/// The level of `xz` if nobody says otherwise.
const XZ_LEVEL: u32 = 6;
/// The level of `zstd` if nobody says otherwise.
const ZSTD_LEVEL: i32 = 3;
/// The most memory that unpacking xz may take: `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;
/// The largest window that unpacking zstd accepts, as a power of two.
const ZSTD_WINDOW_LOG: u32 = 27;
/// "Unknown" in the header of gzip, RFC 1952 section 2.3.1: no machine counts.
const GZIP_UNKNOWN_SYSTEM: u8 = 255;

impl Compression {
    /// By the first bytes.
    pub fn of(bytes: &[u8]) -> Compression {
        if bytes.starts_with(b"\xfd7zXZ\0") {
            Compression::Xz
        } else if bytes.starts_with(b"\x1f\x8b") {
            Compression::Gzip
        } else if bytes.starts_with(b"\x28\xb5\x2f\xfd") {
            Compression::Zstd
        } else {
            Compression::None
        }
    }

    fn what(self) -> &'static str {
        match self {
            Compression::None => "a tar archive",
            Compression::Gzip => "gzip",
            Compression::Xz => "xz",
            Compression::Zstd => "zstd",
        }
    }

    pub(super) fn unpack(self, archive: &str, bytes: &[u8], limit: u64) -> Result<Vec<u8>, ArchiveError> {
        let read = || -> io::Result<Vec<u8>> {
            let mut out = Vec::new();
            // One byte more tells that there is more.
            let limit = limit + 1;
            match self {
                Compression::None => bytes.take(limit).read_to_end(&mut out)?,
                Compression::Gzip => flate2::read::MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut out)?,
                Compression::Xz => {
                    let stream = liblzma::stream::Stream::new_auto_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)?;
                    liblzma::read::XzDecoder::new_stream(bytes, stream).take(limit).read_to_end(&mut out)?
                }
                Compression::Zstd => {
                    let mut decoder = zstd::stream::read::Decoder::new(bytes)?;
                    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                    decoder.take(limit).read_to_end(&mut out)?
                }
            };
            Ok(out)
        };
        let out = read().map_err(|cause| ArchiveError::Unreadable {
            archive: archive.to_owned(),
            what: self.what(),
            cause,
        })?;
        match out.len() as u64 > limit {
            true => Err(ArchiveError::TooLarge { archive: archive.to_owned(), limit }),
            false => Ok(out),
        }
    }

    /// The same bytes for the same bytes: one thread, and no time, name or system in a header.
    pub(super) fn pack(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        Ok(match self {
            Compression::None => bytes.to_vec(),
            Compression::Gzip => {
                let builder = flate2::GzBuilder::new().mtime(0).operating_system(GZIP_UNKNOWN_SYSTEM);
                let mut encoder = builder.write(Vec::new(), flate2::Compression::best());
                encoder.write_all(bytes)?;
                encoder.finish()?
            }
            Compression::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), XZ_LEVEL);
                encoder.write_all(bytes)?;
                encoder.finish()?
            }
            Compression::Zstd => zstd::stream::encode_all(bytes, ZSTD_LEVEL)?,
        })
    }
}
