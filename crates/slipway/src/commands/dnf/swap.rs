use std::process::ExitCode;

use clap::Args;
use update::resolve::Job;

use super::session::Session;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Remove one package and install another in one transaction
#[derive(Args)]
#[command(after_help = "Example: slipway dnf swap gawk mawk")]
pub(super) struct Arguments {
    /// A word that means installed packages.
    remove: String,
    /// A word that means packages to be installed.
    install: String,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let (remove, install) = (vec![arguments.remove.clone()], vec![arguments.install.clone()]);
    carry_out(Job { remove, install, allow_erasing: true, ..Job::default() }, &arguments.how, session)
}
