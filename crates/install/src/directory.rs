use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use tree::{Kind, Meta, Node, Tree, TreePath};

use crate::Contents;

/// How the files of a written root come by their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Each file is a copy: for roots that are changed in place.
    Copies,
    /// Files are links to the store where owner, mode and time allow it: for roots that nobody writes to but over an
    /// overlay. Who writes to such a file would write to the store.
    Links,
}

/// Writes `tree` into the existing, empty directory `to`: files by several threads, each written once.
///
/// As root with owners, set-id bits, devices and extended attributes; as another user without.
pub fn write_directory(
    tree: &Tree,
    contents: &Contents<'_>,
    to: &Path,
    sharing: Sharing,
    threads: usize,
) -> io::Result<()> {
    let is_root = rustix::process::geteuid().is_root();
    let mut work: Vec<(PathBuf, PathBuf, &Meta)> = Vec::new();
    let mut links: BTreeMap<u32, PathBuf> = BTreeMap::new();
    let mut later: Vec<(PathBuf, PathBuf)> = Vec::new();
    let mut rest: Vec<(PathBuf, &Node)> = Vec::new();
    for (path, node) in tree.iter() {
        let place = place(to, path);
        match &node.kind {
            Kind::Directory => {
                if !path.is_root() {
                    fs_err::create_dir(&place)?;
                }
                rest.push((place, node));
            }
            Kind::File { digest, hard_link, .. } => {
                if let Some(first) = hard_link.and_then(|number| links.get(&number)) {
                    later.push((first.clone(), place));
                    continue;
                }
                if let Some(number) = hard_link {
                    links.insert(*number, place.clone());
                }
                work.push((contents.place(digest), place, &node.meta));
            }
            _ => rest.push((place, node)),
        }
    }
    let next = AtomicUsize::new(0);
    // A handful at a time: the threads then meet in one directory less often.
    const STEP: usize = 64;
    let run = || -> io::Result<()> {
        loop {
            let from = next.fetch_add(STEP, Ordering::Relaxed);
            let Some(part) = work.get(from..) else { return Ok(()) };
            for (from, to, meta) in part.iter().take(STEP) {
                write_file(from, to, meta, sharing, is_root)?;
            }
            if part.len() <= STEP {
                return Ok(());
            }
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(run)).collect();
        let mut done = run();
        for other in others {
            match other.join() {
                Ok(theirs) => done = done.and(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })?;
    for (first, place) in later {
        fs_err::hard_link(first, place)?;
    }
    // Directories last and deepest first: writing into one changes its time, and may need its write permission.
    for (place, node) in rest.iter().rev() {
        write_other(place, node, is_root)?;
    }
    Ok(())
}

fn write_file(from: &Path, to: &Path, meta: &Meta, sharing: Sharing, is_root: bool) -> io::Result<()> {
    if sharing == Sharing::Links && meta.xattrs.is_empty() {
        let found = fs_err::metadata(from)?;
        let is_same = found.mode() & 0o7777 == meta.mode && found.mtime() == meta.mtime;
        let is_owned = !is_root || (found.uid(), found.gid()) == (meta.uid, meta.gid);
        if is_same && is_owned && fs_err::hard_link(from, to).is_ok() {
            return Ok(());
        }
    }
    fs_err::copy(from, to)?;
    set_meta(to, meta, is_root)
}

fn write_other(place: &Path, node: &Node, is_root: bool) -> io::Result<()> {
    let special = |kind, major, minor| {
        let mode = rustix::fs::Mode::from_raw_mode(node.meta.mode & 0o777);
        rustix::fs::mknodat(rustix::fs::CWD, place, kind, mode, rustix::fs::makedev(major, minor))
            .map_err(io::Error::from)
    };
    match &node.kind {
        Kind::Symlink { target } => {
            fs_err::os::unix::fs::symlink(target, place)?;
            if is_root {
                std::os::unix::fs::lchown(place, Some(node.meta.uid), Some(node.meta.gid))?;
            }
            return tree::directory::set_time(place, node.meta.mtime);
        }
        Kind::Fifo => special(rustix::fs::FileType::Fifo, 0, 0)?,
        Kind::CharDevice { major, minor } if is_root => special(rustix::fs::FileType::CharacterDevice, *major, *minor)?,
        Kind::BlockDevice { major, minor } if is_root => special(rustix::fs::FileType::BlockDevice, *major, *minor)?,
        Kind::CharDevice { .. } | Kind::BlockDevice { .. } => return Ok(()),
        Kind::Directory | Kind::File { .. } => {}
    }
    set_meta(place, &node.meta, is_root)
}

/// Owner first: changing it takes set-id bits and capabilities away.
fn set_meta(place: &Path, meta: &Meta, is_root: bool) -> io::Result<()> {
    let mode = if is_root { meta.mode } else { meta.mode & 0o777 };
    if is_root {
        if (meta.uid, meta.gid) != (0, 0) {
            std::os::unix::fs::lchown(place, Some(meta.uid), Some(meta.gid))?;
        }
        for (name, value) in &meta.xattrs {
            rustix::fs::lsetxattr(place, name.as_str(), value, rustix::fs::XattrFlags::empty())?;
        }
    }
    fs_err::set_permissions(place, PermissionsExt::from_mode(mode))?;
    tree::directory::set_time(place, meta.mtime)
}

fn place(root: &Path, path: &TreePath) -> PathBuf {
    if path.is_root() { root.to_owned() } else { root.join(path.as_str()) }
}
