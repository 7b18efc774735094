use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use update::query::filter;
use update::query::spec::{self, Meaning};
use update::resolve::{self, Job};
use update::{Download, Origin, Place, transaction};

use super::session::{Session, failed};
use crate::explain::Failure;

/// Fetch packages into a folder
#[derive(Args)]
#[command(after_help = "Example: slipway dnf download --resolve --destdir /srv/packages bash")]
pub(super) struct Arguments {
    /// Words that mean packages.
    #[arg(required = true)]
    words: Vec<String>,
    /// The folder; this one if not said.
    #[arg(long, value_name = "DIR", default_value = ".")]
    destdir: PathBuf,
    /// Also what they require, as far as it is not installed.
    #[arg(long)]
    resolve: bool,
    /// With `--resolve`: also what is installed.
    #[arg(long)]
    alldeps: bool,
    /// Source packages.
    #[arg(long, visible_alias = "source")]
    srpm: bool,
    /// Packages of these architectures.
    #[arg(long, value_name = "ARCH,..")]
    arch: Vec<String>,
    /// Show where they would come from, and fetch nothing.
    #[arg(long)]
    url: bool,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let (files, names) =
        if arguments.resolve { with_requirements(arguments, session)? } else { alone(arguments, session)? };
    fs_err::create_dir_all(&arguments.destdir)?;
    let mut placed = Vec::new();
    for (file, name) in files.iter().zip(names) {
        let to = arguments.destdir.join(name);
        let part = to.with_extension("rpm.part");
        fs_err::copy(file, &part)?;
        fs_err::rename(&part, &to)?;
        placed.push(to.display().to_string());
    }
    if session.ui.json {
        session.ui.json(&placed);
    } else if !placed.is_empty() {
        session.ui.data(&placed.join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}

type Files = (Vec<PathBuf>, Vec<String>);

fn with_requirements(arguments: &Arguments, session: &Session) -> Result<Files, Failure> {
    let repositories = session.repositories(&[])?;
    let installed = if arguments.alldeps { Vec::new() } else { session.database.packages().map_err(failed)? };
    let job = Job { install: arguments.words.clone(), ..Job::default() };
    let outcome = session
        .with(|machine| resolve::resolve(&job, &installed, &repositories, &session.reasons, machine))
        .map_err(failed)?;
    let files = session
        .with(|machine| transaction::fetch(&outcome, &repositories, &session.database, &|_, _| {}, machine))
        .map_err(failed)?;
    let names = outcome.steps.iter().filter_map(|step| step.new.as_ref()).map(|new| new.nevra.file_name()).collect();
    Ok((files.into_iter().map(|file| file.path).collect(), names))
}

fn alone(arguments: &Arguments, session: &Session) -> Result<Files, Failure> {
    let sack = session.sack(&[], true)?;
    let mut chosen: BTreeSet<Place> = BTreeSet::new();
    for word in &arguments.words {
        let mut found = spec::resolve(&sack, word, Meaning { provides: true, ..Meaning::default() });
        let own = session.config.arch();
        found.retain(|place| {
            let arch = &sack.package(*place).nevra.arch;
            let fits = match (arguments.srpm, arguments.arch.is_empty()) {
                (true, _) => arch.as_str() == "src",
                (false, true) => arch.runs_on(&own),
                (false, false) => arguments.arch.iter().any(|arches| arches.split(',').any(|one| one == arch.as_str())),
            };
            fits && matches!(sack.get(*place).origin, Origin::Available { .. })
        });
        if found.is_empty() {
            return Err(Failure::work(format!("no match for argument: {word}")));
        }
        chosen.extend(filter::latest(&sack, &found, 1));
    }
    let downloads: Vec<Download<'_>> = chosen
        .iter()
        .filter_map(|place| match sack.get(*place).origin {
            Origin::Available { repository } => {
                Some(Download { from: &sack.repositories()[repository], package: sack.package(*place) })
            }
            _ => None,
        })
        .collect();
    if arguments.url {
        for download in &downloads {
            let base =
                download.from.repository.list(update::config::Key::BaseUrl).into_iter().next().unwrap_or_default();
            let base = update::config::redacted(base.trim_end_matches('/'));
            session.ui.data(&format!("{base}/{}", download.package.location));
        }
        return Ok((Vec::new(), Vec::new()));
    }
    let found = session.with(|machine| update::download(&downloads, machine, &|_, _| {})).map_err(failed)?;
    let names = downloads.iter().map(|download| download.package.nevra.file_name()).collect();
    Ok((found.into_iter().map(|(path, _)| path).collect(), names))
}
