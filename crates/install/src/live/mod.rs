//! A transaction on the root of a running system: stepwise, in place, and taken back when it does not come to its end.
//!
//! ```text
//! begin     .slipway-transaction/ with an empty journal
//! for each package, in rpm's order:
//!   %pre                          run in the root itself
//!   journal    what comes and what goes
//!   prepare    each file that comes, complete, beside; a second name for each that goes
//!   sync       all of that is on the disk
//!   perform    renames: a path has the old file or the new one
//!   %post, triggers
//! ready     the journal says what is about to be done to the database
//! commit    one transaction of SQLite: from here on the new state is the state
//! %posttrans, transaction triggers; each that ran is noted
//! end       what was kept goes, the journal last
//! ```
//!
//! Cut off before the commit, all steps are taken back, the last first; after it, what is left to be done is done. Whether
//! the commit was, only the database says. What scriptlets did stays in either case, as with rpm.
//!
//! Of the root only the paths of the packages in question are looked at, each when its turn comes: scriptlets may have
//! changed them. The decisions are those that a root that is a tree gets, from the same code.

mod disk;
mod faults;
mod ground;
mod holds;
mod journal;
mod look;
mod room;
mod step;

use std::io;
use std::path::Path;

use host::Host;
use pkg::{Digest, SourceDateEpoch};
use rpm::db::Row;
use store::Store;
use tree::Tree;

pub use disk::Durability;
pub use faults::{Fault, Faults};
pub(crate) use ground::Ground;
pub use room::Lack;

use crate::element::Element;
use crate::files::Root;
use crate::history;
use crate::installed::InstalledSet;
use crate::scriptlets::Script;
use crate::site::Site;
use crate::transaction::{DATABASE, Transaction, choose};
use crate::{Change, Contents, InstallError, Options, ScriptletRun};
use disk::{Disk, FOLDER, is_there};
use holds::Holds;
use journal::{Ready, Record};
use step::Step;

/// A root that is in use.
#[derive(Clone, Copy)]
pub struct Live<'a> {
    /// Where it is: `/`. Another one is entered by chroot(2) to run scriptlets.
    pub root: &'a Path,
    /// Whether loss of power is reckoned with.
    pub durability: Durability,
    /// What is to go wrong, in tests.
    pub faults: &'a Faults,
}

/// What a live root's transaction does for whoever asked for it.
pub struct Remember<'a> {
    /// Written into the journal before the database changes; gets what was left out, by name, EVR and architecture.
    pub memo: &'a dyn Fn(&[String]) -> String,
    /// Called with the memo when the database has changed, perhaps by a later process, and perhaps twice.
    pub keep: &'a dyn Fn(&str) -> io::Result<()>,
}

/// What was done to a live root.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// Every scriptlet and trigger that ran.
    pub scriptlets: Vec<ScriptletRun>,
    /// What people should know.
    pub notes: Vec<String>,
    /// What stayed as it was since a scriptlet that had to succeed did not.
    pub failed: Vec<String>,
}

/// What became of a transaction that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// There was none.
    Nothing,
    /// It was taken back: files and database are what they were before it.
    TakenBack,
    /// It was finished: files and database are what it was to make of them.
    Finished,
}

/// Whether a transaction on `root` was cut off and waits for [`recover`].
pub fn is_cut_off(root: &Path) -> bool {
    is_there(&journal::file(root))
}

/// Changes a live root. The caller keeps others from doing so meanwhile, and has called [`recover`].
///
/// On an error before the database changed, everything that was done is undone, scriptlets aside.
pub fn change_live(
    live: &Live<'_>,
    change: &Change,
    options: &Options<'_>,
    remember: &Remember<'_>,
    host: &Host,
    store: &Store,
) -> Result<Changed, InstallError> {
    let file = live.root.join(DATABASE);
    if !file.is_file() {
        return Err(InstallError::NoDatabase { file });
    }
    let installed = InstalledSet::read(Some(rpm::db::snapshot(&file)?))?;
    let disk = live.disk();
    room::check(&disk, change, store.root())?;
    let elements = choose(change, &installed, host, store)?;
    let ground = match Holds::begin(disk) {
        Ok(holds) => Ground::new(holds),
        Err(error) => {
            holds::remove_rest(&disk)?;
            return Err(error.into());
        }
    };
    let site = Site { root: root(store), host, store, at: options.at, workspace: None, live: Some(ground) };
    let mut transaction = Transaction::new(site, options, installed);
    let elements = match to_commit(&mut transaction, elements, change, remember, &file) {
        Ok(elements) => elements,
        Err(error) => return Err(take_back(transaction, error)),
    };
    let Some((elements, ready)) = elements else { return leave(transaction, &[]) };
    // The new state is the state; what goes wrong from here on is only not finished yet.
    let mut finish = || {
        (remember.keep)(&ready.memo)?;
        run_rest(&mut transaction.site, &ready.scripts, 0, &mut transaction.runs)
    };
    finish().and_then(|()| leave(transaction, &elements)).map_err(|error| InstallError::NotFinished(Box::new(error)))
}

