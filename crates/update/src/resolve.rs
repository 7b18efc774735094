//! What a job does to a machine: words and configuration in, changes out. The only module that talks to the solver.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use host::FileBytes;
use pkg::{Arch, Condition, Digest, Nevra, Relation};
use repodata::Checksum;

pub use repodata::Package;

use solve::{
    Allowed, Because, Best, Identity, Kind, PackageId, Paths, Request, Solution, Source, Table, TableBuilder, Universe,
    Unsolvable, Upgrade,
};

use crate::config::Key;
use crate::groups;
use crate::query::glob::is_pattern;
use crate::query::matching::Offers;
use crate::query::spec::{self, Form};
use crate::reasons::{Reason, Reasons};
use crate::sack::Visible;
use crate::{Installed, Machine, SyncError, Synced};

/// What is to be done. Nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// Words: packages to be there.
    pub install: Vec<String>,
    /// Capabilities that have to be there, whoever provides them.
    pub capabilities: Vec<Relation>,
    /// Words: packages to go.
    pub remove: Vec<String>,
    /// Words: packages to become newer; `upgrade_all` for all.
    pub upgrade: Vec<String>,
    /// All packages become newer.
    pub upgrade_all: bool,
    /// Words: packages to become older.
    pub downgrade: Vec<String>,
    /// Words: packages to be installed again.
    pub reinstall: Vec<String>,
    /// Words: packages to become what the repositories have; `sync_all` for all.
    pub sync: Vec<String>,
    /// All packages become what the repositories have.
    pub sync_all: bool,
    /// What nothing needs goes.
    pub autoremove: bool,
    /// Package files: installed, and seen beside the repositories.
    pub files: Vec<(PathBuf, Package)>,
    /// Very packages that have to be there, with the reason, or that must not, as undoing wants it.
    pub exact: Vec<(Nevra, Option<Reason>)>,
    /// Nothing else than these very packages comes or goes.
    pub exactly: bool,
    /// Installed packages may go to make room.
    pub allow_erasing: bool,
    /// What was needed before and is not any more goes, too.
    pub freed: bool,
    /// Leave out what cannot be installed.
    pub skip_broken: bool,
    /// Leave out what there is not.
    pub skip_unavailable: bool,
    /// Names and versions that stay as they are.
    pub locked: Vec<Relation>,
    /// What happens to groups, and to packages for them.
    pub groups: groups::Plan,
}

/// What a job comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What happens, in order of name.
    pub steps: Vec<Step>,
    /// What people should know: words that mean what is there already, and the like.
    pub notes: Vec<String>,
    /// Installed packages that are there for another reason from now on.
    pub reasons: Vec<(Nevra, Reason)>,
    /// Groups and environments that come, go, or become others.
    pub groups: Vec<groups::Change>,
}

impl Outcome {
    /// Whether nothing happens.
    pub fn is_nothing(&self) -> bool {
        self.steps.is_empty() && self.reasons.is_empty() && self.groups.is_empty()
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How.
    pub action: crate::history::Action,
    /// What comes; none where something goes.
    pub new: Option<Incoming>,
    /// What goes: the package itself, or what it takes the place of.
    pub old: Vec<Outgoing>,
    /// Why it is, or was, there.
    pub reason: Reason,
    /// Nothing needs it any more, rather than that somebody wants it gone.
    pub unneeded: bool,
    /// It comes beside another version, which stays.
    pub beside: bool,
}

/// A package that comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// What.
    pub nevra: Nevra,
    /// The repository's id; `@commandline` for files.
    pub repository: String,
    /// The repository's place among those that were given; none for files.
    pub from: Option<usize>,
    /// The file below the repository's base, or the file itself.
    pub location: String,
    /// Of the file.
    pub checksum: String,
    /// Bytes of the file.
    pub size: u64,
    /// Bytes of what it installs.
    pub installed_size: u64,
}

/// A package that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What.
    pub nevra: Nevra,
    /// The id of the repository that it came from.
    pub repository: String,
    /// Bytes that it installed.
    pub installed_size: u64,
}

