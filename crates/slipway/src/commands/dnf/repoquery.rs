use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use clap::Args;
use update::config::Key;
use update::query::advisories;
use update::query::filter::{self, Filter, Relating, Scope};
use update::query::format::{self, Format};
use update::query::matching::{self, List};
use update::query::spec::Meaning;
use update::{Place, Sack};

use super::advisory_choice::{self, Advisories};
use super::session::Session;
use super::{info, shown};
use crate::explain::Failure;

/// Ask about packages: filters leave some out, and what is left is shown by a format
#[derive(Args)]
#[command(
    after_help = "Example: slipway dnf repoquery --whatrequires bash --recursive --queryformat '%{name} %{evr}\\n'"
)]
#[expect(clippy::struct_excessive_bools, reason = "dnf has a switch for each")]
pub(super) struct Arguments {
    /// Words that mean packages, by name, by what they provide, or by their files; all if not said.
    words: Vec<String>,
    /// Packages of repositories; the default.
    #[arg(long)]
    available: bool,
    /// Installed packages.
    #[arg(long)]
    installed: bool,
    /// Packages of repositories that are newer than installed ones.
    #[arg(long)]
    upgrades: bool,
    /// Packages of these architectures.
    #[arg(long, value_name = "ARCH,..", visible_alias = "archlist")]
    arch: Vec<String>,
    /// Packages that have a file.
    #[arg(long, value_name = "PATH,..")]
    file: Vec<String>,
    /// Packages that provide something.
    #[arg(long, value_name = "CAPABILITY,..")]
    whatprovides: Vec<String>,
    /// Packages that require something, or something that a package provides.
    #[arg(long, value_name = "CAPABILITY,..")]
    whatrequires: Vec<String>,
    /// Packages that require, recommend, suggest, supplement or enhance something.
    #[arg(long, value_name = "CAPABILITY,..")]
    whatdepends: Vec<String>,
    /// Packages that conflict with something.
    #[arg(long, value_name = "CAPABILITY,..")]
    whatconflicts: Vec<String>,
    /// Packages that replace something.
    #[arg(long, value_name = "CAPABILITY,..")]
    whatobsoletes: Vec<String>,
    /// Packages that recommend something.
    #[arg(long, value_name = "CAPABILITY,..")]
    whatrecommends: Vec<String>,
    /// Packages that suggest something.
    #[arg(long, value_name = "CAPABILITY,..")]
    whatsuggests: Vec<String>,
    /// Packages that supplement something.
    #[arg(long, value_name = "CAPABILITY,..")]
    whatsupplements: Vec<String>,
    /// Packages that enhance something.
    #[arg(long, value_name = "CAPABILITY,..")]
    whatenhances: Vec<String>,
    /// With the `--what` options: only the very capability, not what a package of that name provides.
    #[arg(long)]
    exactdeps: bool,
    /// With `--whatrequires` and `--whatdepends`: over any number of steps.
    #[arg(long)]
    recursive: bool,
    /// Of each name and architecture the newest N versions; all but these where N is negative.
    #[arg(long = "latest-limit", value_name = "N", allow_hyphen_values = true)]
    latest: Option<i64>,
    /// Installed packages of which there are several versions.
    #[arg(long, visible_alias = "duplicated")]
    duplicates: bool,
    /// Installed packages that no repository has.
    #[arg(long)]
    extras: bool,
    /// Installed packages that somebody asked for.
    #[arg(long)]
    userinstalled: bool,
    /// Installed packages that came as dependencies and that nothing needs.
    #[arg(long)]
    unneeded: bool,
    /// Installed packages that no other needs.
    #[arg(long)]
    leaves: bool,
    /// Packages of which several versions may be installed.
    #[arg(long)]
    installonly: bool,
    /// What packages have of this kind, rather than the packages.
    #[arg(long, group = "shown")]
    requires: bool,
    /// What they provide.
    #[arg(long, group = "shown")]
    provides: bool,
    /// What they conflict with.
    #[arg(long, group = "shown")]
    conflicts: bool,
    /// What they replace.
    #[arg(long, group = "shown")]
    obsoletes: bool,
    /// What they recommend.
    #[arg(long, group = "shown")]
    recommends: bool,
    /// What they suggest.
    #[arg(long, group = "shown")]
    suggests: bool,
    /// What they supplement.
    #[arg(long, group = "shown")]
    supplements: bool,
    /// What they enhance.
    #[arg(long, group = "shown")]
    enhances: bool,
    /// Their files.
    #[arg(short = 'l', long, group = "shown", visible_alias = "list")]
    files: bool,
    /// Their changelogs.
    #[arg(long, group = "shown", visible_alias = "changelog")]
    changelogs: bool,
    /// The file name of the source package that each was built from.
    #[arg(long, group = "shown")]
    sourcerpm: bool,
    /// Where they are.
    #[arg(long, group = "shown")]
    location: bool,
    /// All facts, as `info` shows them.
    #[arg(short = 'i', long, group = "shown")]
    info: bool,
    /// A text for each package, with `%{tag}` in it.
    #[arg(long, visible_alias = "qf", value_name = "FORMAT", group = "shown")]
    queryformat: Option<String>,
    /// As `--queryformat '%{name}-%{version}-%{release}'`.
    #[arg(long, group = "shown")]
    nevra: bool,
    /// All tags of `--queryformat`.
    #[arg(long)]
    querytags: bool,
    /// The packages that satisfy this list of the packages.
    #[arg(long, value_name = "LIST")]
    providers_of: Option<String>,
    /// With `--requires` and its like: the packages that satisfy it.
    #[arg(long)]
    resolve: bool,
    /// Each requirement with the packages that satisfy it.
    #[arg(long, group = "shown")]
    deplist: bool,
    #[command(flatten)]
    advisories: Advisories,
}