/// Everything up to and with the change of the database; `None` when nothing was left to be done.
fn to_commit(
    transaction: &mut Transaction<'_, '_>,
    elements: Vec<Element>,
    change: &Change,
    remember: &Remember<'_>,
    file: &Path,
) -> Result<Option<(Vec<Element>, Ready)>, InstallError> {
    let elements = transaction.run_all(elements, change)?;
    if transaction.installed.rows().is_empty() {
        return Ok(None);
    }
    if change.history.is_some() {
        transaction.site.see(&[history::PATH])?;
        transaction.write_history(&elements, change)?;
        transaction.site.phase("history")?;
    }
    let failed: Vec<String> = transaction.failed.iter().cloned().collect();
    let rows = transaction.installed.rows();
    let mut ready =
        Ready { memo: (remember.memo)(&failed), scripts: transaction.at_end(&elements)?, ..Ready::default() };
    for row in &rows {
        match row {
            Row::Remove(number) => ready.removed.push(*number),
            Row::Put(number, package) => ready.added.push((*number, Digest::of(package.header.blob()))),
            Row::Replace(..) => {}
        }
    }
    let Some(ground) = &transaction.site.live else { return Ok(None) };
    let disk = ground.holds.disk;
    journal::append(&Record::Ready(ready.clone()), &disk)?;
    ground.holds.sync()?;
    disk.elsewhere()?;
    rpm::db::commit(file, rows)?;
    Ok(Some((elements, ready)))
}

/// Undoes what was done, unless the process is taken to have ended; gives the error to be reported.
fn take_back(transaction: Transaction<'_, '_>, error: InstallError) -> InstallError {
    let Some(mut ground) = transaction.site.live else { return error };
    let disk = ground.holds.disk;
    if disk.faults.is_dead() {
        return error;
    }
    let undone = ground.undo().and_then(|()| ground.holds.end());
    match undone {
        Ok(()) => error,
        Err(cause) => InstallError::NotUndone {
            error: Box::new(error),
            cause: Box::new(cause.into()),
            journal: journal::file(disk.root),
        },
    }
}

fn leave(transaction: Transaction<'_, '_>, elements: &[Element]) -> Result<Changed, InstallError> {
    if let Some(ground) = &transaction.site.live {
        ground.holds.end()?;
    }
    let failed = transaction.failed.iter().cloned().collect();
    let installed = transaction.into_installed(elements);
    Ok(Changed { scriptlets: installed.scriptlets, notes: installed.notes, failed })
}

/// What follows the database, from number `from` on; each that ran is noted, so that none runs twice.
fn run_rest(
    site: &mut Site<'_, '_>,
    scripts: &[Script],
    from: usize,
    runs: &mut Vec<ScriptletRun>,
) -> Result<(), InstallError> {
    for (number, script) in scripts.iter().enumerate().skip(from) {
        runs.push(script.run(site)?);
        if let Some(ground) = &site.live {
            journal::append(&Record::Ran(number + 1), &ground.holds.disk)?;
        }
    }
    Ok(())
}

/// Finishes or takes back what an earlier transaction left when it was cut off. Files and database agree afterwards.
pub fn recover(
    live: &Live<'_>,
    keep: &dyn Fn(&str) -> io::Result<()>,
    at: SourceDateEpoch,
    host: &Host,
    store: &Store,
) -> Result<Recovered, InstallError> {
    let disk = live.disk();
    if !is_there(&live.root.join(FOLDER)) {
        return Ok(Recovered::Nothing);
    }
    let Some(records) = journal::read(live.root)? else {
        holds::remove_rest(&disk)?;
        return Ok(Recovered::Nothing);
    };
    let mut holds = Holds::found(disk, &records)?;
    let ready = records.iter().rev().find_map(|record| match record {
        Record::Ready(ready) => Some(ready),
        _ => None,
    });
    let Some(ready) = ready else { return undo(&records, holds) };
    if !is_committed(ready, &live.root.join(DATABASE))? {
        return undo(&records, holds);
    }
    keep(&ready.memo)?;
    let ran = records.iter().filter_map(|record| match record {
        Record::Ran(count) => Some(*count),
        _ => None,
    });
    let ran = ran.max().unwrap_or(0);
    holds.make_again()?;
    let mut site = Site { root: root(store), host, store, at, workspace: None, live: Some(Ground::new(holds)) };
    run_rest(&mut site, &ready.scripts, ran, &mut Vec::new())?;
    if let Some(ground) = &site.live {
        ground.holds.end()?;
    }
    Ok(Recovered::Finished)
}

fn undo(records: &[Record], mut holds: Holds<'_>) -> Result<Recovered, InstallError> {
    let phases = records.iter().filter_map(|record| match record {
        Record::Phase { steps, .. } => Some(steps),
        _ => None,
    });
    let steps: Vec<Step> = phases.flatten().cloned().collect();
    ground::undo(&steps, &mut holds)?;
    holds.end()?;
    Ok(Recovered::TakenBack)
}

/// Whether the database was changed: it has any of what was to come, or lacks any of what was to go. It has all or
/// nothing of this, unless others changed it since.
fn is_committed(ready: &Ready, file: &Path) -> Result<bool, InstallError> {
    let packages = rpm::db::read(&rpm::db::snapshot(file)?)?;
    let find = |number: u32| packages.iter().find(|package| package.number == number);
    let came = ready
        .added
        .iter()
        .any(|(number, digest)| find(*number).is_some_and(|package| Digest::of(package.header.blob()) == *digest));
    Ok(came || ready.removed.iter().any(|number| find(*number).is_none()))
}

fn root(store: &Store) -> Root<'_> {
    Root {
        tree: Tree::new(),
        contents: Contents::new(store),
        changed: std::collections::BTreeSet::new(),
        moved: Vec::new(),
        next_link: None,
        notes: Vec::new(),
    }
}

impl<'a> Live<'a> {
    /// The root of this machine.
    pub fn new(root: &'a Path, faults: &'a Faults) -> Live<'a> {
        Live { root, durability: Durability::Power, faults }
    }

    fn disk(&self) -> Disk<'a> {
        Disk { root: self.root, faults: self.faults, durability: self.durability }
    }
}
