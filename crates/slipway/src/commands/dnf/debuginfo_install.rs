use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use update::query::filter;
use update::query::spec::{self, Meaning};
use update::resolve::Job;
use update::{Place, Sack};

use super::session::Session;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Install the debug packages of packages
///
/// Repositories of debug packages are used, too: those whose id is that of an enabled repository with `-debuginfo` or
/// `-debug-rpms` behind it.
#[derive(Args)]
#[command(after_help = "Example: slipway dnf --installroot /srv/root debuginfo-install bash")]
pub(super) struct Arguments {
    /// Words that mean packages.
    #[arg(required = true)]
    words: Vec<String>,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let enabled: BTreeSet<String> = session.config.enabled().map(|repository| repository.id.clone()).collect();
    for repository in &mut session.config.repositories {
        let base = ["-debuginfo", "-debug-rpms"].iter().find_map(|end| repository.id.strip_suffix(end));
        repository.enabled |= base.is_some_and(|base| enabled.contains(base));
    }
    let sack = session.sack(&[], true)?;
    let mut install = BTreeSet::new();
    for word in &arguments.words {
        let mut found = spec::resolve(&sack, word, Meaning { provides: true, ..Meaning::default() });
        found.retain(|place| !sack.is_source(*place));
        if found.iter().any(|place| sack.is_installed(*place)) {
            found.retain(|place| sack.is_installed(*place));
        }
        let mut count = 0;
        for place in filter::latest(&sack, &found, 1) {
            let debug = debug_packages(&sack, place);
            if debug.is_empty() {
                session.ui.note(&format!("no debug packages are known for `{}`", sack.package(place).nevra));
            }
            count += debug.len();
            install.extend(debug);
        }
        if count == 0 && !arguments.how.skips_unavailable(session) {
            return Err(Failure::work(format!("could not find debuginfo package for the following argument: {word}"))
                .hint("`slipway dnf repolist --all` lists repositories that are not enabled"));
        }
    }
    carry_out(Job { install: install.into_iter().collect(), ..Job::default() }, &arguments.how, session)
}

/// The debug packages of a package: with its name, or with that of its source package, of the same version; and the sources.
fn debug_packages(sack: &Sack, place: Place) -> Vec<String> {
    let package = sack.package(place);
    let source = package.source_rpm.trim_end_matches(".rpm").rsplitn(3, '-').nth(2).unwrap_or_default();
    let of = |name: &str| {
        let same = |other: &&Place| {
            let nevra = &sack.package(**other).nevra;
            nevra.evr == package.nevra.evr && nevra.arch == package.nevra.arch
        };
        let found = sack.named(name).iter().find(same);
        found.map(|other| sack.package(*other).nevra.to_string())
    };
    let info = of(&format!("{}-debuginfo", package.nevra.name)).or_else(|| of(&format!("{source}-debuginfo")));
    [info, of(&format!("{source}-debugsource"))].into_iter().flatten().collect()
}
