use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use fs_err::os::unix::fs::OpenOptionsExt as _;

use crate::{Checksum, Checksummer, FileEntry, FileKind, Package, PackageError, PayloadError};

/// What unpacking made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files, directories and links made.
    pub entries: usize,
    /// Bytes written.
    pub bytes: u64,
    /// Paths of device nodes and sockets, which only root can make: left out.
    pub left_out: Vec<String>,
}

/// Why a package was not unpacked. What had been written stays: unpack into a folder that is dropped on error.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum UnpackError {
    #[error(transparent)]
    Package(#[from] PackageError),
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error("`{path}` would be written through `{link}`, a symlink")]
    ThroughLink { path: String, link: String },
    #[error("`{path}` is not a path below the folder that is unpacked to")]
    Place { path: String },
    #[error("`{path}` is there already, as something else")]
    InTheWay { path: String },
    #[error("`{path}` is {found}; the header says {expected}")]
    FileDigest { path: String, expected: Checksum, found: Checksum },
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Unpacks a package below `directory`, which must exist, as an ordinary user.
///
/// Owners, capabilities and set-id bits are not kept (they would name the wrong owner); directories and files stay usable by
/// their owner whatever the header says, so that the result can be read and removed. Times are kept. Nothing is ever
/// written outside `directory` or through a symlink, be it one that was there or one of the package's own. Every file's
/// digest and the payload's are compared with the header's.
pub fn unpack(reader: &mut impl Read, directory: &Path) -> Result<(Package, Unpacked), UnpackError> {
    unpack_at(reader, directory, &mut |file| Some(file.path.clone()))
}

/// Like [`unpack`], where `place` says for each file at which path below `directory` it goes; `None` leaves it out.
///
/// For roots whose `/bin` is a symlink: `place` then turns `/bin/sh` into `/usr/bin/sh`.
pub fn unpack_at(
    reader: &mut impl Read,
    directory: &Path,
    place: &mut dyn FnMut(&FileEntry) -> Option<String>,
) -> Result<(Package, Unpacked), UnpackError> {
    let package = Package::read(reader)?;
    let mut payload = package.payload(reader)?;
    let mut target = Target::new(directory);
    while let Some(mut item) = payload.next()? {
        let path = match place(item.file) {
            Some(path) => path,
            // The name that carries the bytes may be left out while another name of the file waits for them.
            None => match target.waiting_for(item.file, item.size) {
                Some(path) => path,
                None => continue,
            },
        };
        let (file, size) = (item.file.clone(), item.size);
        target.add(&file, &path, size, &mut item)?;
    }
    target.finish()?;
    payload.finish()?;
    Ok((package, target.result))
}

/// Unpacks the bytes of a package's files, and nothing else, into the empty `directory`: each regular file below the name
/// [`row_name`] of its row in the table of files; a set of hard links below that of its first row.
///
/// For who has compared the digest of the package file as a whole: the payload's own is not. Every file's digest is compared
/// with the header's. Modes and times are as [`unpack`] leaves them.
pub fn unpack_rows(reader: &mut impl Read, directory: &Path) -> Result<Package, UnpackError> {
    let package = Package::read(reader)?;
    let mut payload = package.payload_of_known(reader)?;
    let mut buffer = vec![0; BUFFER];
    let mut links = BTreeSet::new();
    while let Some(mut item) = payload.next()? {
        let (file, index) = (item.file, item.index);
        let waits = file.hard_link.is_some() && item.size == 0 && file.size > 0;
        if file.kind != FileKind::Regular || waits || file.hard_link.is_some_and(|set| !links.insert(set)) {
            continue;
        }
        write_file(&directory.join(row_name(file.hard_link.unwrap_or(index))), file, &mut item, &mut buffer)?;
    }
    payload.finish()?;
    Ok(package)
}

/// What [`unpack_rows`] calls the file of a row.
pub fn row_name(row: usize) -> String {
    row.to_string()
}

