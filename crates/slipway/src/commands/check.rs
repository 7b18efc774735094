use clap::Args;

use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline;

/// Check the definition, its specs and their order, without network and without building
///
/// Every problem is shown with its place; nothing is changed.
#[derive(Args)]
#[command(after_help = "Example: slipway check --json")]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let specs = pipeline::evaluate(&distro, context.host.cores())?;
    let plan = pipeline::plan(&distro, &specs)?;
    let packages: usize = specs.evaluated.values().map(|spec| spec.packages.len()).sum();
    if context.ui.json {
        context.ui.json(&serde_json::json!({
            "definition": distro.file,
            "components": distro.components.len(),
            "packages": packages,
            "images": distro.images.keys().collect::<Vec<_>>(),
            "order": plan.steps.iter().map(|step| &step.component).collect::<Vec<_>>(),
        }));
    } else {
        context.ui.data(&format!(
            "{} is sound: {} components make {packages} packages, {} images",
            distro.file.display(),
            distro.components.len(),
            distro.images.len()
        ));
    }
    Ok(())
}
