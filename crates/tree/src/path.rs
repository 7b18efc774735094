use std::borrow::Borrow;
use std::fmt;

/// A path inside a root filesystem: relative, normalised, UTF-8, as in `usr/bin/bash`; the root itself is empty.
///
/// Orders by bytes, so that a directory comes before what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct TreePath(String);

/// Linux's PATH_MAX: a longer path could be made, but not opened by name.
const LONGEST_PATH: usize = 4095;
/// Linux's NAME_MAX, the limit of every file system that we write.
const LONGEST_NAME: usize = 255;

impl TreePath {
    /// The root itself.
    pub fn root() -> TreePath {
        TreePath(String::new())
    }

    /// Normalises `text`: slashes in front, behind and in a row vanish, and so does `.`; `..` is refused, because it
    /// could lead out of the root, as are NUL bytes and names that no file system holds.
    pub fn new(text: &str) -> Result<TreePath, PathError> {
        let mut normal = String::with_capacity(text.len());
        for name in text.split('/') {
            match name {
                "" | "." => continue,
                ".." => return Err(PathError::Escapes(text.to_owned())),
                _ if name.contains('\0') => return Err(PathError::Nul(text.to_owned())),
                _ if name.len() > LONGEST_NAME => return Err(PathError::Long(text.to_owned())),
                _ => {}
            }
            if !normal.is_empty() {
                normal.push('/');
            }
            normal.push_str(name);
        }
        if normal.len() > LONGEST_PATH {
            return Err(PathError::Long(text.to_owned()));
        }
        Ok(TreePath(normal))
    }

    /// Without a slash in front; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last name; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or("")
    }

    /// The directory that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<TreePath> {
        self.parent_str().map(|parent| TreePath(parent.to_owned()))
    }

    /// The text of [`TreePath::parent`].
    pub(crate) fn parent_str(&self) -> Option<&str> {
        (!self.is_root()).then(|| self.0.rsplit_once('/').map_or("", |(parent, _)| parent))
    }

    /// `name` inside this directory. `name` may itself hold slashes.
    pub fn join(&self, name: &str) -> Result<TreePath, PathError> {
        let is_plain = !matches!(name, "" | "." | "..")
            && !name.bytes().any(|byte| matches!(byte, b'/' | 0))
            && name.len() <= LONGEST_NAME
            && self.0.len() + name.len() < LONGEST_PATH;
        if !is_plain {
            return TreePath::new(&format!("{}/{name}", self.0));
        }
        let mut joined = String::with_capacity(self.0.len() + 1 + name.len());
        if !self.is_root() {
            joined.push_str(&self.0);
            joined.push('/');
        }
        joined.push_str(name);
        Ok(TreePath(joined))
    }

    /// Whether this path is `directory` or lies below it.
    pub fn starts_with(&self, directory: &TreePath) -> bool {
        directory.is_root()
            || self.0.strip_prefix(&directory.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The names from the root downwards.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }
}

impl<'de> serde::Deserialize<'de> for TreePath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<TreePath, D::Error> {
        let text = String::deserialize(deserializer)?;
        TreePath::new(&text).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

impl Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// `text` cannot be a path inside a root filesystem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A component is `..`.
    #[error("the path `{0}` could lead out of the root: it has a `..`")]
    Escapes(String),
    /// A NUL byte, which ends a path for the kernel.
    #[error("the path `{}` holds a NUL byte", .0.escape_debug())]
    Nul(String),
    /// Longer than a file system takes.
    #[error("the path `{0}` is longer than Linux allows: 255 bytes a name, 4095 in all")]
    Long(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised() {
        for (text, normal) in [("/usr//bin/./bash/", "usr/bin/bash"), ("", ""), ("/", ""), ("a b", "a b")] {
            assert_eq!(TreePath::new(text).unwrap().as_str(), normal, "{text}");
        }
        for text in ["../etc/passwd", "usr/../../etc", "a\0b", &"n".repeat(256)] {
            assert!(TreePath::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn below_means_a_whole_name() {
        let usr = TreePath::new("usr").unwrap();
        assert!(TreePath::new("usr/bin").unwrap().starts_with(&usr));
        assert!(usr.starts_with(&usr));
        assert!(!TreePath::new("usrlocal").unwrap().starts_with(&usr));
        assert_eq!(usr.parent(), Some(TreePath::root()));
        assert_eq!(TreePath::root().parent(), None);
    }
}
