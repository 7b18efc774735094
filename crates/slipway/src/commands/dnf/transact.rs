use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use install::PackageFile;
use update::config::Key;
use update::query::checks;
use update::reasons::Reason;
use update::resolve::{self, Job, Outcome};
use update::transaction::{self, Doing, Done};
use update::{Candidate, Origin, Sack};

use super::session::{Session, failed, out_of_room};
use super::summary::{json, table};
use super::{offline, versionlock};
use crate::context;
use crate::explain::Failure;
use crate::ui::Steps;

/// What every command takes that changes packages.
#[derive(Args, Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "dnf has a switch for each")]
pub(super) struct How {
    /// Installed packages may be removed to make room.
    #[arg(long)]
    allowerasing: bool,
    /// Leave out what cannot be installed.
    #[arg(long)]
    skip_broken: bool,
    /// Leave out what there is not.
    #[arg(long)]
    skip_unavailable: bool,
    /// Fetch the packages, and go no further.
    #[arg(long)]
    downloadonly: bool,
    /// Store it, to be done at the next start: see `slipway dnf offline`.
    #[arg(long)]
    offline: bool,
}

impl How {
    /// Stored for the next start; packages may be removed to make room.
    pub(super) fn at_next_start(allowerasing: bool) -> How {
        How { allowerasing, ..How::default() }.offline()
    }

    /// The same, stored for the next start.
    pub(super) fn offline(self) -> How {
        How { offline: true, ..self }
    }

    /// Whether what there is not is left out.
    pub(super) fn skips_unavailable(&self, session: &Session) -> bool {
        self.skip_unavailable || session.config.main.flag(Key::SkipUnavailable)
    }
}

