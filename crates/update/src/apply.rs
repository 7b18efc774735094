//! The difference between two trees, brought into a directory so that it is there as a whole or not at all.
//!
//! ```text
//! ROOT/.slipway-transaction/files/N     new files, complete, with owner, mode, time and attributes
//!                           plan.json   what is done with them; there once all files are on the disk
//! ```
//!
//! Until `plan.json` is there nothing of the root was touched: [`recover`] removes the folder. Once it is there every step may
//! be done again, any number of times, from the first: `recover` does so. Files are linked out of the folder and renamed over
//! what they replace, so that a path always has the old file or the new one. The folder goes last.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, XattrFlags, lgetxattr, llistxattr, lsetxattr, makedev, mknodat, syncfs};
use tree::{Change, Kind, Meta, Node, Tree, TreePath};

/// The folder of a transaction that is under way.
const FOLDER: &str = ".slipway-transaction";

/// An extended attribute is not larger than this (`XATTR_SIZE_MAX`).
const XATTR_MAX: usize = 64 << 10;

/// One step; each may be done again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Step {
    /// Whatever is there goes; a directory with all below it where it makes room, otherwise only if it is empty.
    Remove { path: String, whole: bool },
    /// A directory is there.
    Directory { path: String },
    /// A prepared file takes the place of what is there.
    File { path: String, number: usize },
    /// A link, pipe or device.
    Other { path: String, node: Node },
    /// Owner, mode, attributes and time of a directory.
    Meta { path: String, meta: Meta },
}

/// Finishes, or takes back, what an earlier transaction left. Says whether it finished one.
pub(crate) fn recover(root: &Path) -> io::Result<bool> {
    let folder = root.join(FOLDER);
    let plan = folder.join("plan.json");
    if !folder.exists() {
        return Ok(false);
    }
    if !plan.exists() {
        host::remove_tree(&folder)?;
        return Ok(false);
    }
    let steps: Vec<Step> = serde_json::from_slice(&fs_err::read(&plan)?)?;
    finish(root, &steps)?;
    Ok(true)
}

/// Makes the directory `root`, which holds `old`, hold `new`. `place` says where the bytes of a file are.
pub(crate) fn apply(old: &Tree, new: &Tree, place: &dyn Fn(&pkg::Digest) -> PathBuf, root: &Path) -> io::Result<()> {
    let folder = root.join(FOLDER);
    host::remove_tree(&folder)?;
    let files = folder.join("files");
    fs_err::create_dir_all(&files)?;
    let steps = match prepare(old, new, place, &files) {
        Ok(steps) => steps,
        Err(error) => {
            host::remove_tree(&folder)?;
            return Err(error);
        }
    };
    let plan = folder.join("plan.new");
    fs_err::write(&plan, serde_json::to_vec(&steps)?)?;
    sync(root)?;
    fs_err::rename(&plan, folder.join("plan.json"))?;
    sync(root)?;
    finish(root, &steps).map_err(|error| {
        let text = format!("`{}` is only partly changed; the next transaction finishes it: {error}", root.display());
        io::Error::new(error.kind(), text)
    })
}

fn sync(root: &Path) -> io::Result<()> {
    Ok(syncfs(fs_err::File::open(root)?)?)
}

