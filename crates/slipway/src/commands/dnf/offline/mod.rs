//! `dnf offline`: transactions that are done when the machine starts the next time. See `docs/decisions/024-offline-transactions.md`.

mod execute;
mod log;
mod reboot;

use std::process::ExitCode;

use clap::Subcommand;
use install::PackageFile;
use serde_json::json;
use update::config::Key;
use update::history::date;
use update::offline::{About, Folder, OfflineError, State, Status, link};
use update::resolve::Outcome;
use update::{Installed, transaction};

use super::session::{Session, failed};
use super::summary;
use crate::explain::Failure;

pub(super) use execute::run as execute;

/// Manage the transaction that waits for the next start
#[derive(Subcommand)]
pub(super) enum Command {
    /// Forget the transaction that waits, with its packages
    #[command(after_help = "Example: slipway dnf offline clean")]
    Clean,
    /// Show what became of transactions that waited
    #[command(after_help = "Example: slipway dnf offline log --number=-1")]
    Log(log::Arguments),
    /// Restart the machine, and do the transaction that waits before anything else
    ///
    /// In a root in a folder it is only got ready: whoever starts that root does it.
    #[command(after_help = "Example: slipway dnf offline reboot --poweroff")]
    Reboot(reboot::Arguments),
    /// Show the transaction that waits
    #[command(after_help = "Example: slipway dnf offline status")]
    Status,
    /// Do the transaction: called by systemd, not by people
    #[command(name = "_execute", hide = true)]
    Execute,
}

pub(super) fn run(command: &Command, session: &mut Session) -> Result<ExitCode, Failure> {
    match command {
        Command::Clean => clean(session),
        Command::Log(arguments) => log::run(arguments, session),
        Command::Reboot(arguments) => reboot::run(arguments, session),
        Command::Status => status(session),
        // Its call was answered before there was a session.
        Command::Execute => Err(Failure::usage("`_execute` is called by systemd")),
    }
}

/// What every other command of this folder says where nothing is stored.
const NOTHING: &str = "No offline transaction is stored.";

fn folder(session: &Session) -> Folder {
    Folder::of(&session.config.folder(Key::PersistDir))
}

/// Only root prepares what the running system does when it starts.
fn held(session: &Session) -> Result<transaction::Held, Failure> {
    if transaction::is_live(&session.config.installroot).map_err(failed)? && !session.host.is_privileged() {
        return Err(super::transact::not_root());
    }
    session.with(transaction::lock).map_err(failed)
}

fn refused(error: &OfflineError) -> Failure {
    let failure = Failure::work(error.to_string());
    match error {
        OfflineError::Changed(_) => {
            failure.hint("store it again by the same command; `slipway dnf offline clean` forgets it")
        }
        _ => failure.hint("`slipway dnf offline clean` forgets it; then store it again"),
    }
}

/// Says what is lost when another transaction is stored.
pub(super) fn note_replaced(session: &Session) {
    match folder(session).state() {
        Ok(None) => {}
        Ok(Some(state)) => {
            session.ui.note(&format!("a transaction waits already, and this one takes its place: {}", state.command));
        }
        Err(error) => session.ui.note(&format!("{error}\nthis transaction takes its place")),
    }
}

/// Stores what was resolved and fetched. The caller holds the root.
pub(super) fn store(
    outcome: &Outcome,
    files: &[PackageFile],
    installed: &[Installed],
    session: &Session,
) -> Result<ExitCode, Failure> {
    let folder = folder(session);
    let root = &session.config.installroot;
    // What was got ready before is not there any more.
    if link::ours(root)?.is_some_and(|known| known == folder) {
        link::remove(root)?;
    }
    let changes = session.with(|machine| transaction::changes(outcome, &session.reasons, machine));
    let about = About {
        command: session.command.clone(),
        comment: session.comment.clone(),
        time: session.now,
        release: session.release.clone().unwrap_or_default(),
        target: session.config.variables.get("releasever").unwrap_or_default().to_owned(),
        ts_flags: session.config.main.list(Key::TsFlags),
    };
    let state = folder.store(outcome, files, &changes, installed, about).map_err(|error| refused(&error))?;
    if session.ui.json {
        session
            .ui
            .json(&json!({ "stored": folder.path(), "state": shown(&state), "outcome": summary::json(outcome, None) }));
    } else {
        session
            .ui
            .data("Stored to be done at the next start: `slipway dnf offline reboot` restarts the machine for it.");
        session.ui.note("`slipway dnf offline clean` forgets it");
    }
    Ok(ExitCode::SUCCESS)
}

fn clean(session: &Session) -> Result<ExitCode, Failure> {
    let _lock = held(session)?;
    let folder = folder(session);
    let root = &session.config.installroot;
    if link::ours(root)?.is_some_and(|known| known == folder) {
        link::remove(root)?;
    }
    let was_there = folder.is_there();
    let count = folder.clean()?;
    if session.ui.json {
        session.ui.json(&json!({ "removed": was_there, "packages": count }));
    } else if was_there {
        session.ui.data(&format!("The transaction is forgotten, with {}.", counted(count)));
    } else {
        session.ui.data(NOTHING);
    }
    Ok(ExitCode::SUCCESS)
}

fn status(session: &Session) -> Result<ExitCode, Failure> {
    let folder = folder(session);
    let Some(state) = folder.state().map_err(|error| refused(&error))? else {
        if session.ui.json {
            session.ui.json(&json!({ "status": null }));
        } else {
            session.ui.data(NOTHING);
        }
        return Ok(ExitCode::SUCCESS);
    };
    let is_waiting = state.status != Status::TransactionIncomplete;
    let installed = session.database.packages().map_err(failed)?;
    let is_changed = is_waiting && state.installed != update::offline::installed_digest(&installed);
    if session.ui.json {
        let mut shown = shown(&state);
        shown["is_valid"] = json!(is_waiting && !is_changed);
        session.ui.json(&shown);
        return Ok(ExitCode::SUCCESS);
    }
    let (command, stored) = (&state.command, date(state.time));
    let packages = state.files.len().saturating_sub(1);
    let text = match state.status {
        _ if is_changed => format!(
            "Other packages are installed than when the offline transaction was stored, so it is not valid any more:\n\
             \t{command}\nSay that command again, or `slipway dnf offline clean`."
        ),
        Status::DownloadComplete | Status::Ready => {
            let releases = match state.is_system_upgrade() {
                true => format!(", from release {} to {}", state.release, state.target),
                false => String::new(),
            };
            let next = match state.status {
                Status::Ready => "The next start of the machine does it.",
                _ => "Run `slipway dnf offline reboot` to restart the machine and do it.",
            };
            format!(
                "An offline transaction was stored by the following command:\n\t{command}\n\
                 Stored {stored} with {}{releases}.\n{next}",
                counted(packages)
            )
        }
        Status::TransactionIncomplete => format!(
            "An offline transaction was begun, and did not end well; `slipway dnf offline log --number=-1` says why. \
             It was stored by the following command:\n\t{command}"
        ),
    };
    session.ui.data(&text);
    Ok(ExitCode::SUCCESS)
}

fn counted(packages: usize) -> String {
    format!("{packages} {}", if packages == 1 { "package" } else { "packages" })
}

fn shown(state: &State) -> serde_json::Value {
    json!({
        "status": state.status, "command": state.command, "comment": state.comment, "stored": state.time,
        "release": state.release, "target_release": state.target, "files": state.files, "power_off": state.power_off,
    })
}