/// Why a job comes to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Words that mean no package.
    #[error("{}", unknown_words(.0))]
    Unknown(Vec<String>),
    /// Words that mean packages which are not installed.
    #[error("{}", not_installed(.0))]
    NotInstalled(Vec<String>),
    /// More would happen than was asked for.
    #[error("{}", extra_packages(.0))]
    Extra(Vec<String>),
    /// No set of packages does it.
    #[error("{0}")]
    Unsolvable(Unsolvable),
    /// Too many packages.
    #[error("the repositories together are too large: {0}")]
    Table(#[from] solve::TableError),
    /// A repository.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// A document of a repository.
    #[error("`{kind}` of the repository `{id}`: {cause}")]
    Document {
        /// The repository.
        id: String,
        /// Which document.
        kind: &'static str,
        /// What is wrong with it.
        cause: repodata::ReadError,
    },
}

fn unknown_words(words: &[String]) -> String {
    words.iter().map(|word| format!("no match for argument: {word}")).collect::<Vec<_>>().join("\n")
}

fn extra_packages(packages: &[String]) -> String {
    let line = |package: &String| format!("`{package}` would change too, and is not in the stored transaction");
    packages.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn not_installed(words: &[String]) -> String {
    let line = |word: &String| format!("packages for argument `{word}` are available, but not installed");
    words.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Finds out what a job does.
pub fn resolve(
    job: &Job,
    installed: &[Installed],
    repositories: &[Synced],
    reasons: &Reasons,
    machine: &Machine<'_>,
) -> Result<Outcome, ResolveError> {
    if !job.groups.remove.is_empty() {
        let (job, needed) = without_groups(job, installed, repositories, reasons, machine)?;
        let mut outcome = resolve(&job, installed, repositories, reasons, machine)?;
        outcome.reasons.extend(needed.into_iter().map(|nevra| (nevra, Reason::Dependency)));
        return Ok(outcome);
    }
    let caches: Vec<Option<FileBytes>> = repositories.iter().map(cached).collect();
    let mut universe = universe(job, installed, &caches, repositories, reasons, machine)?;
    let mut words = Words::new(&universe, job, repositories, machine);
    words.read(job)?;
    let Words { mut request, notes, .. } = words;
    if job.skip_broken || machine.config.main.flag(Key::SkipBroken) {
        request.optional.append(&mut request.install);
    }
    // Paths that only filelists tell are looked up when the solver comes across them.
    let mut solution = None;
    for _ in 0..PATH_ROUNDS {
        match solve::answer(&universe, &request).map_err(ResolveError::Unsolvable)? {
            solve::Answer::Solution(found) => {
                solution = Some(found);
                break;
            }
            solve::Answer::Paths(paths) => {
                let owners = owners(&universe, &paths, repositories, machine)?;
                universe.add_paths(&paths, owners);
            }
        }
    }
    let solution = match solution {
        Some(solution) => solution,
        None => solve::resolve(&universe, &request).map_err(ResolveError::Unsolvable)?,
    };
    let mut steps = steps(&universe, &solution, repositories, reasons);
    for (nevra, reason) in &job.exact {
        let step = steps.iter_mut().find(|step| step.new.as_ref().is_some_and(|new| new.nevra == *nevra));
        if let (Some(step), Some(reason)) = (step, reason) {
            step.reason = *reason;
        }
    }
    if job.exactly {
        let is_named = |nevra: &Nevra| job.exact.iter().any(|(named, _)| named == nevra);
        let all = steps
            .iter()
            .flat_map(|step| step.new.iter().map(|new| &new.nevra).chain(step.old.iter().map(|old| &old.nevra)));
        let extra: Vec<String> = all.filter(|nevra| !is_named(nevra)).map(ToString::to_string).collect();
        if !extra.is_empty() {
            return Err(ResolveError::Extra(extra));
        }
    }
    let changed = group_reasons(job, &mut steps, installed, reasons);
    Ok(Outcome { steps, notes, reasons: changed, groups: job.groups.changes.clone() })
}

/// Packages that come for groups say so; those that are there for less belong to their group from now on.
fn group_reasons(job: &Job, steps: &mut [Step], installed: &[Installed], reasons: &Reasons) -> Vec<(Nevra, Reason)> {
    let names: HashSet<&str> = job.groups.install.iter().map(|(name, _)| name.as_str()).collect();
    let is_wanted = |nevra: &Nevra| names.contains(nevra.name.as_str());
    for step in steps.iter_mut().filter(|step| step.action == crate::history::Action::Install) {
        let asked = |new: &Incoming| is_wanted(&new.nevra) && !job.install.contains(&new.nevra.name);
        if step.new.as_ref().is_some_and(asked) {
            step.reason = Reason::Group;
        }
    }
    let weaker =
        |nevra: &&Nevra| is_wanted(nevra) && reasons.of(nevra).is_some_and(|known| known.reason.is_removable());
    let there = installed.iter().map(|one| &one.package.nevra).filter(weaker);
    let stays = |nevra: &&Nevra| !steps.iter().any(|step| step.old.iter().any(|old| old.nevra == **nevra));
    let changed: Vec<(Nevra, Reason)> =
        there.clone().filter(stays).map(|nevra| (nevra.clone(), Reason::Group)).collect();
    let replaced: Vec<&Nevra> = there.filter(|nevra| !stays(nevra)).collect();
    for step in steps.iter_mut().filter(|step| step.new.is_some()) {
        if step.old.iter().any(|old| replaced.contains(&&old.nevra)) {
            step.reason = Reason::Group;
        }
    }
    changed
}

/// The job with the packages of groups that go as packages that go; and those of them which stay, since others need them.
///
/// Source: libdnf5, `Goal::Impl::remove_group_packages`.
fn without_groups(
    job: &Job,
    installed: &[Installed],
    repositories: &[Synced],
    reasons: &Reasons,
    machine: &Machine<'_>,
) -> Result<(Job, Vec<Nevra>), ResolveError> {
    let is_theirs = |one: &&Installed| {
        let known = reasons.of(&one.package.nevra).map_or(Reason::External, |known| known.reason);
        job.groups.remove.contains(&one.package.nevra.name) && (known.is_removable() || known == Reason::Group)
    };
    let candidates: Vec<&Installed> = installed.iter().filter(is_theirs).collect();
    let words = candidates.iter().map(|one| one.package.nevra.to_string()).collect();
    let trial =
        resolve(&Job { remove: words, freed: job.freed, ..Job::default() }, installed, repositories, reasons, machine);
    let is_candidate = |nevra: &Nevra| candidates.iter().any(|one| one.package.nevra == *nevra);
    let mut gone: BTreeSet<Nevra> = BTreeSet::new();
    if let Ok(trial) = &trial {
        let all: Vec<(&Nevra, bool)> =
            trial.steps.iter().flat_map(|step| step.old.iter().map(|old| (&old.nevra, step.unneeded))).collect();
        // Where somebody's own packages would go with them, they are needed.
        if all.iter().all(|(nevra, unneeded)| *unneeded || is_candidate(nevra)) {
            gone.extend(all.into_iter().map(|(nevra, _)| nevra.clone()));
        }
    }
    let (mut job, mut needed) = (job.clone(), Vec::new());
    job.groups.remove.clear();
    for one in candidates {
        let offers = Offers::new([&one.package]);
        let needs = |other: &&Installed| {
            let relations = other.package.requires.iter().map(|requirement| &requirement.relation);
            let mut relations = relations.filter(|relation| match relation.is_rich() {
                true => offers.touch(relation),
                false => offers.satisfy(relation),
            });
            other.number != one.number && !gone.contains(&other.package.nevra) && relations.next().is_some()
        };
        match installed.iter().find(needs) {
            Some(_) => needed.push(one.package.nevra.clone()),
            None => job.remove.push(one.package.nevra.to_string()),
        }
    }
    Ok((job, needed))
}

/// How often paths are looked up: those that are found bring packages, which may ask for more.
const PATH_ROUNDS: usize = 4;

/// Joins the repositories' tables, what is installed, and files that were named.
fn universe<'a>(
    job: &Job,
    installed: &[Installed],
    caches: &'a [Option<FileBytes>],
    repositories: &[Synced],
    reasons: &Reasons,
    machine: &Machine<'_>,
) -> Result<Universe<'a>, ResolveError> {
    let mut tables = Vec::new();
    for (index, (synced, cache)) in repositories.iter().zip(caches).enumerate() {
        let repository = &synced.repository;
        let number = |key| u32::try_from(repository.number(key).max(0)).unwrap_or(u32::MAX);
        let source = Source { name: index.to_string(), priority: number(Key::Priority), cost: number(Key::Cost) };
        tables.push((source, table(cache.as_ref(), synced, machine)?));
    }
    let mut packages: Vec<solve::Package> = Vec::with_capacity(installed.len() + job.files.len());
    for one in installed {
        let reason = reasons.of(&one.package.nevra).map_or(Reason::External, |known| known.reason);
        let reason = match reason {
            Reason::User => solve::Reason::User,
            Reason::Dependency => solve::Reason::Dependency,
            Reason::WeakDependency => solve::Reason::Weak,
            Reason::Group => solve::Reason::Group,
            Reason::External => solve::Reason::External,
        };
        packages.push(solve::Package { installed: true, reason, ..solvable(&one.package, &one.number.to_string()) });
    }
    for (path, package) in &job.files {
        packages.push(solvable(package, &path.display().to_string()));
    }
    Ok(Universe::of(tables, packages, Paths::Primary)?)
}

