//! A tree to and from a directory of the machine, without root.
//!
//! Owners, device nodes and most extended attributes need privilege to be written, so [`write()`] leaves them out and
//! [`read()`] takes them from the machine only where it is told nothing better: the tree stays the truth about them.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use pkg::{Blobs, Digest, Hasher};

use crate::{Kind, Meta, Node, Tree, TreePath};

/// Takes in the bytes of one file, and returns their digest.
pub type Keep<'a> = dyn FnMut(&Path) -> io::Result<Digest> + 'a;

/// Only digests a file; for trees that are compared and not written.
pub fn digest_only(path: &Path) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    io::copy(&mut fs_err::File::open(path)?, &mut hasher)?;
    Ok(hasher.finish())
}

/// Reads the directory `from` as a tree; `keep` takes in the bytes of each file.
///
/// Sockets are left out, as they mean nothing without their process. A name that is not UTF-8 is an error.
pub fn read(from: &Path, keep: &mut Keep<'_>) -> io::Result<Tree> {
    let mut tree = Tree::new();
    let mut inodes: BTreeMap<(u64, u64), (u32, Digest)> = BTreeMap::new();
    let mut waiting = vec![TreePath::root()];
    while let Some(path) = waiting.pop() {
        let place = place(from, &path);
        let found = fs_err::symlink_metadata(&place)?;
        let kind = match found.mode() & 0o170_000 {
            0o040_000 => {
                for entry in fs_err::read_dir(&place)? {
                    let name = entry?.file_name().into_string().map_err(|name| {
                        io::Error::other(format!("`{}` holds a name that is not UTF-8: {name:?}", place.display()))
                    })?;
                    waiting.push(path.join(&name).map_err(io::Error::other)?);
                }
                Kind::Directory
            }
            0o100_000 if found.nlink() > 1 => {
                let next = u32::try_from(inodes.len()).unwrap_or(u32::MAX);
                let (number, digest) = match inodes.get(&(found.dev(), found.ino())) {
                    Some(known) => *known,
                    None => (next, keep(&place)?),
                };
                inodes.insert((found.dev(), found.ino()), (number, digest));
                Kind::File { digest, size: found.size(), hard_link: Some(number) }
            }
            0o100_000 => Kind::File { digest: keep(&place)?, size: found.size(), hard_link: None },
            0o120_000 => {
                let target = fs_err::read_link(&place)?.into_os_string().into_string().map_err(|target| {
                    io::Error::other(format!(
                        "the link `{}` leads to a name that is not UTF-8: {target:?}",
                        place.display()
                    ))
                })?;
                Kind::Symlink { target }
            }
            0o020_000 => {
                let (major, minor) = device(found.rdev());
                Kind::CharDevice { major, minor }
            }
            0o060_000 => {
                let (major, minor) = device(found.rdev());
                Kind::BlockDevice { major, minor }
            }
            0o010_000 => Kind::Fifo,
            _ => continue,
        };
        let meta = Meta {
            mode: found.mode() & 0o7777,
            uid: found.uid(),
            gid: found.gid(),
            mtime: found.mtime(),
            xattrs: BTreeMap::new(),
        };
        tree.insert(path, Node { meta, kind }).map_err(io::Error::other)?;
    }
    Ok(tree)
}

fn device(rdev: u64) -> (u32, u32) {
    (rustix::fs::major(rdev), rustix::fs::minor(rdev))
}

/// How the bytes of a file come to be at a path.
pub type Place<'a> = dyn FnMut(&Digest, &Path) -> io::Result<()> + 'a;

/// Copies bytes out of `blobs`; the plainest [`Place`].
pub fn copy_from(blobs: &dyn Blobs) -> impl FnMut(&Digest, &Path) -> io::Result<()> + '_ {
    |digest, to| {
        let mut file = fs_err::OpenOptions::new().write(true).create_new(true).open(to)?;
        io::copy(&mut blobs.open(digest)?, &mut file).map(|_| ())
    }
}

/// Writes `tree` into the existing, empty directory `to`; `place_file` brings the bytes of each file.
///
/// Modes and times are set, set-user-id bits, owners, extended attributes and devices are not.
pub fn write(tree: &Tree, place_file: &mut Place<'_>, to: &Path) -> io::Result<()> {
    let mut links: BTreeMap<u32, PathBuf> = BTreeMap::new();
    let mut directories = Vec::new();
    for (path, node) in tree.iter() {
        let place = place(to, path);
        match &node.kind {
            Kind::Directory => {
                if !path.is_root() {
                    fs_err::create_dir(&place)?;
                }
                directories.push((place, &node.meta));
                continue;
            }
            Kind::File { digest, hard_link, .. } => match hard_link.and_then(|number| links.get(&number)) {
                Some(first) => {
                    fs_err::hard_link(first, &place)?;
                    continue;
                }
                None => {
                    place_file(digest, &place)?;
                    fs_err::set_permissions(&place, PermissionsExt::from_mode(node.meta.mode & 0o777))?;
                    if let Some(number) = hard_link {
                        links.insert(*number, place.clone());
                    }
                }
            },
            Kind::Symlink { target } => fs_err::os::unix::fs::symlink(target, &place)?,
            Kind::Fifo => rustix::fs::mknodat(
                rustix::fs::CWD,
                &place,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::from_raw_mode(node.meta.mode & 0o777),
                0,
            )?,
            Kind::CharDevice { .. } | Kind::BlockDevice { .. } => continue,
        }
        set_time(&place, node.meta.mtime)?;
    }
    // Directories last and deepest first: writing into one changes its time, and may need its write permission.
    for (place, meta) in directories.into_iter().rev() {
        fs_err::set_permissions(&place, PermissionsExt::from_mode(meta.mode & 0o777))?;
        set_time(&place, meta.mtime)?;
    }
    Ok(())
}

fn place(root: &Path, path: &TreePath) -> PathBuf {
    if path.is_root() { root.to_owned() } else { root.join(path.as_str()) }
}

/// Sets the times of `path` itself, a link not followed.
pub fn set_time(path: &Path, mtime: i64) -> io::Result<()> {
    let time = rustix::fs::Timespec { tv_sec: mtime, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_round_trip_through_a_directory() {
        let path = |text: &str| TreePath::new(text).unwrap();
        let blobs = BTreeMap::from([(Digest::of(b"one"), b"one".to_vec())]);
        let mut tree = Tree::new();
        tree.insert(path("etc"), Node::directory(0o555, 1_000)).unwrap();
        for name in ["etc/a", "etc/b"] {
            let kind = Kind::File { digest: Digest::of(b"one"), size: 3, hard_link: Some(0) };
            tree.insert(path(name), Node { meta: Meta::root(0o640, 2_000), kind }).unwrap();
        }
        tree.insert(path("etc/link"), Node::symlink("a", 3_000)).unwrap();
        tree.insert(path("pipe"), Node { meta: Meta::root(0o600, 4_000), kind: Kind::Fifo }).unwrap();
        let to = tempfile::tempdir().unwrap();
        write(&tree, &mut copy_from(&blobs), to.path()).unwrap();
        let mut back = read(to.path(), &mut digest_only).unwrap();
        let owned: Vec<TreePath> = back.iter().map(|(path, _)| path.clone()).collect();
        for path in owned {
            let node = back.get_mut(&path).unwrap();
            (node.meta.uid, node.meta.gid) = (0, 0);
        }
        assert_eq!(tree.diff(&back), []);
    }
}
