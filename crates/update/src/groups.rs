//! Groups and environments of packages (comps): what repositories have, what was installed, and how it changes.
//!
//! What was installed is kept in `PERSISTDIR/groups.json`: of each group why it is there, which packages came with it, and
//! its description of that time, so that an upgrade knows what is new in it. Source of the rules: libdnf5, `goal.cpp`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use repodata::comps::{self, PackageKind};

pub use repodata::comps::Comps;

use crate::query::glob::Glob;
use crate::reasons::{Reason, Reasons, replace};
use crate::sack::SackError;
use crate::{Machine, Synced};

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

/// A group or an environment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variants say it")]
pub enum State {
    Group(Group),
    Environment(Environment),
}

/// A group or an environment that comes, goes or becomes another.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// What it was; none where it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<State>,
    /// What it is; none where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<State>,
}

impl Change {
    /// Whether it is one of an environment.
    pub fn is_environment(&self) -> bool {
        let state = self.after.as_ref().or(self.before.as_ref());
        matches!(state, Some(State::Environment(_)))
    }

    /// Whether nothing is another afterwards.
    pub fn is_nothing(&self) -> bool {
        self.before == self.after
    }

    /// In dnf5's words.
    pub fn action(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "Install",
            (Some(_), None) => "Remove",
            (Some(_), Some(_)) => "Upgrade",
        }
    }

    /// What takes it back.
    pub fn reversed(&self) -> Change {
        Change { id: self.id.clone(), before: self.after.clone(), after: self.before.clone() }
    }

    /// The name for people.
    pub fn name(&self) -> String {
        let name = match self.after.as_ref().or(self.before.as_ref()) {
            Some(State::Group(group)) => group.description().map(|group| group.label.name),
            Some(State::Environment(environment)) => environment.description().map(|one| one.label.name),
            None => None,
        };
        name.unwrap_or_else(|| self.id.clone())
    }
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

fn file(persist: &Path) -> PathBuf {
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

    fn state(&self, id: &str, is_environment: bool) -> Option<State> {
        match is_environment {
            true => self.environments.get(id).cloned().map(State::Environment),
            false => self.groups.get(id).cloned().map(State::Group),
        }
    }
}

/// All groups and environments of some repositories, with the id of each one's repository; of one that several have the
/// packages and groups are joined, as dnf5 does it.
///
/// # Errors
/// A document that cannot be read.
pub fn load(repositories: &[Synced], machine: &Machine<'_>) -> Result<Available, SackError> {
    let mut all = Available::default();
    for synced in repositories {
        let id = &synced.repository.id;
        let text = match synced.document("group", machine)? {
            Some(text) => text,
            None => match synced.document("group_gz", machine)? {
                Some(text) => text,
                None => continue,
            },
        };
        let wrong = |cause| SackError::Document { id: id.clone(), kind: "group", cause };
        all.add(id, Comps::read(text.as_slice()).map_err(wrong)?);
    }
    all.sort();
    Ok(all)
}

/// What repositories have of groups and environments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Available {
    /// Groups, and where from; in the order in which they are shown.
    pub groups: Vec<(comps::Group, Vec<String>)>,
    /// Environments, and where from.
    pub environments: Vec<(comps::Environment, Vec<String>)>,
}

impl Available {
    /// Adds what one repository has.
    pub fn add(&mut self, repository: &str, comps: Comps) {
        for group in comps.groups {
            match self.groups.iter_mut().find(|(known, _)| known.label.id == group.label.id) {
                None => self.groups.push((group, vec![repository.to_owned()])),
                Some((known, from)) => {
                    let new =
                        group.packages.into_iter().filter(|new| !known.packages.iter().any(|one| one.name == new.name));
                    let new: Vec<_> = new.collect();
                    known.packages.extend(new);
                    from.push(repository.to_owned());
                }
            }
        }
        for environment in comps.environments {
            match self.environments.iter_mut().find(|(known, _)| known.label.id == environment.label.id) {
                None => self.environments.push((environment, vec![repository.to_owned()])),
                Some((known, from)) => {
                    let new: Vec<_> = environment.groups.into_iter().filter(|id| !known.groups.contains(id)).collect();
                    known.groups.extend(new);
                    let has = |id: &String| known.options.iter().any(|(one, _)| one == id);
                    let new: Vec<_> = environment.options.into_iter().filter(|(id, _)| !has(id)).collect();
                    known.options.extend(new);
                    from.push(repository.to_owned());
                }
            }
        }
    }

