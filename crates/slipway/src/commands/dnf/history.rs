use std::process::ExitCode;

use clap::Subcommand;
use update::config::Key;
use update::history::{self, Entry, Wanted, date};
use update::resolve::Job;

use super::session::{Session, failed};
use super::transact::{How, carry_out};
use crate::explain::Failure;
use crate::ui::Table;

/// Show and take back what was done
#[derive(Subcommand)]
pub(super) enum Command {
    /// List transactions, the newest first
    #[command(after_help = "Example: slipway dnf history list")]
    List,
    /// Show transactions
    #[command(after_help = "Example: slipway dnf history info last")]
    Info {
        /// Numbers, or `last`.
        #[arg(default_value = "last")]
        ids: Vec<String>,
    },
    /// Take back one transaction
    #[command(after_help = "Example: slipway dnf history undo last")]
    Undo {
        /// A number, or `last`.
        id: String,
        #[command(flatten)]
        how: How,
    },
    /// Do one transaction again
    #[command(after_help = "Example: slipway dnf history redo 3")]
    Redo {
        /// A number, or `last`.
        id: String,
        #[command(flatten)]
        how: How,
    },
    /// Take back all transactions after one
    #[command(after_help = "Example: slipway dnf history rollback 3")]
    Rollback {
        /// A number; it stays, with all before it.
        id: String,
        #[command(flatten)]
        how: How,
    },
}

pub(super) fn run(command: &Command, session: &mut Session) -> Result<ExitCode, Failure> {
    let all = history::load(&session.config.folder(Key::PersistDir)).map_err(failed)?;
    match command {
        Command::List => list(&all, session),
        Command::Info { ids } => {
            for id in ids {
                info(find(&all, id)?, session);
            }
        }
        Command::Undo { id, how } => return again(&history::undo(&[find(&all, id)?]), how, session),
        Command::Redo { id, how } => return again(&history::redo(&[find(&all, id)?]), how, session),
        Command::Rollback { id, how } => {
            let stays = find(&all, id)?.id;
            let later: Vec<&Entry> = all.iter().filter(|entry| entry.id > stays).collect();
            return again(&history::undo(&later), how, session);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn find<'a>(all: &'a [Entry], id: &str) -> Result<&'a Entry, Failure> {
    let found = match id {
        "last" => all.last(),
        id => {
            let id: u64 =
                id.parse().map_err(|_| Failure::usage(format!("`{id}` is no transaction's number, nor `last`")))?;
            all.iter().find(|entry| entry.id == id)
        }
    };
    found.ok_or_else(|| {
        Failure::work(format!("there is no transaction `{id}`")).hint("`slipway dnf history list` shows all")
    })
}

fn again(wanted: &Wanted, how: &How, session: &mut Session) -> Result<ExitCode, Failure> {
    let there = wanted.there().map(|(package, reason)| (package, Some(reason)));
    let mut exact = Vec::new();
    for (package, reason) in there.chain(wanted.gone().map(|gone| (gone, None))) {
        exact.push((package.parse().map_err(|error: pkg::NevraError| failed(error))?, reason));
    }
    carry_out(Job { exact, allow_erasing: true, ..Job::default() }, how, session)
}

fn list(all: &[Entry], session: &Session) {
    if session.ui.json {
        session.ui.json(&all);
        return;
    }
    let mut table = Table::plain(&["ID", "Command line", "Date and time", "Altered"]);
    for entry in all.iter().rev() {
        let altered = entry.changes.iter().filter(|change| change.action != history::Action::Replaced).count();
        table.row([entry.id.to_string(), entry.command.clone(), date(entry.time), altered.to_string()]);
    }
    session.ui.data(&table.text());
}

fn info(entry: &Entry, session: &Session) {
    if session.ui.json {
        session.ui.json(entry);
        return;
    }
    let mut text = format!(
        "Transaction ID : {}\nBegin time     : {}\nCommand line   : {}\nComment        : {}\nPackages altered:",
        entry.id,
        date(entry.time),
        entry.command,
        entry.comment
    );
    let mut table = Table::plain(&["  Action", "Package", "Reason", "Repository"]);
    for change in &entry.changes {
        let action = format!("  {}", change.action.as_str());
        table.row([action, change.package.clone(), change.reason.as_str().to_owned(), change.repository.clone()]);
    }
    text.push('\n');
    text.push_str(&table.text());
    session.ui.data(&text);
}
