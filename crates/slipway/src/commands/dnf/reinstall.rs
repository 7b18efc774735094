use std::process::ExitCode;

use clap::Args;
use update::resolve::Job;

use super::session::Session;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Install packages of the installed version again
#[derive(Args)]
#[command(after_help = "Example: slipway dnf reinstall bash")]
pub(super) struct Arguments {
    /// Words that mean installed packages.
    #[arg(required = true)]
    words: Vec<String>,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let words = arguments.words.clone();
    carry_out(Job { reinstall: words, ..Job::default() }, &arguments.how, session)
}
