use std::process::ExitCode;

use clap::{Args, ValueEnum};
use update::config::Key;
use update::history::{self, Action, Change, Entry};
use update::query::filter::{self, Filter, Scope};
use update::reasons::{Known, Reason};
use update::transaction;

use super::session::{Session, failed};
use crate::explain::Failure;

/// Say why packages are installed, which is what `autoremove` goes by
#[derive(Args)]
#[command(after_help = "Example: slipway dnf mark user bash")]
pub(super) struct Arguments {
    /// The reason.
    #[arg(value_enum)]
    reason: Asked,
    /// Words that mean installed packages.
    #[arg(required = true)]
    words: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Asked {
    /// Somebody wants them.
    #[value(alias = "install")]
    User,
    /// Others require them.
    #[value(alias = "remove")]
    Dependency,
    /// Others recommend them.
    Weak,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    if transaction::is_live(&session.config.installroot).map_err(failed)? && !session.host.is_privileged() {
        return Err(super::transact::not_root());
    }
    let _lock = session.with(transaction::lock).map_err(failed)?;
    session.reload()?;
    let reason = match arguments.reason {
        Asked::User => Reason::User,
        Asked::Dependency => Reason::Dependency,
        Asked::Weak => Reason::WeakDependency,
    };
    let sack = session.sack(&[], false)?;
    let (mut reasons, mut changes) = (session.reasons.clone(), Vec::new());
    for word in &arguments.words {
        let filter = Filter { scope: Scope::Installed, words: vec![word.clone()], ..Filter::default() };
        let found = filter::apply(&sack, &filter);
        if found.is_empty() {
            return Err(Failure::work(format!("no match for argument: {word}")));
        }
        for place in found {
            let nevra = &sack.package(place).nevra;
            let from = reasons.of(nevra).map(|known| known.from.clone()).unwrap_or_default();
            if reasons.of(nevra).is_some_and(|known| known.reason == reason) {
                session.ui.note(&format!("`{nevra}` is marked so already"));
                continue;
            }
            reasons.set(nevra, Known { reason, from: from.clone() });
            let package = nevra.to_string();
            changes.push(Change { action: Action::ReasonChange, package, repository: from, reason });
        }
    }
    if changes.is_empty() {
        session.ui.data("Nothing to do.");
        return Ok(ExitCode::SUCCESS);
    }
    let persist = session.config.folder(Key::PersistDir);
    reasons.save(&persist).map_err(failed)?;
    let entry = Entry {
        id: 0,
        time: session.now,
        command: session.command.clone(),
        comment: String::new(),
        changes,
        groups: Vec::new(),
    };
    let id = history::append(&persist, entry).map_err(failed)?;
    if session.ui.json {
        session.ui.json(&serde_json::json!({ "transaction": id }));
    } else {
        session.ui.data("Complete!");
    }
    Ok(ExitCode::SUCCESS)
}