/// Writes the new files and says what is to be done.
fn prepare(old: &Tree, new: &Tree, place: &dyn Fn(&pkg::Digest) -> PathBuf, files: &Path) -> io::Result<Vec<Step>> {
    let (mut removals, mut directories, mut contents, mut cleared) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut touched: BTreeSet<TreePath> = BTreeSet::new();
    let mut linked: BTreeMap<u32, usize> = BTreeMap::new();
    let mut count = 0;
    for change in old.diff(new) {
        let (path, before, after) = match change {
            Change::Added(path, after) => (path, None, Some(after)),
            Change::Removed(path, before) => (path, Some(before), None),
            Change::Changed { path, from, to } => (path, Some(from), Some(to)),
        };
        if path.as_str().starts_with(FOLDER) {
            continue;
        }
        touched.extend(path.parent());
        let name = || path.as_str().to_owned();
        let Some(after) = after else {
            cleared.push(Step::Remove { path: name(), whole: false });
            continue;
        };
        if before.is_some_and(|before| before.is_directory() != after.is_directory()) {
            removals.push(Step::Remove { path: name(), whole: true });
        }
        match &after.kind {
            Kind::Directory => {
                directories.push(Step::Directory { path: name() });
                touched.insert(path.clone());
            }
            Kind::File { digest, hard_link, .. } => {
                let known = hard_link.and_then(|group| linked.get(&group).copied());
                let number = match known {
                    Some(number) => number,
                    None => {
                        stage(&place(digest), &files.join(count.to_string()), &after.meta)?;
                        count += 1;
                        count - 1
                    }
                };
                linked.extend(hard_link.map(|group| (group, number)));
                contents.push(Step::File { path: name(), number });
            }
            _ => contents.push(Step::Other { path: name(), node: after.clone() }),
        }
    }
    // The database says what is there: it comes when all of it is.
    contents.sort_by_key(|step| matches!(step, Step::File { path, .. } if path.ends_with("rpmdb.sqlite")));
    cleared.reverse();
    let metas = touched.iter().rev().filter_map(|path| {
        let node = new.get(path)?;
        Some(Step::Meta { path: path.as_str().to_owned(), meta: node.meta.clone() })
    });
    let steps = removals.into_iter().chain(directories).chain(cleared).chain(contents);
    Ok(steps.chain(metas).collect())
}

/// A new file, complete.
fn stage(from: &Path, to: &Path, meta: &Meta) -> io::Result<()> {
    fs_err::copy(from, to)?;
    set_meta(to, meta)
}

fn set_meta(path: &Path, meta: &Meta) -> io::Result<()> {
    let wrong = |error: io::Error| {
        let (uid, gid) = (meta.uid, meta.gid);
        io::Error::new(error.kind(), format!("cannot give `{}` to user {uid} and group {gid}: {error}", path.display()))
    };
    lchown(path, Some(meta.uid), Some(meta.gid)).map_err(wrong)?;
    // Behind the owner, whose change takes set-user-id bits and capabilities away.
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(meta.mode & 0o7777))?;
    for (name, value) in &meta.xattrs {
        lsetxattr(path, name.as_str(), value, XattrFlags::empty())?;
    }
    tree::directory::set_time(path, meta.mtime)
}

fn finish(root: &Path, steps: &[Step]) -> io::Result<()> {
    steps.iter().try_for_each(|step| step.run(root))?;
    sync(root)?;
    // The root's own time is the tree's, not that of the folder's end.
    let mtime = std::os::unix::fs::MetadataExt::mtime(&fs_err::metadata(root)?);
    host::remove_tree(&root.join(FOLDER))?;
    tree::directory::set_time(root, mtime)
}

