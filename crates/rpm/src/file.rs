use std::collections::BTreeMap;

use crate::{Algorithm, Checksum, Header, Tag};

/// What a file is for: the bits of rpm's `rpmfileAttrs` (`include/rpm/rpmfiles.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileFlags(pub u32);

#[expect(missing_docs, reason = "the names are rpm's")]
impl FileFlags {
    pub const CONFIG: FileFlags = FileFlags(1 << 0);
    pub const DOC: FileFlags = FileFlags(1 << 1);
    pub const ICON: FileFlags = FileFlags(1 << 2);
    pub const MISSINGOK: FileFlags = FileFlags(1 << 3);
    pub const NOREPLACE: FileFlags = FileFlags(1 << 4);
    pub const SPECFILE: FileFlags = FileFlags(1 << 5);
    pub const GHOST: FileFlags = FileFlags(1 << 6);
    pub const LICENSE: FileFlags = FileFlags(1 << 7);
    pub const README: FileFlags = FileFlags(1 << 8);
    pub const PUBKEY: FileFlags = FileFlags(1 << 11);
    pub const ARTIFACT: FileFlags = FileFlags(1 << 12);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: FileFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of both.
    #[must_use]
    pub const fn and(self, other: FileFlags) -> FileFlags {
        FileFlags(self.0 | other.0)
    }
}

/// The kind of a file, from its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FileKind {
    Regular,
    Directory,
    Symlink,
    CharDevice,
    BlockDevice,
    Fifo,
    Socket,
}

impl FileKind {
    fn from_mode(mode: u32) -> Option<FileKind> {
        Some(match mode & 0o170_000 {
            0o100_000 => FileKind::Regular,
            0o040_000 => FileKind::Directory,
            0o120_000 => FileKind::Symlink,
            0o020_000 => FileKind::CharDevice,
            0o060_000 => FileKind::BlockDevice,
            0o010_000 => FileKind::Fifo,
            0o140_000 => FileKind::Socket,
            _ => return None,
        })
    }
}

/// One row of a package's table of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Absolute, as in `/usr/bin/bash`; in a source package the bare name.
    pub path: String,
    /// Type and permission bits, as in `st_mode`.
    pub mode: u32,
    /// What the mode says it is.
    pub kind: FileKind,
    /// Bytes; of a symlink its target's length, of a directory nothing that means anything.
    pub size: u64,
    /// Owner by name.
    pub user: String,
    /// Group by name.
    pub group: String,
    /// Seconds since 1970.
    pub mtime: u64,
    /// Digest of a regular file's bytes; ghosts have none.
    pub digest: Option<Checksum>,
    /// Where a symlink leads; empty for others.
    pub link_target: String,
    /// What it is for.
    pub flags: FileFlags,
    /// Which attributes `rpm -V` compares: rpm's `rpmVerifyAttrs`.
    pub verify: u32,
    /// Device number of a device node, as rpm packs it into 16 bits.
    pub rdev: u32,
    /// Number of the inode on the building machine; rpm renumbers from 1.
    pub inode: u32,
    /// Device on the building machine; always 1 today.
    pub device: u32,
    /// The row of the first file of its set of hard links; `None` when the file has one name only.
    pub hard_link: Option<usize>,
    /// File capabilities as text (`cap_net_raw=ep`); empty for none.
    pub capabilities: String,
    /// 1 for 32-bit ELF, 2 for 64-bit ELF, 0 for all else: decides conflicts between architectures.
    pub color: u32,
    /// What file(1) said when the package was built; empty when not recorded.
    pub class: String,
    /// Languages (`de`, `de|fr`) that it is for; empty for all.
    pub languages: String,
}

impl FileEntry {
    /// The twelve permission bits.
    pub fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// Whether the package only claims the path and carries no bytes.
    pub fn is_ghost(&self) -> bool {
        self.flags.has(FileFlags::GHOST)
    }

    /// Major and minor number of a device node: rpm stores 16 bits, eight for each.
    pub fn device_numbers(&self) -> (u32, u32) {
        (self.rdev >> 8 & 0xff, self.rdev & 0xff)
    }
}

