use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use clap::Args;
use update::query::checks::{self, Problem};
use update::query::spec::{self, Meaning};
use update::{Origin, Place, query::filter};

use super::session::Session;
use crate::explain::Failure;

/// Check that everything which packages of repositories require is to be had
#[derive(Args)]
#[command(after_help = "Example: slipway dnf repoclosure --check base")]
pub(super) struct Arguments {
    /// Words: check these packages only.
    words: Vec<String>,
    /// Check packages of these repositories; those of the others may be used.
    #[arg(long, value_name = "ID,..")]
    check: Vec<String>,
    /// Check the newest version of each package only.
    #[arg(long)]
    newest: bool,
    /// Check packages of these architectures only.
    #[arg(long, value_name = "ARCH,..")]
    arch: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let sack = session.sack(&["filelists"], true)?;
    let among: BTreeSet<Place> = sack.available().collect();
    let mut of = if arguments.newest { filter::latest(&sack, &among, 1) } else { among.clone() };
    let parts = |words: &[String]| -> Vec<String> {
        words.iter().flat_map(|words| words.split(',')).map(str::to_owned).collect()
    };
    let (ids, arches) = (parts(&arguments.check), parts(&arguments.arch));
    of.retain(|place| {
        let nevra = &sack.package(*place).nevra;
        (ids.is_empty() || ids.iter().any(|id| id == sack.repository_id(*place)))
            && (arches.is_empty() || arches.iter().any(|arch| arch == nevra.arch.as_str()))
    });
    if !arguments.words.is_empty() {
        let meant: BTreeSet<Place> =
            arguments.words.iter().flat_map(|word| spec::resolve(&sack, word, Meaning::ANY)).collect();
        of.retain(|place| meant.contains(place) && matches!(sack.get(*place).origin, Origin::Available { .. }));
    }
    let mut broken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for problem in checks::unsatisfied(&sack, &of, &among) {
        if let Problem::Missing { package, requires } = problem {
            broken.entry(package.to_string()).or_default().insert(requires.to_string());
        }
    }
    if session.ui.json {
        session.ui.json(&broken);
    } else {
        for (package, relations) in &broken {
            let lines: Vec<String> = relations.iter().map(|relation| format!("    {relation}")).collect();
            session.ui.data(&format!("package: {package}\n  unresolved deps ({}):\n{}", lines.len(), lines.join("\n")));
        }
    }
    match broken.len() {
        0 => Ok(ExitCode::SUCCESS),
        count => Err(Failure::work(format!(
            "repoclosure ended with unresolved dependencies ({count}) across {} packages",
            of.len()
        ))),
    }
}
