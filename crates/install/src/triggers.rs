//! Which triggers are due, in rpm's order. Source: rpm, `lib/rpmtriggers.cc` and `lib/psm.cc`.

use std::collections::BTreeSet;
use std::sync::Arc;

use rpm::{Trigger, TriggerScope, TriggerWhen};

use crate::InstallError;
use crate::element::Fate;
use crate::facts::{Facts, Record};
use crate::installed::InstalledSet;

/// A trigger that is to run.
pub(crate) struct Due {
    pub(crate) facts: Arc<Facts>,
    pub(crate) trigger: Trigger,
    pub(crate) arguments: Vec<u32>,
    /// What it reads: the files that set it off.
    pub(crate) paths: Vec<String>,
}

/// File triggers with a priority from this on run before the package's own scriptlet, others behind it.
const BOUND: u32 = 10_000;

/// Which half of a package's file triggers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// Of high priority.
    Upper,
    /// Of low priority.
    Lower,
    Both,
}

impl Half {
    fn has(self, priority: u32) -> bool {
        match self {
            Half::Upper => priority >= BOUND,
            Half::Lower => priority < BOUND,
            Half::Both => true,
        }
    }
}

/// Triggers of other packages that `facts` sets off. `correction` is what the transaction will add to its count.
pub(crate) fn of_others(installed: &InstalledSet, facts: &Facts, when: TriggerWhen, correction: i64) -> Vec<Due> {
    let count = (i64::from(installed.count(&facts.name)) + correction).max(0) as u32;
    let mut due = Vec::new();
    for record in installed.iter().filter(|record| record.facts.has_triggers(TriggerScope::Package)) {
        due.extend(set_off(&record.facts, facts, when, &mut BTreeSet::new()).map(|trigger| Due {
            facts: record.facts.clone(),
            trigger,
            arguments: vec![installed.count(&record.facts.name), count],
            paths: Vec::new(),
        }));
    }
    due
}

/// Triggers of `facts` itself that packages set off which are there.
pub(crate) fn own(installed: &InstalledSet, facts: &Arc<Facts>, when: TriggerWhen, correction: i64) -> Vec<Due> {
    let count = (i64::from(installed.count(&facts.name)) + correction).max(0) as u32;
    let mut done = BTreeSet::new();
    let mut due = Vec::new();
    for condition in facts.package_conditions() {
        if done.contains(&condition.trigger) {
            continue;
        }
        let others = installed.count(&condition.relation.name);
        for record in installed.named(&condition.relation.name) {
            due.extend(set_off(facts, &record.facts, when, &mut done).map(|trigger| Due {
                facts: facts.clone(),
                trigger,
                arguments: vec![count, others],
                paths: Vec::new(),
            }));
        }
    }
    due
}

/// The one trigger of `owner` that `source` sets off: the first whose condition means it, if that did not run yet.
fn set_off(owner: &Facts, source: &Facts, when: TriggerWhen, done: &mut BTreeSet<usize>) -> Option<Trigger> {
    let condition = owner.package_conditions().into_iter().find(|condition| {
        condition.when == Some(when) && condition.relation.name == source.name && source.provides(&condition.relation)
    })?;
    if !done.insert(condition.trigger) {
        return None;
    }
    owner.trigger(TriggerScope::Package, condition.trigger).cloned()
}

/// File triggers of the packages that are there, set off by files of one package that are not skipped.
pub(crate) fn files_of_others(
    installed: &InstalledSet,
    facts: &Facts,
    fates: &[Fate],
    when: TriggerWhen,
    half: Half,
) -> Result<Vec<Due>, InstallError> {
    let files = facts.files()?;
    let mut found = Vec::new();
    for record in installed.iter() {
        for (number, trigger) in record.facts.triggers(TriggerScope::File) {
            if trigger.when == when && half.has(trigger.priority) {
                let paths = below(trigger, |prefix| {
                    let rows = files
                        .iter()
                        .zip(fates)
                        .filter(|(file, fate)| !fate.is_skipped() && file.path.starts_with(prefix));
                    rows.map(|(file, _)| file.path.clone()).collect()
                });
                found.push((record, *number, trigger, paths));
            }
        }
    }
    Ok(in_order(found))
}