fn parts(words: &[String]) -> Vec<String> {
    words.iter().flat_map(|words| words.split(',')).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl Arguments {
    fn relating(&self) -> Vec<Relating> {
        use List::{Conflicts, Enhances, Obsoletes, Recommends, Requires, Suggests, Supplements};
        let depends = vec![Requires, Recommends, Suggests, Supplements, Enhances];
        let all = [
            (&self.whatrequires, vec![Requires]),
            (&self.whatdepends, depends),
            (&self.whatconflicts, vec![Conflicts]),
            (&self.whatobsoletes, vec![Obsoletes]),
            (&self.whatrecommends, vec![Recommends]),
            (&self.whatsuggests, vec![Suggests]),
            (&self.whatsupplements, vec![Supplements]),
            (&self.whatenhances, vec![Enhances]),
        ];
        let asked = all.into_iter().filter(|(words, _)| !words.is_empty());
        asked.map(|(words, lists)| Relating { lists, words: parts(words), exact: self.exactdeps }).collect()
    }

    fn list(&self) -> Option<List> {
        let lists = [
            (self.requires, List::Requires),
            (self.provides, List::Provides),
            (self.conflicts, List::Conflicts),
            (self.obsoletes, List::Obsoletes),
            (self.recommends, List::Recommends),
            (self.suggests, List::Suggests),
            (self.supplements, List::Supplements),
            (self.enhances, List::Enhances),
        ];
        lists.into_iter().find(|(asked, _)| *asked).map(|(_, list)| list)
    }

    /// The format of each package's text, where that is what is shown.
    fn format(&self) -> Result<Format, Failure> {
        let text = match (&self.queryformat, self.files, self.changelogs, self.sourcerpm, self.location) {
            (Some(text), ..) => text.as_str(),
            (None, true, ..) => "%{files}\n",
            (None, _, true, ..) => "%{changelogs}\n",
            (None, _, _, true, _) => "%{sourcerpm}\n",
            (None, _, _, _, true) => "%{location}\n",
            (None, ..) => format::DEFAULT,
        };
        Format::parse(text).map_err(|tag| {
            Failure::usage(format!("`{tag}` is no tag of `--queryformat`"))
                .hint("`slipway dnf repoquery --querytags` lists them")
        })
    }

    fn filter(&self, session: &Session) -> Filter {
        let of_root = self.duplicates || self.extras || self.userinstalled || self.unneeded || self.leaves;
        let scope = match (self.upgrades, self.installed || of_root, self.available) {
            (true, ..) => Scope::Upgrades,
            (_, true, true) => Scope::All,
            (_, true, false) => Scope::Installed,
            (_, false, _) => Scope::Available,
        };
        Filter {
            scope,
            words: self.words.clone(),
            meaning: Meaning { files: true, ..Meaning::default() },
            arches: parts(&self.arch),
            relating: self.relating(),
            recursive: self.recursive,
            provides: self.whatprovides.clone(),
            files: parts(&self.file),
            latest: self.latest,
            duplicates: self.duplicates,
            extras: self.extras,
            user_installed: self.userinstalled,
            unneeded: self.unneeded,
            leaves: self.leaves,
            installonly: self.installonly.then(|| session.config.main.list(Key::InstallOnly)),
            ..Filter::default()
        }
    }
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    if arguments.querytags {
        session.ui.data(&format::TAGS.join("\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let format = arguments.format()?;
    let filter = arguments.filter(session);
    let choice = arguments.advisories.choice();
    let needs_repositories = filter.scope != Scope::Installed || filter.extras || !choice.is_empty();
    let mut kinds = kinds(arguments, &format);
    kinds.extend(arguments.advisories.kinds());
    let sack = session.sack(&kinds, needs_repositories)?;
    let mut places = filter::apply(&sack, &Filter { latest: None, ..filter.clone() });
    if !choice.is_empty() {
        let all = advisory_choice::all(&sack, session)?;
        places = advisories::at_least(&advisory_choice::chosen(&choice, &all, session), &sack, &places);
    }
    if let Some(count) = filter.latest {
        places = filter::latest(&sack, &places, count);
    }
    let providers_of = match &arguments.providers_of {
        Some(name) => Some(List::parse(name).ok_or_else(|| {
            Failure::usage(format!("`{name}` is no list of relations"))
                .hint("it is one of requires, provides, conflicts ..")
        })?),
        None => arguments.list().filter(|_| arguments.resolve),
    };
    if let Some(list) = providers_of {
        places = providers(&sack, &places, list, arguments);
    } else if let Some(list) = arguments.list() {
        relations(&sack, &places, list, session);
        return Ok(ExitCode::SUCCESS);
    }
    show(&sack, &places, &format, arguments, session);
    Ok(ExitCode::SUCCESS)
}

/// The documents beside primary that answer the question.
fn kinds(arguments: &Arguments, format: &Format) -> Vec<&'static str> {
    let paths =
        [&arguments.words, &arguments.file, &arguments.whatprovides, &arguments.whatrequires, &arguments.whatdepends];
    let is_path = |word: &String| word.starts_with('/') || word.starts_with("*/");
    let about_files = paths.iter().any(|words| words.iter().any(is_path))
        || !arguments.relating().is_empty()
        || arguments.resolve
        || arguments.deplist
        || arguments.providers_of.is_some()
        || format.needs("filelists");
    let kinds = [(about_files, "filelists"), (format.needs("other"), "other")];
    kinds.into_iter().filter(|(needed, _)| *needed).map(|(_, kind)| kind).collect()
}

fn providers(sack: &Sack, places: &BTreeSet<Place>, list: List, arguments: &Arguments) -> BTreeSet<Place> {
    let among: BTreeSet<Place> = match arguments.installed && !arguments.available {
        true => sack.installed().collect(),
        false => sack.available().collect(),
    };
    let mut found = matching::satisfying(sack, &among, list, places);
    let mut fresh = found.clone();
    while arguments.recursive && !fresh.is_empty() {
        let next = matching::satisfying(sack, &among, list, &fresh);
        fresh = next.difference(&found).copied().collect();
        found.extend(&fresh);
    }
    found
}

/// Relations of all packages together, each once.
fn relations(sack: &Sack, places: &BTreeSet<Place>, list: List, session: &Session) {
    let all = places.iter().flat_map(|place| list.of(sack.package(*place)));
    let lines: BTreeSet<String> = all.map(ToString::to_string).collect();
    if session.ui.json {
        session.ui.json(&lines);
    } else if !lines.is_empty() {
        session.ui.data(&lines.into_iter().collect::<Vec<_>>().join("\n"));
    }
}

fn show(sack: &Sack, places: &BTreeSet<Place>, format: &Format, arguments: &Arguments, session: &Session) {
    if session.ui.json {
        let rows = places.iter().map(|place| {
            let mut value = shown::json_all(sack, *place);
            if arguments.files || format.needs("filelists") {
                let paths: Vec<&str> = sack.package(*place).files.iter().map(|file| file.path.as_str()).collect();
                value["files"] = paths.into();
            }
            if arguments.changelogs || format.needs("other") {
                value["changelogs"] = format::changelog(sack.package(*place)).into();
            }
            value
        });
        session.ui.json(&rows.collect::<Vec<_>>());
        return;
    }
    if arguments.info {
        let texts: Vec<String> = places.iter().map(|place| info::text(sack, *place)).collect();
        session.ui.data(&texts.join("\n\n"));
        return;
    }
    if arguments.deplist {
        places.iter().for_each(|place| session.ui.data(&format!("{}\n ", deplist(sack, *place))));
        return;
    }
    // Each text once, in order, as dnf has it.
    let texts: BTreeSet<String> = places.iter().map(|place| format.of(sack, *place)).collect();
    session.ui.data_as_is(&texts.into_iter().collect::<String>());
}

fn deplist(sack: &Sack, place: Place) -> String {
    let package = sack.package(place);
    let mut text = format!("package: {}", package.nevra);
    let mut relations: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for relation in List::Requires.of(package) {
        let providers = sack.providers(relation).into_iter().map(|place| sack.package(place).nevra.to_string());
        relations.entry(relation.to_string()).or_default().extend(providers);
    }
    for (relation, providers) in relations {
        text.push_str(&format!("\n  dependency: {relation}"));
        providers.iter().for_each(|provider| text.push_str(&format!("\n   provider: {provider}")));
    }
    text
}
