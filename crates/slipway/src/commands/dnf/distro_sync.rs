use std::process::ExitCode;

use clap::Args;
use update::resolve::Job;

use super::session::Session;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Make installed packages those that the repositories have, newer or older
#[derive(Args, Clone)]
#[command(after_help = "Example: slipway dnf distro-sync")]
pub(super) struct Arguments {
    /// Words that mean installed packages; all if not said.
    #[arg()]
    words: Vec<String>,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let words = arguments.words.clone();
    carry_out(Job { sync_all: words.is_empty(), sync: words, ..Job::default() }, &arguments.how, session)
}

/// The same at the next start.
pub(super) fn run_offline(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    run(&Arguments { how: arguments.how.clone().offline(), ..arguments.clone() }, session)
}
