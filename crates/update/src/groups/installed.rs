use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use repodata::comps::{self, Comps, PackageKind};

use super::{Change, State};
use crate::reasons::{Reason, Reasons, replace};

/// A kind of package in a group, which is installed with it or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the words are those of comps")]
pub enum Kind {
    Mandatory,
    Default,
    Optional,
    Conditional,
}

impl Kind {
    /// The kinds that are installed if nobody says otherwise.
    pub const USUAL: [Kind; 3] = [Kind::Mandatory, Kind::Default, Kind::Conditional];

    /// The kind of a package of comps.
    pub fn of(kind: &PackageKind) -> Kind {
        match kind {
            PackageKind::Mandatory => Kind::Mandatory,
            PackageKind::Default => Kind::Default,
            PackageKind::Optional => Kind::Optional,
            PackageKind::Conditional(_) => Kind::Conditional,
        }
    }
}

/// A group that is installed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Group {
    /// Asked for, or part of an environment (`Dependency`).
    pub reason: Reason,
    /// The kinds of packages that were installed.
    pub kinds: BTreeSet<Kind>,
    /// The packages that came with it.
    pub packages: BTreeSet<String>,
    /// Its description of that time: comps with one group.
    pub definition: String,
}

/// An environment that is installed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Environment {
    /// The groups that came with it.
    pub groups: BTreeSet<String>,
    /// Its description of that time: comps with one environment.
    pub definition: String,
}

impl Group {
    /// Its description of the time when it was installed.
    pub fn description(&self) -> Option<comps::Group> {
        Comps::read(self.definition.as_bytes()).ok()?.groups.into_iter().next()
    }
}

impl Environment {
    /// Its description of the time when it was installed.
    pub fn description(&self) -> Option<comps::Environment> {
        Comps::read(self.definition.as_bytes()).ok()?.environments.into_iter().next()
    }
}

/// What is installed of groups and environments, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InstalledGroups {
    /// Groups.
    #[serde(default)]
    pub groups: BTreeMap<String, Group>,
    /// Environments.
    #[serde(default)]
    pub environments: BTreeMap<String, Environment>,
}

pub(super) fn file(persist: &Path) -> PathBuf {
    persist.join("groups.json")
}

impl InstalledGroups {
    /// Reads them; there are none where there is no file.
    ///
    /// # Errors
    /// The message names the file.
    pub fn load(persist: &Path) -> std::io::Result<InstalledGroups> {
        let bytes = match fs_err::read(file(persist)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(InstalledGroups::default()),
            bytes => bytes?,
        };
        let wrong = |error| std::io::Error::other(format!("`{}`: {error}", file(persist).display()));
        serde_json::from_slice(&bytes).map_err(wrong)
    }

    /// Writes them in one step.
    ///
    /// # Errors
    /// The message names the file.
    pub fn save(&self, persist: &Path) -> std::io::Result<()> {
        replace(&file(persist), &serde_json::to_vec_pretty(self)?)
    }

    /// Makes changes. Packages that are there for groups now belong to each group that lists them.
    pub fn apply(&mut self, changes: &mut [Change], reasons: &Reasons) {
        for change in changes {
            if let Some(State::Group(group)) = &mut change.after {
                let listed = group.description().map(|group| group.packages).unwrap_or_default();
                let listed = listed.into_iter().filter(|package| group.kinds.contains(&Kind::of(&package.kind)));
                let came = listed.map(|package| package.name).filter(|name| reasons.is_of_group(name));
                group.packages.extend(came.collect::<Vec<_>>());
            }
            match (&change.before, &change.after) {
                (_, Some(State::Group(group))) => drop(self.groups.insert(change.id.clone(), group.clone())),
                (_, Some(State::Environment(one))) => drop(self.environments.insert(change.id.clone(), one.clone())),
                (Some(State::Group(_)), None) => drop(self.groups.remove(&change.id)),
                (Some(State::Environment(_)), None) => drop(self.environments.remove(&change.id)),
                (None, None) => {}
            }
        }
    }

    pub(super) fn state(&self, id: &str, is_environment: bool) -> Option<State> {
        match is_environment {
            true => self.environments.get(id).cloned().map(State::Environment),
            false => self.groups.get(id).cloned().map(State::Group),
        }
    }
}
