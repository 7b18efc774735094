use std::collections::BTreeSet;

use repodata::comps::{self, Comps, PackageKind};

use super::{Available, Change, Environment, Group, InstalledGroups, Kind, State, means};
use crate::query::glob::Glob;
use crate::reasons::Reason;

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
