//! ext4, written in one pass over the data of a [`tree::Tree`].
//!
//! ```text
//! block 0            superblock at byte 1024
//! blocks 1..         group descriptors, and blocks kept free for those of a larger file system
//! ..                 bitmaps and inode tables of 16 groups together (flex_bg), again at every sixteenth group
//! ..                 directories, journal, then files in the order of their paths, each in as few pieces as can be
//! groups 1, 3^n, 5^n, 7^n   begin with copies of superblock and descriptors (sparse_super)
//! ```
//!
//! Blocks have 4 KiB, groups 32768 blocks, inodes 256 bytes. Features are those that mke2fs 1.47 sets: extents, 64bit,
//! flex_bg, metadata_csum, dir_index, has_journal, resize_inode and so on, so that `resize2fs` and the kernel grow it.
//! Blocks of zeros become holes and are not written. Inodes are numbered in the order of paths; nothing depends on chance.
//! Source: the kernel's documentation of ext4's on-disk format ("ext4 Data Structures and Algorithms").

mod blocks;
mod crc32c;
mod directory;
mod extents;
mod geometry;
mod groups;
mod hash;
mod inode;
mod inventory;
mod superblock;
mod system;
mod write;
mod xattrs;

pub use write::{measure, write};

use pkg::SourceDateEpoch;

use crate::Uuid;

/// Bytes in a block.
pub const BLOCK: u64 = 4096;

/// How large a file system is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many bytes; what does not fill a block is not used, nor a last group too small for its own tables.
    Exactly(u64),
    /// As many as the tree needs (files with holes count in full) and at least `free` bytes more, in whole MiB.
    Minimal {
        /// Bytes left for more files.
        free: u64,
    },
}

/// Whether changes are written to a journal first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    /// A journal of the size that mke2fs would choose; none below 8 MiB.
    Usual,
    /// None: for what is never written to, such as a root under dm-verity.
    None,
}

/// How a file system is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How large it is.
    pub size: Size,
    /// Its UUID.
    pub uuid: Uuid,
    /// The secret that orders large directories.
    pub hash_seed: Uuid,
    /// Its label: at most 16 bytes; may be empty.
    pub label: String,
    /// When it was made: the time of the superblock, and of every inode's birth.
    pub at: SourceDateEpoch,
    /// Whether it has a journal.
    pub journal: Journal,
    /// How much of it only root can fill, in percent; mke2fs takes 5.
    pub reserved_percent: u8,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the file system.
    pub size: u64,
    /// Bytes that are free, those that only root can fill included.
    pub free: u64,
    /// Inodes, and how many of them are free.
    pub inodes: u32,
    /// Inodes that are free.
    pub free_inodes: u32,
}

/// Why a tree cannot be written as ext4.
#[derive(Debug, thiserror::Error)]
pub enum Ext4Error {
    /// A size that no file system can have.
    #[error("an ext4 of {0} bytes: the size has to be between 1 MiB and 16 TiB")]
    Size(u64),
    /// A label that does not fit.
    #[error("`{0}` is no label for ext4: at most 16 bytes, no NUL")]
    Label(String),
    /// More than half of the space for root alone.
    #[error("{0} percent cannot be reserved for root, 50 at most")]
    Reserved(u8),
    /// The tree does not fit.
    #[error("the tree does not fit into {size} bytes, it needs up to {needed}")]
    Full {
        /// Bytes of the file system.
        size: u64,
        /// Bytes that surely suffice.
        needed: u64,
    },
    /// More files than inodes.
    #[error("the tree has {files} files and directories, {size} bytes have inodes for {most}")]
    Inodes {
        /// Inodes that are needed.
        files: u64,
        /// Bytes of the file system.
        size: u64,
        /// Inodes that there can be.
        most: u64,
    },
    /// `lost+found` is something else than a directory.
    #[error("`/lost+found` is not a directory, e2fsck needs it to be one")]
    LostFound,
    /// One inode was given two contents.
    #[error("`{path}` and `{other}` are one inode by their hard link number, but have different content")]
    HardLink {
        /// A path.
        path: String,
        /// A path seen before it.
        other: String,
    },
    /// Too many names for one file.
    #[error("`{path}` has more than 65000 hard links")]
    Links {
        /// One of its paths.
        path: String,
    },
    /// A directory beyond what an index of two levels holds.
    #[error("a directory of {entries} entries is more than ext4 can index")]
    Directory {
        /// Its entries.
        entries: usize,
    },
    /// A symbolic link without text, or with too much of it.
    #[error("the target of symbolic link `{path}` has {length} bytes, it can have 1 to 4095")]
    Symlink {
        /// The link.
        path: String,
        /// Bytes of its target.
        length: usize,
    },
    /// Device numbers beyond Linux's.
    #[error("device `{path}` has number {major}:{minor}, Linux has 12 bits and 20 bits for them")]
    Device {
        /// The device.
        path: String,
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// An extended attribute that ext4 has no form for.
    #[error(
        "`{path}` has extended attribute `{name}`, which ext4 cannot hold: a known prefix, up to 255 bytes, a sound access list"
    )]
    XattrName {
        /// The node.
        path: String,
        /// The attribute's name.
        name: String,
    },
    /// Extended attributes are limited to the inode and one block.
    #[error("`{path}` has {bytes} bytes of extended attributes beside those in its inode, a block holds 4060")]
    Xattrs {
        /// The node.
        path: String,
        /// Bytes needed in the block.
        bytes: usize,
    },
    /// A file's bytes are not as many as the tree says.
    #[error("`{path}` has {expected} bytes in the tree, its content has {actual}")]
    Length {
        /// The file.
        path: String,
        /// Bytes according to the tree.
        expected: u64,
        /// Bytes read, at least.
        actual: u64,
    },
    /// A file is larger than ext4 allows.
    #[error("`{path}` has {size} bytes, files of ext4 have at most 17592186040320")]
    FileSize {
        /// The file.
        path: String,
        /// Its bytes.
        size: u64,
    },
    /// A file's bytes could not be read.
    #[error("cannot read the content of `{path}`")]
    Content {
        /// The file.
        path: String,
        /// What the blobs said.
        source: std::io::Error,
    },
    /// The output failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
