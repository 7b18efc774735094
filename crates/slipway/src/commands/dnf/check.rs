use std::process::ExitCode;

use clap::Args;
use update::config::Key;
use update::query::checks::{self, Look};

use super::session::Session;
use crate::explain::Failure;

/// Check that what is installed fits together
#[derive(Args)]
#[command(after_help = "Example: slipway dnf check --dependencies")]
pub(super) struct Arguments {
    /// Requirements that nothing satisfies, and conflicts.
    #[arg(long)]
    dependencies: bool,
    /// Several versions of one package.
    #[arg(long)]
    duplicates: bool,
    /// Packages that others replace.
    #[arg(long)]
    obsoleted: bool,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let looks = [
        (arguments.dependencies, Look::Dependencies),
        (arguments.duplicates, Look::Duplicates),
        (arguments.obsoleted, Look::Obsoleted),
    ];
    let all = looks.iter().all(|(on, _)| !on);
    let looks: Vec<Look> = looks.iter().filter(|(on, _)| *on || all).map(|(_, look)| *look).collect();
    let sack = session.sack(&[], false)?;
    let problems = checks::check(&sack, &looks, &session.config.main.list(Key::InstallOnly));
    if session.ui.json {
        session.ui.json(&problems.iter().map(ToString::to_string).collect::<Vec<_>>());
    } else {
        problems.iter().for_each(|problem| session.ui.data(&problem.to_string()));
    }
    match problems.len() {
        0 => Ok(ExitCode::SUCCESS),
        count => {
            Err(Failure::work(format!("check discovered {count} problems in {} packages", sack.installed().count())))
        }
    }
}
