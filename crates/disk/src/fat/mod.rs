//! FAT16 and FAT32 with long names: what firmware reads.
//!
//! ```text
//! boot sector, FAT32: also FSInfo, and copies of both at sector 6     reserved sectors
//! file allocation table, twice                                       one entry a cluster: the next one of its chain
//! root directory of FAT16: 512 entries of 32 bytes
//! clusters, numbered from 2                                          files and directories (FAT32: the root too)
//! ```
//!
//! Files lie in one piece each, in the order of their names, so that equal directories give equal bytes.
//! Source: Microsoft Extensible Firmware Initiative FAT32 File System Specification 1.03.

mod boot;
mod directory;
mod geometry;
mod name;
mod time;
mod write;

pub use directory::Directory;
pub use geometry::Kind;
pub use write::write;

use pkg::SourceDateEpoch;

/// How a file system is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of the file system; what does not fill a sector at the end stays unused.
    pub size: u64,
    /// FAT16 or FAT32; none: FAT32 as soon as it is large enough for it (from about 33 MiB on).
    pub kind: Option<Kind>,
    /// The label: at most eleven ASCII letters, digits, spaces, `-` or `_`; made upper case.
    pub label: Option<String>,
    /// The serial number, which Linux calls the file system's UUID and writes as `1234-ABCD`.
    pub serial: u32,
    /// The time of every file and directory, from 1980 to 2107.
    pub at: SourceDateEpoch,
}

/// Why a FAT file system cannot be written as asked.
#[derive(Debug, thiserror::Error)]
pub enum FatError {
    /// A path component that FAT does not allow.
    #[error(
        "`{0}` is no name for FAT: 1 to 255 UTF-16 units without control characters or `\"*/:<>?\\|`, no dot or space at the end"
    )]
    Name(String),
    /// Two names that FAT takes for one, or a file where a directory is needed.
    #[error("`{0}` is there already, under the same name or one that differs in case only")]
    Duplicate(String),
    /// More short names are alike than can be told apart.
    #[error("`{0}` has too many neighbours with names like it")]
    Alias(String),
    /// A label that does not fit.
    #[error("`{0}` is no label for FAT: up to 11 ASCII letters, digits, spaces, `-` or `_`")]
    Label(String),
    /// The size gives too few or too many clusters for the kind.
    #[error("{size} bytes are too {extreme} for {kind}")]
    Size {
        /// Bytes that were asked for.
        size: u64,
        /// FAT16 or FAT32.
        kind: Kind,
        /// `few` or `many`.
        extreme: &'static str,
    },
    /// A file of 4 GiB or more.
    #[error("`{name}` has {size} bytes, FAT files have at most 4294967295")]
    FileSize {
        /// The file's name.
        name: String,
        /// Its bytes.
        size: u64,
    },
    /// The directory has more entries than its kind allows.
    #[error("directory `{name}` needs {needed} entries, it can have {most}")]
    DirectoryFull {
        /// The directory's name; empty for the root.
        name: String,
        /// Entries of 32 bytes, those of long names included.
        needed: usize,
        /// How many there can be.
        most: usize,
    },
    /// The files do not fit.
    #[error("the files need {needed} clusters of {cluster_size} bytes, the file system has {clusters}")]
    Full {
        /// Clusters that files and directories need.
        needed: u64,
        /// Clusters that there are.
        clusters: u64,
        /// Bytes in a cluster.
        cluster_size: u64,
    },
    /// The output failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
