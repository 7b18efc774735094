//! Why each installed package is there, and where it came from: `PERSISTDIR/packages.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pkg::Nevra;

/// Why a package is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Somebody asked for it by name.
    User,
    /// Something required it.
    Dependency,
    /// Something recommended it.
    WeakDependency,
    /// It belongs to a group that was asked for.
    Group,
    /// It came by other means.
    External,
}

impl Reason {
    /// In dnf5's words.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::User => "User",
            Reason::Dependency => "Dependency",
            Reason::WeakDependency => "Weak Dependency",
            Reason::Group => "Group",
            Reason::External => "External User",
        }
    }

    /// Whether the package goes when nothing needs it any more.
    pub fn is_removable(self) -> bool {
        matches!(self, Reason::Dependency | Reason::WeakDependency)
    }
}

/// What is remembered of an installed package.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Known {
    /// Why it is there.
    pub reason: Reason,
    /// The id of the repository that it came from.
    pub from: String,
}

/// What is remembered of all, by `name.arch`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    known: BTreeMap<String, Known>,
}

fn file(persist: &Path) -> PathBuf {
    persist.join("packages.json")
}

fn key(nevra: &Nevra) -> String {
    format!("{}.{}", nevra.name, nevra.arch)
}

impl Reasons {
    /// Reads them; none are known where there is no file.
    pub fn load(persist: &Path) -> std::io::Result<Reasons> {
        let bytes = match fs_err::read(file(persist)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Reasons::default()),
            bytes => bytes?,
        };
        let wrong = |error| std::io::Error::other(format!("`{}`: {error}", file(persist).display()));
        Ok(Reasons { known: serde_json::from_slice(&bytes).map_err(wrong)? })
    }

    /// Writes them in one step.
    pub fn save(&self, persist: &Path) -> std::io::Result<()> {
        replace(&file(persist), &serde_json::to_vec_pretty(&self.known)?)
    }

    /// What is known of a package.
    pub fn of(&self, nevra: &Nevra) -> Option<&Known> {
        self.known.get(&key(nevra))
    }

    /// Whether a package of that name is there for a group.
    pub fn is_of_group(&self, name: &str) -> bool {
        let is_it = |key: &String| key.rsplit_once('.').is_some_and(|(known, _)| known == name);
        self.known.iter().any(|(key, known)| known.reason == Reason::Group && is_it(key))
    }

    /// Remembers a package.
    pub fn set(&mut self, nevra: &Nevra, known: Known) {
        self.known.insert(key(nevra), known);
    }

    /// Forgets a package.
    pub fn remove(&mut self, nevra: &Nevra) {
        self.known.remove(&key(nevra));
    }
}

/// Writes a file so that there is the old one or the new one, whatever happens.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let new = file.with_extension("new");
    let mut out = fs_err::File::create(&new)?;
    std::io::Write::write_all(&mut out, bytes)?;
    out.sync_all()?;
    fs_err::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_what_is_remembered_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let nevra = Nevra::parse("bash-5.2-1.x86_64").unwrap();
        let mut reasons = Reasons::load(folder.path()).unwrap();
        assert_eq!(reasons.of(&nevra), None);
        reasons.set(&nevra, Known { reason: Reason::WeakDependency, from: "base".to_owned() });
        reasons.save(folder.path()).unwrap();
        assert_eq!(Reasons::load(folder.path()).unwrap(), reasons);
        fs_err::write(file(folder.path()), "{").unwrap();
        assert!(Reasons::load(folder.path()).unwrap_err().to_string().contains("packages.json"));
    }
}
