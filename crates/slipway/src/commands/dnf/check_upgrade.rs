use std::process::ExitCode;

use clap::Args;
use update::query::spec::{self, Meaning};

use super::session::Session;
use super::shown;
use crate::explain::Failure;

/// Say whether repositories have newer packages: exit code 100 when they have
#[derive(Args)]
#[command(after_help = "Example: slipway dnf check-upgrade || test $? = 100")]
pub(super) struct Arguments {
    /// Words that mean packages; all if not said.
    words: Vec<String>,
}

/// There are newer packages.
const UPGRADES: u8 = 100;

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let sack = session.sack(&[], true)?;
    let mut places = shown::upgrades(&sack);
    if !arguments.words.is_empty() {
        let meant: std::collections::BTreeSet<_> =
            arguments.words.iter().flat_map(|word| spec::resolve(&sack, word, Meaning::NAMES)).collect();
        places.retain(|place| meant.contains(place));
    }
    if session.ui.json {
        let rows = shown::sorted(&sack, &places);
        session.ui.json(&rows.into_iter().map(|place| shown::json(&sack, place)).collect::<Vec<_>>());
    } else if !places.is_empty() {
        session.ui.data(&shown::columns(&sack, &places));
    }
    Ok(if places.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(UPGRADES) })
}
