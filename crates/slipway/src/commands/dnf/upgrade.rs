use std::process::ExitCode;

use clap::Args;
use update::resolve::Job;

use super::session::Session;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Replace installed packages by newer ones
#[derive(Args)]
#[command(after_help = "Example: slipway dnf upgrade -y")]
pub(super) struct Arguments {
    /// Words that mean installed packages; all if not said.
    #[arg()]
    words: Vec<String>,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let words = arguments.words.clone();
    carry_out(Job { upgrade_all: words.is_empty(), upgrade: words, ..Job::default() }, &arguments.how, session)
}
