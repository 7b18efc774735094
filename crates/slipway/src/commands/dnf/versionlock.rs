use std::process::ExitCode;

use clap::Subcommand;
use pkg::{Condition, Relation};
use update::config::Key;
use update::query::filter;
use update::query::spec::{self, Meaning};

use super::session::{Session, failed};
use crate::explain::Failure;

/// Keep packages at the version that they have
#[derive(Subcommand)]
pub(super) enum Command {
    /// Keep packages at their version: the installed one, or the newest there is
    #[command(after_help = "Example: slipway dnf versionlock add kernel")]
    Add {
        /// Words that mean packages.
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Let packages go again
    #[command(after_help = "Example: slipway dnf versionlock delete kernel")]
    Delete {
        /// Names.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// List what is kept
    #[command(after_help = "Example: slipway dnf versionlock list")]
    List,
    /// Let all go
    #[command(after_help = "Example: slipway dnf versionlock clear")]
    Clear,
}

fn file(session: &Session) -> std::path::PathBuf {
    session.config.folder(Key::PersistDir).join("versionlock.json")
}

/// The locks: a name and a version each, as in `bash = 5.2-1`.
pub(super) fn load(session: &Session) -> Result<Vec<String>, Failure> {
    let file = file(session);
    match fs_err::read(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        bytes => {
            let wrong = |error: serde_json::Error| Failure::work(format!("`{}`: {error}", file.display()));
            serde_json::from_slice(&bytes.map_err(failed)?).map_err(wrong)
        }
    }
}

fn save(locks: &[String], session: &Session) -> Result<(), Failure> {
    let file = file(session);
    if let Some(folder) = file.parent() {
        fs_err::create_dir_all(folder).map_err(failed)?;
    }
    let bytes = serde_json::to_vec_pretty(locks).map_err(failed)?;
    let new = file.with_extension("new");
    fs_err::write(&new, bytes).map_err(failed)?;
    fs_err::rename(&new, &file).map_err(failed)
}

pub(super) fn run(command: &Command, session: &Session) -> Result<ExitCode, Failure> {
    let mut locks = load(session)?;
    let name = |lock: &String| lock.split(' ').next().unwrap_or_default().to_owned();
    match command {
        Command::List => {
            if session.ui.json {
                session.ui.json(&locks);
            } else if !locks.is_empty() {
                session.ui.data(&locks.join("\n"));
            }
            return Ok(ExitCode::SUCCESS);
        }
        Command::Clear => locks.clear(),
        Command::Delete { names } => {
            for wanted in names {
                let before = locks.len();
                locks.retain(|lock| name(lock) != *wanted);
                if locks.len() == before {
                    return Err(Failure::work(format!("nothing keeps `{wanted}`")));
                }
            }
        }
        Command::Add { words } => {
            let sack = session.sack(&[], true)?;
            for word in words {
                let mut found = spec::resolve(&sack, word, Meaning::NAMES);
                if found.iter().any(|place| sack.is_installed(*place)) {
                    found.retain(|place| sack.is_installed(*place));
                }
                let newest = filter::latest(&sack, &found, 1);
                if newest.is_empty() {
                    return Err(Failure::work(format!("no match for argument: {word}")));
                }
                for place in newest {
                    let nevra = &sack.package(place).nevra;
                    let lock = Relation::new(&nevra.name, Condition::Equal, nevra.evr.clone()).to_string();
                    locks.retain(|other| name(other) != nevra.name);
                    session.ui.note(&format!("kept: {lock}"));
                    locks.push(lock);
                }
            }
            locks.sort();
        }
    }
    save(&locks, session)?;
    Ok(ExitCode::SUCCESS)
}