    fn sort(&mut self) {
        self.groups.sort_by(|(one, _), (other, _)| order(&one.label).cmp(&order(&other.label)));
        self.environments.sort_by(|(one, _), (other, _)| order(&one.label).cmp(&order(&other.label)));
    }

    /// The group of an id.
    pub fn group(&self, id: &str) -> Option<&comps::Group> {
        self.groups.iter().map(|(group, _)| group).find(|group| group.label.id == id)
    }

    /// The environment of an id.
    pub fn environment(&self, id: &str) -> Option<&comps::Environment> {
        self.environments.iter().map(|(one, _)| one).find(|one| one.label.id == id)
    }
}

/// How labels are ordered where they are shown: by their number, those without one last.
pub fn order(label: &comps::Label) -> (u32, &str) {
    (label.display_order.unwrap_or(u32::MAX), &label.id)
}

/// Whether a word means what is labelled so: by id or name, with patterns, in any case.
pub fn means(word: &str, label: &comps::Label) -> bool {
    let glob = Glob::new(word).ignoring_case();
    glob.matches(&label.id) || glob.matches(&label.name) || label.names.iter().any(|(_, name)| glob.matches(name))
}

/// What is to happen to groups. All words are ids, names or patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// To be there.
    pub install: Vec<String>,
    /// To go.
    pub remove: Vec<String>,
    /// To become what repositories have.
    pub upgrade: Vec<String>,
    /// Optional packages and groups come, too.
    pub with_optional: bool,
    /// Packages stay as they are.
    pub no_packages: bool,
    /// Words mean environments only.
    pub environments_only: bool,
}

/// What it comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Groups and environments that change.
    pub changes: Vec<Change>,
    /// Packages to install, by name, with the package that has to be there for it.
    pub install: Vec<(String, Option<String>)>,
    /// Packages to upgrade, by name.
    pub upgrade: Vec<String>,
    /// Packages that came with groups which go, and with no other.
    pub remove: Vec<String>,
    /// What people should know.
    pub notes: Vec<String>,
    /// Words that mean nothing.
    pub unknown: Vec<String>,
}

/// Finds out what happens.
pub fn plan(asked: &Asked, available: &Available, installed: &InstalledGroups) -> Plan {
    let mut planner = Planner { asked, available, installed, plan: Plan::default() };
    planner.remove();
    for word in &asked.install {
        planner.install(word);
    }
    for word in &asked.upgrade {
        planner.upgrade(word);
    }
    planner.plan.changes.retain(|change| !change.is_nothing());
    planner.plan
}

struct Planner<'a> {
    asked: &'a Asked,
    available: &'a Available,
    installed: &'a InstalledGroups,
    plan: Plan,
}

