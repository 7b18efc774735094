use std::collections::BTreeMap;

use pkg::Digest;

use crate::debian::Remote;

/// One Debian package file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deb {
    /// Its name, such as `libc6`.
    pub name: String,
    /// Debian's version, such as `2.41-12+deb13u1`.
    pub version: String,
    /// `amd64`, `all`.
    pub architecture: String,
    /// Digest of the file.
    pub sha256: Digest,
    /// Bytes of the file.
    pub size: u64,
    /// Where it is below the archive's root, percent-encoded.
    pub path: String,
}

impl Deb {
    /// Takes what apt says; `None` when it says no digest or no name.
    pub(crate) fn from_remote(remote: &Remote) -> Option<Deb> {
        let (name, version, architecture) = remote.package()?;
        let sha256 = Digest::parse(remote.sha256.as_deref()?).ok()?;
        Some(Deb { name, version, architecture, sha256, size: remote.size, path: remote.pool_path()? })
    }
}

/// The packages of a stage0, each with version and digest: written as `distro/locks/stage0.lock`, or kept in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The layout's number: 1.
    pub version: u32,
    /// Debian's suite.
    pub suite: String,
    /// Packages of every root, sorted.
    #[serde(default)]
    pub base: Vec<Deb>,
    /// By the name of a package that some roots have in addition: it and all that it needs, without the base, sorted.
    #[serde(default)]
    pub extras: BTreeMap<String, Vec<Deb>>,
}

/// A lock that does not read as one.
#[derive(Debug, thiserror::Error)]
#[error("the lock of stage0 does not read: {0}")]
pub struct LockError(String);

impl Lock {
    /// Parses TOML.
    pub fn parse(text: &str) -> Result<Lock, LockError> {
        let lock: Lock = toml::from_str(text).map_err(|error| LockError(error.to_string()))?;
        match lock.version {
            1 => Ok(lock),
            other => Err(LockError(format!("version {other} is not known, only 1 is"))),
        }
    }

    /// The lock as TOML, sorted.
    pub fn to_toml(&self) -> Result<String, LockError> {
        toml::to_string(self).map_err(|error| LockError(error.to_string()))
    }

    /// Every package once.
    pub fn debs(&self) -> std::collections::BTreeSet<&Deb> {
        self.base.iter().chain(self.extras.values().flatten()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_back_and_other_versions_are_refused() {
        let deb = |name: &str| Deb {
            name: name.into(),
            version: "1:2-3".into(),
            architecture: "amd64".into(),
            sha256: Digest::of(name.as_bytes()),
            size: 7,
            path: format!("pool/main/x/{name}.deb"),
        };
        let extras = [("meson".to_owned(), vec![deb("meson")])].into();
        let lock = Lock { version: 1, suite: "trixie".into(), base: vec![deb("a"), deb("b")], extras };
        let text = lock.to_toml().unwrap();
        assert_eq!(Lock::parse(&text).unwrap(), lock);
        let error = Lock::parse(&text.replace("version = 1\n", "version = 2\n")).unwrap_err();
        assert_eq!(error.to_string(), "the lock of stage0 does not read: version 2 is not known, only 1 is");
        assert!(Lock::parse("verison = 1").is_err());
    }
}