/// File triggers of `facts` itself, set off by any file of the root, but for those of the package `but`: rpm does not see
/// the files of a package in its database while the package is being installed.
pub(crate) fn own_files(
    installed: &InstalledSet,
    facts: &Arc<Facts>,
    (scope, when): (TriggerScope, TriggerWhen),
    half: Half,
    but: Option<u32>,
) -> Result<Vec<Due>, InstallError> {
    let mut own: Vec<&(usize, Trigger)> = facts.triggers(scope).iter().collect();
    own.retain(|(_, trigger)| trigger.when == when && half.has(trigger.priority));
    own.sort_by_key(|(number, trigger)| (std::cmp::Reverse(trigger.priority), *number));
    let mut due = Vec::new();
    for (_, trigger) in own {
        let paths = paths_in_root(trigger, installed, &|record| Some(record.number) != but)?;
        if !paths.is_empty() {
            due.push(Due { facts: facts.clone(), trigger: trigger.clone(), arguments: vec![0], paths });
        }
    }
    Ok(due)
}

/// Transaction file triggers of packages that the transaction leaves alone, set off by files of those in `moved`.
pub(crate) fn transaction_files(
    installed: &InstalledSet,
    moved: &BTreeSet<u32>,
    touched: &BTreeSet<u32>,
    when: TriggerWhen,
) -> Result<Vec<Due>, InstallError> {
    let mut found = Vec::new();
    for record in installed.iter().filter(|record| !touched.contains(&record.number)) {
        for (number, trigger) in record.facts.triggers(TriggerScope::TransactionFile) {
            if trigger.when == when {
                let paths = paths_in_root(trigger, installed, &|record| moved.contains(&record.number))?;
                found.push((record, *number, trigger, paths));
            }
        }
    }
    Ok(in_order(found))
}

/// A transaction file trigger for files that have gone, noted while the package that had them goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Noted {
    priority: std::cmp::Reverse<u32>,
    package: u32,
    number: usize,
}

/// Notes which `%transfiletriggerpostun` the files of a package that goes set off.
pub(crate) fn note_gone(
    installed: &InstalledSet,
    gone: &Record,
    noted: &mut BTreeSet<Noted>,
) -> Result<(), InstallError> {
    let files = gone.facts.files()?;
    for record in installed.iter() {
        for (number, trigger) in record.facts.triggers(TriggerScope::TransactionFile) {
            // rpm looks at the first prefix alone.
            let Some(prefix) = trigger.conditions.first().filter(|_| trigger.when == TriggerWhen::PostUn) else {
                continue;
            };
            let is_set_off =
                files.iter().enumerate().any(|(row, file)| file.path.starts_with(&prefix.name) && gone.is_there(row));
            if is_set_off {
                let priority = std::cmp::Reverse(trigger.priority);
                noted.insert(Noted { priority, package: record.number, number: *number });
            }
        }
    }
    Ok(())
}

/// The triggers of [`note_gone`], but for those of packages that have gone themselves.
pub(crate) fn noted(installed: &InstalledSet, noted: &BTreeSet<Noted>) -> Vec<Due> {
    let due = noted.iter().filter_map(|note| {
        let facts = installed.get(note.package)?.facts.clone();
        let trigger = facts.trigger(TriggerScope::TransactionFile, note.number)?.clone();
        Some(Due { facts, trigger, arguments: vec![0], paths: Vec::new() })
    });
    due.collect()
}

fn in_order(mut found: Vec<(&Record, usize, &Trigger, Vec<String>)>) -> Vec<Due> {
    found.retain(|(_, _, _, paths)| !paths.is_empty());
    found.sort_by_key(|(record, number, trigger, _)| (std::cmp::Reverse(trigger.priority), record.number, *number));
    let due = |(record, _, trigger, paths): (&Record, usize, &Trigger, Vec<String>)| Due {
        facts: record.facts.clone(),
        trigger: trigger.clone(),
        arguments: vec![0],
        paths,
    };
    found.into_iter().map(due).collect()
}

fn below(trigger: &Trigger, paths: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    trigger.conditions.iter().flat_map(|condition| paths(&condition.name)).collect()
}

/// The files of the packages in `of` that a trigger asks for, by its prefixes, then by package. rpm finds packages by
/// their directories: one whose directories are all shorter than the prefix is not seen.
fn paths_in_root(
    trigger: &Trigger,
    installed: &InstalledSet,
    of: &dyn Fn(&Record) -> bool,
) -> Result<Vec<String>, InstallError> {
    let mut paths = Vec::new();
    for condition in &trigger.conditions {
        let prefix = condition.name.as_str();
        for record in installed.iter().filter(|record| of(record)) {
            if !record.facts.header.strs(rpm::Tag::DIRNAMES).any(|directory| directory.starts_with(prefix)) {
                continue;
            }
            for (row, file) in record.facts.files()?.iter().enumerate() {
                if file.path.starts_with(prefix) && record.is_there(row) {
                    paths.push(file.path.clone());
                }
            }
        }
    }
    Ok(paths)
}
