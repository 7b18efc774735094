use std::collections::BTreeMap;
use std::ops::Bound;

use pkg::{Digest, Hasher};

use crate::{Kind, Node, TreePath};

/// A root filesystem: a node for each path. The root directory is always there, and every node's parent is a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<TreePath, Node>,
}

/// A node cannot stand at a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InsertError {
    /// The parent is missing.
    #[error("`{path}` has no directory to be in: `{parent}` does not exist")]
    NoParent {
        /// Where the node was to go.
        path: TreePath,
        /// What is missing.
        parent: TreePath,
    },
    /// The parent is something else than a directory.
    #[error("`{path}` cannot be below `{parent}`, which is not a directory")]
    ParentIsNoDirectory {
        /// Where the node was to go.
        path: TreePath,
        /// What is in the way.
        parent: TreePath,
    },
    /// A directory that still holds something was to become something else.
    #[error("`{path}` is a directory with content and cannot be replaced by something else")]
    DirectoryNotEmpty {
        /// The directory.
        path: TreePath,
    },
}

impl Default for Tree {
    fn default() -> Tree {
        Tree::new()
    }
}

impl Tree {
    /// An empty root directory: root's, mode 0755, dated 1970.
    pub fn new() -> Tree {
        Tree { nodes: BTreeMap::from([(TreePath::root(), Node::directory(0o755, 0))]) }
    }

    /// Puts `node` at `path`, which is not followed through symbolic links; returns what was there.
    pub fn insert(&mut self, path: TreePath, node: Node) -> Result<Option<Node>, InsertError> {
        if let Some(parent) = path.parent_str() {
            let there = self.nodes.get(parent);
            if !there.is_some_and(Node::is_directory) {
                let (is_missing, parent) = (there.is_none(), path.parent().unwrap_or_default());
                return Err(match is_missing {
                    true => InsertError::NoParent { path, parent },
                    false => InsertError::ParentIsNoDirectory { path, parent },
                });
            }
        }
        let has_content = |there: &Node| there.is_directory() && self.below(&path).nth(1).is_some();
        if !node.is_directory() && (path.is_root() || self.nodes.get(&path).is_some_and(has_content)) {
            return Err(InsertError::DirectoryNotEmpty { path });
        }
        Ok(self.nodes.insert(path, node))
    }

