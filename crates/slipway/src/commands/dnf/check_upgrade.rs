use std::process::ExitCode;

use clap::Args;
use update::query::spec::{self, Meaning};
use update::query::{advisories, filter, updates};

use super::advisory_choice::{self, Advisories};
use super::session::Session;
use super::shown;
use crate::explain::Failure;

/// Say whether repositories have newer packages: exit code 100 when they have
#[derive(Args)]
#[command(after_help = "Example: slipway dnf check-upgrade || test $? = 100")]
pub(super) struct Arguments {
    /// Words that mean packages; all if not said.
    words: Vec<String>,
    /// Of each package the oldest version that brings all that advisories name.
    #[arg(long)]
    minimal: bool,
    #[command(flatten)]
    advisories: Advisories,
}

/// There are newer packages.
const UPGRADES: u8 = 100;

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let choice = if arguments.minimal { arguments.advisories.or_any() } else { arguments.advisories.clone() };
    let sack = session.sack(&choice.kinds(), true)?;
    let mut places = updates::upgrades(&sack);
    if !arguments.words.is_empty() {
        let meant: std::collections::BTreeSet<_> =
            arguments.words.iter().flat_map(|word| spec::resolve(&sack, word, Meaning::NAMES)).collect();
        places.retain(|place| meant.contains(place));
    }
    let before = places.len();
    if !choice.choice().is_empty() {
        let all = advisory_choice::all(&sack, session)?;
        let chosen = advisory_choice::chosen(&choice.choice(), &all, session);
        places = advisories::resolving(&chosen, &sack, &places);
    }
    places = if arguments.minimal { filter::oldest(&sack, &places) } else { filter::latest(&sack, &places, 1) };
    if session.ui.json {
        let rows = shown::sorted(&sack, &places);
        let rows: Vec<_> = rows.into_iter().map(|place| shown::listed(&sack, place)).collect();
        session.ui.json(&if rows.is_empty() { serde_json::json!({}) } else { serde_json::json!({ "upgrades": rows }) });
    } else if !places.is_empty() {
        session.ui.data(&format!("Upgrades\n{}", shown::columns(&sack, &places)));
    } else if before > 0 {
        session.ui.data(&format!("No security updates needed, but {before} update(s) available"));
    }
    Ok(if places.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(UPGRADES) })
}