impl Step {
    fn run(&self, root: &Path) -> io::Result<()> {
        match self {
            Step::Remove { path, whole } => {
                let path = below(root, path)?;
                match fs_err::symlink_metadata(&path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                    Err(error) => Err(error),
                    Ok(_) if *whole => host::remove_tree(&path),
                    Ok(meta) if meta.is_dir() => match fs_err::remove_dir(&path) {
                        // What is not a package's stays.
                        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
                        other => other,
                    },
                    Ok(_) => fs_err::remove_file(&path),
                }
            }
            Step::Directory { path } => {
                let path = below(root, path)?;
                if fs_err::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
                    return Ok(());
                }
                fs_err::create_dir(&path)
            }
            Step::File { path, number } => {
                let from = root.join(FOLDER).join("files").join(number.to_string());
                let to = below(root, path)?;
                let new = root.join(FOLDER).join("next");
                let _ = fs_err::remove_file(&new);
                fs_err::hard_link(&from, &new)?;
                rename(&new, &to)
            }
            Step::Other { path, node } => {
                let to = below(root, path)?;
                let new = root.join(FOLDER).join("next");
                let _ = fs_err::remove_file(&new);
                let device = |kind, major, minor| {
                    mknodat(CWD, &new, kind, Mode::from_raw_mode(node.meta.mode & 0o7777), makedev(major, minor))
                };
                match &node.kind {
                    Kind::Symlink { target } => {
                        fs_err::os::unix::fs::symlink(target, &new)?;
                        lchown(&new, Some(node.meta.uid), Some(node.meta.gid))?;
                        tree::directory::set_time(&new, node.meta.mtime)?;
                    }
                    Kind::Fifo => {
                        device(FileType::Fifo, 0, 0)?;
                        set_meta(&new, &node.meta)?;
                    }
                    Kind::CharDevice { major, minor } => {
                        device(FileType::CharacterDevice, *major, *minor)?;
                        set_meta(&new, &node.meta)?;
                    }
                    Kind::BlockDevice { major, minor } => {
                        device(FileType::BlockDevice, *major, *minor)?;
                        set_meta(&new, &node.meta)?;
                    }
                    Kind::Directory | Kind::File { .. } => return Ok(()),
                }
                rename(&new, &to)
            }
            Step::Meta { path, meta } => {
                let path = if path.is_empty() { root.to_owned() } else { below(root, path)? };
                match fs_err::symlink_metadata(&path) {
                    Ok(found) if found.is_dir() => set_meta(&path, meta),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Renames; when both names are links to one file rename(2) does nothing, and the first one is removed.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs_err::rename(from, to)?;
    match fs_err::remove_file(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A path of the tree in the directory; no folder on the way may be a link, which could lead out of it.
fn below(root: &Path, path: &str) -> io::Result<PathBuf> {
    let checked = TreePath::new(path).map_err(io::Error::other)?;
    let mut place = root.to_owned();
    let names: Vec<&str> = checked.names().collect();
    for (index, name) in names.iter().enumerate() {
        place.push(name);
        let is_last = index + 1 == names.len();
        if !is_last && fs_err::symlink_metadata(&place).is_ok_and(|meta| meta.is_symlink()) {
            return Err(io::Error::other(format!("`{}` became a link while the root was changed", place.display())));
        }
    }
    Ok(place)
}

/// The directory `root` as a tree with extended attributes; the bytes of its files go to `keep`.
pub(crate) fn read(root: &Path, keep: &mut tree::directory::Keep<'_>) -> io::Result<Tree> {
    let mut tree = tree::directory::read(root, keep)?;
    let paths: Vec<TreePath> = tree.iter().map(|(path, _)| path.clone()).collect();
    for path in paths {
        let place = if path.is_root() { root.to_owned() } else { root.join(path.as_str()) };
        let xattrs = xattrs(&place)?;
        if let (false, Some(node)) = (xattrs.is_empty(), tree.get_mut(&path)) {
            node.meta.xattrs = xattrs;
        }
    }
    Ok(tree)
}

fn xattrs(path: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut names = vec![0_u8; XATTR_MAX];
    let length = match llistxattr(path, &mut names) {
        Ok(length) => length,
        // A file system without them.
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(error.into()),
    };
    let mut all = BTreeMap::new();
    let names = names[..length].split(|byte| *byte == 0).filter_map(|name| std::str::from_utf8(name).ok());
    // Labels and access lists are the file system's and its administrator's.
    for name in names.filter(|name| *name == "security.capability") {
        let mut value = vec![0_u8; XATTR_MAX];
        let length = lgetxattr(path, name, &mut value)?;
        value.truncate(length);
        all.insert(name.to_owned(), value);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pkg::Digest;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    /// Two trees of files of our own, with everything that may become something else, and where their bytes are.
    fn trees(store: &Path) -> (Tree, Tree) {
        use std::os::unix::fs::MetadataExt as _;
        let own = fs_err::metadata(store).unwrap();
        let file = |text: &str, link: Option<u32>| {
            let digest = Digest::of(text.as_bytes());
            fs_err::write(store.join(digest.hex()), text).unwrap();
            let meta = Meta { uid: own.uid(), gid: own.gid(), ..Meta::root(0o640, 2_000) };
            Node { meta, kind: Kind::File { digest, size: text.len() as u64, hard_link: link } }
        };
        let with = |mut node: Node| {
            (node.meta.uid, node.meta.gid) = (own.uid(), own.gid());
            node
        };
        let directory = || with(Node::directory(0o755, 1_000));
        let (mut old, mut new) = (Tree::new(), Tree::new());
        for (tree, is_new) in [(&mut old, false), (&mut new, true)] {
            let mut put = |name: &str, node: Node| drop(tree.insert(path(name), node).unwrap());
            put("", directory());
            put("etc", directory());
            put("etc/same", file("same", None));
            put("etc/changed", file(if is_new { "new" } else { "old" }, None));
            if is_new {
                put("becomes-file", file("file", None));
                put("becomes-directory", directory());
                put("becomes-directory/inner", file("inner", None));
                put("one", file("linked", Some(0)));
                put("two", file("linked", Some(0)));
                put("link", with(Node::symlink("etc/changed", 3_000)));
                put("usr", directory());
                put("usr/rpmdb.sqlite", file("database", None));
            } else {
                put("becomes-file", directory());
                put("becomes-file/inner", file("gone", None));
                put("becomes-directory", file("gone", None));
                put("gone", directory());
                put("gone/file", file("gone", None));
            }
        }
        (old, new)
    }

    fn written(tree: &Tree, store: &Path) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let mut place = |digest: &Digest, to: &Path| fs_err::copy(store.join(digest.hex()), to).map(drop);
        tree::directory::write(tree, &mut place, root.path()).unwrap();
        root
    }

    fn assert_is(root: &Path, wanted: &Tree) {
        let found = read(root, &mut tree::directory::digest_only).unwrap();
        assert_eq!(wanted.diff(&found), []);
    }

    #[test]
    fn files_a_difference_is_applied() {
        let store = tempfile::tempdir().unwrap();
        let (old, new) = trees(store.path());
        let root = written(&old, store.path());
        assert_is(root.path(), &old);
        apply(&old, &new, &|digest| store.path().join(digest.hex()), root.path()).unwrap();
        assert_is(root.path(), &new);
    }

    #[test]
    fn files_a_difference_that_was_cut_off_anywhere_is_finished_or_never_began() {
        let store = tempfile::tempdir().unwrap();
        let (old, new) = trees(store.path());
        let place = |digest: &Digest| store.path().join(digest.hex());
        // Before the plan is there: as if nothing had been.
        let root = written(&old, store.path());
        fs_err::create_dir_all(root.path().join(FOLDER).join("files")).unwrap();
        prepare(&old, &new, &place, &root.path().join(FOLDER).join("files")).unwrap();
        assert!(!recover(root.path()).unwrap());
        tree::directory::set_time(root.path(), 1_000).unwrap();
        assert_is(root.path(), &old);
        // After each step: as if nothing had cut it off.
        let mut cut = 0;
        loop {
            let root = written(&old, store.path());
            let files = root.path().join(FOLDER).join("files");
            fs_err::create_dir_all(&files).unwrap();
            let steps = prepare(&old, &new, &place, &files).unwrap();
            fs_err::write(root.path().join(FOLDER).join("plan.json"), serde_json::to_vec(&steps).unwrap()).unwrap();
            steps.iter().take(cut).for_each(|step| step.run(root.path()).unwrap());
            assert!(recover(root.path()).unwrap());
            assert_is(root.path(), &new);
            if cut == steps.len() {
                break;
            }
            cut += 1;
        }
        assert!(cut > 10, "{cut} steps");
    }

    #[test]
    fn files_links_on_the_way_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        fs_err::os::unix::fs::symlink(outside.path(), root.path().join("etc")).unwrap();
        let error = Step::Directory { path: "etc/evil".to_owned() }.run(root.path()).unwrap_err();
        assert!(error.to_string().contains("became a link"), "{error}");
        assert_eq!(fs_err::read_dir(outside.path()).unwrap().count(), 0);
    }
}
