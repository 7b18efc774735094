use std::process::ExitCode;

use clap::Args;
use update::groups::Asked;
use update::resolve::{Job, package_of_file};

use super::group;
use super::session::{Session, failed};
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Install packages, and what they require
#[derive(Args)]
#[command(after_help = "Example: slipway dnf --installroot /srv/root --use-host-config install bash ./local.rpm")]
pub(super) struct Arguments {
    /// Words that mean packages, capabilities, paths, groups (`@group`), or package files (with a `/` in them).
    #[arg(required = true)]
    words: Vec<String>,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let mut job = Job::default();
    let (words, groups) = group::split(&arguments.words);
    for word in &words {
        let path = std::path::Path::new(word);
        if word.ends_with(".rpm") && (word.contains('/') || path.is_file()) {
            let path = std::path::absolute(path)?;
            job.files.push((path.clone(), package_of_file(&path).map_err(failed)?));
        } else {
            job.install.push(word.clone());
        }
    }
    if !groups.is_empty() {
        job.groups = group::plan(&Asked { install: groups, ..Asked::default() }, &arguments.how, session)?;
    }
    carry_out(job, &arguments.how, session)
}
