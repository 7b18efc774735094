use std::path::PathBuf;

use clap::Subcommand;

use crate::commands::build::build_components;
use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline;

/// Publish and look at repositories
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Publish all components as a signed, immutable snapshot
    ///
    /// What is not built yet is built first. The snapshot becomes visible in one step, and earlier ones stay as they are.
    #[command(after_help = "Example: slipway repo publish --key release.asc")]
    Publish {
        /// The secret OpenPGP key that signs; a key for development is made in `~/.config/slipway/keys` if not said.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<(), Failure> {
    let Command::Publish { key } = command;
    let distro = context.distro()?;
    let key = pipeline::signing_key(key.as_deref(), &distro, context)?;
    let built = build_components(&distro, &[], None, false, context)?;
    let store = context.store()?;
    let snapshot = pipeline::publish(&built, &distro, &key, context, &store)?;
    if context.ui.json {
        let packages = snapshot.packages.iter().map(|package| {
            serde_json::json!({ "nevra": package.nevra.to_string(), "location": package.location, "digest": package.digest })
        });
        context.ui.json(&serde_json::json!({
            "snapshot": snapshot.id, "folder": snapshot.folder, "current": snapshot.current, "new": snapshot.is_new,
            "packages": packages.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    let how = if snapshot.is_new { "published" } else { "there already" };
    context.ui.note(&format!("snapshot {} {how}: {} packages", snapshot.id.short(), snapshot.packages.len()));
    context.ui.data(&snapshot.current.display().to_string());
    Ok(())
}