impl Planner<'_> {
    fn kinds(&self) -> BTreeSet<Kind> {
        let optional = self.asked.with_optional.then_some(Kind::Optional);
        Kind::USUAL.into_iter().chain(optional).collect()
    }

    fn change(&mut self, id: &str, after: Option<State>, is_environment: bool) {
        let before = self.installed.state(id, is_environment);
        self.plan.changes.retain(|known| known.id != id || known.is_environment() != is_environment);
        self.plan.changes.push(Change { id: id.to_owned(), before, after });
    }

    fn install(&mut self, word: &str) {
        let available = self.available;
        let groups = available.groups.iter().map(|(group, _)| group).filter(|group| means(word, &group.label));
        let groups: Vec<&comps::Group> = if self.asked.environments_only { Vec::new() } else { groups.collect() };
        if !groups.is_empty() {
            groups.into_iter().for_each(|group| self.install_group(group, Reason::User));
            return;
        }
        let environments = available.environments.iter().map(|(one, _)| one).filter(|one| means(word, &one.label));
        let environments: Vec<&comps::Environment> = environments.collect();
        if environments.is_empty() {
            self.plan.unknown.push(word.to_owned());
        }
        environments.into_iter().for_each(|environment| self.install_environment(environment));
    }

    fn install_group(&mut self, group: &comps::Group, reason: Reason) {
        let (id, kinds) = (&group.label.id, self.kinds());
        let known = self.installed.groups.get(id).cloned();
        let after = match &known {
            Some(known) => {
                if known.reason <= reason {
                    self.plan.notes.push(format!("group `{id}` is already installed"));
                }
                Group { reason: known.reason.min(reason), ..known.clone() }
            }
            None => Group { reason, kinds: kinds.clone(), packages: BTreeSet::new(), definition: alone(group) },
        };
        self.change(id, Some(State::Group(after)), false);
        if !self.asked.no_packages {
            self.packages(group, &kinds, &BTreeSet::new());
        }
    }

    /// Packages of a group that are to be installed, but for those that it had before.
    fn packages(&mut self, group: &comps::Group, kinds: &BTreeSet<Kind>, before: &BTreeSet<String>) {
        for package in group.packages.iter().filter(|package| !before.contains(&package.name)) {
            if !kinds.contains(&Kind::of(&package.kind)) {
                continue;
            }
            let condition = match &package.kind {
                PackageKind::Conditional(other) if !other.is_empty() => Some(other.clone()),
                _ => None,
            };
            let wanted = (package.name.clone(), condition);
            if !self.plan.install.contains(&wanted) {
                self.plan.install.push(wanted);
            }
        }
    }

    fn install_environment(&mut self, environment: &comps::Environment) {
        let id = &environment.label.id;
        if self.installed.environments.contains_key(id) {
            self.plan.notes.push(format!("environment `{id}` is already installed"));
        }
        let with_optional = self.asked.with_optional;
        let options = environment.options.iter().filter(|(_, is_default)| *is_default || with_optional);
        let groups: Vec<String> = environment.groups.iter().chain(options.map(|(id, _)| id)).cloned().collect();
        let mut there = BTreeSet::new();
        for group in &groups {
            match self.available.group(group).cloned() {
                Some(found) => {
                    self.install_group(&found, Reason::Dependency);
                    there.insert(group.clone());
                }
                None => self.plan.notes.push(format!("no match for group `{group}` of environment `{id}`")),
            }
        }
        let comps = Comps { environments: vec![environment.clone()], ..Comps::default() };
        let known = self.installed.environments.get(id).cloned();
        let after = known.unwrap_or_else(|| Environment { groups: there, definition: comps.to_xml() });
        self.change(id, Some(State::Environment(after)), true);
    }

    fn remove(&mut self) {
        let installed = self.installed;
        let mut environments: BTreeSet<&String> = BTreeSet::new();
        let mut groups: BTreeSet<&String> = BTreeSet::new();
        for word in &self.asked.remove {
            let is_group = |(id, group): &(&String, &Group)| match group.description() {
                Some(description) => means(word, &description.label),
                None => Glob::new(word).ignoring_case().matches(id),
            };
            let is_environment = |(id, one): &(&String, &Environment)| match one.description() {
                Some(description) => means(word, &description.label),
                None => Glob::new(word).ignoring_case().matches(id),
            };
            let found: Vec<&String> = match self.asked.environments_only {
                true => Vec::new(),
                false => installed.groups.iter().filter(is_group).map(|(id, _)| id).collect(),
            };
            let others = installed.environments.iter().filter(is_environment).map(|(id, _)| id);
            let others: Vec<&String> = if found.is_empty() { others.collect() } else { Vec::new() };
            if found.is_empty() && others.is_empty() {
                self.plan.notes.push(format!("no groups to remove for argument: {word}"));
            }
            groups.extend(found);
            environments.extend(others);
        }
        for id in &environments {
            for group in &installed.environments[*id].groups {
                let is_elsewhere = installed
                    .environments
                    .iter()
                    .any(|(other, one)| !environments.contains(other) && one.groups.contains(group));
                let came_with_it =
                    installed.groups.get_key_value(group).filter(|(_, known)| known.reason != Reason::User);
                if let Some((group, _)) = came_with_it.filter(|_| !is_elsewhere) {
                    groups.insert(group);
                }
            }
            self.change(id, None, true);
        }
        for id in &groups {
            self.change(id, None, false);
            if self.asked.no_packages {
                continue;
            }
            for package in &installed.groups[*id].packages {
                let is_elsewhere = installed
                    .groups
                    .iter()
                    .any(|(other, one)| !groups.contains(other) && one.packages.contains(package));
                if !is_elsewhere && !self.plan.remove.contains(package) {
                    self.plan.remove.push(package.clone());
                }
            }
        }
    }

    fn upgrade(&mut self, word: &str) {
        let installed = self.installed;
        let fits = |id: &String, label: Option<comps::Label>| match label {
            Some(label) => means(word, &label),
            None => Glob::new(word).ignoring_case().matches(id),
        };
        let groups = installed.groups.iter().filter(|(id, group)| fits(id, group.description().map(|one| one.label)));
        let groups: Vec<&String> =
            if self.asked.environments_only { Vec::new() } else { groups.map(|(id, _)| id).collect() };
        if !groups.is_empty() {
            groups.into_iter().for_each(|id| self.upgrade_group(id));
            return;
        }
        let environments = installed.environments.iter();
        let environments: Vec<&String> = environments
            .filter(|(id, one)| fits(id, one.description().map(|one| one.label)))
            .map(|(id, _)| id)
            .collect();
        if environments.is_empty() {
            self.plan.unknown.push(word.to_owned());
        }
        environments.into_iter().for_each(|id| self.upgrade_environment(id));
    }

    fn upgrade_group(&mut self, id: &str) {
        let (Some(known), Some(group)) = (self.installed.groups.get(id), self.available.group(id).cloned()) else {
            self.plan.notes.push(format!("group `{id}` is not available any more"));
            return;
        };
        let before = known.description().map(|old| old.packages).unwrap_or_default();
        let before: BTreeSet<String> = before.into_iter().map(|package| package.name).collect();
        self.change(id, Some(State::Group(Group { definition: alone(&group), ..known.clone() })), false);
        if !self.asked.no_packages {
            self.packages(&group, &known.kinds, &before);
            self.plan.upgrade.extend(group.packages.into_iter().map(|package| package.name));
        }
    }

    fn upgrade_environment(&mut self, id: &str) {
        let installed = self.installed;
        let (Some(known), Some(new)) = (installed.environments.get(id), self.available.environment(id).cloned()) else {
            self.plan.notes.push(format!("environment `{id}` is not available any more"));
            return;
        };
        let old = known.description().unwrap_or_default();
        let had: BTreeSet<&String> = old.groups.iter().chain(old.options.iter().map(|(id, _)| id)).collect();
        let mut groups = known.groups.clone();
        let options = new.options.iter();
        for (group, is_wanted) in
            new.groups.iter().map(|id| (id, true)).chain(options.map(|(id, wanted)| (id, *wanted)))
        {
            if had.contains(group) {
                if installed.groups.contains_key(group) {
                    self.upgrade_group(group);
                }
            } else if let Some(found) = self.available.group(group).cloned().filter(|_| is_wanted) {
                self.install_group(&found, Reason::Dependency);
                groups.insert(group.clone());
            }
        }
        let comps = Comps { environments: vec![new], ..Comps::default() };
        self.change(id, Some(State::Environment(Environment { groups, definition: comps.to_xml() })), true);
    }
}