/// Resolves a job, shows what it comes to, asks, and does it.
pub(super) fn carry_out(mut job: Job, how: &How, session: &mut Session) -> Result<ExitCode, Failure> {
    let root = session.config.installroot.clone();
    let asks_only = session.config.main.flag(Key::AssumeNo);
    // What is found out before the question is still true after it.
    let is_refused = transaction::is_live(&root).map_err(failed)? && !session.host.is_privileged();
    let _lock = match asks_only || is_refused {
        true => None,
        false => Some(session.with(transaction::lock).map_err(|error| stopped(&error))?),
    };
    session.reload()?;
    job.allow_erasing |= how.allowerasing;
    job.skip_broken |= how.skip_broken;
    job.skip_unavailable |= how.skip_unavailable;
    job.locked = versionlock::load(session)?.iter().filter_map(|text| text.parse().ok()).collect();
    let repositories = session.repositories(&[])?;
    let installed = session.database.packages().map_err(failed)?;
    let outcome = session
        .with(|machine| resolve::resolve(&job, &installed, &repositories, &session.reasons, machine))
        .map_err(|error| refused(&error))?;
    outcome.notes.iter().for_each(|note| session.ui.note(note));
    if outcome.is_nothing() {
        if session.ui.json {
            session.ui.json(&json(&outcome, None));
        } else {
            session.ui.data("Nothing to do.");
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !session.ui.json {
        session.ui.data(&table(&outcome));
    }
    if session.shows_new_leaves {
        new_leaves(&outcome, session)?;
    }
    if is_refused && !asks_only && !how.downloadonly {
        return Err(not_root());
    }
    if how.offline && !how.downloadonly {
        offline::note_replaced(session);
    }
    if !session.asks("") {
        if session.ui.json {
            session.ui.json(&json(&outcome, None));
        }
        return Err(Failure::work("the operation was aborted by the user"));
    }
    let files = session
        .with(|machine| transaction::fetch(&outcome, &repositories, &session.database, &|_, _| {}, machine))
        .map_err(|error| stopped(&error))?;
    if how.downloadonly || session.config.main.list(Key::TsFlags).iter().any(|flag| flag == "test") {
        session.ui.note(&format!("{} packages are fetched and verified; nothing was changed", files.len()));
        return Ok(ExitCode::SUCCESS);
    }
    if how.offline {
        return offline::store(&outcome, &files, &installed, session);
    }
    let done = complete(&outcome, &files, session)?;
    if session.ui.json {
        session.ui.json(&json(&outcome, Some(done.id)));
    }
    told(&done)?;
    if !session.ui.json {
        session.ui.data("Complete!");
    }
    Ok(ExitCode::SUCCESS)
}

/// Does what was resolved, with package files that were found good.
pub(super) fn complete(outcome: &Outcome, files: &[PackageFile], session: &Session) -> Result<Done, Failure> {
    let steps = Steps::new(&session.ui);
    let store =
        store::Store::open(context::store_folder().unwrap_or_else(|| PathBuf::from("/var/cache/slipway/store")))?;
    let doing = Doing {
        command: session.command.clone(),
        comment: session.comment.clone(),
        fetched: &|_, _| {},
        progress: &|done, all, name| steps.say(&format!("[{done}/{all}] {name}")),
    };
    let done = session
        .with(|machine| transaction::run(outcome, files, &session.reasons, &doing, &store, machine))
        .map_err(|error| stopped(&error))?;
    drop(steps);
    done.notes.iter().for_each(|note| session.ui.note(note));
    Ok(done)
}

/// Packages that stayed as they were, since a scriptlet that had to succeed did not.
pub(super) fn told(done: &Done) -> Result<(), Failure> {
    if done.failed.is_empty() {
        return Ok(());
    }
    Err(Failure::work(format!("these packages stayed as they were: {}", done.failed.join(", ")))
        .hint("the notes above say which scriptlet failed, and what it printed"))
}

/// Tells which installed packages nothing needs any more once the outcome is there.
fn new_leaves(outcome: &Outcome, session: &Session) -> Result<(), Failure> {
    let sack = session.sack(&[], true)?;
    let coming: Vec<&pkg::Nevra> =
        outcome.steps.iter().filter_map(|step| step.new.as_ref()).map(|new| &new.nevra).collect();
    let going: Vec<&pkg::Nevra> = outcome
        .steps
        .iter()
        .flat_map(|step| &step.old)
        .map(|old| &old.nevra)
        .filter(|old| !coming.contains(old))
        .collect();
    let names = |sack: &Sack| -> BTreeSet<String> {
        checks::leaves(sack).into_iter().map(|place| sack.package(place).nevra.to_string()).collect()
    };
    let before = names(&sack);
    let mut seen = BTreeSet::new();
    let after = sack.all().filter(|place| {
        let nevra = &sack.package(*place).nevra;
        let stays = sack.is_installed(*place) && !going.contains(&nevra);
        (stays || coming.contains(&nevra)) && seen.insert(nevra.to_string())
    });
    let after = after.map(|place| {
        let origin = Origin::Installed { time: 0, reason: Reason::User, from: String::new(), number: 0 };
        Candidate { package: sack.package(place).clone(), origin }
    });
    let after = names(&Sack::new(after.collect(), Vec::new()));
    let new: Vec<&String> = after.difference(&before).collect();
    if !new.is_empty() {
        let lines: Vec<String> = new.iter().map(|name| format!("  {name}")).collect();
        session.ui.note(&format!("new leaves:\n{}", lines.join("\n")));
    }
    Ok(())
}

/// The running system is root's.
pub(super) fn not_root() -> Failure {
    failed(transaction::TransactionError::NotRoot)
        .with_code(4)
        .hint("become root, name a root with `--installroot`, or look at the table alone with `--assumeno`")
}

/// A transaction that was not done; on a full disk the machine's owner has to act.
pub(super) fn stopped(error: &transaction::TransactionError) -> Failure {
    match error.is_full() {
        true => out_of_room(error),
        false => failed(error),
    }
}

fn refused(error: &resolve::ResolveError) -> Failure {
    let message = error.to_string();
    match error {
        resolve::ResolveError::Unknown(_) | resolve::ResolveError::NotInstalled(_) => {
            Failure::work(format!("failed to resolve the transaction:\n{message}"))
                .hint("`--skip-unavailable` leaves out what there is not")
        }
        resolve::ResolveError::Unsolvable(_) => Failure::work(format!("failed to resolve the transaction:\n{message}"))
            .hint("`--skip-broken` leaves out what cannot be installed, `--allowerasing` makes room"),
        resolve::ResolveError::Extra(_) => {
            Failure::work(format!("failed to replay the transaction:\n{message}")).hint("`--ignore-extras` lets them")
        }
        _ => Failure::work(message),
    }
}
