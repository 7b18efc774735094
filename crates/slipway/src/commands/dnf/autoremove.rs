use std::process::ExitCode;

use clap::Args;
use update::resolve::Job;

use super::session::Session;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Remove packages that came as dependencies and that nothing needs any more
#[derive(Args)]
#[command(after_help = "Example: slipway dnf autoremove -y")]
pub(super) struct Arguments {
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    carry_out(Job { autoremove: true, ..Job::default() }, &arguments.how, session)
}