fn alone(group: &comps::Group) -> String {
    Comps { groups: vec![group.clone()], ..Comps::default() }.to_xml()
}

#[cfg(test)]
mod tests {
    use pkg::Nevra;
    use repodata::comps::{GroupPackage, Label};

    use super::*;
    use crate::reasons::Known;

    fn group(id: &str, packages: &[(&str, PackageKind)]) -> comps::Group {
        let packages =
            packages.iter().map(|(name, kind)| GroupPackage { name: (*name).to_owned(), kind: kind.clone() });
        let label = Label { id: id.to_owned(), name: format!("Name of {id}"), ..Label::default() };
        comps::Group { label, packages: packages.collect(), ..comps::Group::default() }
    }

    fn available() -> Available {
        let conditional = PackageKind::Conditional("other".to_owned());
        let base = [
            ("app", PackageKind::Mandatory),
            ("tool", PackageKind::Default),
            ("opt", PackageKind::Optional),
            ("cond", conditional),
        ];
        let environment = comps::Environment {
            label: Label { id: "server".to_owned(), name: "Server".to_owned(), ..Label::default() },
            groups: vec!["base".to_owned()],
            options: vec![("more".to_owned(), true), ("rest".to_owned(), false)],
        };
        let groups = vec![group("base", &base), group("more", &[("tool", PackageKind::Mandatory)])];
        let mut all = Available::default();
        all.add("r", Comps { groups, environments: vec![environment], ..Comps::default() });
        all
    }

    fn ask(install: &[&str], remove: &[&str], upgrade: &[&str]) -> Asked {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Asked { install: words(install), remove: words(remove), upgrade: words(upgrade), ..Asked::default() }
    }

