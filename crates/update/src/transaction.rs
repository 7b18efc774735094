//! Doing what was resolved, in a root in a folder or in the running system. The only module that talks to `install`.

use std::cell::Cell;
use std::io::BufReader;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use host::{Lock, RecordLock};
use install::live::{Faults, Live, Recovered, Remember};
use install::{Allowances, Contents, Filters, InstallError, PackageFile};
use pkg::{Condition, Nevra, Relation, SourceDateEpoch};
use store::Store;
use tree::Tree;

use crate::config::{Key, Repository};
use crate::groups::InstalledGroups;
use crate::history::{self, Action};
use crate::keys::{Keys, KeysError, of_database};
use crate::reasons::{Known, Reasons};
use crate::resolve::{Incoming, Outcome};
use crate::sync::{Download, DownloadError, download, wait};
use crate::{DatabaseFile, Machine, SyncError, Synced, apply};

/// Why nothing was done. The root is as it was.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// Somebody else than root wants to change the running system.
    #[error("packages of the running system are changed by root alone")]
    NotRoot,
    /// Something is mounted in the root.
    #[error("`{}` is mounted: a root is changed as a whole, and only where nothing else is in it", .0.display())]
    Mounted(PathBuf),
    /// A package cannot be fetched.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// A package is not signed as it must be.
    #[error("`{nevra}` from `{repository}` is not accepted: {cause}")]
    Signature {
        /// The package.
        nevra: String,
        /// Its repository.
        repository: String,
        /// Why not.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A package file is not the package that was chosen.
    #[error("`{}` is {found}, but {expected} was chosen", file.display())]
    Other {
        /// The file.
        file: PathBuf,
        /// What was chosen.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Installing.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// Another process changes the root.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// rpm's lock.
    #[error(transparent)]
    Lock(#[from] host::LockError),
    /// A file; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The user wants to stop.
    #[error("interrupted; nothing was changed")]
    Interrupted,
}

impl TransactionError {
    /// Whether a disk was full.
    pub fn is_full(&self) -> bool {
        match self {
            TransactionError::Io(error) => host::is_full(error),
            TransactionError::Install(error) => error.is_full(),
            TransactionError::Store(error) => error.is_full(),
            TransactionError::Sync(error) | TransactionError::Download(DownloadError::Sync(error)) => error.is_full(),
            TransactionError::Lock(error) => host::is_full(&error.source),
            _ => false,
        }
    }
}

/// What is done beside the packages.
pub struct Doing<'a> {
    /// The command line for the history, without what is secret.
    pub command: String,
    /// What somebody wants to be remembered.
    pub comment: String,
    /// Told of each package that is fetched: how many are, and its bytes.
    pub fetched: &'a (dyn Fn(usize, u64) + Sync),
    /// Told of each package as its turn comes: how many are done, of how many, and its name.
    pub progress: &'a dyn Fn(usize, usize, &str),
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The transaction's number in the history.
    pub id: u64,
    /// What people should know, and scriptlets that failed and did not have to succeed.
    pub notes: Vec<String>,
    /// Packages of a running system that stayed as they were, since a scriptlet that had to succeed did not.
    pub failed: Vec<String>,
}

/// A root that is ours alone, until drop.
#[derive(Debug)]
pub struct Held {
    _own: Lock,
    /// rpm's own lock, in a running system.
    _rpm: Option<RecordLock>,
}

/// Where a running system's transaction unpacks packages; nothing of it is kept.
const WORK: &str = "var/cache/slipway/transaction";

/// Takes the root for oneself, and finishes what an earlier transaction left when it was cut off.
pub fn lock(machine: &Machine<'_>) -> Result<Held, TransactionError> {
    let root = machine.config.installroot.as_path();
    let live = is_live(root)?;
    if live && !machine.host.is_privileged() {
        return Err(TransactionError::NotRoot);
    }
    let persist = machine.config.folder(Key::PersistDir);
    fs_err::create_dir_all(&persist)?;
    let own = wait(&persist.join("lock"), machine)?;
    let rpm = if live { wait_for_rpm(root, machine)? } else { None };
    if live {
        recover_live(root, machine)?;
    } else if apply::recover(root)? {
        (machine.note)("an earlier transaction was cut off; it is finished now");
    }
    Ok(Held { _own: own, _rpm: rpm })
}

/// rpm's lock, where the system has a database of packages.
fn wait_for_rpm(root: &Path, machine: &Machine<'_>) -> Result<Option<RecordLock>, TransactionError> {
    let database = root.join(install::DATABASE);
    let Some(folder) = database.parent().filter(|_| database.is_file()) else { return Ok(None) };
    let mut said = false;
    loop {
        if let Some(lock) = RecordLock::try_exclusive(&folder.join(".rpm.lock"))? {
            return Ok(Some(lock));
        }
        if machine.host.interrupted() {
            return Err(TransactionError::Interrupted);
        }
        if !said {
            (machine.note)("waiting for rpm, which is changing packages");
            said = true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn recover_live(root: &Path, machine: &Machine<'_>) -> Result<(), TransactionError> {
    if !root.join(".slipway-transaction").is_dir() {
        return Ok(());
    }
    let persist = machine.config.folder(Key::PersistDir);
    let work = root.join(WORK);
    let keep = |memo: &str| keep(memo, &persist).map(drop);
    let faults = Faults::none();
    let recovered = install::live::recover(
        &Live::new(root, &faults),
        &keep,
        SourceDateEpoch(machine.now),
        machine.host,
        &Store::open(&work)?,
    )?;
    match recovered {
        Recovered::Nothing => {}
        Recovered::TakenBack => (machine.note)("an earlier transaction was cut off; it is taken back now"),
        Recovered::Finished => (machine.note)("an earlier transaction was cut off; it is finished now"),
    }
    Ok(host::remove_tree(&work)?)
}

/// Whether an earlier transaction was cut off, so that what is installed is not what the database says.
pub fn is_cut_off(root: &Path) -> bool {
    root.join(".slipway-transaction/plan.json").is_file() || install::live::is_cut_off(root)
}

/// Brings the packages of an outcome to this machine and checks their signatures; files in the order of the steps.
pub fn fetch(
    outcome: &Outcome,
    repositories: &[Synced],
    database: &DatabaseFile,
    fetched: &(dyn Fn(usize, u64) + Sync),
    machine: &Machine<'_>,
) -> Result<Vec<PackageFile>, TransactionError> {
    let incoming: Vec<&Incoming> = outcome.steps.iter().filter_map(|step| step.new.as_ref()).collect();
    let packages: Vec<(usize, repodata::Package)> =
        incoming.iter().filter_map(|one| Some((one.from?, one.package()?))).collect();
    let downloads: Vec<Download<'_>> =
        packages.iter().map(|(from, package)| Download { from: &repositories[*from], package }).collect();
    let mut found = download(&downloads, machine, fetched)?.into_iter();
    let mut files = Vec::new();
    for one in &incoming {
        let (path, digest) = match one.from {
            Some(_) => found.next().ok_or(TransactionError::Interrupted)?,
            None => {
                let path = PathBuf::from(&one.location);
                let digest = tree::directory::digest_only(&path)?;
                (path, digest)
            }
        };
        files.push(PackageFile { path, digest });
    }
    verify(&incoming, &files, repositories, database, machine)?;
    Ok(files)
}

/// Checks that each file is the package that was chosen and what its digests say, and its signature where the configuration
/// wants one.
fn verify(
    incoming: &[&Incoming],
    files: &[PackageFile],
    repositories: &[Synced],
    database: &DatabaseFile,
    machine: &Machine<'_>,
) -> Result<(), TransactionError> {
    let trusted = of_database(&database.records);
    let mut rings: Vec<(String, Keys)> = Vec::new();
    for (one, file) in incoming.iter().zip(files) {
        if machine.host.interrupted() {
            return Err(TransactionError::Interrupted);
        }
        let refused = |cause: Box<dyn std::error::Error + Send + Sync>| TransactionError::Signature {
            nevra: one.nevra.to_string(),
            repository: one.repository.clone(),
            cause,
        };
        let mut reader = BufReader::new(fs_err::File::open(&file.path)?);
        let package = rpm::Package::read(&mut reader).map_err(|error| refused(error.into()))?;
        if package.nevra() != one.nevra {
            let (expected, found) = (one.nevra.to_string(), package.nevra().to_string());
            return Err(TransactionError::Other { file: file.path.clone(), expected, found });
        }
        // As rpm does, whatever is said of signatures: a package without digests cannot be told from a damaged one.
        package.verify_header().map_err(|error| refused(error.into()))?;
        package.verify_payload(&mut reader).map_err(|error| refused(error.into()))?;
        let repository: Option<&Repository> = one.from.map(|from| &repositories[from].repository);
        let wanted = match repository {
            Some(repository) => repository.flag(Key::GpgCheck),
            None => machine.config.main.flag(Key::LocalPackageCheck),
        };
        if !wanted {
            continue;
        }
        let Some(repository) = repository else {
            check_local(&package, &trusted).map_err(refused)?;
            continue;
        };
        if !rings.iter().any(|(id, _)| *id == repository.id) {
            let mut keys = Keys::load(repository, machine).map_err(|error| refused(error.into()))?;
            keys.trust(&trusted);
            rings.push((repository.id.clone(), keys));
        }
        let Some((_, keys)) = rings.iter_mut().find(|(id, _)| *id == repository.id) else { continue };
        check(&package, keys, repository, machine).map_err(|error| refused(error.into()))?;
    }
    Ok(())
}

fn check(
    package: &rpm::Package,
    keys: &mut Keys,
    repository: &Repository,
    machine: &Machine<'_>,
) -> Result<(), KeysError> {
    let region = package.signed_region();
    let mut failure = None;
    for signature in package.signatures() {
        match keys.verify(&signature, &region, repository, machine) {
            Ok(()) => return Ok(()),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| KeysError::Unsigned { repository: repository.id.clone() }))
}

/// A package that is in no repository has to be signed by a key in the database.
fn check_local(package: &rpm::Package, trusted: &[String]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut ring = sign::KeyRing::new();
    for text in trusted {
        let _ = ring.add(text.as_bytes());
    }
    let region = package.signed_region();
    let is_good = package.signatures().iter().any(|signature| ring.verify(signature, &region).is_ok());
    if is_good { Ok(()) } else { Err("it is not signed by a key of the root's database".into()) }
}

/// Does what was resolved. The root is changed as a whole or not at all, also when the machine dies while it is.
///
/// `files` are those of [`fetch`]; the caller holds the [`lock`].
pub fn run(
    outcome: &Outcome,
    files: &[PackageFile],
    reasons: &Reasons,
    doing: &Doing<'_>,
    store: &Store,
    machine: &Machine<'_>,
) -> Result<Done, TransactionError> {
    let root = machine.config.installroot.as_path();
    let live = is_live(root)?;
    let database = root.join(install::DATABASE);
    if live && !database.is_file() {
        return Err(InstallError::NoDatabase { file: database }.into());
    }
    if outcome.steps.is_empty() {
        let id = write_down(memo(outcome, reasons, doing, &[], machine), &machine.config.folder(Key::PersistDir))?;
        return Ok(Done { id, notes: Vec::new(), failed: Vec::new() });
    }
    if live {
        return run_live(outcome, files, reasons, doing, machine);
    }
    fs_err::create_dir_all(root)?;
    refuse_mounts(root)?;
    let old = apply::read(root, &mut |path| store.put_file(path).map_err(std::io::Error::other))?;
    // A root that is made here is nobody's directory yet.
    let start = if is_fresh(&old) { Tree::new() } else { old.clone() };
    let flags = machine.config.main.list(Key::TsFlags);
    let filters = Filters { no_docs: flags.iter().any(|flag| flag == "nodocs"), ..Filters::default() };
    let change = change(outcome, files, filters);
    let at = SourceDateEpoch(machine.now);
    let options = install::Options { at, is_excluded: &|_| false, progress: doing.progress };
    let installed = install::change(start, Contents::new(store), &change, &options, machine.host, store)?;
    let mut new = installed.tree;
    if is_fresh(&old) {
        // What is there already (our own folders) stays.
        for (path, node) in old.iter().filter(|(path, _)| !path.is_root()) {
            if new.get(path).is_none() {
                let wrong = |error: tree::InsertError| std::io::Error::other(error.to_string());
                new.insert(path.clone(), node.clone()).map_err(wrong)?;
            }
        }
    }
    let contents = installed.contents;
    apply::apply(&old, &new, &|digest| contents.place(digest), root)?;
    let id = write_down(memo(outcome, reasons, doing, &[], machine), &machine.config.folder(Key::PersistDir))?;
    Ok(Done { id, notes: told(installed.notes, &installed.scriptlets), failed: Vec::new() })
}

/// The same in the running system, in place.
fn run_live(
    outcome: &Outcome,
    files: &[PackageFile],
    reasons: &Reasons,
    doing: &Doing<'_>,
    machine: &Machine<'_>,
) -> Result<Done, TransactionError> {
    let root = machine.config.installroot.as_path();
    let persist = machine.config.folder(Key::PersistDir);
    let flags = machine.config.main.list(Key::TsFlags);
    let filters = Filters { no_docs: flags.iter().any(|flag| flag == "nodocs"), ..Filters::default() };
    let change = change(outcome, files, filters);
    let options =
        install::Options { at: SourceDateEpoch(machine.now), is_excluded: &|_| false, progress: doing.progress };
    let work = root.join(WORK);
    host::remove_tree(&work)?;
    let store = Store::open(&work)?;
    let id = Cell::new(0);
    let remember = Remember {
        memo: &|failed| serde_json::to_string(&memo(outcome, reasons, doing, failed, machine)).unwrap_or_default(),
        keep: &|memo| {
            id.set(keep(memo, &persist)?);
            Ok(())
        },
    };
    let faults = Faults::none();
    let done =
        install::live::change_live(&Live::new(root, &faults), &change, &options, &remember, machine.host, &store);
    drop(store);
    let left = host::remove_tree(&work);
    let mut done = done?;
    if let Err(error) = left {
        // The next transaction begins with it.
        done.notes.push(format!("the unpacked packages stay in the cache for now: {error}"));
    }
    Ok(Done { id: id.get(), notes: told(done.notes, &done.scriptlets), failed: done.failed })
}

/// Notes, and the scriptlets that failed and did not have to succeed.
fn told(notes: Vec<String>, scriptlets: &[install::ScriptletRun]) -> Vec<String> {
    let failed = scriptlets.iter().filter_map(|run| {
        let failure = run.failure.as_ref()?;
        let said = run.output.iter().rev().take(3).rev().map(|line| format!("\n  | {line}")).collect::<String>();
        Some(format!("{} of {} failed: {failure}{said}", run.scriptlet, run.package))
    });
    notes.into_iter().chain(failed).collect()
}

/// Whether a root is that of the running system.
pub fn is_live(root: &Path) -> std::io::Result<bool> {
    let Ok(found) = fs_err::metadata(root) else { return Ok(false) };
    let live = fs_err::metadata("/")?;
    Ok((found.dev(), found.ino()) == (live.dev(), live.ino()))
}

fn refuse_mounts(root: &Path) -> Result<(), TransactionError> {
    let own = fs_err::metadata(root)?.dev();
    for name in ["dev", "proc", "sys", "run", "tmp", "var", "usr", "boot", "home", "etc"] {
        let path = root.join(name);
        if fs_err::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir() && meta.dev() != own) {
            return Err(TransactionError::Mounted(path));
        }
    }
    Ok(())
}

/// Whether a root has nothing but what we remember of it.
fn is_fresh(tree: &Tree) -> bool {
    tree.iter().all(|(path, _)| {
        let path = path.as_str();
        "var/lib/slipway".starts_with(path) || path.starts_with("var/lib/slipway")
    })
}

/// The steps as `install` wants them.
fn change(outcome: &Outcome, files: &[PackageFile], filters: Filters) -> install::Change {
    // The solver decided about versions and dependencies; files and scriptlets are still checked.
    let allow = Allowances { older: true, ..Allowances::default() };
    let mut change = install::Change { allow, filters, ..install::Change::default() };
    let coming = outcome.steps.iter().filter(|step| step.new.is_some());
    for (step, file) in coming.zip(files) {
        match step.action {
            Action::Reinstall => change.reinstall.push(file.clone()),
            Action::Install if step.beside => change.install.push(file.clone()),
            _ => change.upgrade.push(file.clone()),
        }
    }
    for step in outcome.steps.iter().filter(|step| step.new.is_none()) {
        change
            .erase
            .extend(step.old.iter().map(|old| Relation::new(&old.nevra.name, Condition::Equal, old.nevra.evr.clone())));
    }
    change
}

/// What is remembered of a transaction: why each package is there, and a line of the history.
#[derive(serde::Serialize, serde::Deserialize)]
struct Memo {
    entry: history::Entry,
    /// Packages of which nothing is known any more.
    gone: Vec<String>,
    known: Vec<(String, Known)>,
}

/// The changes that the history would have of an outcome.
pub fn changes(outcome: &Outcome, reasons: &Reasons, machine: &Machine<'_>) -> Vec<history::Change> {
    let doing = Doing { command: String::new(), comment: String::new(), fetched: &|_, _| {}, progress: &|_, _, _| {} };
    memo(outcome, reasons, &doing, &[], machine).entry.changes
}

/// What is to be remembered when all is done, but for the packages in `failed`.
fn memo(outcome: &Outcome, reasons: &Reasons, doing: &Doing<'_>, failed: &[String], machine: &Machine<'_>) -> Memo {
    let (mut gone, mut known, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    let change = |action, nevra: &Nevra, repository: &str, reason| history::Change {
        action,
        package: nevra.to_string(),
        repository: repository.to_owned(),
        reason,
    };
    let is_failed = |nevra: &Nevra| failed.contains(&nevra.to_string());
    for step in &outcome.steps {
        if step.new.as_ref().is_some_and(|new| is_failed(&new.nevra)) {
            continue;
        }
        for old in step.old.iter().filter(|old| !is_failed(&old.nevra)) {
            let action = if step.new.is_some() { Action::Replaced } else { Action::Remove };
            gone.push(old.nevra.to_string());
            if step.action != Action::Reinstall {
                changes.push(change(action, &old.nevra, &old.repository, step.reason));
            }
        }
        if let Some(new) = &step.new {
            known.push((new.nevra.to_string(), Known { reason: step.reason, from: new.repository.clone() }));
            changes.push(change(step.action, &new.nevra, &new.repository, step.reason));
        }
    }
    for (nevra, reason) in &outcome.reasons {
        let from = reasons.of(nevra).map(|known| known.from.clone()).unwrap_or_default();
        changes.push(change(Action::ReasonChange, nevra, &from, *reason));
        known.push((nevra.to_string(), Known { reason: *reason, from }));
    }
    let (command, comment) = (doing.command.clone(), doing.comment.clone());
    let entry = history::Entry { id: 0, time: machine.now, command, comment, changes, groups: outcome.groups.clone() };
    Memo { entry, gone, known }
}

/// Writes down what a transaction in the running system is to be remembered by, unless a process that was cut off got so far;
/// gives the transaction's number.
fn keep(memo: &str, persist: &Path) -> std::io::Result<u64> {
    let memo: Memo = serde_json::from_str(memo)?;
    let same = |entry: &history::Entry| (entry.time, entry.command.clone(), entry.changes.clone());
    if let Some(last) = history::load(persist)?.last().filter(|last| same(last) == same(&memo.entry)) {
        return Ok(last.id);
    }
    write_down(memo, persist)
}

fn write_down(mut memo: Memo, persist: &Path) -> std::io::Result<u64> {
    let mut reasons = Reasons::load(persist)?;
    let nevra = |text: &str| Nevra::parse(text).map_err(std::io::Error::other);
    for gone in &memo.gone {
        reasons.remove(&nevra(gone)?);
    }
    for (package, known) in memo.known {
        reasons.set(&nevra(&package)?, known);
    }
    reasons.save(persist)?;
    if !memo.entry.groups.is_empty() {
        let mut installed = InstalledGroups::load(persist)?;
        installed.apply(&mut memo.entry.groups, &reasons);
        installed.save(persist)?;
    }
    history::append(persist, memo.entry)
}
