use std::process::ExitCode;

use clap::Args;
use update::groups::Asked;
use update::query::spec::{self, Meaning};
use update::query::{advisories, filter, updates};
use update::reasons::Reason;
use update::resolve::Job;

use super::advisory_choice::{self, Advisories};
use super::group;
use super::session::Session;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Replace installed packages by newer ones
#[derive(Args, Clone)]
#[command(after_help = "Example: slipway dnf upgrade --security -y")]
pub(super) struct Arguments {
    /// Words that mean installed packages, or groups (`@group`); all packages if not said.
    #[arg()]
    words: Vec<String>,
    /// Of each package the oldest version that brings all that advisories name.
    #[arg(long)]
    minimal: bool,
    #[command(flatten)]
    advisories: Advisories,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let choice = if arguments.minimal { arguments.advisories.or_any() } else { arguments.advisories.clone() };
    if !choice.choice().is_empty() {
        return carry_out(by_advisories(arguments, &choice, session)?, &arguments.how, session);
    }
    let (words, groups) = group::split(&arguments.words);
    if !groups.is_empty() {
        let groups = group::plan(&Asked { upgrade: groups, ..Asked::default() }, &arguments.how, session)?;
        return carry_out(Job { groups, upgrade: words, ..Job::default() }, &arguments.how, session);
    }
    carry_out(Job { upgrade_all: words.is_empty(), upgrade: words, ..Job::default() }, &arguments.how, session)
}

/// The same at the next start.
pub(super) fn run_offline(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    run(&Arguments { how: arguments.how.clone().offline(), ..arguments.clone() }, session)
}

/// The very packages that advisories ask for.
fn by_advisories(arguments: &Arguments, choice: &Advisories, session: &Session) -> Result<Job, Failure> {
    let sack = session.sack(&["updateinfo"], true)?;
    let all = advisory_choice::all(&sack, session)?;
    let choice = choice.choice();
    if let Some(line) = choice.unmet(&all).into_iter().next().filter(|_| !arguments.how.skips_unavailable(session)) {
        return Err(Failure::work(line).hint("`slipway dnf advisory list` shows those that concern this machine"));
    }
    let mut places = updates::upgrades(&sack);
    if !arguments.words.is_empty() {
        let mut meant = std::collections::BTreeSet::new();
        for word in &arguments.words {
            let found = spec::resolve(&sack, word, Meaning::NAMES);
            if found.is_empty() && !arguments.how.skips_unavailable(session) {
                return Err(Failure::work(format!("no match for argument: {word}")));
            }
            meant.extend(found);
        }
        places.retain(|place| meant.contains(place));
    }
    places = advisories::resolving(&advisory_choice::chosen(&choice, &all, session), &sack, &places);
    places = if arguments.minimal { filter::oldest(&sack, &places) } else { filter::latest(&sack, &places, 1) };
    let exact = places.into_iter().map(|place| {
        let nevra = sack.package(place).nevra.clone();
        let old = updates::replaced(&sack, place).and_then(|old| session.reasons.of(&sack.package(old).nevra));
        (nevra, Some(old.map_or(Reason::External, |known| known.reason)))
    });
    Ok(Job { exact: exact.collect(), ..Job::default() })
}
