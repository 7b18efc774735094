use std::process::ExitCode;

use clap::Args;
use update::groups::{Asked, Plan};
use update::resolve::Job;

use super::group;
use super::session::Session;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Remove packages, what requires them, and what nothing needs then
#[derive(Args)]
#[command(after_help = "Example: slipway dnf remove httpd")]
pub(super) struct Arguments {
    /// Words that mean installed packages, or groups (`@group`).
    #[arg(required = true)]
    words: Vec<String>,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let (words, groups) = group::split(&arguments.words);
    let groups = match groups.is_empty() {
        true => Plan::default(),
        false => group::plan(&Asked { remove: groups, ..Asked::default() }, &arguments.how, session)?,
    };
    carry_out(
        Job {
            remove: words,
            groups,
            freed: session.config.main.flag(update::config::Key::CleanRequirements),
            ..Job::default()
        },
        &arguments.how,
        session,
    )
}
