//! qcow2: a disk image that holds only what is not zero, compressed if wished.
//!
//! ```text
//! cluster 0         header
//! clusters 1..      data: whole clusters, or compressed ones packed behind one another
//!                   level 2 tables: guest cluster -> place of its data, 0 where it reads as zeros
//!                   level 1 table: where the level 2 tables are
//!                   refcount blocks (how often each host cluster is used), and the table of those
//! ```
//!
//! One pass over the source; everything behind the data is known only then, and the header is written last.
//! Source: QEMU, `docs/interop/qcow2.txt`, version 3.

mod compress;
mod write;

pub use write::write;

/// How clusters are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Deflate with the 4 KiB window that QEMU reads: every QEMU can, it is slow. Levels 1 to 9.
    Deflate(u32),
    /// Zstandard, from QEMU 5.1 on. Levels 1 to 19.
    Zstd(i32),
}

/// How an image is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes that the guest sees; a multiple of 512.
    pub size: u64,
    /// How clusters are compressed.
    pub compression: Compression,
    /// Threads that compress. The bytes written do not depend on it.
    pub threads: usize,
}

/// Why an image cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Qcow2Error {
    /// The size is not one of a disk.
    #[error("a qcow2 image of {0} bytes: the size has to be a multiple of 512 between 512 and 2 TiB")]
    Size(u64),
    /// The level is not one of the compression.
    #[error("{0:?} has no such level")]
    Level(Compression),
    /// The source has more or fewer bytes than it was said to.
    #[error("the disk has {read} bytes, its size was given as {size}")]
    Length {
        /// Bytes read until the end, or until it was too many.
        read: u64,
        /// Bytes that were announced.
        size: u64,
    },
    /// Source or output failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
