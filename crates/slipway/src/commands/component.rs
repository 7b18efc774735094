use clap::Subcommand;
use distro::ComponentOrigin;

use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline;
use crate::ui::Table;

/// Look at the components of the definition
#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the components with version, origin and packages
    #[command(after_help = "Example: slipway component list --origin stage0")]
    List {
        /// Only those of this origin: `source` or `stage0`.
        #[arg(long, value_parser = ["source", "stage0"])]
        origin: Option<String>,
    },
    /// Show one component: packages, sources, what it needs and who needs it
    #[command(after_help = "Example: slipway component show openssl --json")]
    Show {
        /// The component.
        name: String,
    },
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::List { origin } => list(origin.as_deref(), context),
        Command::Show { name } => show(name, context),
    }
}

fn list(origin: Option<&str>, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let specs = pipeline::evaluate(&distro, context.host.cores())?;
    let mut table = Table::new(&["name", "version", "origin", "packages"]);
    let mut rows = Vec::new();
    let mut from_source = 0;
    for (name, component) in &distro.components {
        let spec = &specs.evaluated[name];
        from_source += usize::from(component.origin == ComponentOrigin::Source);
        if origin.is_some_and(|origin| origin != component.origin.as_str()) {
            continue;
        }
        let packages: Vec<&str> = spec.packages.iter().map(|package| package.name.as_str()).collect();
        rows.push(serde_json::json!({
            "name": name, "version": spec.evr.to_string(), "origin": component.origin, "packages": packages,
        }));
        table.row([name.clone(), spec.evr.to_string(), component.origin.as_str().to_owned(), packages.join(" ")]);
    }
    if context.ui.json {
        context.ui.json(&rows);
    } else {
        context.ui.data(&table.text());
        context.ui.note(&format!("{from_source} of {} components are built from source", distro.components.len()));
    }
    Ok(())
}

fn show(name: &str, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let specs = pipeline::evaluate(&distro, context.host.cores())?;
    let plan = pipeline::plan(&distro, &specs)?;
    let step = plan.only(&[name.to_owned()])?.steps.pop();
    let (component, spec) = (&distro.components[name], &specs.evaluated[name]);
    let dependents = plan.dependents(name);
    if context.ui.json {
        context.ui.json(&serde_json::json!({
            "component": component,
            "version": spec.evr.to_string(),
            "packages": spec.packages.iter().map(|package| &package.name).collect::<Vec<_>>(),
            "step": step,
            "dependents": dependents,
        }));
        return Ok(());
    }
    let mut lines = vec![format!("{name} {} ({})", spec.evr, component.origin.as_str())];
    lines.push(format!("  defined   {}", component.at));
    lines.push(format!("  spec      {}", component.spec.path().display()));
    for file in &component.source_files {
        let version = file.origin_version.as_deref().unwrap_or("not locked");
        lines.push(format!("  source    {} ({version})", file.file_name));
    }
    for package in &spec.packages {
        lines.push(format!("  makes     {}.{}", package.name, package.arch));
    }
    for need in step.iter().flat_map(|step| &step.needs) {
        let from = match &need.provider {
            plan::Provider::Stage0 => "stage0".to_owned(),
            plan::Provider::Debian { packages } => format!("Debian's {}", packages.join(", ")),
            plan::Provider::Component { component, package } => format!("{package} of {component}"),
        };
        lines.push(format!("  needs     {} (line {}): {from}", need.relation, need.at.line));
    }
    if !dependents.is_empty() {
        lines.push(format!("  needed by {}", dependents.join(" ")));
    }
    context.ui.data(&lines.join("\n"));
    Ok(())
}
