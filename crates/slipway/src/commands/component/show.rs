//! One component: what the definition says, what its spec says, and why.

use std::collections::BTreeSet;

use distro::{Component, Distro};

use super::{Select, absent, spec_text};
use crate::context::Context;
use crate::explain::Failure;
use crate::facts::{self, Answer, Remember};
use crate::pipeline;

fn find<'a>(distro: &'a Distro, name: &str, context: &Context) -> Result<&'a Component, Failure> {
    let chosen = Select::one(name).choose(distro, None, context)?;
    let known = distro.components.keys().map(String::as_str);
    chosen.into_iter().find(|component| component.name == name).ok_or_else(|| absent("component", name, known))
}

pub(super) fn show(name: &str, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let component = find(&distro, name, context)?;
    let mut book = facts::gather(&distro, Some(&BTreeSet::from([name.to_owned()])), Remember::Use, context)?;
    let answer = book.answers.remove(name);
    let facts = match &answer {
        Some(Answer::Facts(facts)) => Some(facts),
        _ => None,
    };
    // Only a definition that can be built has an order.
    let (mut step, mut dependents) = (None, Vec::new());
    if !distro.stage0.suite.is_empty() {
        let specs = pipeline::evaluate(&distro, context.host.cores())?;
        let plan = pipeline::plan(&distro, &specs)?;
        step = plan.only(&[name.to_owned()])?.steps.pop();
        dependents = plan.dependents(name).into_iter().map(str::to_owned).collect();
    }
    let channels = distro::Channels::new(&distro.package_groups, &distro.default_publish);
    if context.ui.json {
        context.ui.json(&serde_json::json!({
            "component": component,
            "version": facts.map(|facts| &facts.evr),
            "packages": facts.map(|facts| facts.packages.iter().map(|package| &package.name).collect::<Vec<_>>()),
            "facts": answer,
            "step": step,
            "dependents": dependents,
        }));
        return Ok(());
    }
    let version = facts.map(|facts| format!(" {}", facts.evr)).unwrap_or_default();
    let mut lines = vec![format!("{name}{version} ({})", component.origin.as_str())];
    let mut say = |what: &str, text: String| lines.push(format!("  {what:<9} {text}"));
    say("defined", component.at.to_string());
    match component.spec.kind() {
        "local" => say("spec", component.spec.path().display().to_string()),
        _ => say("spec", spec_text(component)),
    }
    if let Some(path) =
        component.effective_spec().filter(|path| path != component.spec.path() || component.spec.kind() != "local")
    {
        say("rendered", path.display().to_string());
    }
    if !component.groups.is_empty() {
        say("groups", component.groups.join(" "));
    }
    let build = &component.build;
    for (what, names) in [("with", &build.with), ("without", &build.without)] {
        if !names.is_empty() {
            say(what, names.join(" "));
        }
    }
    for (name, body) in &build.defines {
        say("defines", format!("{name} = {body}"));
    }
    if let Some(reason) = &build.check.skip_reason {
        say("check", format!("is skipped: {reason}"));
    }
    for overlay in &component.overlays {
        let description = overlay.description.as_deref().unwrap_or("no description");
        say("overlay", format!("{} at {}: {description}", overlay.kind.as_str(), overlay.at));
    }
    for file in &component.source_files {
        let version = match (&file.origin_version, &file.hash) {
            (Some(version), _) => version.clone(),
            (None, Some(hash)) => format!("{}...", &hash.hex()[..12]),
            (None, None) => "not locked".to_owned(),
        };
        say("source", format!("{} ({version})", file.file_name));
    }
    match &answer {
        Some(Answer::Facts(facts)) => {
            for package in facts.packages.iter().filter(|package| package.is_made) {
                let channel = channels.channel(component, &package.name).map(|channel| format!(" to {channel}"));
                say("makes", format!("{}.{}{}", package.name, package.arch, channel.unwrap_or_default()));
            }
            // With an order, its steps say more.
            if step.is_none() {
                facts.build_requires.iter().for_each(|need| say("needs", need.clone()));
                if facts.dynamic_build_requires {
                    say("needs", "what the build finds out".to_owned());
                }
            }
        }
        Some(Answer::Failed(error)) => say("fails", error.lines().next().unwrap_or_default().to_owned()),
        None => say("rendered", "not yet".to_owned()),
    }
    for need in step.iter().flat_map(|step| &step.needs) {
        let from = match &need.provider {
            plan::Provider::Stage0 => "stage0".to_owned(),
            plan::Provider::Debian { packages } => format!("Debian's {}", packages.join(", ")),
            plan::Provider::Component { component, package } => format!("{package} of {component}"),
        };
        say("needs", format!("{} (line {}): {from}", need.relation, need.at.line));
    }
    if !dependents.is_empty() {
        say("needed by", dependents.join(" "));
    }
    context.ui.data(&lines.join("\n"));
    Ok(())
}

/// Says which layers speak of a key, in the order in which they are applied.
pub(super) fn why(name: &str, key: &str, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let component = find(&distro, name, context)?;
    let reasons = distro.why(component, key);
    if context.ui.json {
        context.ui.json(&reasons);
        return Ok(());
    }
    if reasons.is_empty() {
        let all = distro.why(component, "");
        let keys = all.iter().map(|reason| reason.saying.key.as_str());
        let failure = Failure::work(format!("nothing says `{key}` of `{name}`: it is what it is if not said"));
        return Err(match distro::nearest(key, keys) {
            Some(like) => failure.hint(format!("did you mean `{like}`?")),
            None => failure.hint(format!("`slipway component show {name} --why` shows all that is said")),
        });
    }
    for reason in reasons {
        let mark = if reason.is_in_effect { "  " } else { "- " };
        let (saying, layer) = (&reason.saying, &reason.layer);
        let note = if reason.is_in_effect { "" } else { ", not in effect" };
        context.ui.data(&format!("{mark}{} = {}\n    {} ({layer}{note})", saying.key, saying.value, saying.at));
    }
    Ok(())
}