/// Bytes that are read and written at a time.
const BUFFER: usize = 128 << 10;

/// Writes a new file, and compares its bytes with the header's digest; gives their number.
fn write_file(target: &Path, file: &FileEntry, bytes: &mut impl Read, buffer: &mut [u8]) -> Result<u64, UnpackError> {
    let mode = file.permissions() & 0o777 | 0o400;
    let mut out = fs_err::OpenOptions::new().write(true).create_new(true).mode(mode).open(target)?;
    let mut hash = file.digest.as_ref().map(|digest| Checksummer::new(digest.algorithm));
    let mut written = 0;
    loop {
        let count = match bytes.read(buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(PayloadError::Read { compression: "payload", cause }.into()),
        };
        out.write_all(&buffer[..count])?;
        written += count as u64;
        if let Some(hash) = &mut hash {
            hash.update(&buffer[..count]);
        }
    }
    if let (Some(expected), Some(hash)) = (&file.digest, hash) {
        let found = hash.finish();
        if found != *expected {
            return Err(UnpackError::FileDigest { path: file.path.clone(), expected: expected.clone(), found });
        }
    }
    let out = out.into_parts().0;
    // The umask has had its say when the file was made.
    rustix::fs::fchmod(&out, rustix::fs::Mode::from_raw_mode(mode)).map_err(io::Error::from)?;
    out.set_modified(UNIX_EPOCH + Duration::from_secs(file.mtime))?;
    Ok(written)
}

/// The folder that is unpacked to, and what is known of it.
struct Target<'a> {
    directory: &'a Path,
    /// Paths known to be directories and not symlinks.
    directories: BTreeSet<PathBuf>,
    /// By set of hard links: where the bytes are, or the names that wait for them (they come with the last one).
    links: BTreeMap<usize, Links>,
    /// Set at the end, since writing into a directory changes its time; and modes that would hinder writing.
    directory_attributes: Vec<(PathBuf, u32, u64)>,
    buffer: Vec<u8>,
    result: Unpacked,
}

enum Links {
    Written(PathBuf),
    Waiting(Vec<String>),
}

