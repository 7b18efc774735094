use std::collections::{HashSet, VecDeque};
use std::io;

use tree::{Kind, Node, Tree, TreePath};

use super::disk::{Bytes, Disk};
use crate::Contents;

/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// The paths of a live root that are of interest, as a tree; all else of the root is not looked at.
///
/// A path is seen with all directories and links that lead to it, so that the tree answers about it as the whole root's tree
/// would. What a directory holds is in the tree only where somebody asked for it.
pub(super) struct Look<'l, 'd, 'a> {
    disk: Disk<'d>,
    tree: &'l mut Tree,
    contents: &'l mut Contents<'a>,
    seen: HashSet<TreePath>,
    /// Directories, as written, that were walked to already.
    walked: HashSet<String>,
}

impl<'l, 'd, 'a> Look<'l, 'd, 'a> {
    /// Begins with an empty tree.
    pub(super) fn new(disk: Disk<'d>, tree: &'l mut Tree, contents: &'l mut Contents<'a>) -> io::Result<Self> {
        *tree = Tree::new();
        let mut look = Look { disk, tree, contents, seen: HashSet::new(), walked: HashSet::new() };
        look.see(&TreePath::root(), Bytes::Unread)?;
        Ok(look)
    }

    /// Sees a path as packages write it, and what it leads to.
    pub(super) fn path(&mut self, written: &str, bytes: Bytes) -> io::Result<()> {
        let Some((folder, name)) = written.trim_end_matches('/').rsplit_once('/') else {
            return self.walk(written, bytes);
        };
        // Most files of a package lie in few directories.
        self.folder(folder)?;
        let at = TreePath::new(written).map_err(io::Error::other)?;
        match self.tree.resolve_parent(&at) {
            Ok(at) if at.name() == name => {
                self.see(&at, bytes)?;
                let leads = matches!(self.tree.get(&at).map(|node| &node.kind), Some(Kind::Symlink { .. }));
                if leads { self.walk(written, bytes) } else { Ok(()) }
            }
            _ => self.walk(written, bytes),
        }
    }

    /// Sees a directory as packages write it, and what leads to it.
    pub(super) fn folder(&mut self, written: &str) -> io::Result<()> {
        if self.walked.insert(written.to_owned()) { self.walk(written, Bytes::Unread) } else { Ok(()) }
    }

    /// Sees all that is in a directory, however deep.
    pub(super) fn below(&mut self, path: &TreePath) -> io::Result<()> {
        let mut waiting = vec![path.clone()];
        while let Some(path) = waiting.pop() {
            waiting.extend(self.children(&path)?);
        }
        Ok(())
    }

    /// Sees what is in a directory, if it is one.
    pub(super) fn children(&mut self, path: &TreePath) -> io::Result<Vec<TreePath>> {
        if !self.tree.get(path).is_some_and(Node::is_directory) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in fs_err::read_dir(self.disk.place(path))? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|name| {
                io::Error::other(format!("`/{}` holds a name that is not UTF-8: {name:?}", path.as_str()))
            })?;
            let child = path.join(&name).map_err(io::Error::other)?;
            self.see(&child, Bytes::Unread)?;
            found.push(child);
        }
        found.sort();
        Ok(found)
    }

    /// What is at a path that was seen.
    pub(super) fn get(&self, path: &TreePath) -> Option<&Node> {
        self.tree.get(path)
    }

    /// Where a path that was seen comes to lie.
    pub(super) fn resolved(&self, written: &str) -> Option<TreePath> {
        self.tree.resolve_parent(&TreePath::new(written).ok()?).ok()
    }

    fn walk(&mut self, written: &str, bytes: Bytes) -> io::Result<()> {
        let mut waiting: VecDeque<String> = written.split('/').map(str::to_owned).collect();
        let mut reached = TreePath::root();
        let mut links = 0;
        while let Some(name) = waiting.pop_front() {
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    reached = reached.parent().unwrap_or_default();
                    continue;
                }
                _ => {}
            }
            let next = reached.join(&name).map_err(io::Error::other)?;
            self.see(&next, if waiting.is_empty() { bytes } else { Bytes::Unread })?;
            match self.tree.get(&next).map(|node| &node.kind) {
                Some(Kind::Symlink { target }) => {
                    links += 1;
                    // The tree says so too, to whoever asks it for the path.
                    if links > MOST_LINKS {
                        return Ok(());
                    }
                    if target.starts_with('/') {
                        reached = TreePath::root();
                    }
                    for name in target.split('/').rev() {
                        waiting.push_front(name.to_owned());
                    }
                }
                Some(Kind::Directory) => reached = next,
                // Nothing can be below.
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    fn see(&mut self, path: &TreePath, bytes: Bytes) -> io::Result<()> {
        if !self.seen.insert(path.clone()) && bytes == Bytes::Unread {
            return Ok(());
        }
        let place = self.disk.place(path);
        let Some(node) = self.disk.look(&place, bytes)? else { return Ok(()) };
        if let Kind::File { digest, .. } = &node.kind {
            self.contents.add(*digest, place);
        }
        self.tree.insert(path.clone(), node).map(drop).map_err(|error| io::Error::other(error.to_string()))
    }
}
