use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use update::query::advisories;
use update::query::filter::{self, Filter, Scope};
use update::query::spec::Meaning;
use update::{Place, Sack};

use super::advisory_choice::{self, Advisories};
use super::session::Session;
use super::shown;
use crate::explain::Failure;

/// List packages, installed and available
#[derive(Args)]
#[command(after_help = "Example: slipway dnf list --upgrades 'python3*'")]
#[expect(clippy::struct_excessive_bools, reason = "dnf has a switch for each")]
pub(super) struct Arguments {
    /// Words that mean packages; all if not said.
    pub(super) words: Vec<String>,
    /// All versions, not only the newest.
    #[arg(long, visible_alias = "show-duplicates")]
    pub(super) showduplicates: bool,
    /// Installed packages only.
    #[arg(long)]
    pub(super) installed: bool,
    /// Packages of repositories only.
    #[arg(long)]
    pub(super) available: bool,
    /// Packages of repositories that are newer than installed ones.
    #[arg(long, visible_alias = "updates")]
    pub(super) upgrades: bool,
    /// Installed packages that no repository has.
    #[arg(long)]
    pub(super) extras: bool,
    /// Installed packages that came as dependencies and that nothing needs.
    #[arg(long)]
    pub(super) autoremove: bool,
    #[command(flatten)]
    pub(super) advisories: Advisories,
}

/// A title, and packages.
pub(super) type Listed = (&'static str, BTreeSet<Place>);

/// The tables.
pub(super) fn tables(arguments: &Arguments, session: &Session) -> Result<(Sack, Vec<Listed>), Failure> {
    // `dnf list installed bash` is how yum and tdnf say `--installed`.
    let old = ["installed", "available", "upgrades", "updates", "extras", "autoremove", "all"];
    let word = arguments.words.first().map(String::as_str).filter(|word| old.contains(word));
    let is = |flag: bool, names: &[&str]| flag || word.is_some_and(|word| names.contains(&word));
    let words: Vec<String> = arguments.words.iter().skip(usize::from(word.is_some())).cloned().collect();
    let (installed, available) = (is(arguments.installed, &["installed"]), is(arguments.available, &["available"]));
    let upgrades = is(arguments.upgrades, &["upgrades", "updates"]);
    let (extras, autoremove) = (is(arguments.extras, &["extras"]), is(arguments.autoremove, &["autoremove"]));
    let choice = arguments.advisories.choice();
    if !choice.is_empty() && !upgrades {
        return Err(Failure::usage("advisories choose among `--upgrades` only")
            .hint("`slipway dnf repoquery` takes them with everything"));
    }
    let sack = session.sack(&arguments.advisories.kinds(), !(installed || autoremove))?;
    let meaning = Meaning { ignore_case: true, ..Meaning::default() };
    let query = |filter: Filter| filter::apply(&sack, &Filter { words: words.clone(), meaning, ..filter });
    let newest = (!arguments.showduplicates).then_some(1);
    let everything = !(installed || available || upgrades || extras || autoremove);
    let of_root = || query(Filter { scope: Scope::Installed, ..Filter::default() });
    let of_repositories = || {
        let mut found = query(Filter { scope: Scope::Available, latest: newest, ..Filter::default() });
        if everything {
            let there: BTreeSet<String> = sack.installed().map(|place| sack.package(place).nevra.to_string()).collect();
            found.retain(|place| !there.contains(&sack.package(*place).nevra.to_string()));
        }
        found
    };
    let mut tables = Vec::new();
    if installed || everything {
        tables.push(("Installed packages", of_root()));
    }
    if available || everything {
        tables.push(("Available packages", of_repositories()));
    }
    if upgrades {
        let mut found = query(Filter { scope: Scope::Upgrades, ..Filter::default() });
        if !choice.is_empty() {
            let all = advisory_choice::all(&sack, session)?;
            found = advisories::resolving(&advisory_choice::chosen(&choice, &all, session), &sack, &found);
        }
        if let Some(count) = newest {
            found = filter::latest(&sack, &found, count);
        }
        tables.push(("Available upgrades", found));
    }
    if extras {
        tables.push(("Extra packages", query(Filter { scope: Scope::Installed, extras: true, ..Filter::default() })));
    }
    if autoremove {
        tables.push((
            "Autoremove packages",
            query(Filter { scope: Scope::Installed, unneeded: true, ..Filter::default() }),
        ));
    }
    let is_asked = !words.is_empty();
    tables.retain(|(_, places)| !places.is_empty());
    if tables.is_empty() && is_asked {
        return Err(Failure::work("no matching packages to list"));
    }
    Ok((sack, tables))
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let (sack, tables) = tables(arguments, session)?;
    if session.ui.json {
        let rows = |places| shown::sorted(&sack, places).into_iter().map(|place| shown::listed(&sack, place));
        let key = |title: &str| title.to_lowercase().replace(' ', "_");
        let tables = tables.iter().map(|(title, places)| (key(title), rows(places).collect::<Vec<_>>().into()));
        session.ui.json(&tables.collect::<serde_json::Map<String, serde_json::Value>>());
        return Ok(ExitCode::SUCCESS);
    }
    for (index, (title, places)) in tables.iter().enumerate() {
        if index > 0 {
            session.ui.data(" ");
        }
        session.ui.data(title);
        session.ui.data(&shown::columns(&sack, places));
    }
    Ok(ExitCode::SUCCESS)
}
