use build::{BuildError, Built};
use clap::Args;
use distro::ComponentOrigin;

use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline::{self, Refresh};
use crate::ui::BuildProgress;

/// Build components, each after all that it needs
///
/// What was built before of the same inputs is taken from the store. A component that fails leaves the others running
/// that do not need it.
#[derive(Args)]
#[command(after_help = "Example: slipway build zlib openssl")]
pub(crate) struct Arguments {
    /// The components; what they need is built too.
    #[arg(value_name = "NAME", required_unless_present = "all")]
    names: Vec<String>,
    /// Every component.
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// How many are built at once; as many as there are cores, two at most, if not said.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Look up again which versions Debian's archive has for stage0.
    #[arg(long)]
    refresh: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let built = build_components(&distro, &arguments.names, arguments.jobs, arguments.refresh, context)?;
    if context.ui.json {
        let rows = built.iter().map(|built| {
            serde_json::json!({
                "component": built.component,
                "id": built.id,
                "cached": built.cached,
                "seconds": built.seconds,
                "log": built.log,
                "packages": built.packages,
            })
        });
        context.ui.json(&rows.collect::<Vec<_>>());
    }
    Ok(())
}

/// Builds `names`, or all when there are none, and says how it went.
pub(crate) fn build_components(
    distro: &distro::Distro,
    names: &[String],
    jobs: Option<u16>,
    refresh: bool,
    context: &Context,
) -> Result<Vec<Built>, Failure> {
    let planned = build_planned(distro, names, jobs, refresh, context)?;
    context.ui.note(&format!(
        "{} of {} components built from source; {} were there already",
        planned.from_source,
        planned.built.len(),
        planned.cached
    ));
    Ok(planned.built)
}

/// What was built, and how much of it was there before.
pub(crate) struct Planned {
    pub(crate) built: Vec<Built>,
    from_source: usize,
    cached: usize,
}

/// Builds `names`, or all when there are none.
pub(crate) fn build_planned(
    distro: &distro::Distro,
    names: &[String],
    jobs: Option<u16>,
    refresh: bool,
    context: &Context,
) -> Result<Planned, Failure> {
    let specs = pipeline::evaluate(distro, context.host.cores())?;
    let whole = pipeline::plan(distro, &specs)?;
    let plan = if names.is_empty() { whole } else { whole.only(names)? };
    super::component_render::refuse_stale(plan.steps.iter().map(|step| step.component.as_str()), context)?;
    let store = context.store()?;
    let progress = BuildProgress::new(&context.ui, plan.steps.len());
    let refresh = if refresh { Refresh::Always } else { Refresh::IfMissing };
    let yard = pipeline::prepare(distro, &specs, &plan, refresh, context, &store, &progress)?;
    let parallel = jobs.map_or_else(|| context.host.cores().clamp(1, 2), usize::from);
    let outcome = pipeline::build(&yard, parallel, context, &progress);
    let from_source =
        plan.steps.iter().filter(|step| distro.components[&step.component].origin == ComponentOrigin::Source).count();
    if outcome.is_complete() {
        let built = outcome.built.into_values().collect();
        return Ok(Planned { built, from_source, cached: progress.cached() });
    }
    if outcome.interrupted {
        return Err(Failure::interrupted());
    }
    Err(failure(outcome.failed, outcome.waiting.len()))
}

/// One failure that tells all.
fn failure(failed: std::collections::BTreeMap<String, BuildError>, waiting: usize) -> Failure {
    let mut failures: Vec<Failure> = failed.into_values().map(Failure::from).collect();
    let Some(last) = failures.pop() else {
        return Failure::work(format!("{waiting} components were not tried"));
    };
    if failures.is_empty() && waiting == 0 {
        return last;
    }
    let mut text: Vec<String> = failures.iter().map(ToString::to_string).collect();
    text.push(last.to_string());
    let summary = format!("{} components failed, {waiting} wait for them", text.len());
    Failure::work(format!("{}\n\n{summary}", text.join("\n\nerror: "))).with_code(last.code)
}
