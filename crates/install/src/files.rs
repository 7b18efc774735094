//! Files of packages, put into a tree and taken out of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pkg::Digest;
use rpm::db::FileState;
use rpm::{Algorithm, FileEntry, FileFlags, FileKind};
use tree::{Kind, Meta, Node, Tree, TreePath};

use crate::accounts::Accounts;
use crate::element::Fate;
use crate::{Contents, InstallError, capabilities};

/// The root that is being changed.
pub(crate) struct Root<'a> {
    pub(crate) tree: Tree,
    pub(crate) contents: Contents<'a>,
    /// Paths changed since scriptlets last saw the root.
    pub(crate) changed: BTreeSet<TreePath>,
    /// What was moved out of the way, from where to where, since a live root was last brought up to date.
    pub(crate) moved: Vec<(TreePath, TreePath)>,
    /// The next free number of hard links, once it was looked for.
    pub(crate) next_link: Option<u32>,
    /// What people should know: configuration that was kept, above all.
    pub(crate) notes: Vec<String>,
}

/// One package's files and what is to become of them.
pub(crate) struct Files<'a> {
    pub(crate) package: &'a str,
    pub(crate) files: &'a [FileEntry],
    pub(crate) fates: &'a [Fate],
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Files<'_> {
    fn wrong(&self, cause: impl Into<Cause>) -> InstallError {
        InstallError::Place { package: self.package.to_owned(), cause: cause.into() }
    }

    /// Where a file comes to lie: through the links of directories, so that what a package calls `/lib64/libz.so.1` is
    /// below `/usr/lib64`.
    fn place(&self, file: &FileEntry, tree: &Tree) -> Result<TreePath, InstallError> {
        let written = TreePath::new(&file.path).map_err(|cause| self.wrong(cause))?;
        tree.resolve_parent(&written).map_err(|cause| self.wrong(cause))
    }

    /// Puts the files, whose bytes lie in `unpacked`, into `root`; gives the states that the database keeps.
    pub(crate) fn install(
        &self,
        unpacked: &Path,
        accounts: &Accounts,
        root: &mut Root<'_>,
    ) -> Result<Vec<FileState>, InstallError> {
        let mut states = Vec::with_capacity(self.files.len());
        let mut links: BTreeMap<usize, u32> = BTreeMap::new();
        for (row, (file, fate)) in self.files.iter().zip(self.fates).enumerate() {
            states.push(if *fate == Fate::LeaveOut { FileState::NotInstalled } else { FileState::Normal });
            if fate.is_skipped() || file.is_ghost() || file.kind == FileKind::Socket {
                continue;
            }
            let path = self.place(file, &root.tree)?;
            if path.is_root() {
                let meta = self.meta(file, accounts)?;
                if let Some(node) = root.tree.get_mut(&path) {
                    node.meta = meta;
                }
                continue;
            }
            root.make_parents(&path, self)?;
            match fate {
                Fate::Touch if root.tree.get(&path).is_some() => {
                    let meta = self.meta(file, accounts)?;
                    root.set_meta(&path, meta);
                    continue;
                }
                Fate::Save => root.keep_as(&path, ".rpmsave", self)?,
                Fate::Backup => root.keep_as(&path, ".rpmorig", self)?,
                _ => {}
            }
            let node = self.node((row, file), unpacked, accounts, &mut links, root)?;
            let path = match fate {
                Fate::Beside => {
                    let beside = with_suffix(&path, ".rpmnew").map_err(|cause| self.wrong(cause))?;
                    root.notes.push(format!("`/{path}` was changed and is kept; the package's is `/{beside}`"));
                    beside
                }
                _ => path,
            };
            self.put(path, node, root)?;
        }
        Ok(states)
    }

    fn put(&self, path: TreePath, node: Node, root: &mut Root<'_>) -> Result<(), InstallError> {
        if let Some(there) = root.tree.get(&path) {
            if node.is_directory() && there.is_directory() {
                root.set_meta(&path, node.meta);
                return Ok(());
            }
            if node.is_directory() && matches!(there.kind, Kind::Symlink { .. }) {
                let target = root.tree.resolve(&path).ok();
                let target = target.filter(|to| root.tree.get(to).is_some_and(Node::is_directory));
                if let Some(target) = target {
                    // What a package takes for a directory may have become a link to one (`/bin` -> `usr/bin`): it stays
                    // one, and the directory gets what the package says of it.
                    root.set_meta(&target, node.meta);
                    return Ok(());
                }
            }
            if there.is_directory() && root.tree.children(&path).next().is_some() {
                return Err(self.wrong(format!(
                    "`/{path}` is a directory with content, and the package has something else there"
                )));
            }
            root.tree.remove(&path);
        }
        root.tree.insert(path.clone(), node).map_err(|cause| self.wrong(cause))?;
        root.changed.insert(path);
        Ok(())
    }

    /// Takes the files out of `root`, the last first, so that directories are empty when their turn comes.
    pub(crate) fn erase(&self, root: &mut Root<'_>) -> Result<(), InstallError> {
        for (file, fate) in self.files.iter().zip(self.fates).rev() {
            if fate.is_skipped() {
                continue;
            }
            let Ok(path) = self.place(file, &root.tree) else { continue };
            let Some(there) = root.tree.get(&path).filter(|_| !path.is_root()) else { continue };
            if *fate == Fate::Save {
                if !file.flags.has(FileFlags::GHOST) {
                    root.keep_as(&path, ".rpmsave", self)?;
                }
                continue;
            }
            // A directory in which something is left stays.
            if !there.is_directory() || root.tree.children(&path).next().is_none() {
                root.tree.remove(&path);
                root.changed.insert(path);
            }
        }
        Ok(())
    }

    fn meta(&self, file: &FileEntry, accounts: &Accounts) -> Result<Meta, InstallError> {
        let no_account = |kind, name: &str| InstallError::NoAccount {
            package: self.package.to_owned(),
            kind,
            name: name.to_owned(),
            path: file.path.clone(),
        };
        let mut meta = Meta {
            mode: if file.kind == FileKind::Symlink { 0o777 } else { file.permissions() },
            uid: accounts.uid(&file.user).ok_or_else(|| no_account("user", &file.user))?,
            gid: accounts.gid(&file.group).ok_or_else(|| no_account("group", &file.group))?,
            mtime: i64::try_from(file.mtime).unwrap_or(i64::MAX),
            xattrs: BTreeMap::new(),
        };
        if !file.capabilities.is_empty() {
            let value = capabilities::attribute(&file.capabilities).ok_or_else(|| InstallError::Capabilities {
                package: self.package.to_owned(),
                path: file.path.clone(),
                text: file.capabilities.clone(),
            })?;
            meta.xattrs.insert("security.capability".to_owned(), value);
        }
        Ok(meta)
    }

    fn node(
        &self,
        (row, file): (usize, &FileEntry),
        unpacked: &Path,
        accounts: &Accounts,
        links: &mut BTreeMap<usize, u32>,
        root: &mut Root<'_>,
    ) -> Result<Node, InstallError> {
        let (major, minor) = file.device_numbers();
        let kind = match file.kind {
            FileKind::Directory => Kind::Directory,
            FileKind::Symlink => Kind::Symlink { target: file.link_target.clone() },
            FileKind::CharDevice => Kind::CharDevice { major, minor },
            FileKind::BlockDevice => Kind::BlockDevice { major, minor },
            FileKind::Fifo => Kind::Fifo,
            FileKind::Regular | FileKind::Socket => {
                let place = bytes_of(file, row, unpacked);
                let digest = match &file.digest {
                    // Compared with the bytes when the package was unpacked.
                    Some(sum) if sum.algorithm == Algorithm::Sha256 => Digest::parse(&sum.hex).ok(),
                    _ => None,
                };
                let digest = match digest {
                    Some(digest) => digest,
                    None => tree::directory::digest_only(&place)?,
                };
                root.contents.add(digest, place);
                let hard_link = file.hard_link.map(|set| *links.entry(set).or_insert_with(|| root.free_link()));
                Kind::File { digest, size: file.size, hard_link }
            }
        };
        Ok(Node { meta: self.meta(file, accounts)?, kind })
    }
}

