use std::process::ExitCode;

use clap::{Args, ValueEnum};
use update::Clean;

use super::session::{Session, failed};
use crate::explain::Failure;

/// Remove what was fetched
#[derive(Args)]
#[command(after_help = "Example: slipway dnf clean all")]
pub(super) struct Arguments {
    /// What goes.
    #[arg(value_enum, required = true)]
    what: Vec<What>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Everything.
    All,
    /// Package files.
    Packages,
    /// Indexes and documents of repositories.
    #[value(alias = "dbcache")]
    Metadata,
    /// Nothing, but metadata is asked for again next time.
    ExpireCache,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let mut count = 0;
    for what in &arguments.what {
        let what = match what {
            What::All => Clean::All,
            What::Packages => Clean::Packages,
            What::Metadata => Clean::Metadata,
            What::ExpireCache => Clean::Expire,
        };
        count += session.with(|machine| update::clean(what, machine)).map_err(failed)?;
    }
    if session.ui.json {
        session.ui.json(&serde_json::json!({ "files": count }));
    } else {
        session.ui.data(&format!("{count} files removed or expired"));
    }
    Ok(ExitCode::SUCCESS)
}
