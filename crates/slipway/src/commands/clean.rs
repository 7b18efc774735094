use clap::Args;
use store::{Keep, Purge};

use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline::{self, Refresh};
use crate::ui::{BuildProgress, Table};

/// Remove from the store what this definition does not need
///
/// Kept are the sources, packages and build roots of the definition as it is now, and the images that are in use.
#[derive(Args)]
#[command(after_help = "Example: slipway clean --dry-run")]
pub(crate) struct Arguments {
    /// Remove everything: the next build starts from nothing.
    #[arg(long)]
    all: bool,
    /// Only say what would go.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let store = context.store()?;
    let keep = if arguments.all { Keep::default() } else { needed(context, &store)? };
    let purge = if arguments.dry_run { Purge::Count } else { Purge::Delete };
    let collected = store.collect(&keep, purge)?;
    let usage = store.usage()?;
    if context.ui.json {
        let parts = usage
            .iter()
            .map(|part| serde_json::json!({ "part": part.part, "entries": part.entries, "bytes": part.bytes }));
        context.ui.json(&serde_json::json!({
            "removed": !arguments.dry_run, "objects": collected.objects, "records": collected.records,
            "directories": collected.directories, "bytes": collected.bytes, "store": parts.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    let verb = if arguments.dry_run { "would free" } else { "freed" };
    context.ui.note(&format!(
        "{verb} {} MiB: {} objects, {} directories, {} records",
        collected.bytes >> 20,
        collected.objects,
        collected.directories,
        collected.records
    ));
    let mut table = Table::new(&["part of the store", "entries", "MiB"]);
    for part in usage {
        table.row([part.part, part.entries.to_string(), (part.bytes >> 20).to_string()]);
    }
    context.ui.data(&table.text());
    Ok(())
}

/// What the definition needs, as far as it was built.
fn needed(context: &Context, store: &store::Store) -> Result<Keep, Failure> {
    let distro = context.distro()?;
    let specs = pipeline::evaluate(&distro, context.host.cores())?;
    let plan = pipeline::plan(&distro, &specs)?;
    let progress = BuildProgress::new(&context.ui, plan.steps.len());
    let yard = pipeline::prepare(&distro, &specs, &plan, Refresh::IfMissing, context, store, &progress)?;
    let mut built = std::collections::BTreeMap::new();
    let mut jobs = Vec::new();
    for step in &plan.steps {
        // What was not built needs nothing that only a build would show.
        let Ok(job) = yard.job(&step.component, &built) else { continue };
        if let Some(found) = build::run::recorded(&job, store)? {
            built.insert(step.component.clone(), found);
        }
        jobs.push(job);
    }
    let mut keep = build::keep(&jobs, store)?;
    for kind in ["image", "files"] {
        keep.directories.insert(kind.to_owned(), pipeline::directories_in_use(kind, context, store)?);
    }
    for kind in ["signed", "machine"] {
        keep.records.insert(kind.to_owned(), store.keys(kind)?.into_iter().collect());
    }
    Ok(keep)
}
