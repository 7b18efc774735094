use std::process::ExitCode;

use clap::Args;

use super::session::Session;
use crate::explain::Failure;

/// Fetch the metadata of all enabled repositories that is older than they allow
#[derive(Args)]
#[command(after_help = "Example: slipway dnf makecache --refresh")]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let all = session.repositories(&["filelists"])?;
    if session.ui.json {
        let rows = all.iter().map(|synced| {
            serde_json::json!({ "id": synced.repository.id, "revision": synced.repomd.revision, "state": synced.state })
        });
        session.ui.json(&rows.collect::<Vec<_>>());
    } else {
        session.ui.data("Metadata cache created.");
    }
    Ok(ExitCode::SUCCESS)
}
