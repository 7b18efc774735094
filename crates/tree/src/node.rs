use std::collections::BTreeMap;

use pkg::Digest;

/// What is at a path: its metadata and its kind.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Node {
    /// Owner, mode, time, extended attributes.
    pub meta: Meta,
    /// Directory, file, link or device.
    pub kind: Kind,
}

/// Owner, mode, time and extended attributes, as stat(2) and xattr(7) have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Meta {
    /// Permission bits, with set-user-id, set-group-id and sticky: `0o7777` at most.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Last change of the content, in seconds since 1970-01-01 UTC.
    pub mtime: i64,
    /// Extended attributes by full name, as in `security.capability`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

impl Meta {
    /// Owned by root, without extended attributes.
    pub fn root(mode: u32, mtime: i64) -> Meta {
        Meta { mode, mtime, ..Meta::default() }
    }
}

/// What sort of thing a node is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Kind {
    /// A directory; what it holds are the nodes below its path.
    Directory,
    /// A regular file.
    File {
        /// SHA-256 of its bytes.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
        /// Files of one tree that bear the same number are one inode.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hard_link: Option<u32>,
    },
    /// A symbolic link.
    Symlink {
        /// Its text, absolute or relative.
        target: String,
    },
    /// A character device.
    CharDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

impl Node {
    /// A directory of root's.
    pub fn directory(mode: u32, mtime: i64) -> Node {
        Node { meta: Meta::root(mode, mtime), kind: Kind::Directory }
    }

    /// A file of root's, by the digest and length of its bytes.
    pub fn file(mode: u32, mtime: i64, digest: Digest, size: u64) -> Node {
        Node { meta: Meta::root(mode, mtime), kind: Kind::File { digest, size, hard_link: None } }
    }

    /// A symbolic link of root's.
    pub fn symlink(target: impl Into<String>, mtime: i64) -> Node {
        Node { meta: Meta::root(0o777, mtime), kind: Kind::Symlink { target: target.into() } }
    }

    /// Whether this is a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory)
    }

    /// The `st_mode` of stat(2): file type and permission bits.
    pub fn st_mode(&self) -> u32 {
        let kind = match self.kind {
            Kind::Directory => 0o040_000,
            Kind::File { .. } => 0o100_000,
            Kind::Symlink { .. } => 0o120_000,
            Kind::CharDevice { .. } => 0o020_000,
            Kind::BlockDevice { .. } => 0o060_000,
            Kind::Fifo => 0o010_000,
        };
        kind | (self.meta.mode & 0o7777)
    }
}