impl<'a> Target<'a> {
    fn new(directory: &'a Path) -> Target<'a> {
        Target {
            directory,
            directories: BTreeSet::new(),
            links: BTreeMap::new(),
            directory_attributes: Vec::new(),
            buffer: vec![0; BUFFER],
            result: Unpacked::default(),
        }
    }

    fn add(&mut self, file: &FileEntry, path: &str, size: u64, bytes: &mut impl Read) -> Result<(), UnpackError> {
        let inner = path.trim_start_matches('/');
        let misplaced = inner.split('/').any(|part| matches!(part, "" | "." | "..")) || inner.contains('\0');
        if misplaced && !inner.is_empty() {
            return Err(UnpackError::Place { path: path.to_owned() });
        }
        if inner.is_empty() {
            // The root itself: it is there.
            return Ok(());
        }
        let target = self.make_parents(inner)?;
        match file.kind {
            FileKind::Directory => {
                self.make_directory(&target, inner)?;
                self.directory_attributes.push((target, file.permissions(), file.mtime));
            }
            FileKind::Symlink => {
                self.clear(&target, inner)?;
                fs_err::os::unix::fs::symlink(&file.link_target, &target)?;
                set_link_time(&target, file.mtime)?;
            }
            FileKind::Regular => self.add_regular(file, target, inner, size, bytes)?,
            FileKind::Fifo => {
                self.clear(&target, inner)?;
                let mode = rustix::fs::Mode::from_raw_mode(file.permissions() & 0o777);
                rustix::fs::mknodat(rustix::fs::CWD, &target, rustix::fs::FileType::Fifo, mode, 0)
                    .map_err(io::Error::from)?;
            }
            FileKind::CharDevice | FileKind::BlockDevice | FileKind::Socket => {
                self.result.left_out.push(file.path.clone());
                return Ok(());
            }
        }
        self.result.entries += 1;
        Ok(())
    }

    /// A name that waits for the bytes of `file`, if it is `file` that has them.
    fn waiting_for(&mut self, file: &FileEntry, size: u64) -> Option<String> {
        match self.links.get_mut(&file.hard_link?) {
            Some(Links::Waiting(names)) if size > 0 => names.pop(),
            _ => None,
        }
    }

    fn add_regular(
        &mut self,
        file: &FileEntry,
        target: PathBuf,
        inner: &str,
        size: u64,
        bytes: &mut impl Read,
    ) -> Result<(), UnpackError> {
        self.clear(&target, inner)?;
        let Some(set) = file.hard_link else { return self.write(&target, file, bytes) };
        match self.links.entry(set).or_insert_with(|| Links::Waiting(Vec::new())) {
            Links::Written(first) => fs_err::hard_link(first, &target)?,
            Links::Waiting(names) if size == 0 && file.size > 0 => names.push(inner.to_owned()),
            Links::Waiting(names) => {
                let names = std::mem::take(names);
                self.write(&target, file, bytes)?;
                for name in names {
                    fs_err::hard_link(&target, self.directory.join(name))?;
                }
                self.links.insert(set, Links::Written(target));
            }
        }
        Ok(())
    }

    fn write(&mut self, target: &Path, file: &FileEntry, bytes: &mut impl Read) -> Result<(), UnpackError> {
        self.result.bytes += write_file(target, file, bytes, &mut self.buffer)?;
        Ok(())
    }

    /// The path of `inner` below the folder, after making the directories that lead there.
    fn make_parents(&mut self, inner: &str) -> Result<PathBuf, UnpackError> {
        let mut target = self.directory.to_owned();
        if let Some((parents, _)) = inner.rsplit_once('/') {
            let known = self.directory.join(parents);
            if !self.directories.contains(&known) {
                for part in parents.split('/') {
                    target.push(part);
                    self.make_directory(&target, inner)?;
                }
            }
        }
        Ok(self.directory.join(inner))
    }

    /// Makes one directory, or sees that it is one and no symlink to one.
    fn make_directory(&mut self, target: &Path, inner: &str) -> Result<(), UnpackError> {
        if self.directories.contains(target) {
            return Ok(());
        }
        match fs_err::create_dir(target) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let kind = fs_err::symlink_metadata(target)?.file_type();
                if kind.is_symlink() {
                    let link = target.strip_prefix(self.directory).unwrap_or(target).display().to_string();
                    return Err(UnpackError::ThroughLink { path: format!("/{inner}"), link: format!("/{link}") });
                }
                if !kind.is_dir() {
                    return Err(UnpackError::InTheWay { path: format!("/{inner}") });
                }
            }
            Err(error) => return Err(error.into()),
        }
        self.directories.insert(target.to_owned());
        Ok(())
    }

    /// Makes room for something that is no directory: removes a file or link of an earlier package.
    fn clear(&self, target: &Path, inner: &str) -> Result<(), UnpackError> {
        match fs_err::symlink_metadata(target) {
            Ok(metadata) if metadata.is_dir() => Err(UnpackError::InTheWay { path: format!("/{inner}") }),
            Ok(_) => Ok(fs_err::remove_file(target)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn finish(&mut self) -> Result<(), UnpackError> {
        // Children before parents: a parent may become unwritable by its mode.
        for (path, mode, mtime) in std::mem::take(&mut self.directory_attributes).into_iter().rev() {
            let directory = fs_err::File::open(&path)?.into_parts().0;
            let mode = rustix::fs::Mode::from_raw_mode(mode & 0o777 | 0o700);
            rustix::fs::fchmod(&directory, mode).map_err(io::Error::from)?;
            directory.set_modified(UNIX_EPOCH + Duration::from_secs(mtime))?;
        }
        Ok(())
    }
}

fn set_link_time(path: &Path, mtime: u64) -> io::Result<()> {
    let time = rustix::fs::Timespec { tv_sec: mtime as i64, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(())
}
