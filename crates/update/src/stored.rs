//! A transaction in a folder: `transaction.json`, as dnf5 writes it (version 1.0), alone or with its packages beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pkg::Nevra;
use serde::{Deserialize, Serialize};

use crate::Installed;
use crate::groups;
use crate::history::{Action, Change};
use crate::query::matching::Offers;
use crate::reasons::{Reason, Reasons};
use crate::resolve::{FileError, Incoming, Outcome, Outgoing, Package, Step, package_of_file};

/// The file in a stored transaction's folder.
pub const FILE: &str = "transaction.json";

/// Why a stored transaction cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// What the file says.
    #[error("`{}`: {problem}", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A package beside it.
    #[error(transparent)]
    Package(#[from] FileError),
    /// A file; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A transaction as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Packages that come and go.
    #[serde(default)]
    pub rpms: Vec<StoredPackage>,
    /// Groups that come and go.
    #[serde(default)]
    pub groups: Vec<StoredGroup>,
    /// Environments that come and go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<StoredGroup>,
    version: String,
}

/// A package in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPackage {
    /// `name-[epoch:]version-release.arch`.
    pub nevra: String,
    /// In dnf5's words.
    pub action: String,
    /// In dnf5's words.
    pub reason: String,
    /// The repository; `@System` for what goes.
    #[serde(default)]
    pub repo_id: String,
    /// The package's file, below the folder; none where a repository has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_path: Option<String>,
}

/// A group or an environment in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredGroup {
    /// Its id.
    #[serde(alias = "group_id", alias = "environment_id")]
    pub id: String,
    /// In dnf5's words.
    pub action: String,
    #[serde(default)]
    repo_id: String,
}

/// A package in it, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which.
    pub nevra: Nevra,
    /// What happens to it.
    pub action: Action,
    /// Why it is, or was, there.
    pub reason: Reason,
    /// Where it comes from.
    pub repository: String,
    /// Its file, where it is stored as well.
    pub file: Option<PathBuf>,
}

const ACTIONS: [Action; 7] = [
    Action::Install,
    Action::Upgrade,
    Action::Downgrade,
    Action::Reinstall,
    Action::Remove,
    Action::Replaced,
    Action::ReasonChange,
];

const REASONS: [Reason; 5] =
    [Reason::User, Reason::Dependency, Reason::WeakDependency, Reason::Group, Reason::External];

impl Stored {
    /// The changes of a transaction.
    pub fn of(changes: &[Change], groups: &[groups::Change]) -> Stored {
        let rpms = changes.iter().map(|change| StoredPackage {
            nevra: change.package.clone(),
            action: change.action.as_str().to_owned(),
            reason: change.reason.as_str().to_owned(),
            repo_id: if change.action.comes() { change.repository.clone() } else { "@System".to_owned() },
            package_path: None,
        });
        let of = |is_environment: bool| {
            let changes = groups.iter().filter(move |change| change.is_environment() == is_environment);
            let stored = changes.map(|change| StoredGroup {
                id: change.id.clone(),
                action: change.action().to_owned(),
                repo_id: String::new(),
            });
            stored.collect()
        };
        Stored { rpms: rpms.collect(), groups: of(false), environments: of(true), version: "1.0".to_owned() }
    }

