use std::process::ExitCode;

use clap::Args;
use update::query::checks;
use update::{Place, Sack};

use super::session::Session;
use crate::explain::Failure;

/// List groups of installed packages that no other installed package needs
///
/// The packages of a group need each other; most groups are of one package. The first of a group stands behind `-`.
#[derive(Args)]
#[command(after_help = "Example: slipway dnf leaves")]
pub(super) struct Arguments {}

/// `name-epoch:version-release.arch`, the epoch always said.
fn full(sack: &Sack, place: Place) -> String {
    let nevra = &sack.package(place).nevra;
    format!("{}-{}:{}-{}.{}", nevra.name, nevra.evr.epoch, nevra.evr.version, nevra.evr.release, nevra.arch)
}

pub(super) fn run(_: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let sack = session.sack(&[], false)?;
    let groups: Vec<Vec<String>> = checks::leaf_groups(&sack)
        .into_iter()
        .map(|group| group.into_iter().map(|place| full(&sack, place)).collect())
        .collect();
    if session.ui.json {
        session.ui.json(&groups);
        return Ok(ExitCode::SUCCESS);
    }
    for (index, name) in groups.iter().flat_map(|group| group.iter().enumerate()) {
        session.ui.data(&format!("{} {name}", if index == 0 { '-' } else { ' ' }));
    }
    Ok(ExitCode::SUCCESS)
}