fn solvable(package: &Package, key: &str) -> solve::Package {
    solve::Package {
        key: key.to_owned(),
        checksum: format!("{}:{}", package.checksum.algorithm.as_str(), package.checksum.hex),
        vendor: package.vendor.clone(),
        size: package.sizes.package,
        installed_size: package.sizes.installed,
        provides: package.provides.clone(),
        requires: package.requires.iter().map(|requirement| requirement.relation.clone()).collect(),
        conflicts: package.conflicts.clone(),
        obsoletes: package.obsoletes.clone(),
        recommends: package.recommends.clone(),
        suggests: package.suggests.clone(),
        supplements: package.supplements.clone(),
        enhances: package.enhances.clone(),
        files: package.files.iter().map(|file| file.path.clone()).collect(),
        ..solve::Package::new(package.nevra.clone())
    }
}

/// The name of a repository's table beside its documents.
const TABLE: &str = "solvables.table";

/// The cache of a repository's table, where there is one: a file that is only ever replaced, and so may be mapped.
fn cached(synced: &Synced) -> Option<FileBytes> {
    FileBytes::open(&synced.state_folder().join(TABLE)).ok()
}

/// A repository's packages for the solver: in the cache where the same state was read before.
fn table<'a>(cached: Option<&'a FileBytes>, synced: &Synced, machine: &Machine<'_>) -> Result<Table<'a>, ResolveError> {
    // One that is cut off, damaged, or of another version is as good as none.
    if let Some(Ok(table)) = cached.map(|bytes| Table::from_bytes(bytes, &synced.state)) {
        return Ok(table);
    }
    let table = read_table(synced, machine)?;
    // A cache that cannot be written, as for a user who may only read, costs time and nothing else.
    let file = synced.state_folder().join(TABLE);
    let new = file.with_extension(format!("new-{}", std::process::id()));
    if fs_err::write(&new, table.to_bytes(&synced.state)).is_err() || fs_err::rename(&new, &file).is_err() {
        let _ = fs_err::remove_file(&new);
    }
    Ok(table)
}

