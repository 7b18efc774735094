//! Whether there is room for what comes, before anything is touched.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rpm::{FileFlags, FileKind, Package};
use rustix::fs::statvfs;

use super::disk::Disk;
use crate::facts::Facts;
use crate::{Change, InstallError};

/// A file system that cannot take what is to come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` has {free} {what} free, and {needed} are needed while packages are changed", mount.display())]
pub struct Lack {
    /// The top of its mount.
    pub mount: PathBuf,
    /// `bytes` or `inodes`.
    pub what: &'static str,
    /// How many there are for us.
    pub free: u64,
    /// How many the packages need.
    pub needed: u64,
}

/// What comes to one file system.
struct Load {
    /// A directory on it.
    place: PathBuf,
    block: u64,
    bytes: u64,
    inodes: u64,
}

/// Compares what the packages of `change` bring with what is free, on each file system that they bring something to.
///
/// A file comes twice, unpacked below `work` and complete beside its place, before an old one goes: what goes is not counted. What
/// a file system needs for itself is not counted either; who finds it full all the same takes back what was done.
pub(super) fn check(disk: &Disk<'_>, change: &Change, work: &Path) -> Result<(), InstallError> {
    let mut loads: BTreeMap<u64, Load> = BTreeMap::new();
    let mut known: HashMap<PathBuf, u64> = HashMap::new();
    let own = device(work, &mut loads)?;
    for file in change.install.iter().chain(&change.upgrade).chain(&change.reinstall) {
        let wrong = |cause: rpm::PackageError| InstallError::Package { file: file.path.clone(), cause: cause.into() };
        let mut reader = BufReader::new(fs_err::File::open(&file.path)?);
        let package = Package::read(&mut reader).map_err(wrong)?;
        let mut linked = BTreeSet::new();
        for file in Facts::new(package.header).files()?.iter() {
            if file.flags.has(FileFlags::GHOST) || file.hard_link.is_some_and(|set| !linked.insert(set)) {
                continue;
            }
            let size = if file.kind == FileKind::Regular { file.size } else { 0 };
            let folder = Path::new(file.path.trim_start_matches('/')).parent().unwrap_or(Path::new("")).to_owned();
            let number = match known.get(&folder) {
                Some(number) => *number,
                None => {
                    let number = device(&disk.root.join(&folder), &mut loads)?;
                    known.insert(folder, number);
                    number
                }
            };
            for number in [number, own] {
                if let Some(load) = loads.get_mut(&number) {
                    load.bytes = load.bytes.saturating_add(size.div_ceil(load.block).saturating_mul(load.block));
                    load.inodes += 1;
                }
            }
        }
    }
    let mut lacks = Vec::new();
    for load in loads.into_values() {
        let found = statvfs(&load.place).map_err(io::Error::from)?;
        let free = found.f_bavail.saturating_mul(found.f_frsize);
        let sides =
            [("bytes", found.f_blocks, free, load.bytes), ("inodes", found.f_files, found.f_favail, load.inodes)];
        for (what, all, free, needed) in sides {
            // Some file systems have no such limit, and say 0.
            if all > 0 && needed > free {
                lacks.push(Lack { mount: top(&load.place)?, what, free, needed });
            }
        }
    }
    if lacks.is_empty() { Ok(()) } else { Err(InstallError::NoRoom(lacks)) }
}

/// The file system that `place` is on, or will be.
fn device(place: &Path, loads: &mut BTreeMap<u64, Load>) -> io::Result<u64> {
    let mut place = place;
    let found = loop {
        match (fs_err::metadata(place), place.parent()) {
            (Err(error), Some(above)) if is_missing(&error) => place = above,
            (found, _) => break found?,
        }
    };
    if let std::collections::btree_map::Entry::Vacant(entry) = loads.entry(found.dev()) {
        let block = statvfs(place).map_err(io::Error::from)?.f_frsize.max(1);
        entry.insert(Load { place: place.to_owned(), block, bytes: 0, inodes: 0 });
    }
    Ok(found.dev())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The top of the mount that `place` is on.
fn top(place: &Path) -> io::Result<PathBuf> {
    let mut place = fs_err::canonicalize(place)?;
    let own = fs_err::metadata(&place)?.dev();
    while let Some(above) = place.parent() {
        if fs_err::metadata(above)?.dev() != own {
            break;
        }
        place.pop();
    }
    Ok(place)
}
