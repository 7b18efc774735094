use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use update::groups::{Asked, Plan};
use update::history::{Action, Entry};
use update::resolve::{Job, package_of_file};
use update::stored::{self, Stored};

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

/// Writes a transaction of the history into a folder.
pub(super) fn store(entry: &Entry, folder: &Path) -> Result<PathBuf, Failure> {
    let file = folder.join(stored::FILE);
    if file.exists() {
        return Err(Failure::work(format!("`{}` is there already; nothing was written", file.display()))
            .hint("`--output` names another folder"));
    }
    fs_err::create_dir_all(folder)?;
    update::config::edit::write(&file, &Stored::of(&entry.changes, &entry.groups).to_text()?)?;
    Ok(file)
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let file = match arguments.folder.is_dir() {
        true => std::path::absolute(arguments.folder.join(stored::FILE))?,
        false => std::path::absolute(&arguments.folder)?,
    };
    let stored = Stored::parse(&fs_err::read(&file)?, &file).map_err(failed)?;
    let items = stored.items(&file).map_err(failed)?;
    let differing = stored::differences(&items, &session.database.packages().map_err(failed)?);
    if !differing.is_empty() && !arguments.ignore_installed {
        return Err(Failure::work(format!(
            "the stored transaction was made where other packages are installed:\n{}",
            differing.join("\n")
        ))
        .hint("`--ignore-installed` goes on all the same"));
    }
    let (mut exact, mut files, mut reinstall) = (Vec::new(), Vec::new(), Vec::new());
    for item in items.into_iter().filter(|item| item.action != Action::ReasonChange) {
        if let Some(path) = item.file {
            let package = package_of_file(&path).map_err(failed)?;
            files.push((path, package));
        }
        if item.action == Action::Reinstall {
            reinstall.push(item.nevra.to_string());
        }
        exact.push((item.nevra, item.action.comes().then_some(item.reason)));
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
    let job = Job {
        exact,
        files,
        reinstall,
        groups,
        exactly: !arguments.ignore_extras,
        allow_erasing: true,
        ..Job::default()
    };
    carry_out(job, &arguments.how, session)
}