fn read_table(synced: &Synced, machine: &Machine<'_>) -> Result<Table<'static>, ResolveError> {
    let wrong = |cause| ResolveError::Document { id: synced.repository.id.clone(), kind: "primary", cause };
    let text = synced.document("primary", machine)?.unwrap_or_default();
    let mut solvables = repodata::Solvables::new(text.as_slice());
    let mut builder = TableBuilder::new();
    while let Some(package) = solvables.next().map_err(wrong)? {
        let (algorithm, hex) = package.checksum();
        let (epoch, version, release) = package.version();
        let checksum = format!("{}:{hex}", algorithm.as_str());
        builder.package(&Identity {
            name: package.name(),
            version: solve::Version { epoch, version, release },
            arch: package.arch(),
            vendor: package.vendor(),
            key: package.location(),
            checksum: &checksum,
            size: package.package_size(),
            installed_size: package.installed_size(),
        });
        for relation in package.relations() {
            let kind = match relation.kind {
                repodata::RelationKind::Provides => Kind::Provides,
                repodata::RelationKind::Requires => Kind::Requires,
                repodata::RelationKind::Conflicts => Kind::Conflicts,
                repodata::RelationKind::Obsoletes => Kind::Obsoletes,
                repodata::RelationKind::Recommends => Kind::Recommends,
                repodata::RelationKind::Suggests => Kind::Suggests,
                repodata::RelationKind::Supplements => Kind::Supplements,
                repodata::RelationKind::Enhances => Kind::Enhances,
            };
            let bound = relation
                .bound
                .map(|(condition, epoch, version, release)| (condition, solve::Version { epoch, version, release }));
            builder.relation(kind, relation.name, bound);
        }
        for path in package.files() {
            builder.path(path);
        }
    }
    Ok(builder.finish()?)
}

/// Who has which of `paths`, by the filelists of all repositories and by what is installed.
fn owners(
    universe: &Universe<'_>,
    paths: &[String],
    repositories: &[Synced],
    machine: &Machine<'_>,
) -> Result<Vec<(PackageId, String)>, ResolveError> {
    let wanted: HashSet<&str> = paths.iter().map(String::as_str).collect();
    let mut by_checksum: BTreeMap<(usize, String), PackageId> = BTreeMap::new();
    let mut owners = Vec::new();
    for id in universe.ids() {
        match universe.source(id).and_then(|source| source.name.parse().ok()) {
            Some(index) => {
                let hex = universe.checksum(id).split_once(':').map_or("", |(_, hex)| hex).to_owned();
                by_checksum.insert((index, hex), id);
            }
            None => {
                let files = universe.package(id).files.into_iter();
                owners.extend(files.filter(|path| wanted.contains(path.as_str())).map(|path| (id, path)));
            }
        }
    }
    for (index, synced) in repositories.iter().enumerate() {
        let Some(text) = synced.document("filelists", machine)? else { continue };
        let wrong = |cause| ResolveError::Document { id: synced.repository.id.clone(), kind: "filelists", cause };
        for list in repodata::filelists::Reader::new(text.as_slice()).take(universe.len() + 1) {
            let (package, files) = list.map_err(wrong)?;
            let found = files.into_iter().filter(|file| wanted.contains(file.path.as_str()));
            let Some(id) = by_checksum.get(&(index, package.checksum)) else { continue };
            owners.extend(found.map(|file| (*id, file.path)));
        }
    }
    Ok(owners)
}

/// The words of a job as a request.
struct Words<'a> {
    universe: &'a Universe<'a>,
    arch: Arch,
    request: Request,
    hidden: BTreeSet<PackageId>,
    notes: Vec<String>,
    unknown: Vec<String>,
    absent: Vec<String>,
    skip_unavailable: bool,
}

