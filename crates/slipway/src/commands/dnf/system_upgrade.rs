use std::process::ExitCode;

use clap::{Args, Subcommand};
use update::config::Key;
use update::groups::{Asked, InstalledGroups};
use update::resolve::Job;

use super::session::{Session, failed};
use super::transact::{How, carry_out};
use super::{distro_sync, group, offline, upgrade};
use crate::explain::Failure;

/// Upgrade the machine to another release, when it starts the next time
#[derive(Subcommand)]
pub(super) enum Command {
    /// Fetch all that the other release takes, and store the transaction
    #[command(after_help = "Example: slipway dnf system-upgrade download --releasever 2.0")]
    Download(Download),
    #[command(flatten)]
    Offline(offline::Command),
}

#[derive(Args)]
pub(super) struct Download {
    /// Packages that are newer than those of the other release stay.
    #[arg(long)]
    no_downgrade: bool,
    /// Installed packages may be removed to make room.
    #[arg(long)]
    allowerasing: bool,
}

pub(super) fn run(command: &Command, session: &mut Session) -> Result<ExitCode, Failure> {
    let arguments = match command {
        Command::Offline(command) => return offline::run(command, session),
        Command::Download(arguments) => arguments,
    };
    let target = session.config.variables.get("releasever").unwrap_or_default().to_owned();
    if session.release.as_ref() == Some(&target) || target.is_empty() {
        return Err(Failure::work(format!(
            "the release to upgrade to is not another than the installed one, `{target}`"
        ))
        .hint("`--releasever` names it"));
    }
    let how = How::at_next_start(arguments.allowerasing);
    let installed = InstalledGroups::load(&session.config.folder(Key::PersistDir)).map_err(failed)?;
    let all: Vec<String> = installed.groups.keys().chain(installed.environments.keys()).cloned().collect();
    let mut job = Job { upgrade_all: arguments.no_downgrade, sync_all: !arguments.no_downgrade, ..Job::default() };
    if !all.is_empty() {
        job.groups = group::plan(&Asked { upgrade: all, ..Asked::default() }, &how, session)?;
    }
    carry_out(job, &how, session)
}

/// Upgrade packages when the machine starts the next time
#[derive(Subcommand)]
pub(super) enum Upgrade {
    /// As `upgrade --offline`
    #[command(after_help = "Example: slipway dnf offline-upgrade download")]
    Download(upgrade::Arguments),
    #[command(flatten)]
    Offline(offline::Command),
}

/// Make packages those that the repositories have when the machine starts the next time
#[derive(Subcommand)]
pub(super) enum DistroSync {
    /// As `distro-sync --offline`
    #[command(after_help = "Example: slipway dnf offline-distrosync download")]
    Download(distro_sync::Arguments),
    #[command(flatten)]
    Offline(offline::Command),
}

pub(super) fn run_upgrade(command: &Upgrade, session: &mut Session) -> Result<ExitCode, Failure> {
    match command {
        Upgrade::Download(arguments) => upgrade::run_offline(arguments, session),
        Upgrade::Offline(command) => offline::run(command, session),
    }
}

pub(super) fn run_distro_sync(command: &DistroSync, session: &mut Session) -> Result<ExitCode, Failure> {
    match command {
        DistroSync::Download(arguments) => distro_sync::run_offline(arguments, session),
        DistroSync::Offline(command) => offline::run(command, session),
    }
}
