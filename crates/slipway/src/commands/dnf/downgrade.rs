use std::process::ExitCode;

use clap::Args;
use update::resolve::Job;

use super::session::Session;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Replace installed packages by older ones
#[derive(Args)]
#[command(after_help = "Example: slipway dnf downgrade bash-5.1")]
pub(super) struct Arguments {
    /// Words that mean installed packages; a version says which.
    #[arg(required = true)]
    words: Vec<String>,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let words = arguments.words.clone();
    carry_out(Job { downgrade: words, ..Job::default() }, &arguments.how, session)
}
