use crate::{Node, Tree, TreePath};

/// One difference between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// Only the newer tree has this path.
    Added(&'a TreePath, &'a Node),
    /// Only the older tree has this path.
    Removed(&'a TreePath, &'a Node),
    /// Both have it, and it differs.
    Changed {
        /// The path in both.
        path: &'a TreePath,
        /// The older node.
        from: &'a Node,
        /// The newer node.
        to: &'a Node,
    },
}

impl Tree {
    /// What changed from `self` to `newer`, by path.
    pub fn diff<'a>(&'a self, newer: &'a Tree) -> Vec<Change<'a>> {
        let mut changes: Vec<(&TreePath, Change<'a>)> = Vec::new();
        for (path, from) in self.iter() {
            match newer.get(path) {
                None => changes.push((path, Change::Removed(path, from))),
                Some(to) if to != from => changes.push((path, Change::Changed { path, from, to })),
                Some(_) => {}
            }
        }
        for (path, node) in newer.iter() {
            if self.get(path).is_none() {
                changes.push((path, Change::Added(path, node)));
            }
        }
        changes.sort_by_key(|(path, _)| *path);
        changes.into_iter().map(|(_, change)| change).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_come_by_path() {
        let path = |text: &str| TreePath::new(text).unwrap();
        let mut older = Tree::new();
        older.insert(path("b"), Node::directory(0o755, 0)).unwrap();
        older.insert(path("c"), Node::directory(0o755, 0)).unwrap();
        let mut newer = older.clone();
        newer.remove(&path("c"));
        newer.insert(path("a"), Node::directory(0o755, 0)).unwrap();
        newer.get_mut(&path("b")).unwrap().meta.uid = 7;
        let changes = older.diff(&newer);
        assert!(matches!(changes[..], [Change::Added(..), Change::Changed { .. }, Change::Removed(..)]), "{changes:?}");
        assert!(older.diff(&older.clone()).is_empty());
    }
}
