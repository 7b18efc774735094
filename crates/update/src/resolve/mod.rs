//! What a job does to a machine: words and configuration in, changes out. The only module that talks to the solver.

mod error;
mod file;
mod job;
mod paths;
mod steps;
mod tables;
mod words;

use std::collections::{BTreeSet, HashSet};

use host::FileBytes;
use pkg::Nevra;

pub use repodata::Package;

pub use error::ResolveError;
pub use file::{FileError, package_of_file};
pub use job::{Incoming, Job, Outcome, Outgoing, Step};

use crate::config::Key;
use crate::query::matching::Offers;
use crate::reasons::{Reason, Reasons};
use crate::{Installed, Machine, Synced};
use paths::owners;
use steps::steps;
use tables::{cached, universe};
use words::Words;

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
