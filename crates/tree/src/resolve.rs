use std::collections::VecDeque;

use crate::{Kind, PathError, Tree, TreePath};

/// As many links as Linux follows in one look-up (`MAXSYMLINKS`, path_resolution(7)).
const MOST_LINKS: usize = 40;

/// A path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Links that lead to each other, or too many of them.
    #[error("`{0}` passes through more than 40 symbolic links")]
    Loop(TreePath),
    /// Something that is neither a directory nor a link stands where a directory should.
    #[error("`{path}` passes through `{obstacle}`, which is not a directory")]
    NotADirectory {
        /// The path that was looked up.
        path: TreePath,
        /// What is in the way.
        obstacle: TreePath,
    },
    /// A link's text is no path.
    #[error(transparent)]
    Path(#[from] PathError),
}

impl Tree {
    /// Follows the symbolic links in the directories of `path`, not one that `path` itself is.
    ///
    /// The answer need not exist. `..` in a link's text stops at the root, as it does for a process whose root this is,
    /// so that no link leads out of the tree.
    pub fn resolve_parent(&self, path: &TreePath) -> Result<TreePath, ResolveError> {
        // Above a node there are only directories.
        if path.parent_str().is_none_or(|parent| self.has_directory(parent)) {
            return Ok(path.clone());
        }
        self.walk(path, false)
    }

    /// Follows all symbolic links of `path`, itself included.
    pub fn resolve(&self, path: &TreePath) -> Result<TreePath, ResolveError> {
        self.walk(path, true)
    }

    fn walk(&self, path: &TreePath, follow_last: bool) -> Result<TreePath, ResolveError> {
        let mut waiting: VecDeque<String> = path.names().map(str::to_owned).collect();
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
            let next = reached.join(&name)?;
            match self.get(&next).map(|node| &node.kind) {
                Some(Kind::Symlink { target }) if follow_last || !waiting.is_empty() => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(ResolveError::Loop(path.clone()));
                    }
                    if target.starts_with('/') {
                        reached = TreePath::root();
                    }
                    for name in target.split('/').rev() {
                        waiting.push_front(name.to_owned());
                    }
                }
                Some(Kind::Directory) | None => reached = next,
                Some(_) if waiting.is_empty() => reached = next,
                Some(_) => return Err(ResolveError::NotADirectory { path: path.clone(), obstacle: next }),
            }
        }
        Ok(reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Node;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    #[test]
    fn links_are_followed_inside_the_tree_only() {
        let mut tree = Tree::new();
        for directory in ["usr", "usr/lib64", "var"] {
            tree.insert(path(directory), Node::directory(0o755, 0)).unwrap();
        }
        for (link, target) in [
            ("lib64", "usr/lib64"),
            ("usr/lib64/up", "../../../../var"),
            ("abs", "/usr"),
            ("loop", "loop"),
            ("usr/lib64/libz.so", "libz.so.1"),
        ] {
            tree.insert(path(link), Node::symlink(target, 0)).unwrap();
        }
        tree.insert(path("plain"), Node::file(0o644, 0, pkg::Digest::of(b""), 0)).unwrap();
        for (from, to) in [
            ("lib64/libz.so", "usr/lib64/libz.so"),
            ("abs/lib64/up/log", "var/log"),
            ("lib64", "lib64"),
            ("new/below", "new/below"),
        ] {
            assert_eq!(tree.resolve_parent(&path(from)), Ok(path(to)), "{from}");
        }
        assert_eq!(tree.resolve(&path("lib64/libz.so")), Ok(path("usr/lib64/libz.so.1")));
        assert!(matches!(tree.resolve(&path("loop/x")), Err(ResolveError::Loop(_))));
        assert!(matches!(tree.resolve_parent(&path("plain/x")), Err(ResolveError::NotADirectory { .. })));
    }
}
