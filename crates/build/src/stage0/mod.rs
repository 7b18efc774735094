//! Stage0: the Debian packages from which build roots are made until the distribution builds itself.
//!
//! A root is the unpacked files of packages that are closed over their dependencies. No maintainer script is run; the
//! definition's links, files and commands stand in for the few things that those would have done.

mod base;
mod lock;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pkg::{Arch, Digest, Hasher};

pub use base::{Request, prepare};
pub(crate) use base::{layer, unpacked_key};
pub use lock::{Deb, Lock, LockError};

use crate::BuildError;

/// The definition's `[stage0]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage0Definition {
    /// Debian's suite, such as `trixie`.
    pub suite: String,
    /// Debian packages of every root; what they need comes with them.
    pub packages: Vec<String>,
    /// Globs of capabilities that every root satisfies, so that nothing is added for them.
    #[serde(default)]
    pub provides: Vec<String>,
    /// Symbolic links of every root: absolute path to target.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Small files of every root: absolute path to text.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Commands run as root inside each finished root, before the build.
    #[serde(default)]
    pub commands: Vec<Command>,
    /// From what a spec needs to the Debian packages that provide it.
    #[serde(default)]
    pub mapping: BTreeMap<String, Vec<String>>,
}

/// One command line of [`Stage0Definition::commands`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Program (absolute) and arguments.
    pub run: Vec<String>,
}

/// A prepared stage0: everything is unpacked and put together.
#[derive(Debug, Clone)]
pub struct Stage0 {
    /// The machine that its programs run on and for.
    pub arch: Arch,
    /// Digest of all that went into the base.
    pub id: Digest,
    /// The base folder, the lowest layer of every root. Read-only by agreement.
    pub base: PathBuf,
    /// Every package with version and digest.
    pub lock: Lock,
    /// Commands that finish a root.
    pub commands: Vec<Command>,
}

impl Stage0 {
    /// What the Debian packages `packages` add to the base: they and all that they need, less what the base has.
    /// Sorted by name.
    ///
    /// # Errors
    /// [`BuildError::NotPrepared`] for a package that [`prepare`] was not told of.
    pub fn added(&self, packages: &BTreeSet<String>) -> Result<BTreeSet<Deb>, BuildError> {
        let base: BTreeSet<&Deb> = self.lock.base.iter().collect();
        let mut added = BTreeSet::new();
        for package in packages {
            if self.lock.base.iter().any(|deb| deb.name == *package) {
                continue;
            }
            let closure = self.lock.extras.get(package).ok_or_else(|| BuildError::NotPrepared(package.clone()))?;
            added.extend(closure.iter().filter(|deb| !base.contains(deb)).cloned());
        }
        Ok(added)
    }
}

/// The digest of a set of packages, each by its own digest.
pub(crate) fn layer_key<'a>(debs: impl IntoIterator<Item = &'a Deb>) -> Digest {
    let mut digests: Vec<Digest> = debs.into_iter().map(|deb| deb.sha256).collect();
    digests.sort();
    let mut hasher = Hasher::new();
    hasher.field("layer", "1");
    for digest in digests {
        hasher.field("deb", digest.as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_and_other_keys_are_refused() {
        let text = "suite = 'trixie'\npackages = ['bash']\nprovides = ['libc.so.6*']\n[links]\n'/usr/bin/cc' = 'gcc'\n\
            [files]\n'/etc/hosts' = 'x'\n[[commands]]\nrun = ['/usr/sbin/ldconfig']\n[mapping]\nmeson = ['meson']\n";
        let definition: Stage0Definition = toml::from_str(text).unwrap();
        assert_eq!(definition.commands[0].run, ["/usr/sbin/ldconfig"]);
        assert_eq!(definition.mapping["meson"], ["meson"]);
        assert!(toml::from_str::<Stage0Definition>(&text.replace("suite", "suiet")).is_err());
    }
}
