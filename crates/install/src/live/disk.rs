//! Every change that a transaction makes to the file system of a live root.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, StatxFlags, XattrFlags, lsetxattr, makedev, mknodat, statx, syncfs};
use tree::{Kind, Meta, Node, TreePath};

use super::faults::{Faults, Whole};

/// The folder of a transaction that is under way, at the top of each mount that it changes.
pub(super) const FOLDER: &str = ".slipway-transaction";

/// Whether what was written is brought to the disk before what relies on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It survives loss of power.
    Power,
    /// It survives the end of the process; for tests and for roots that are thrown away.
    Process,
}

/// A live root, and the one door through which it is changed.
#[derive(Clone, Copy)]
pub(super) struct Disk<'a> {
    pub(super) root: &'a Path,
    pub(super) faults: &'a Faults,
    pub(super) durability: Durability,
}

impl Disk<'_> {
    /// Where a path of the root is on this machine.
    pub(super) fn place(&self, path: &TreePath) -> PathBuf {
        if path.is_root() { self.root.to_owned() } else { self.root.join(path.as_str()) }
    }

    pub(super) fn make_directory(&self, place: &Path, mode: u32) -> io::Result<()> {
        self.faults.next()?;
        match fs_err::create_dir(place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_directory(place) => Ok(()),
            Err(error) => Err(error),
            // The umask has had its say when it was made.
            Ok(()) => fs_err::set_permissions(place, std::fs::Permissions::from_mode(mode)),
        }
    }

    /// Writes a file whose bytes are at `from`, and nothing of what is said of it.
    pub(super) fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.faults.next()? == Whole::Half {
            let bytes = fs_err::read(from)?;
            fs_err::write(to, &bytes[..bytes.len() / 2])?;
            self.faults.next()?;
        }
        let _ = fs_err::remove_file(to);
        fs_err::copy(from, to).map(drop)
    }

    /// A second name. False where the file system has none, or no more of this file.
    pub(super) fn link(&self, from: &Path, to: &Path) -> io::Result<bool> {
        self.faults.next()?;
        missing_is_fine(fs_err::remove_file(to))?;
        match fs_err::hard_link(from, to) {
            Ok(()) => Ok(true),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied
                        | io::ErrorKind::Unsupported
                        | io::ErrorKind::TooManyLinks
                        | io::ErrorKind::CrossesDevices
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Renames; when both names are links to one file rename(2) does nothing, and the first one is removed.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.faults.next()?;
        fs_err::rename(from, to)?;
        missing_is_fine(fs_err::remove_file(from))
    }

    pub(super) fn remove_file(&self, place: &Path) -> io::Result<()> {
        self.faults.next()?;
        missing_is_fine(fs_err::remove_file(place))
    }

    /// Removes a directory; one that is not empty, or no directory any more, stays. Says whether it went.
    pub(super) fn remove_directory(&self, place: &Path) -> io::Result<bool> {
        self.faults.next()?;
        match fs_err::remove_dir(place) {
            Ok(()) => Ok(true),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound
                        | io::ErrorKind::DirectoryNotEmpty
                        | io::ErrorKind::NotADirectory
                        | io::ErrorKind::ResourceBusy
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Removes a folder of the transaction's own, file by file.
    pub(super) fn remove_folder(&self, place: &Path) -> io::Result<()> {
        if !is_directory(place) {
            return Ok(());
        }
        let mut names = Vec::new();
        for entry in fs_err::read_dir(place)? {
            names.push(entry?.path());
        }
        names.sort();
        for name in names {
            if is_directory(&name) { self.remove_folder(&name)? } else { self.remove_file(&name)? }
        }
        self.remove_directory(place).map(drop)
    }

    /// A link, pipe or device.
    pub(super) fn make_other(&self, place: &Path, node: &Node) -> io::Result<()> {
        self.faults.next()?;
        missing_is_fine(fs_err::remove_file(place))?;
        let make = |kind, major, minor| -> io::Result<()> {
            Ok(mknodat(CWD, place, kind, Mode::from_raw_mode(node.meta.mode & 0o7777), makedev(major, minor))?)
        };
        match &node.kind {
            Kind::Symlink { target } => fs_err::os::unix::fs::symlink(target, place),
            Kind::Fifo => make(FileType::Fifo, 0, 0),
            Kind::CharDevice { major, minor } => make(FileType::CharacterDevice, *major, *minor),
            Kind::BlockDevice { major, minor } => make(FileType::BlockDevice, *major, *minor),
            Kind::Directory | Kind::File { .. } => Ok(()),
        }
    }

    /// Gives owner, mode, attributes and time. What is so already needs no right to be made so, as on an EFI system
    /// partition, whose files belong to whoever mounted it.
    pub(super) fn set_meta(&self, place: &Path, meta: &Meta, time: Time) -> io::Result<()> {
        self.faults.next()?;
        let found = fs_err::symlink_metadata(place)?;
        let is_link = found.file_type().is_symlink();
        let owner = lchown(place, Some(meta.uid), Some(meta.gid));
        if (found.uid(), found.gid()) != (meta.uid, meta.gid) {
            owner.map_err(|error| {
                let (uid, gid) = (meta.uid, meta.gid);
                let text = format!("cannot give `{}` to user {uid} and group {gid}: {error}", place.display());
                io::Error::new(error.kind(), text)
            })?;
        }
        if !is_link {
            // Behind the owner, whose change takes set-user-id bits and capabilities away.
            let changed = fs_err::set_permissions(place, std::fs::Permissions::from_mode(meta.mode & 0o7777));
            if found.mode() & 0o7777 != meta.mode & 0o7777 {
                changed?;
            }
            if !meta.xattrs.contains_key(CAPABILITY) {
                let _ = rustix::fs::lremovexattr(place, CAPABILITY);
            }
            for (name, value) in &meta.xattrs {
                let wrong = |error: rustix::io::Errno| {
                    let text = format!("cannot set `{name}` of `{}`: {error}", place.display());
                    io::Error::new(error.kind(), text)
                };
                lsetxattr(place, name.as_str(), value, XattrFlags::empty()).map_err(wrong)?;
            }
        }
        if time == Time::Set { tree::directory::set_time(place, meta.mtime) } else { Ok(()) }
    }

    /// Adds `bytes` to the end of a file, and brings them to the disk.
    pub(super) fn append(&self, place: &Path, bytes: &[u8]) -> io::Result<()> {
        let whole = self.faults.next()?;
        let bytes = if whole == Whole::Half { &bytes[..bytes.len() / 2] } else { bytes };
        let mut file = fs_err::OpenOptions::new().create(true).append(true).open(place)?;
        file.write_all(bytes)?;
        if self.durability == Durability::Power {
            file.sync_all()?;
        }
        if whole == Whole::Half { self.faults.next().map(drop) } else { Ok(()) }
    }

    /// Brings the file systems that `places` are on to the disk.
    pub(super) fn sync<'p>(&self, places: impl Iterator<Item = &'p Path>) -> io::Result<()> {
        self.faults.next()?;
        if self.durability == Durability::Power {
            for place in places {
                let wrong = |error: rustix::io::Errno| {
                    io::Error::new(error.kind(), format!("cannot sync the disk of `{}`: {error}", place.display()))
                };
                syncfs(fs_err::File::open(place)?).map_err(wrong)?;
            }
        }
        Ok(())
    }

    /// Something that another library changes, such as the database.
    pub(super) fn elsewhere(&self) -> io::Result<()> {
        self.faults.next().map(drop)
    }

    /// The number of the mount that `place`, a directory, is on.
    pub(super) fn mount(&self, place: &Path) -> io::Result<u64> {
        let found = statx(CWD, place, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MNT_ID);
        match found {
            Ok(found) if found.stx_mask & StatxFlags::MNT_ID.bits() != 0 => Ok(found.stx_mnt_id),
            // A kernel before 5.8: a mount is a device then.
            _ => Ok(fs_err::symlink_metadata(place)?.dev()),
        }
    }

    /// What is at a place; sockets count as pipes. The digest of a file is only that of its name and times, unless `bytes`
    /// asks for the true one.
    pub(super) fn look(&self, place: &Path, bytes: Bytes) -> io::Result<Option<Node>> {
        let found = match fs_err::symlink_metadata(place) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            found => found?,
        };
        let kind = found.file_type();
        let (major, minor) = (rustix::fs::major(found.rdev()), rustix::fs::minor(found.rdev()));
        let kind = if kind.is_dir() {
            Kind::Directory
        } else if kind.is_symlink() {
            let target = fs_err::read_link(place)?.into_os_string().into_string().map_err(|target| {
                let place = place.display();
                io::Error::other(format!("the link `{place}` leads to a name that is not UTF-8: {target:?}"))
            })?;
            Kind::Symlink { target }
        } else if kind.is_char_device() {
            Kind::CharDevice { major, minor }
        } else if kind.is_block_device() {
            Kind::BlockDevice { major, minor }
        } else if kind.is_file() {
            let digest = match bytes {
                Bytes::Digest => tree::directory::digest_only(place)?,
                Bytes::Unread => {
                    let times = (found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec());
                    pkg::Digest::of(format!("unread {} {} {times:?}", place.display(), found.ino()).as_bytes())
                }
            };
            Kind::File { digest, size: found.size(), hard_link: None }
        } else {
            Kind::Fifo
        };
        let mut meta = Meta {
            mode: if matches!(kind, Kind::Symlink { .. }) { 0o777 } else { found.mode() & 0o7777 },
            uid: found.uid(),
            gid: found.gid(),
            mtime: found.mtime(),
            xattrs: BTreeMap::new(),
        };
        if matches!(kind, Kind::File { .. }) {
            let mut value = [0; 64];
            if let Ok(length) = rustix::fs::lgetxattr(place, CAPABILITY, &mut value) {
                meta.xattrs.insert(CAPABILITY.to_owned(), value[..length].to_vec());
            }
        }
        Ok(Some(Node { meta, kind }))
    }
}

/// The one attribute that packages give. Labels and access lists are the file system's and its administrator's.
const CAPABILITY: &str = "security.capability";

/// Whether the bytes of a file that is looked at are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bytes {
    Digest,
    Unread,
}

/// Whether the time of last change is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    Set,
    Keep,
}

pub(super) fn is_directory(place: &Path) -> bool {
    fs_err::symlink_metadata(place).is_ok_and(|found| found.is_dir())
}

pub(super) fn is_there(place: &Path) -> bool {
    fs_err::symlink_metadata(place).is_ok()
}

fn missing_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