/// Why a table of files makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// Parallel arrays differ in length.
    #[error("the package has {files} files but {values} values of {tag}")]
    Count {
        /// Rows of the table.
        files: usize,
        /// The array that differs.
        tag: Tag,
        /// Its length.
        values: usize,
    },
    /// A row points to a folder that is not there.
    #[error("file {index} lies in directory number {directory} of {directories}")]
    Directory {
        /// Row.
        index: usize,
        /// What it names.
        directory: u32,
        /// How many there are.
        directories: usize,
    },
    /// A path that could lead elsewhere than it says.
    #[error("`{path}` is not a path that a package may hold: {why}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A mode of no known type.
    #[error("`{path}` has mode {mode:o}, which is no kind of file")]
    Mode {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// A digest whose length is not its algorithm's, or of an algorithm that is not known.
    #[error("`{path}` has a digest `{digest}` that is none of algorithm number {algorithm}")]
    Digest {
        /// The file.
        path: String,
        /// Its digest.
        digest: String,
        /// OpenPGP's number of the algorithm.
        algorithm: u32,
    },
}

impl Header {
    /// The paths of the package's files; cheaper than [`Header::files`] and unchecked but for directory numbers.
    pub fn file_paths(&self) -> impl Iterator<Item = String> + '_ {
        let directories: Vec<&str> = self.strs(Tag::DIRNAMES).collect();
        let indexes = self.u32s(Tag::DIRINDEXES);
        self.strs(Tag::BASENAMES).zip(indexes).map(move |(name, index)| {
            let directory = directories.get(index as usize).copied().unwrap_or_default();
            [directory, name].concat()
        })
    }

    /// The table of files, in the package's order (by path).
    pub fn files(&self) -> Result<Vec<FileEntry>, FilesError> {
        let count = self.count(Tag::BASENAMES);
        if count == 0 {
            return Ok(Vec::new());
        }
        let columns = Columns::new(self, count)?;
        let mut files = Vec::with_capacity(count);
        for (index, name) in self.strs(Tag::BASENAMES).enumerate() {
            files.push(columns.row(index, name)?);
        }
        mark_hard_links(&mut files);
        Ok(files)
    }
}

