mod add;
mod query;
mod select;
mod show;

use clap::Subcommand;

use crate::context::Context;
use crate::explain::Failure;
use crate::facts::{self, Remember};
use crate::ui::{Shape, Table};

pub(crate) use add::template;
pub(crate) use select::{Select, absent, capabilities, relation_names};

/// Look at the components of the definition
#[derive(Subcommand)]
pub(crate) enum Command {
    /// List components as the definition has them, with versions where specs are its own
    #[command(after_help = "Example: slipway component list --kind local --query 'not group:core' --markdown")]
    List {
        #[command(flatten)]
        select: Select,
        #[command(flatten)]
        shape: Shape,
    },
    /// Show one component: where it is from, packages, sources, what it needs and who needs it
    #[command(after_help = "Example: slipway component show openssl --why build.check")]
    Show {
        /// The component.
        name: String,
        /// Say where the values of this key come from, and what they replaced, as in `build.check.skip`; all keys without a
        /// value.
        #[arg(long, value_name = "KEY", num_args = 0..=1, default_missing_value = "", require_equals = false)]
        why: Option<String>,
    },
    /// Say what the specs of components say: versions, packages, needs, sources
    ///
    /// Rendered specs are evaluated where there are some, else those of the definition. What did not change since the last
    /// time is not evaluated again.
    #[command(after_help = "Example: slipway component query --depends-on openssl --csv")]
    Query {
        #[command(flatten)]
        select: Select,
        #[command(flatten)]
        shape: Shape,
        /// Evaluate all specs anew.
        #[arg(long)]
        fresh: bool,
    },
    /// Add a component: from a template, from a repository of git, or from the upstream that the definition names
    ///
    /// The definition is checked with the new component in it; when it is not sound, nothing is left behind.
    #[command(after_help = "Example: slipway component add hello --from https://example.org/rpms/hello.git")]
    Add(add::Arguments),
    Render(super::component_render::Arguments),
    Diff(super::component_diff::Arguments),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::List { select, shape } => list(select, *shape, context),
        Command::Show { name, why: None } => show::show(name, context),
        Command::Show { name, why: Some(key) } => show::why(name, key, context),
        Command::Query { select, shape, fresh } => {
            let remember = if *fresh { Remember::Renew } else { Remember::Use };
            query::run(select, *shape, remember, context)
        }
        Command::Add(arguments) => add::run(arguments, context),
        Command::Render(arguments) => super::component_render::run(arguments, context),
        Command::Diff(arguments) => super::component_diff::run(arguments, context),
    }
}

fn list(select: &Select, shape: Shape, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    // Specs of a definition that is built are few and at hand; those of a tree of thousands are evaluated only when asked for.
    let is_own =
        !distro.stage0.suite.is_empty() || distro.components.values().all(|component| component.spec.kind() == "local");
    let book = match is_own || select.needs_facts()? {
        true => Some(facts::gather(&distro, None, Remember::Use, context)?),
        false => None,
    };
    let chosen = select.choose(&distro, book.as_ref(), context)?;
    let mut table = Table::new(&["name", "version", "spec", "origin", "overlays", "groups", "packages"]);
    let mut rows = Vec::new();
    for component in &chosen {
        let facts = book.as_ref().and_then(|book| book.facts(&component.name));
        let version = facts.map(|facts| facts.evr.clone());
        let packages: Vec<&str> =
            facts.iter().flat_map(|facts| &facts.packages).map(|package| package.name.as_str()).collect();
        let spec = spec_text(component);
        if context.ui.json {
            rows.push(serde_json::json!({
                "name": component.name, "version": version, "spec": component.spec, "origin": component.origin,
                "overlays": component.overlays.len(), "groups": component.groups, "packages": packages,
                "release": component.release, "at": component.at.to_string(),
            }));
        }
        table.row([
            component.name.clone(),
            version.unwrap_or_default(),
            spec,
            component.origin.as_str().to_owned(),
            component.overlays.len().to_string(),
            component.groups.join(" "),
            packages.join(" "),
        ]);
    }
    if context.ui.json {
        context.ui.json(&rows);
    } else {
        context.ui.data(&shape.text(&table));
        let from_source = chosen.iter().filter(|component| component.origin == distro::ComponentOrigin::Source).count();
        let total = distro.components.len();
        context.ui.note(&format!("{} of {total} components, {from_source} built from source", chosen.len()));
    }
    Ok(())
}

/// Where a spec is from, in a few words: `local`, or `fedora 43 at 0123abc`.
fn spec_text(component: &distro::Component) -> String {
    match &component.spec {
        distro::SpecSource::Local { .. } => "local".to_owned(),
        distro::SpecSource::Upstream(upstream) => {
            let mut text = upstream.distro.clone();
            if let Some(version) = &upstream.version {
                text.push_str(&format!(" {version}"));
            }
            if let Some(commit) = &upstream.commit {
                text.push_str(&format!(" at {}", &commit[..commit.len().min(12)]));
            }
            text
        }
    }
}
