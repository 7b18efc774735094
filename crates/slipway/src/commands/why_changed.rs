use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use host::{Cmd, Stdin, Tool};

use crate::commands::component_render::choose;
use crate::context::Context;
use crate::explain::Failure;
use crate::rendering::Renderer;

/// Say which inputs of a component are not as they were in an earlier revision of the definition
#[derive(Args)]
#[command(after_help = "Example: slipway why-changed openssl --since v1.0")]
pub(crate) struct Arguments {
    /// The component.
    #[arg(value_name = "NAME")]
    name: String,
    /// The revision of git to compare with.
    #[arg(long, value_name = "REVISION")]
    since: String,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let definition = std::path::absolute(context.definition()?)?;
    let store = context.store()?;
    let temporary = store.temp_dir()?;
    let now = inputs(&definition, &arguments.name, context)?;
    let earlier = check_out(&definition, &arguments.since, temporary.path(), context)?;
    let before = inputs(&earlier, &arguments.name, context)?;
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for name in names {
        let (old, new) = (before.get(name), now.get(name));
        if old == new {
            continue;
        }
        rows.push(serde_json::json!({ "input": name, "before": old, "now": new }));
        lines.push(name.clone());
        lines.extend(old.map(|old| format!("  was  {old}")));
        lines.extend(new.map(|new| format!("  is   {new}")));
    }
    if context.ui.json {
        context.ui.json(&rows);
    } else if lines.is_empty() {
        context
            .ui
            .data(&format!("nothing that `{}` is rendered from has changed since {}", arguments.name, arguments.since));
    } else {
        context.ui.data(&lines.join("\n"));
    }
    Ok(())
}

fn inputs(definition: &Path, name: &str, context: &Context) -> Result<BTreeMap<String, String>, Failure> {
    let distro = distro::load(definition, distro::Locks::Optional)?;
    let component = choose(&distro, &[name.to_owned()])?[0];
    let renderer = Renderer::new(&distro, &context.host, context.store()?.area("git")?)?;
    Ok(renderer.inputs(component)?.into_iter().collect())
}

/// The definition as it was, in a folder of its own: without rendered specs, which nothing here reads.
fn check_out(definition: &Path, revision: &str, into: &Path, context: &Context) -> Result<PathBuf, Failure> {
    if revision.starts_with('-') {
        return Err(Failure::usage(format!("`{revision}` is not a revision")));
    }
    let folder = definition.parent().unwrap_or(Path::new("/"));
    let git =
        |arguments: &[&str]| Cmd::new(Tool::Git).args(["-c", "safe.directory=*", "-C"]).arg(folder).args(arguments);
    let top = context.host.run(&git(&["rev-parse", "--show-toplevel"]))?;
    if !top.status.success() {
        return Err(Failure::environment(format!("`{}` is in no repository of git", folder.display())));
    }
    let top = PathBuf::from(top.text().trim());
    let place = definition.strip_prefix(&top).unwrap_or(definition).to_owned();
    let commit = context.host.run(&git(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]))?;
    if !commit.status.success() {
        return Err(Failure::usage(format!("`{}` has no revision `{revision}`", top.display())));
    }
    let commit = commit.text().trim().to_owned();
    let rendered = place.parent().unwrap_or(Path::new("")).join("specs");
    let rendered = format!(":(exclude,top){}", rendered.display());
    // From the top: elsewhere git packs nothing but the folder that it is in.
    let archive = ["archive", "--format=tar", &commit, "--", ".", &rendered];
    let packed =
        context.host.check(&Cmd::new(Tool::Git).args(["-c", "safe.directory=*", "-C"]).arg(&top).args(archive))?;
    let unpack = Cmd::new(Tool::Tar).args(["--extract", "--directory"]).arg(into).stdin(Stdin::Bytes(packed.stdout));
    context.host.check(&unpack)?;
    Ok(into.join(place))
}