/// The parallel arrays, each as long as the table or empty.
struct Columns<'a> {
    source: bool,
    directories: Vec<&'a str>,
    directory_indexes: Vec<u32>,
    modes: Vec<u32>,
    sizes: Vec<u64>,
    users: Vec<&'a str>,
    groups: Vec<&'a str>,
    mtimes: Vec<u64>,
    digests: Vec<&'a str>,
    algorithm: u32,
    link_targets: Vec<&'a str>,
    flags: Vec<u32>,
    verify: Vec<u32>,
    rdevs: Vec<u32>,
    inodes: Vec<u32>,
    devices: Vec<u32>,
    capabilities: Vec<&'a str>,
    colors: Vec<u32>,
    classes: Vec<u32>,
    class_names: Vec<&'a str>,
    languages: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn new(header: &'a Header, files: usize) -> Result<Columns<'a>, FilesError> {
        // What is counted is what can be read: values of another type than the tag's are none.
        let check = |tag: Tag, required: bool, values: usize| match values {
            0 if !required => Ok(()),
            values if values == files => Ok(()),
            values => Err(FilesError::Count { files, tag, values }),
        };
        let numbers = |tag, required| {
            let values = header.u32s(tag);
            check(tag, required, values.len()).map(|()| values)
        };
        let texts = |tag, required| {
            let values: Vec<&str> = header.strs(tag).collect();
            check(tag, required, values.len()).map(|()| values)
        };
        let wide_numbers = |tag| {
            let values = header.numbers(tag);
            check(tag, true, values.len()).map(|()| values)
        };
        let wide = header.contains(Tag::LONGFILESIZES);
        let sizes = if wide { Tag::LONGFILESIZES } else { Tag::FILESIZES };
        Ok(Columns {
            source: header.is_source(),
            directories: header.strs(Tag::DIRNAMES).collect(),
            directory_indexes: numbers(Tag::DIRINDEXES, true)?,
            modes: numbers(Tag::FILEMODES, true)?,
            sizes: wide_numbers(sizes)?,
            users: texts(Tag::FILEUSERNAME, true)?,
            groups: texts(Tag::FILEGROUPNAME, true)?,
            mtimes: wide_numbers(Tag::FILEMTIMES)?,
            digests: texts(Tag::FILEDIGESTS, false)?,
            algorithm: header.number(Tag::FILEDIGESTALGO).map_or(Algorithm::Md5 as u32, |number| number as u32),
            link_targets: texts(Tag::FILELINKTOS, false)?,
            flags: numbers(Tag::FILEFLAGS, true)?,
            verify: numbers(Tag::FILEVERIFYFLAGS, false)?,
            rdevs: numbers(Tag::FILERDEVS, false)?,
            inodes: numbers(Tag::FILEINODES, false)?,
            devices: numbers(Tag::FILEDEVICES, false)?,
            capabilities: texts(Tag::FILECAPS, false)?,
            colors: numbers(Tag::FILECOLORS, false)?,
            classes: numbers(Tag::FILECLASS, false)?,
            class_names: header.strs(Tag::CLASSDICT).collect(),
            languages: texts(Tag::FILELANGS, false)?,
        })
    }

    fn row(&self, index: usize, name: &str) -> Result<FileEntry, FilesError> {
        let directory = self.directory_indexes[index];
        let directories = self.directories.len();
        let folder =
            self.directories.get(directory as usize).ok_or(FilesError::Directory { index, directory, directories })?;
        let path = [*folder, name].concat();
        check_path(&path, self.source)?;
        let mode = self.modes[index];
        let kind = FileKind::from_mode(mode).ok_or_else(|| FilesError::Mode { path: path.clone(), mode })?;
        let digest = self.digests.get(index).copied().unwrap_or_default();
        let digest = if digest.is_empty() || kind != FileKind::Regular {
            None
        } else {
            let hex = digest.to_ascii_lowercase();
            let known = Algorithm::from_number(self.algorithm).filter(|algorithm| {
                hex.len() == algorithm.digits() && hex.bytes().all(|digit| digit.is_ascii_hexdigit())
            });
            let algorithm = known.ok_or_else(|| FilesError::Digest {
                path: path.clone(),
                digest: digest.to_owned(),
                algorithm: self.algorithm,
            })?;
            Some(Checksum { algorithm, hex })
        };
        let text = |column: &[&str]| column.get(index).copied().unwrap_or_default().to_owned();
        let number = |column: &[u32]| column.get(index).copied().unwrap_or_default();
        let class = self.classes.get(index).and_then(|class| self.class_names.get(*class as usize));
        Ok(FileEntry {
            path,
            mode,
            kind,
            size: self.sizes[index],
            user: self.users[index].to_owned(),
            group: self.groups[index].to_owned(),
            mtime: self.mtimes[index],
            digest,
            link_target: text(&self.link_targets),
            flags: FileFlags(self.flags[index]),
            verify: self.verify.get(index).copied().unwrap_or(u32::MAX),
            rdev: number(&self.rdevs),
            inode: number(&self.inodes),
            device: number(&self.devices),
            hard_link: None,
            capabilities: text(&self.capabilities),
            color: number(&self.colors),
            class: class.copied().unwrap_or_default().to_owned(),
            languages: text(&self.languages),
        })
    }
}

fn check_path(path: &str, source: bool) -> Result<(), FilesError> {
    let wrong = |why| Err(FilesError::Path { path: path.to_owned(), why });
    let inner = match path.strip_prefix('/') {
        Some(inner) if !source => inner,
        None if source => path,
        _ if source => return wrong("it is absolute in a source package"),
        _ => return wrong("it is not absolute"),
    };
    // The root itself may be owned: `/`.
    if inner.is_empty() && !source {
        return Ok(());
    }
    if path.contains('\u{fffd}') {
        return wrong("it is not UTF-8");
    }
    if path.len() > 4096 {
        return wrong("it is longer than 4096 bytes");
    }
    match inner.split('/').find(|part| matches!(*part, "" | "." | "..")) {
        Some("") => wrong("it has an empty component"),
        Some(_) => wrong("it has `.` or `..` as a component"),
        None => Ok(()),
    }
}

/// Regular files with equal inode numbers are one file. Ghosts carry no bytes and are left out, as in rpm.
fn mark_hard_links(files: &mut [FileEntry]) {
    let mut sets: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        if file.kind == FileKind::Regular && !file.is_ghost() && file.inode != 0 {
            sets.entry((file.device, file.inode)).or_default().push(index);
        }
    }
    for set in sets.into_values().filter(|set| set.len() > 1) {
        for index in &set {
            files[*index].hard_link = Some(set[0]);
        }
    }
}
