use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use pkg::Relation;
use update::query::filter;
use update::query::spec::{self, Meaning};
use update::resolve::{Job, package_of_file};

use super::session::{Session, failed};
use super::transact::{How, carry_out};
use crate::commands::spec::Macros;
use crate::explain::Failure;

/// Install what a package needs to be built
#[derive(Args)]
#[command(after_help = "Example: slipway dnf --installroot /srv/root builddep hello.spec")]
pub(super) struct Arguments {
    /// Spec files (`*.spec`), source packages (`*.src.rpm`), or names of packages that repositories have the source of.
    #[arg(required = true)]
    words: Vec<String>,
    /// All words are spec files.
    #[arg(long, conflicts_with = "srpm")]
    spec: bool,
    /// All words are files of source packages.
    #[arg(long)]
    srpm: bool,
    #[command(flatten)]
    macros: Macros,
    #[command(flatten)]
    how: How,
}

/// What is needed, and what must not be there.
#[derive(Default)]
struct Needs {
    requires: BTreeSet<String>,
    conflicts: BTreeSet<String>,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let mut needs = Needs::default();
    let mut names = Vec::new();
    for word in &arguments.words {
        let path = Path::new(word);
        if arguments.spec || (word.ends_with(".spec") && !arguments.srpm) {
            needs.of_spec(path, arguments, session)?;
        } else if arguments.srpm || word.ends_with(".src.rpm") || word.ends_with(".nosrc.rpm") {
            let package = package_of_file(path).map_err(failed)?;
            needs.of_package(&package);
        } else {
            names.push(word);
        }
    }
    if !names.is_empty() {
        let sack = session.sack(&[], true)?;
        for name in names {
            let found = spec::resolve(&sack, name, Meaning::NAMES);
            let mut sources: BTreeSet<String> = BTreeSet::from([name.clone()]);
            sources.extend(found.iter().filter_map(|place| {
                let source = sack.package(*place).source_rpm.trim_end_matches(".rpm");
                source.rsplitn(3, '-').nth(2).map(str::to_owned)
            }));
            let places = sources.iter().flat_map(|source| sack.named(source)).copied();
            let places: BTreeSet<_> = places.filter(|place| sack.is_source(*place)).collect();
            if places.is_empty() {
                return Err(Failure::work(format!("no source package matches `{name}`"))
                    .hint("enable a repository of source packages with `--enable-repo`"));
            }
            filter::latest(&sack, &places, 1).into_iter().for_each(|place| needs.of_package(sack.package(place)));
        }
    }
    let mut capabilities = Vec::new();
    for text in &needs.requires {
        let wrong = |error| Failure::work(format!("`{text}` is no requirement: {error}"));
        capabilities.push(Relation::parse(text).map_err(wrong)?);
    }
    let installed: BTreeSet<String> =
        session.database.packages().map_err(failed)?.into_iter().map(|one| one.package.nevra.name).collect();
    let remove: Vec<String> = needs.conflicts.into_iter().filter(|name| installed.contains(name)).collect();
    carry_out(Job { capabilities, remove, ..Job::default() }, &arguments.how, session)
}

impl Needs {
    fn of_package(&mut self, package: &update::resolve::Package) {
        let requires = package.requires.iter().map(|requirement| requirement.relation.to_string());
        self.requires.extend(requires.filter(|text| !text.starts_with("rpmlib(")));
        self.conflicts.extend(package.conflicts.iter().map(|relation| relation.name.clone()));
    }

    fn of_spec(&mut self, path: &Path, arguments: &Arguments, session: &Session) -> Result<(), Failure> {
        let root = session.config.installroot.join("usr/lib/rpm");
        let root: Option<PathBuf> = root.is_dir().then_some(root);
        let evaluated = crate::commands::spec::evaluated(path, &arguments.macros, root.as_deref(), &session.ui)?;
        self.requires.extend(evaluated.build_requires.iter().map(|located| located.value.to_string()));
        self.conflicts.extend(evaluated.build_conflicts.iter().map(|located| located.value.name.clone()));
        if evaluated.dynamic_build_requires {
            session.ui.note(&format!(
                "note: `{}` finds out more of what it needs when it is built (%generate_buildrequires)",
                path.display()
            ));
        }
        Ok(())
    }
}
