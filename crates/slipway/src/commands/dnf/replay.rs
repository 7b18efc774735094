use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::{Deserialize, Serialize};
use update::groups::{Asked, Plan};
use update::history::{Action, Entry};
use update::reasons::Reason;
use update::resolve::Job;

use super::group;
use super::session::{Session, failed};
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Do a stored transaction
#[derive(Args)]
#[command(after_help = "Example: slipway dnf --installroot /srv/root replay ./transaction")]
pub(super) struct Arguments {
    /// The folder that `history store` or `--store` wrote.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// More packages than the stored ones may come and go.
    #[arg(long)]
    ignore_extras: bool,
    /// What is installed may be other than it was.
    #[arg(long)]
    ignore_installed: bool,
    #[command(flatten)]
    how: How,
}

/// The file in a stored transaction's folder. Source: dnf5's `transaction.json`, version 1.0.
const FILE: &str = "transaction.json";

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    rpms: Vec<StoredPackage>,
    #[serde(default)]
    groups: Vec<StoredGroup>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    environments: Vec<StoredGroup>,
    version: String,
}

#[derive(Serialize, Deserialize)]
struct StoredPackage {
    nevra: String,
    action: String,
    reason: String,
    #[serde(default)]
    repo_id: String,
}

#[derive(Serialize, Deserialize)]
struct StoredGroup {
    #[serde(alias = "group_id", alias = "environment_id")]
    id: String,
    action: String,
    #[serde(default)]
    repo_id: String,
}

const ACTIONS: [Action; 7] = [
    Action::Install,
    Action::Upgrade,
    Action::Downgrade,
    Action::Reinstall,
    Action::Remove,
    Action::Replaced,
    Action::ReasonChange,
];

const REASONS: [Reason; 5] =
    [Reason::User, Reason::Dependency, Reason::WeakDependency, Reason::Group, Reason::External];

/// Writes a transaction of the history into a folder.
pub(super) fn store(entry: &Entry, folder: &Path) -> Result<PathBuf, Failure> {
    let rpms = entry.changes.iter().map(|change| StoredPackage {
        nevra: change.package.clone(),
        action: change.action.as_str().to_owned(),
        reason: change.reason.as_str().to_owned(),
        repo_id: if change.action.comes() { change.repository.clone() } else { "@System".to_owned() },
    });
    let of = |is_environment: bool| {
        let changes = entry.groups.iter().filter(move |change| change.is_environment() == is_environment);
        let stored = changes.map(|change| StoredGroup {
            id: change.id.clone(),
            action: change.action().to_owned(),
            repo_id: String::new(),
        });
        stored.collect()
    };
    let stored = Stored { rpms: rpms.collect(), groups: of(false), environments: of(true), version: "1.0".to_owned() };
    let file = folder.join(FILE);
    if file.exists() {
        return Err(Failure::work(format!("`{}` is there already; nothing was written", file.display()))
            .hint("`--output` names another folder"));
    }
    fs_err::create_dir_all(folder)?;
    let text = serde_json::to_string_pretty(&stored).map_err(failed)?;
    update::config::edit::write(&file, &format!("{text}\n"))?;
    Ok(file)
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let file = match arguments.folder.is_dir() {
        true => arguments.folder.join(FILE),
        false => arguments.folder.clone(),
    };
    let bytes = fs_err::read(&file)?;
    let wrong = |problem: String| Failure::work(format!("`{}`: {problem}", file.display()));
    let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if stored.version.split('.').next() != Some("1") {
        return Err(wrong(format!("it is of version {}, and 1.0 is known", stored.version)));
    }
    let installed: BTreeSet<String> =
        session.database.packages().map_err(failed)?.into_iter().map(|one| one.package.nevra.to_string()).collect();
    let mut exact = Vec::new();
    let mut differing = Vec::new();
    for package in &stored.rpms {
        let nevra: pkg::Nevra = package.nevra.parse().map_err(|error: pkg::NevraError| wrong(error.to_string()))?;
        let action = ACTIONS.into_iter().find(|action| action.as_str() == package.action);
        let action = action.ok_or_else(|| wrong(format!("`{}` is no action", package.action)))?;
        let reason = REASONS.into_iter().find(|reason| reason.as_str() == package.reason);
        let reason = reason.unwrap_or(Reason::External);
        let is_there = installed.contains(&nevra.to_string());
        match action {
            Action::ReasonChange => continue,
            Action::Install | Action::Upgrade | Action::Downgrade if is_there => {
                differing.push(format!("`{nevra}` is installed already"));
            }
            Action::Remove | Action::Replaced | Action::Reinstall if !is_there => {
                differing.push(format!("`{nevra}` is not installed"));
            }
            _ => {}
        }
        exact.push((nevra, action.comes().then_some(reason)));
    }
    if !differing.is_empty() && !arguments.ignore_installed {
        return Err(Failure::work(format!(
            "the stored transaction was made where other packages are installed:\n{}",
            differing.join("\n")
        ))
        .hint("`--ignore-installed` goes on all the same"));
    }
    let mut groups = Plan::default();
    for (list, environments_only) in [(&stored.groups, false), (&stored.environments, true)] {
        let of = |action: &str| list.iter().filter(|one| one.action == action).map(|one| one.id.clone()).collect();
        let asked = Asked {
            install: of("Install"),
            remove: of("Remove"),
            upgrade: of("Upgrade"),
            no_packages: true,
            environments_only,
            ..Asked::default()
        };
        if !list.is_empty() {
            let plan = group::plan(&asked, &arguments.how, session)?;
            groups.changes.extend(plan.changes.into_iter().filter(|one| one.is_environment() == environments_only));
        }
    }
    let job = Job { exact, groups, exactly: !arguments.ignore_extras, allow_erasing: true, ..Job::default() };
    carry_out(job, &arguments.how, session)
}