    /// Reads the text of the file `file`, whose name is for messages.
    ///
    /// # Errors
    /// [`StoredError::Wrong`].
    pub fn parse(text: &[u8], file: &Path) -> Result<Stored, StoredError> {
        let wrong = |problem: String| StoredError::Wrong { file: file.to_owned(), problem };
        let stored: Stored = serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
        if stored.version.split('.').next() != Some("1") {
            return Err(wrong(format!("it is of version {}, and 1.0 is known", stored.version)));
        }
        Ok(stored)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// None that is known of.
    pub fn to_text(&self) -> std::io::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The packages of a transaction that is in the file `file`.
    ///
    /// # Errors
    /// [`StoredError::Wrong`].
    pub fn items(&self, file: &Path) -> Result<Vec<Item>, StoredError> {
        let wrong = |problem: String| StoredError::Wrong { file: file.to_owned(), problem };
        let folder = file.parent().unwrap_or(Path::new("."));
        let item = |package: &StoredPackage| {
            let nevra = package.nevra.parse().map_err(|error: pkg::NevraError| wrong(error.to_string()))?;
            let action = ACTIONS.into_iter().find(|action| action.as_str() == package.action);
            let action = action.ok_or_else(|| wrong(format!("`{}` is no action", package.action)))?;
            let reason = REASONS.into_iter().find(|reason| reason.as_str() == package.reason);
            let path = package.package_path.as_deref();
            if let Some(path) = path.filter(|path| path.starts_with('/') || path.split('/').any(|part| part == "..")) {
                return Err(wrong(format!("`{path}` is not below its folder")));
            }
            Ok(Item {
                nevra,
                action,
                reason: reason.unwrap_or(Reason::External),
                repository: package.repo_id.clone(),
                file: path.map(|path| folder.join(path.trim_start_matches("./"))),
            })
        };
        self.rpms.iter().map(item).collect()
    }
}

/// In which way what is installed is not what a transaction was made for.
pub fn differences(items: &[Item], installed: &[Installed]) -> Vec<String> {
    let installed: BTreeSet<&Nevra> = installed.iter().map(|one| &one.package.nevra).collect();
    let difference = |item: &Item| match item.action {
        Action::Install | Action::Upgrade | Action::Downgrade if installed.contains(&item.nevra) => {
            Some(format!("`{}` is installed already", item.nevra))
        }
        Action::Remove | Action::Replaced | Action::Reinstall if !installed.contains(&item.nevra) => {
            Some(format!("`{}` is not installed", item.nevra))
        }
        _ => None,
    };
    items.iter().filter_map(difference).collect()
}

/// What a transaction comes to whose packages are all stored, where the very packages are installed that it was made for.
/// Nothing is solved again: it is what somebody agreed to.
///
/// # Errors
/// A package that is not stored, or not what it is called.
pub fn outcome(
    items: &[Item],
    groups: &[groups::Change],
    installed: &[Installed],
    reasons: &Reasons,
    file: &Path,
) -> Result<Outcome, StoredError> {
    let wrong = |problem: String| StoredError::Wrong { file: file.to_owned(), problem };
    let outgoing = |nevra: &Nevra| Outgoing {
        nevra: nevra.clone(),
        repository: reasons.of(nevra).map(|known| known.from.clone()).unwrap_or_default(),
        installed_size: installed
            .iter()
            .find(|one| one.package.nevra == *nevra)
            .map_or(0, |one| one.package.sizes.installed),
    };
    let is_going = |nevra: &Nevra| items.iter().any(|item| item.nevra == *nevra && !item.action.comes());
    let mut steps: Vec<(Step, Option<Package>)> = Vec::new();
    for item in items.iter().filter(|item| item.action.comes()) {
        let path = item.file.as_ref().ok_or_else(|| wrong(format!("the package `{}` is not stored", item.nevra)))?;
        let package = package_of_file(path)?;
        if package.nevra != item.nevra {
            return Err(wrong(format!("`{}` is {}, not {}", path.display(), package.nevra, item.nevra)));
        }
        let stays = |one: &&Installed| one.package.nevra.name == item.nevra.name && !is_going(&one.package.nevra);
        let new = Incoming {
            nevra: item.nevra.clone(),
            repository: item.repository.clone(),
            from: None,
            location: path.display().to_string(),
            checksum: String::new(),
            size: package.sizes.package,
            installed_size: package.sizes.installed,
        };
        let old = if item.action == Action::Reinstall { vec![outgoing(&item.nevra)] } else { Vec::new() };
        let beside = item.action == Action::Install && installed.iter().any(|one| stays(&one));
        let step = Step { action: item.action, new: Some(new), old, reason: item.reason, unneeded: false, beside };
        steps.push((step, Some(package)));
    }
    for item in items.iter().filter(|item| matches!(item.action, Action::Remove | Action::Replaced)) {
        let old = outgoing(&item.nevra);
        if item.action == Action::Replaced {
            let step = taker(&steps, &item.nevra, installed).and_then(|index| steps.get_mut(index));
            let step = step.ok_or_else(|| wrong(format!("nothing takes the place of `{}`", item.nevra)))?;
            step.0.old.push(old);
            continue;
        }
        let (reason, unneeded) = (item.reason, item.reason.is_removable());
        steps.push((Step { action: Action::Remove, new: None, old: vec![old], reason, unneeded, beside: false }, None));
    }
    let reasons = items.iter().filter(|item| item.action == Action::ReasonChange);
    Ok(Outcome {
        steps: steps.into_iter().map(|(step, _)| step).collect(),
        notes: Vec::new(),
        reasons: reasons.map(|item| (item.nevra.clone(), item.reason)).collect(),
        groups: groups.to_vec(),
    })
}

/// The step whose package takes the place of an installed one: of the same name, else one that obsoletes it.
fn taker(steps: &[(Step, Option<Package>)], old: &Nevra, installed: &[Installed]) -> Option<usize> {
    let fits = |fit: &dyn Fn(&Nevra, &Package) -> bool| {
        steps.iter().position(|(step, package)| match (&step.new, package) {
            (Some(new), Some(package)) => fit(&new.nevra, package),
            _ => false,
        })
    };
    let package = installed.iter().map(|one| &one.package).find(|package| package.nevra == *old);
    fits(&|new, _| new.name == old.name && new.arch == old.arch)
        .or_else(|| fits(&|new, _| new.name == old.name))
        .or_else(|| {
            let offers = Offers::new([package?]);
            fits(&|_, new| new.obsoletes.iter().any(|obsolete| obsolete.name == old.name && offers.satisfy(obsolete)))
        })
}
