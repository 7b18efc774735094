//! The words of a job, and the configuration, as a request to the solver.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use pkg::{Arch, Condition, Nevra, Relation};
use solve::{Allowed, Best, PackageId, Request, Universe, Upgrade};

use super::{Job, ResolveError};
use crate::config::Key;
use crate::query::glob::is_pattern;
use crate::query::spec::{self, Form};
use crate::sack::Visible;
use crate::{Machine, Synced};

/// The words of a job as a request.
pub(super) struct Words<'a> {
    universe: &'a Universe<'a>,
    arch: Arch,
    pub(super) request: Request,
    hidden: BTreeSet<PackageId>,
    pub(super) notes: Vec<String>,
    unknown: Vec<String>,
    absent: Vec<String>,
    skip_unavailable: bool,
}

impl<'a> Words<'a> {
    pub(super) fn new(
        universe: &'a Universe<'a>,
        job: &Job,
        repositories: &[Synced],
        machine: &Machine<'_>,
    ) -> Words<'a> {
        let main = &machine.config.main;
        let arch = machine.config.arch();
        let mut request = Request::new(arch.clone());
        request.weak = main.flag(Key::WeakDeps);
        request.best = if main.flag(Key::Best) { Best::Required } else { Best::Preferred };
        request.vendor_change = if main.flag(Key::Allow) { Allowed::Yes } else { Allowed::No };
        request.erasing = if job.allow_erasing { Allowed::Yes } else { Allowed::No };
        request.locked = job.locked.clone();
        request.several_limit = usize::try_from(main.number(Key::InstallOnlyLimit).max(0)).unwrap_or_default();
        let mut several = BTreeSet::new();
        for word in main.list(Key::InstallOnly) {
            let providers = Relation::parse(&word).map(|relation| universe.providers(&relation)).unwrap_or_default();
            several.extend(providers.into_iter().map(|id| universe.name(id).to_owned()));
        }
        request.several = several.into_iter().collect();
        let protected = main.list(Key::Protected).into_iter();
        request.protected = protected.filter(|word| !is_pattern(word)).map(Relation::any).collect();
        let hidden = hidden(universe, repositories);
        request.hidden.clone_from(&hidden);
        Words {
            universe,
            arch,
            request,
            hidden,
            notes: Vec::new(),
            unknown: Vec::new(),
            absent: Vec::new(),
            skip_unavailable: job.skip_unavailable || main.flag(Key::SkipUnavailable),
        }
    }

    pub(super) fn read(&mut self, job: &Job) -> Result<(), ResolveError> {
        job.install.iter().for_each(|word| self.install(word));
        let files: HashSet<String> = job.files.iter().map(|(path, _)| path.display().to_string()).collect();
        for (_, package) in &job.files {
            let evr = package.nevra.evr.clone();
            self.request.install.push(Relation::new(&package.nevra.name, Condition::Equal, evr));
            // The files themselves, and no package of a repository that is equal in name.
            let others = self.universe.named(&package.nevra.name).into_iter();
            let is_other = |id: &PackageId| !self.universe.is_installed(*id) && !files.contains(self.universe.key(*id));
            self.request.hidden.extend(others.filter(is_other));
        }
        job.remove.iter().for_each(|word| self.remove(word));
        for relation in &job.capabilities {
            let is_known = relation.is_rich()
                || relation.name.starts_with('/')
                || self.universe.providers(relation).iter().any(|id| !self.hidden.contains(id));
            match is_known {
                true => self.request.install.push(relation.clone()),
                false => self.unknown.push(relation.to_string()),
            }
        }
        for (name, condition) in &job.groups.install {
            self.install_for_group(name, condition.as_deref());
        }
        let mut upgrade = self.replaceable(&job.upgrade);
        upgrade.extend(job.groups.upgrade.iter().filter(|name| self.is_there(name)).cloned());
        let sync = self.replaceable(&job.sync);
        self.request.upgrade = match (job.upgrade_all, &mut self.request.upgrade) {
            (true, _) => Upgrade::All,
            (false, Upgrade::Named(names)) => Upgrade::Named(names.drain(..).chain(upgrade).collect()),
            (false, _) if upgrade.is_empty() => Upgrade::AsNeeded,
            (false, _) => Upgrade::Named(upgrade),
        };
        self.request.sync = match (job.sync_all, sync.is_empty()) {
            (true, _) => Upgrade::All,
            (false, true) => Upgrade::AsNeeded,
            (false, false) => Upgrade::Named(sync),
        };
        for word in &job.downgrade {
            let relations = self.other_version(word);
            self.request.downgrade.extend(relations);
        }
        for name in self.replaceable(&job.reinstall) {
            self.request.reinstall.push(Relation::any(name));
        }
        let wanted: BTreeSet<&Nevra> =
            job.exact.iter().filter(|(_, reason)| reason.is_some()).map(|(nevra, _)| nevra).collect();
        for (nevra, reason) in &job.exact {
            self.exact(nevra, reason.is_some(), &wanted);
        }
        self.request.autoremove = match (job.autoremove, job.freed) {
            (true, _) => solve::Autoremove::All,
            (false, true) => solve::Autoremove::Freed,
            (false, false) => solve::Autoremove::None,
        };
        if !self.unknown.is_empty() && !self.skip_unavailable {
            return Err(ResolveError::Unknown(std::mem::take(&mut self.unknown)));
        }
        if !self.absent.is_empty() && !self.skip_unavailable {
            return Err(ResolveError::NotInstalled(std::mem::take(&mut self.absent)));
        }
        for word in self.unknown.iter().chain(&self.absent) {
            self.notes.push(format!("no match for argument: {word}"));
        }
        Ok(())
    }

    /// The packages that a form means, of those that may be used.
    fn find(&self, form: &Form, installed: Option<bool>) -> Vec<PackageId> {
        let universe = self.universe;
        let fits = |id: &PackageId| {
            let nevra = universe.nevra(*id);
            form.matches(&nevra, false)
                && installed.is_none_or(|wanted| wanted == universe.is_installed(*id))
                && (universe.is_installed(*id) || (nevra.arch.runs_on(&self.arch) && !self.hidden.contains(id)))
        };
        if is_pattern(&form.name) {
            universe.ids().filter(fits).collect()
        } else {
            universe.named(&form.name).into_iter().filter(fits).collect()
        }
    }

    fn install(&mut self, word: &str) {
        for form in spec::forms(word) {
            let found = self.find(&form, None);
            if found.is_empty() {
                continue;
            }
            let mut by_name: BTreeMap<String, Vec<PackageId>> = BTreeMap::new();
            for id in found {
                by_name.entry(self.universe.name(id).to_owned()).or_default().push(id);
            }
            for (name, ids) in by_name {
                self.install_one(&name, &ids, &form, word);
            }
            return;
        }
        let relation = Relation::parse(word).ok();
        let provided = relation.filter(|relation| {
            relation.is_rich() || relation.name.starts_with('/') || !self.universe.providers(relation).is_empty()
        });
        match provided {
            Some(relation) => self.request.install.push(relation),
            None => self.unknown.push(word.to_owned()),
        }
    }

    fn is_there(&self, name: &str) -> bool {
        self.universe.named(name).iter().any(|id| self.universe.is_installed(*id))
    }

    /// A package of a group, by its name alone; one that there is not is no error.
    fn install_for_group(&mut self, name: &str, condition: Option<&str>) {
        let form = |name: &str| Form { name: name.to_owned(), epoch: None, version: None, release: None, arch: None };
        let found = self.find(&form(name), None);
        match condition {
            _ if found.is_empty() => self.notes.push(format!("no match for argument: {name}")),
            None => self.install_one(name, &found, &form(name), name),
            Some(other) if self.find(&form(other), None).is_empty() => {}
            Some(other) => self.request.install.extend(Relation::parse(&format!("({name} if {other})"))),
        }
    }

    fn install_one(&mut self, name: &str, ids: &[PackageId], form: &Form, word: &str) {
        let universe = self.universe;
        let newest = ids.iter().map(|id| universe.nevra(*id).evr).max();
        let relation = match (&form.version, newest) {
            (Some(_), Some(evr)) => Relation::new(name, Condition::Equal, evr),
            _ => Relation::any(name),
        };
        if form.arch.is_some() {
            // The others of that name are not what was asked for.
            let others = universe.named(name).into_iter().filter(|id| !ids.contains(id) && !universe.is_installed(*id));
            self.request.hidden.extend(others);
        }
        let there = ids.iter().find(|id| universe.is_installed(**id));
        let is_newest = there.is_some_and(|there| {
            let own = universe.nevra(*there);
            ids.iter().all(|id| universe.nevra(*id).evr <= own.evr)
        });
        if let (Some(there), true) = (there, is_newest) {
            self.notes.push(format!("package `{}` is already installed ({word})", universe.nevra(*there)));
        }
        if form.version.is_none() {
            match &mut self.request.upgrade {
                Upgrade::Named(names) => names.push(name.to_owned()),
                other => *other = Upgrade::Named(vec![name.to_owned()]),
            }
        }
        self.request.install.push(relation);
    }

    fn remove(&mut self, word: &str) {
        let forms = spec::forms(word);
        let mut found = forms.iter().map(|form| self.find(form, Some(true))).find(|found| !found.is_empty());
        if found.is_none() {
            let providers =
                Relation::parse(word).map(|relation| self.universe.providers(&relation)).unwrap_or_default();
            let installed: Vec<PackageId> =
                providers.into_iter().filter(|id| self.universe.is_installed(*id)).collect();
            found = (!installed.is_empty()).then_some(installed);
        }
        let Some(found) = found else {
            self.notes.push(format!("no packages to remove for argument: {word}"));
            return;
        };
        for id in found {
            let nevra = self.universe.nevra(id);
            self.request.erase.push(Relation::new(nevra.name, Condition::Equal, nevra.evr));
        }
    }

    /// The names of installed packages that words mean.
    fn replaceable(&mut self, words: &[String]) -> Vec<String> {
        let mut names = BTreeSet::new();
        for word in words {
            let forms = spec::forms(word);
            let found = forms.iter().map(|form| self.find(form, None)).find(|found| !found.is_empty());
            let Some(found) = found else {
                self.unknown.push(word.clone());
                continue;
            };
            let before = names.len();
            for id in found {
                let name = self.universe.name(id);
                if self.universe.named(name).iter().any(|id| self.universe.is_installed(*id)) {
                    names.insert(name.to_owned());
                }
            }
            if names.len() == before {
                self.absent.push(word.clone());
            }
        }
        names.into_iter().collect()
    }

    /// What a word of `downgrade` asks for: any older version of what is installed, or the one that it names.
    fn other_version(&mut self, word: &str) -> Vec<Relation> {
        for form in spec::forms(word) {
            let found = self.find(&form, Some(false));
            if form.version.is_some() && !found.is_empty() {
                let newest =
                    found.into_iter().map(|id| self.universe.nevra(id)).max_by(|one, other| one.evr.cmp(&other.evr));
                return newest
                    .map(|nevra| Relation::new(nevra.name, Condition::Equal, nevra.evr))
                    .into_iter()
                    .collect();
            }
            if form.version.is_none() && !self.find(&form, None).is_empty() {
                break;
            }
        }
        self.replaceable(&[word.to_owned()]).into_iter().map(Relation::any).collect()
    }

    /// A very package, there or not.
    fn exact(&mut self, nevra: &Nevra, there: bool, wanted: &BTreeSet<&Nevra>) {
        let universe = self.universe;
        let is = |id: &PackageId| universe.nevra(*id) == *nevra;
        let same: Vec<PackageId> = universe.named(&nevra.name).into_iter().filter(is).collect();
        let relation = Relation::new(&nevra.name, Condition::Equal, nevra.evr.clone());
        match (there, same.is_empty()) {
            (true, true) => self.unknown.push(nevra.to_string()),
            (true, false) => {
                // An older version takes the place of a newer one only where it is the only one to be seen.
                let others = universe.named(&nevra.name).into_iter();
                let is_wanted = |id: &PackageId| wanted.contains(&universe.nevra(*id));
                self.request.hidden.extend(others.filter(|id| !is_wanted(id) && !universe.is_installed(*id)));
                let is_newer = |id: &PackageId| universe.is_installed(*id) && universe.nevra(*id).evr > nevra.evr;
                let is_downgrade = universe.named(&nevra.name).iter().any(is_newer);
                if is_downgrade && !same.iter().any(|id| universe.is_installed(*id)) {
                    self.request.downgrade.push(relation.clone());
                }
                self.request.install.push(relation);
            }
            (false, _) => {
                let installed = same.iter().any(|id| universe.is_installed(*id));
                if installed {
                    self.request.erase.push(relation);
                }
            }
        }
    }
}

/// The packages that the configuration excludes.
fn hidden(universe: &Universe<'_>, repositories: &[Synced]) -> BTreeSet<PackageId> {
    let visible: Vec<Visible> = repositories.iter().map(Visible::of).collect();
    if visible.iter().all(Visible::is_all) {
        return BTreeSet::new();
    }
    let is_hidden = |id: &PackageId| {
        let Some(index) = universe.source(*id).and_then(|source| source.name.parse::<usize>().ok()) else {
            return false;
        };
        let nevra = universe.nevra(*id);
        !visible[index].shows_nevra(&nevra)
    };
    universe.ids().filter(is_hidden).collect()
}