    /// Does what is planned: every package comes for its group.
    fn carry_out(asked: &Asked, all: &Available, installed: &mut InstalledGroups, reasons: &mut Reasons) -> Plan {
        let mut plan = plan(asked, all, installed);
        for (name, condition) in &plan.install {
            let nevra = Nevra::parse(&format!("{name}-1-1.noarch")).unwrap();
            if condition.is_none() && reasons.of(&nevra).is_none() {
                reasons.set(&nevra, Known { reason: Reason::Group, from: "r".to_owned() });
            }
        }
        installed.apply(&mut plan.changes, reasons);
        plan
    }

    #[test]
    fn groups_come_and_go_with_their_packages() {
        let (all, mut installed, mut reasons) = (available(), InstalledGroups::default(), Reasons::default());
        let done = carry_out(&ask(&["name of B*"], &[], &[]), &all, &mut installed, &mut reasons);
        let wanted = |name: &str| (name.to_owned(), None);
        assert_eq!(done.install, [wanted("app"), wanted("tool"), ("cond".to_owned(), Some("other".to_owned()))]);
        assert_eq!(installed.groups["base"].packages.iter().collect::<Vec<_>>(), ["app", "tool"]);
        carry_out(&ask(&["more"], &[], &[]), &all, &mut installed, &mut reasons);
        // `tool` belongs to the other group, too, and stays.
        let done = carry_out(&ask(&[], &["base"], &[]), &all, &mut installed, &mut reasons);
        assert_eq!(done.remove, ["app"]);
        assert_eq!(installed.groups.keys().collect::<Vec<_>>(), ["more"]);
        assert_eq!(done.changes[0].reversed().action(), "Install");
        let done = plan(&ask(&["nothing"], &["base"], &["nothing"]), &all, &installed);
        assert_eq!((done.unknown.len(), done.notes.len(), done.changes.len()), (2, 1, 0));
    }

    #[test]
    fn environments_bring_groups_and_take_those_that_nobody_asked_for() {
        let (all, mut installed, mut reasons) = (available(), InstalledGroups::default(), Reasons::default());
        carry_out(&ask(&["more"], &[], &[]), &all, &mut installed, &mut reasons);
        let done = carry_out(&ask(&["server"], &[], &[]), &all, &mut installed, &mut reasons);
        assert_eq!(done.notes, ["group `more` is already installed"]);
        assert_eq!(installed.environments["server"].groups.iter().collect::<Vec<_>>(), ["base", "more"]);
        assert_eq!(installed.groups["base"].reason, Reason::Dependency);
        let done = carry_out(&ask(&[], &["server"], &[]), &all, &mut installed, &mut reasons);
        assert_eq!(done.remove, ["app"]);
        assert_eq!(installed.groups.keys().collect::<Vec<_>>(), ["more"]);
        assert!(installed.environments.is_empty());
    }

    #[test]
    fn an_upgrade_brings_what_is_new_in_a_group() {
        let (mut all, mut installed, mut reasons) = (available(), InstalledGroups::default(), Reasons::default());
        carry_out(&ask(&["base"], &[], &[]), &all, &mut installed, &mut reasons);
        let new = GroupPackage { name: "new".to_owned(), kind: PackageKind::Mandatory };
        all.groups[0].0.packages.push(new);
        let done = carry_out(&ask(&[], &[], &["base"]), &all, &mut installed, &mut reasons);
        assert_eq!(done.install, [("new".to_owned(), None)]);
        assert_eq!(done.changes[0].action(), "Upgrade");
        assert!(installed.groups["base"].packages.contains("new"));
        // Once more there is nothing to do.
        assert!(plan(&ask(&[], &[], &["base"]), &all, &installed).changes.is_empty());
    }

    #[test]
    fn files_what_is_installed_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let (all, mut installed, mut reasons) = (available(), InstalledGroups::default(), Reasons::default());
        carry_out(&ask(&["server"], &[], &[]), &all, &mut installed, &mut reasons);
        installed.save(folder.path()).unwrap();
        assert_eq!(InstalledGroups::load(folder.path()).unwrap(), installed);
        fs_err::write(file(folder.path()), "[").unwrap();
        assert!(InstalledGroups::load(folder.path()).unwrap_err().to_string().contains("groups.json"));
    }
}
