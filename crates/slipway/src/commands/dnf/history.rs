use std::process::ExitCode;

use clap::Subcommand;
use update::config::Key;
use update::groups::{Change, Plan};
use update::history::{self, Entry, Wanted, date};
use update::resolve::Job;

use super::replay;
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
    /// Write one transaction into a folder, for `replay`
    #[command(after_help = "Example: slipway dnf history store last --output ./transaction")]
    Store {
        /// A number, or `last`.
        #[arg(default_value = "last")]
        id: String,
        /// The folder.
        #[arg(short = 'o', long, value_name = "DIR", default_value = "./transaction")]
        output: std::path::PathBuf,
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
        Command::Store { id, output } => {
            let file = replay::store(find(&all, id)?, output)?;
            if session.ui.json {
                session.ui.json(&file);
            } else {
                session.ui.note(&format!("stored: {}", file.display()));
            }
        }
        Command::Info { ids } => {
            for id in ids {
                info(find(&all, id)?, session);
            }
        }
        Command::Undo { id, how } => {
            let entry = find(&all, id)?;
            return again(&history::undo(&[entry]), taken_back(&[entry]), how, session);
        }
        Command::Redo { id, how } => {
            let entry = find(&all, id)?;
            return again(&history::redo(&[entry]), entry.groups.clone(), how, session);
        }
        Command::Rollback { id, how } => {
            let stays = find(&all, id)?.id;
            let later: Vec<&Entry> = all.iter().filter(|entry| entry.id > stays).collect();
            return again(&history::undo(&later), taken_back(&later), how, session);
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

/// The changes of groups that take back those of some transactions.
fn taken_back(entries: &[&Entry]) -> Vec<Change> {
    entries.iter().rev().flat_map(|entry| entry.groups.iter().rev()).map(Change::reversed).collect()
}

fn again(wanted: &Wanted, changes: Vec<Change>, how: &How, session: &mut Session) -> Result<ExitCode, Failure> {
    let there = wanted.there().map(|(package, reason)| (package, Some(reason)));
    let mut exact = Vec::new();
    for (package, reason) in there.chain(wanted.gone().map(|gone| (gone, None))) {
        exact.push((package.parse().map_err(|error: pkg::NevraError| failed(error))?, reason));
    }
    let groups = Plan { changes, ..Plan::default() };
    carry_out(Job { exact, groups, allow_erasing: true, ..Job::default() }, how, session)
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
    for (title, is_environment) in [("Groups altered:", false), ("Environments altered:", true)] {
        let mut table = Table::plain(&["  Action", "Id"]);
        let changes = entry.groups.iter().filter(|change| change.is_environment() == is_environment);
        let rows: Vec<_> = changes.map(|change| [format!("  {}", change.action()), change.id.clone()]).collect();
        if !rows.is_empty() {
            rows.into_iter().for_each(|row| table.row(row));
            text = format!("{}\n{title}\n{}", text.trim_end(), table.text());
        }
    }
    session.ui.data(&text);
}