impl<'a> Words<'a> {
    fn new(universe: &'a Universe<'a>, job: &Job, repositories: &[Synced], machine: &Machine<'_>) -> Words<'a> {
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

    fn read(&mut self, job: &Job) -> Result<(), ResolveError> {
        job.install.iter().for_each(|word| self.install(word));
        for (path, package) in &job.files {
            let evr = package.nevra.evr.clone();
            self.request.install.push(Relation::new(&package.nevra.name, Condition::Equal, evr));
            let key = path.display().to_string();
            // The file itself, and not a package of a repository that is equal in name.
            let others = self.universe.named(&package.nevra.name).into_iter();
            self.request
                .hidden
                .extend(others.filter(|id| !self.universe.is_installed(*id) && self.universe.key(*id) != key));
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

fn steps(universe: &Universe<'_>, solution: &Solution, repositories: &[Synced], reasons: &Reasons) -> Vec<Step> {
    use crate::history::Action;
    let mut steps: Vec<Step> = Vec::new();
    let incoming = |id: PackageId| {
        let from = universe.source(id).and_then(|source| source.name.parse::<usize>().ok());
        let (size, installed_size) = universe.sizes(id);
        Incoming {
            nevra: universe.nevra(id),
            repository: from.map_or("@commandline", |index| &repositories[index].repository.id).to_owned(),
            from,
            location: universe.key(id).to_owned(),
            checksum: universe.checksum(id).to_owned(),
            size,
            installed_size,
        }
    };
    let known = |id: PackageId| reasons.of(&universe.nevra(id));
    let outgoing = |id: PackageId| Outgoing {
        nevra: universe.nevra(id),
        repository: known(id).map(|known| known.from.clone()).unwrap_or_default(),
        installed_size: universe.sizes(id).1,
    };
    let kept = |old: PackageId| known(old).map_or(Reason::External, |known| known.reason);
    let why = |id: PackageId| match solution.because(id) {
        Some(Because::Required { .. }) => Reason::Dependency,
        Some(Because::Recommended { .. } | Because::Supplements) => Reason::WeakDependency,
        _ => Reason::User,
    };
    let mut replaced = Vec::new();
    for change in solution.changes(universe) {
        let (action, new, old, unneeded) = match change {
            solve::Change::Install(new) => (Action::Install, Some(new), None, false),
            solve::Change::Upgrade { new, old } => (Action::Upgrade, Some(new), Some(old), false),
            solve::Change::Downgrade { new, old } => (Action::Downgrade, Some(new), Some(old), false),
            solve::Change::Reinstall { new, old } => (Action::Reinstall, Some(new), Some(old), false),
            solve::Change::Replace { new, old } => {
                replaced.push((new, old));
                continue;
            }
            solve::Change::Erase(old) => (Action::Remove, None, Some(old), false),
            solve::Change::Autoremove(old) => (Action::Remove, None, Some(old), true),
        };
        let reason = old.map_or_else(|| new.map_or(Reason::User, why), kept);
        let stays = |id: &PackageId| universe.is_installed(*id) && !solution.removed().contains(id);
        let beside = new.is_some_and(|new| universe.named(universe.name(new)).iter().any(stays));
        let old = old.map(outgoing).into_iter().collect();
        steps.push(Step { action, new: new.map(incoming), old, reason, unneeded, beside });
    }
    for (new, old) in replaced {
        let nevra = universe.nevra(new);
        let step = steps.iter_mut().find(|step| step.new.as_ref().is_some_and(|new| new.nevra == nevra));
        if let Some(step) = step {
            step.reason = step.reason.min(kept(old));
            step.old.push(outgoing(old));
        }
    }
    let name = |step: &Step| {
        let nevra = step.new.as_ref().map(|new| &new.nevra).or_else(|| step.old.first().map(|old| &old.nevra));
        nevra.map(ToString::to_string)
    };
    steps.sort_by_cached_key(|step| (step.action, name(step)));
    steps
}

/// What the solver has to know of a package file.
pub fn package_of_file(path: &std::path::Path) -> Result<Package, FileError> {
    let wrong = |cause: String| FileError { path: path.to_owned(), cause };
    let mut reader = std::io::BufReader::new(fs_err::File::open(path).map_err(|error| wrong(error.to_string()))?);
    let read = rpm::Package::read(&mut reader).map_err(|error| wrong(error.to_string()))?;
    let mut package = crate::installed::facts(&read.header).map_err(|error| wrong(error.to_string()))?;
    package.nevra = read.nevra();
    package.sizes.package = fs_err::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    Ok(package)
}

/// A file that is no package.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be read as a package: {cause}", path.display())]
pub struct FileError {
    path: PathBuf,
    cause: String,
}

impl Incoming {
    /// As a package that can be downloaded.
    pub fn package(&self) -> Option<Package> {
        let (algorithm, hex) = self.checksum.split_once(':')?;
        let checksum = Checksum::new(repodata::Algorithm::parse(algorithm)?, hex)?;
        let mut package = Package::new(self.nevra.clone(), checksum);
        package.location = self.location.clone();
        package.sizes.package = self.size;
        package.sizes.installed = self.installed_size;
        Some(package)
    }

    /// SHA-256 of the file, where the repository says that.
    pub fn digest(&self) -> Option<Digest> {
        self.package()?.checksum.sha256()
    }
}
