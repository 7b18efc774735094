use std::process::ExitCode;

use clap::Args;

use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline::{self, Refresh};
use crate::ui::BuildProgress;

/// Enter a component's build root: the one that its failed build left, or a fresh one
#[derive(Args)]
#[command(after_help = "Example: slipway shell systemd")]
pub(crate) struct Arguments {
    /// The component.
    name: String,
    /// Put a root together as a build would find it, though a failed build left one.
    #[arg(long)]
    fresh: bool,
    /// Run this instead of an interactive shell.
    #[arg(short, long, value_name = "COMMAND")]
    command: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, Failure> {
    let store = context.store()?;
    let kept = if arguments.fresh { None } else { build::shell::kept(&arguments.name, &store).ok() };
    let root = match kept {
        Some(root) => root,
        None => {
            let distro = context.distro()?;
            let specs = pipeline::evaluate(&distro, context.host.cores())?;
            let plan = pipeline::plan(&distro, &specs)?.only(std::slice::from_ref(&arguments.name))?;
            let progress = BuildProgress::new(&context.ui, plan.steps.len());
            let yard = pipeline::prepare(&distro, &specs, &plan, Refresh::IfMissing, context, &store, &progress)?;
            // What the component needs has to be there; it itself need not be.
            let needed: Vec<String> =
                plan.steps.iter().map(|step| step.component.clone()).filter(|name| *name != arguments.name).collect();
            let built = if needed.is_empty() {
                Default::default()
            } else {
                let needed = plan.only(&needed)?;
                let yard = pipeline::prepare(&distro, &specs, &needed, Refresh::IfMissing, context, &store, &progress)?;
                let outcome = pipeline::build(&yard, context.host.cores().clamp(1, 2), context, &progress);
                if !outcome.is_complete() {
                    return Err(Failure::work(format!("what `{}` needs could not be built", arguments.name))
                        .hint(format!("`slipway build {}` shows why", arguments.name)));
                }
                outcome.built
            };
            build::shell::prepare(&yard.job(&arguments.name, &built)?, &context.host, &store)?
        }
    };
    let code = build::shell::enter(&root, arguments.command.as_deref(), &context.host, &store)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