/// Where the bytes of a regular file lie when its package was unpacked into the folder `unpacked`.
pub(crate) fn bytes_of(file: &FileEntry, row: usize, unpacked: &Path) -> PathBuf {
    unpacked.join(rpm::row_name(file.hard_link.unwrap_or(row)))
}

impl Root<'_> {
    fn free_link(&mut self) -> u32 {
        let free = self.next_link.unwrap_or_else(|| self.tree.free_hard_link());
        self.next_link = Some(free + 1);
        free
    }

    fn set_meta(&mut self, path: &TreePath, meta: Meta) {
        if let Some(node) = self.tree.get_mut(path) {
            node.meta = meta;
            self.changed.insert(path.clone());
        }
    }

    /// rpm makes missing parents for root with mode 0755 too.
    fn make_parents(&mut self, path: &TreePath, files: &Files<'_>) -> Result<(), InstallError> {
        let Some(parent) = path.parent() else { return Ok(()) };
        if self.tree.get(&parent).is_some_and(Node::is_directory) {
            return Ok(());
        }
        let mut missing = Some(parent.clone());
        while let Some(directory) = missing.filter(|directory| self.tree.get(directory).is_none()) {
            missing = directory.parent();
            self.changed.insert(directory);
        }
        let mtime = files.files.iter().map(|file| file.mtime).max().and_then(|time| i64::try_from(time).ok());
        self.tree.make_directories(&parent, mtime.unwrap_or_default()).map_err(|cause| files.wrong(cause))
    }

    /// Moves what is at `path` out of the way, to the name with `suffix`; nothing there is no error.
    fn keep_as(&mut self, path: &TreePath, suffix: &str, files: &Files<'_>) -> Result<(), InstallError> {
        let to = with_suffix(path, suffix).map_err(|cause| files.wrong(cause))?;
        let moved: Vec<(TreePath, Node)> =
            self.tree.below(path).map(|(path, node)| (path.clone(), node.clone())).collect();
        if moved.is_empty() {
            return Ok(());
        }
        self.tree.remove(path);
        self.changed.extend(self.tree.below(&to).map(|(path, _)| path.clone()).collect::<Vec<_>>());
        self.tree.remove(&to);
        self.moved.push((path.clone(), to.clone()));
        for (from, node) in moved {
            let rest = from.as_str().strip_prefix(path.as_str()).unwrap_or_default();
            let place = TreePath::new(&format!("{to}{rest}")).map_err(|cause| files.wrong(cause))?;
            self.changed.insert(from);
            self.changed.insert(place.clone());
            self.tree.insert(place, node).map_err(|cause| files.wrong(cause))?;
        }
        self.notes.push(format!("`/{}` was changed and is kept as `/{}`", path.as_str(), to.as_str()));
        Ok(())
    }
}

fn with_suffix(path: &TreePath, suffix: &str) -> Result<TreePath, tree::PathError> {
    TreePath::new(&format!("{}{suffix}", path.as_str()))
}
