use clap::Args;
use plan::Provider;

use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline;

/// Say why a component is needed, or why one needs another
///
/// With one name: who needs it. With two: the shortest chain from the first to the second.
#[derive(Args)]
#[command(after_help = "Example: slipway why systemd pcre2")]
pub(crate) struct Arguments {
    /// The component.
    name: String,
    /// What it is asked to need.
    needs: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let specs = pipeline::evaluate(&distro, context.host.cores())?;
    let plan = pipeline::plan(&distro, &specs)?;
    let Some(needs) = &arguments.needs else {
        plan.only(std::slice::from_ref(&arguments.name))?;
        let dependents = plan.dependents(&arguments.name);
        if context.ui.json {
            context.ui.json(&dependents);
        } else if dependents.is_empty() {
            context.ui.data(&format!("no component needs {} to build", arguments.name));
        } else {
            context.ui.data(&format!("{} is needed to build {}", arguments.name, dependents.join(" ")));
        }
        return Ok(());
    };
    let Some(chain) = plan.why(&arguments.name, needs)? else {
        return Err(Failure::work(format!("`{}` builds without `{needs}`", arguments.name)));
    };
    let mut links = Vec::new();
    for (step, next) in chain.iter().zip(chain.iter().skip(1)) {
        let of_next = |provider: &Provider| matches!(provider, Provider::Component { component, .. } if *component == next.component);
        // A link without a need of its own is brought along by another package.
        let need = step.needs.iter().find(|need| of_next(&need.provider));
        links.push(serde_json::json!({
            "component": step.component,
            "needs": need.map(|need| need.relation.to_string()),
            "at": need.map(|need| need.at.to_string()),
            "of": next.component,
        }));
    }
    if context.ui.json {
        context.ui.json(&links);
    } else {
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        for link in &links {
            let how = match (text(&link["needs"]), text(&link["at"])) {
                (Some(needs), Some(at)) => format!("{needs}  ({at})"),
                _ => "it comes along with another package".to_owned(),
            };
            let (from, to) = (text(&link["component"]), text(&link["of"]));
            context.ui.data(&format!("{} needs {}: {how}", from.unwrap_or_default(), to.unwrap_or_default()));
        }
    }
    Ok(())
}
