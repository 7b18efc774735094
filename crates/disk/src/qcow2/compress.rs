use std::io;

use flate2::{Compress, FlushCompress, Status};

use super::Compression;

/// QEMU inflates with a window of this many bits, so nothing may refer further back.
const WINDOW_BITS: u8 = 12;

/// Compresses cluster after cluster, each on its own.
pub(super) enum Compressor {
    None,
    Deflate(Box<Compress>),
    Zstd(Box<zstd::bulk::Compressor<'static>>),
}

impl Compressor {
    pub(super) fn new(compression: Compression) -> io::Result<Compressor> {
        Ok(match compression {
            Compression::None => Compressor::None,
            Compression::Deflate(level) => {
                let level = flate2::Compression::new(level);
                Compressor::Deflate(Box::new(Compress::new_with_window_bits(level, false, WINDOW_BITS)))
            }
            Compression::Zstd(level) => Compressor::Zstd(Box::new(zstd::bulk::Compressor::new(level)?)),
        })
    }

    /// The cluster compressed; none where that saves nothing.
    pub(super) fn compress(&mut self, cluster: &[u8]) -> io::Result<Option<Vec<u8>>> {
        // What does not save a sector is better left as it is.
        let most = cluster.len() - 512;
        match self {
            Compressor::None => Ok(None),
            Compressor::Deflate(compress) => {
                compress.reset();
                let mut bytes = Vec::with_capacity(most);
                let status = compress.compress_vec(cluster, &mut bytes, FlushCompress::Finish)?;
                Ok((status == Status::StreamEnd).then_some(bytes))
            }
            Compressor::Zstd(compress) => {
                let bytes = compress.compress(cluster)?;
                Ok((bytes.len() < most).then_some(bytes))
            }
        }
    }
}
