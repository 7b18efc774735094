use std::process::ExitCode;

use clap::Args;
use update::resolve::Job;

use super::session::Session;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Remove packages, what requires them, and what nothing needs then
#[derive(Args)]
#[command(after_help = "Example: slipway dnf remove httpd")]
pub(super) struct Arguments {
    /// Words that mean installed packages.
    #[arg(required = true)]
    words: Vec<String>,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let words = arguments.words.clone();
    carry_out(
        Job {
            remove: words,
            freed: session.config.main.flag(update::config::Key::CleanRequirements),
            ..Job::default()
        },
        &arguments.how,
        session,
    )
}