    /// Makes `path` and what is missing above it directories of root's with mode 0755; leaves what exists alone.
    pub fn make_directories(&mut self, path: &TreePath, mtime: i64) -> Result<(), InsertError> {
        if self.nodes.get(path).is_some_and(Node::is_directory) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make_directories(&parent, mtime)?;
        }
        if let Some(there) = self.nodes.get(path)
            && !there.is_directory()
        {
            return Err(InsertError::ParentIsNoDirectory { path: path.clone(), parent: path.clone() });
        }
        self.insert(path.clone(), Node::directory(0o755, mtime)).map(|_| ())
    }

    /// The node at `path`, symbolic links not followed.
    pub fn get(&self, path: &TreePath) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Whether there is a directory at the path of this normalised text: no link is then passed on the way to it.
    pub(crate) fn has_directory(&self, path: &str) -> bool {
        self.nodes.get(path).is_some_and(Node::is_directory)
    }

    /// The node at `path` to be changed in place. Its kind must stay what it is.
    pub fn get_mut(&mut self, path: &TreePath) -> Option<&mut Node> {
        self.nodes.get_mut(path)
    }

    /// Removes `path` and all below it; returns how many nodes went. The root itself stays.
    pub fn remove(&mut self, path: &TreePath) -> usize {
        let gone: Vec<TreePath> =
            self.below(path).map(|(path, _)| path.clone()).filter(|path| !path.is_root()).collect();
        for path in &gone {
            self.nodes.remove(path);
        }
        gone.len()
    }

    /// All nodes by path: the root first, each directory before what it holds.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &Node)> {
        self.nodes.iter()
    }

    /// `path` itself and all nodes below it.
    pub fn below<'a>(&'a self, path: &TreePath) -> impl Iterator<Item = (&'a TreePath, &'a Node)> {
        // What sorts between `usr` and `usr/` (such as `usr-x`) is not below `usr`: the node and the range are taken apart.
        let own = self.nodes.get_key_value(path).into_iter();
        let prefix = if path.is_root() { String::new() } else { format!("{}/", path.as_str()) };
        let from = prefix.clone();
        own.chain(
            self.nodes
                .range::<str, _>((Bound::Excluded(from.as_str()), Bound::Unbounded))
                .take_while(move |(path, _)| path.as_str().starts_with(&prefix)),
        )
    }

    /// What a directory holds, without what is deeper.
    pub fn children<'a>(&'a self, directory: &TreePath) -> impl Iterator<Item = (&'a TreePath, &'a Node)> {
        let depth = directory.names().count() + 1;
        self.below(directory).filter(move |(path, _)| path.names().count() == depth)
    }

    /// How many nodes there are, the root directory included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing but the root directory.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// The bytes of all files together, each inode counted once.
    pub fn content_size(&self) -> u64 {
        let mut linked = std::collections::BTreeSet::new();
        self.nodes
            .values()
            .map(|node| match node.kind {
                Kind::File { size, hard_link: None, .. } => size,
                Kind::File { size, hard_link: Some(link), .. } if linked.insert(link) => size,
                _ => 0,
            })
            .sum()
    }

    /// The lowest number that no hard link of this tree bears.
    pub fn free_hard_link(&self) -> u32 {
        let used = self.nodes.values().filter_map(|node| match node.kind {
            Kind::File { hard_link, .. } => hard_link,
            _ => None,
        });
        used.max().map_or(0, |highest| highest + 1)
    }

    /// The id of this tree: equal for equal trees, whatever way they were made.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        let mut links: BTreeMap<u32, usize> = BTreeMap::new();
        for (path, node) in &self.nodes {
            hasher.field("path", path.as_str());
            hasher.field("mode", node.st_mode().to_le_bytes());
            hasher.field("owner", [node.meta.uid.to_le_bytes(), node.meta.gid.to_le_bytes()].concat());
            hasher.field("mtime", node.meta.mtime.to_le_bytes());
            for (name, value) in &node.meta.xattrs {
                hasher.field(name, value);
            }
            match &node.kind {
                Kind::Directory | Kind::Fifo => {}
                Kind::File { digest, hard_link, .. } => {
                    hasher.field("file", digest.as_bytes());
                    if let Some(link) = hard_link {
                        // Numbers are names only: what counts is which files share one.
                        let next = links.len();
                        hasher.field("link", links.entry(*link).or_insert(next).to_le_bytes());
                    }
                }
                Kind::Symlink { target } => {
                    hasher.field("target", target);
                }
                Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
                    hasher.field("device", [major.to_le_bytes(), minor.to_le_bytes()].concat());
                }
            }
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    fn sample() -> Tree {
        let mut tree = Tree::new();
        for directory in ["usr", "usr/bin", "usr-x"] {
            tree.insert(path(directory), Node::directory(0o755, 1)).unwrap();
        }
        tree.insert(path("usr/bin/a"), Node::file(0o755, 1, Digest::of(b"a"), 1)).unwrap();
        tree.insert(path("bin"), Node::symlink("usr/bin", 1)).unwrap();
        tree
    }

    #[test]
    fn nodes_need_a_directory_above_them() {
        let mut tree = sample();
        let node = Node::directory(0o755, 1);
        assert!(matches!(tree.insert(path("no/where"), node.clone()), Err(InsertError::NoParent { .. })));
        assert!(matches!(tree.insert(path("bin/x"), node), Err(InsertError::ParentIsNoDirectory { .. })));
        let link = Node::symlink("x", 1);
        assert!(matches!(tree.insert(path("usr"), link), Err(InsertError::DirectoryNotEmpty { .. })));
        assert_eq!(tree, sample(), "a refused insert changes nothing");
    }

    #[test]
    fn below_and_children_keep_to_whole_names() {
        let tree = sample();
        let names = |iter: &mut dyn Iterator<Item = (&TreePath, &Node)>| -> Vec<String> {
            iter.map(|(path, _)| path.as_str().to_owned()).collect()
        };
        assert_eq!(names(&mut tree.below(&path("usr"))), ["usr", "usr/bin", "usr/bin/a"]);
        assert_eq!(names(&mut tree.children(&path(""))), ["bin", "usr", "usr-x"]);
        let mut smaller = sample();
        assert_eq!(smaller.remove(&path("usr")), 3);
        assert_eq!(smaller.len(), 3);
    }

    #[test]
    fn digest_sees_each_change_and_no_link_number() {
        let tree = sample();
        let mut other = sample();
        other.get_mut(&path("usr/bin/a")).unwrap().meta.mode = 0o4755;
        assert_ne!(tree.digest(), other.digest());
        let linked = |number: u32| {
            let mut tree = sample();
            for name in ["usr/bin/a", "usr/bin/b"] {
                let kind = Kind::File { digest: Digest::of(b"a"), size: 1, hard_link: Some(number) };
                tree.insert(path(name), Node { meta: crate::Meta::root(0o755, 1), kind }).unwrap();
            }
            tree
        };
        assert_eq!(linked(3).digest(), linked(7).digest());
        assert_eq!(linked(3).content_size(), 1);
    }
}
