use std::process::ExitCode;

use clap::Args;
use update::history::date;
use update::{Origin, Place, Sack};

use super::list;
use super::session::Session;
use super::shown;
use crate::explain::Failure;

/// Show what is known of packages
#[derive(Args)]
#[command(after_help = "Example: slipway dnf info bash")]
pub(super) struct Arguments {
    #[command(flatten)]
    list: list::Arguments,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let (sack, tables) = list::tables(&arguments.list, session)?;
    if session.ui.json {
        let places = tables.iter().flat_map(|(_, places)| shown::sorted(&sack, places));
        session.ui.json(&places.map(|place| shown::json_all(&sack, place)).collect::<Vec<_>>());
        return Ok(ExitCode::SUCCESS);
    }
    for (title, places) in &tables {
        session.ui.data(title);
        for place in shown::sorted(&sack, places) {
            session.ui.data(&format!("{}\n ", text(&sack, place)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The facts of a package, a line each; what is empty is left out.
pub(super) fn text(sack: &Sack, place: Place) -> String {
    let candidate = sack.get(place);
    let package = &candidate.package;
    let nevra = &package.nevra;
    let mut lines = vec![
        ("Name", nevra.name.clone()),
        ("Epoch", nevra.evr.epoch.to_string()),
        ("Version", nevra.evr.version.clone()),
        ("Release", nevra.evr.release.clone()),
        ("Architecture", nevra.arch.to_string()),
    ];
    let size = |count| shown::bytes(count);
    if !sack.is_installed(place) {
        lines.push(("Download size", size(package.sizes.package)));
    }
    lines.push(("Installed size", size(package.sizes.installed)));
    lines.push(("Source", package.source_rpm.clone()));
    match &candidate.origin {
        Origin::Installed { time, reason, from, .. } => {
            lines.push(("From repository", from.clone()));
            lines.push(("Installed", date(*time)));
            lines.push(("Reason", reason.as_str().to_owned()));
        }
        _ => lines.push(("Repository", sack.repository_id(place).to_owned())),
    }
    lines.push(("Summary", package.summary.clone()));
    lines.push(("URL", package.url.clone()));
    lines.push(("License", package.license.clone()));
    lines.push(("Description", package.description.trim_end().replace('\n', &format!("\n{:17}: ", ""))));
    lines.push(("Vendor", package.vendor.clone()));
    let lines = lines.iter().filter(|(_, value)| !value.is_empty());
    lines.map(|(name, value)| format!("{name:<15}: {value}")).collect::<Vec<_>>().join("\n")
}
