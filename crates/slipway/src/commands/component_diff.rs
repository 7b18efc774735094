use clap::Args;
use distro::render::Author;

use crate::commands::component_render::choose;
use crate::context::Context;
use crate::explain::Failure;
use crate::local_commits::Local;
use crate::rendering::Renderer;

/// Show how a component differs from upstream, and which overlay each difference is from
#[derive(Args)]
#[command(after_help = "Example: slipway component diff gcc")]
pub(crate) struct Arguments {
    /// The component.
    #[arg(value_name = "NAME")]
    name: String,
}

/// Lines around a difference.
const AROUND: usize = 3;

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let distro = distro::load(&context.definition()?, distro::Locks::Optional)?;
    let component = choose(&distro, std::slice::from_ref(&arguments.name))?[0];
    let renderer = Renderer::new(&distro, &context.host, context.store()?.area("git")?)?;
    let upstream = renderer.upstream(component)?;
    let rendered = renderer.render(component, &upstream, &Local::default())?;
    let (before, after) = (&upstream.folder.spec, &rendered.applied.folder.spec);
    let who = |change: usize| match rendered.authors.get(change) {
        Some(Author::Overlay(index)) => {
            let overlay = &component.overlays[*index];
            let why = overlay.description.as_deref().unwrap_or("no description");
            format!("{}: {} ({why})", overlay.at, overlay.kind.as_str())
        }
        Some(Author::BuildOptions) => "build options".to_owned(),
        Some(Author::CheckSkipped) => "`%check` is skipped".to_owned(),
        _ => "header".to_owned(),
    };
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut rows = Vec::new();
    let mut text = format!("--- upstream/{0}\n+++ rendered/{0}\n", rendered.folder.spec_name);
    for hunk in rendered.applied.provenance.hunks(before, after) {
        let authors: Vec<String> = hunk.overlays.iter().map(|change| who(*change)).collect();
        let (upstream, rendered) = (hunk.upstream.clone(), hunk.rendered.clone());
        let start = upstream.start.saturating_sub(AROUND);
        let end = (upstream.end + AROUND).min(old.len());
        let (head, tail) = (upstream.start - start, end - upstream.end);
        for author in &authors {
            text.push_str(&format!("# {author}\n"));
        }
        text.push_str(&format!(
            "@@ -{},{} +{},{} @@\n",
            start + 1,
            end - start,
            rendered.start - head + 1,
            rendered.len() + head + tail
        ));
        let mut push = |sign: char, lines: &[&str]| {
            for line in lines {
                text.push_str(&format!("{sign}{line}\n"));
            }
        };
        push(' ', &old[start..upstream.start]);
        push('-', &old[upstream.clone()]);
        push('+', &new[rendered.clone()]);
        push(' ', &old[upstream.end..end]);
        rows.push(serde_json::json!({
            "upstream": [upstream.start + 1, upstream.end], "rendered": [rendered.start + 1, rendered.end],
            "removed": &old[upstream], "added": &new[rendered], "by": authors,
        }));
    }
    let mut files = Vec::new();
    for (name, changes) in rendered.applied.files() {
        if name != rendered.folder.spec_name {
            let authors: Vec<String> = changes.iter().map(|change| who(*change)).collect();
            for author in &authors {
                text.push_str(&format!("# {author}\n"));
            }
            text.push_str(&format!("file {name}\n"));
            files.push(serde_json::json!({ "file": name, "by": authors }));
        }
    }
    if context.ui.json {
        context.ui.json(&serde_json::json!({ "commit": upstream.commit, "hunks": rows, "files": files }));
    } else {
        context.ui.data(&text);
    }
    Ok(())
}
