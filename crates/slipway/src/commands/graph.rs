mod picture;

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, ValueEnum};

use crate::commands::component::{absent, capabilities, relation_names};
use crate::context::Context;
use crate::explain::Failure;
use crate::facts::{self, Book, Remember};

/// Show which components need which others
///
/// An arrow leads from a component to one that it needs to be built, or with `--runtime` to be installed. Named components
/// are the focus: the graph has what they need, and what that needs, as deep as `--depth` says.
#[derive(Args)]
#[command(after_help = "Example: slipway graph systemd --depth 1 --format svg > systemd.svg")]
pub(crate) struct Arguments {
    /// Components in focus; all are shown if none is said.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// How many arrows away from the focus.
    #[arg(long, default_value_t = 2, value_name = "N")]
    depth: usize,
    /// Who needs the focus, instead of what it needs.
    #[arg(long)]
    reverse: bool,
    /// What packages need to be installed, instead of what components need to be built.
    #[arg(long)]
    runtime: bool,
    /// How the graph is written; `--json` is the same as `json`.
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For Graphviz.
    Dot,
    /// Nodes and arrows.
    Json,
    /// A picture.
    Svg,
}

/// A picture of more boxes than this shows nothing.
const MOST_BOXES: usize = 300;

/// Who needs whom, by component.
pub(crate) type Arrows = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    for name in &arguments.names {
        if !distro.components.contains_key(name) {
            return Err(absent("component", name, distro.components.keys().map(String::as_str)));
        }
    }
    let book = facts::gather(&distro, None, Remember::Use, context)?;
    let all = arrows(&book, arguments.runtime);
    let shown = match arguments.names.is_empty() {
        true => all,
        false => around(&all, &arguments.names, arguments.depth, arguments.reverse),
    };
    match if context.ui.json { Format::Json } else { arguments.format } {
        Format::Json => {
            let pairs = shown.iter().flat_map(|(from, to)| to.iter().map(move |to| [from, to]));
            context.ui.json(&serde_json::json!({
                "components": shown.keys().collect::<Vec<_>>(),
                "needs": pairs.collect::<Vec<_>>(),
            }));
        }
        Format::Dot => context.ui.data(&dot(&shown, &arguments.names)),
        Format::Svg if shown.len() > MOST_BOXES => {
            let message = format!("a picture of {} components would show nothing", shown.len());
            return Err(Failure::usage(message).hint("name the components that matter, and keep `--depth` small"));
        }
        Format::Svg => context.ui.data(&picture::svg(&shown, &arguments.names)),
    }
    Ok(())
}

/// Which component needs which, by the names of packages and what they provide. Where several provide a name, the one whose
/// package has that name, else the first.
fn arrows(book: &Book, runtime: bool) -> Arrows {
    let mut providers: BTreeMap<&str, &str> = BTreeMap::new();
    for component in book.answers.keys() {
        for name in capabilities(book.facts(component)) {
            providers.entry(name).or_insert(component);
        }
    }
    for component in book.answers.keys() {
        for package in book.facts(component).into_iter().flat_map(|facts| &facts.packages) {
            providers.insert(&package.name, component);
        }
    }
    let mut arrows = Arrows::new();
    for component in book.answers.keys() {
        let to = arrows.entry(component.clone()).or_default();
        let Some(facts) = book.facts(component) else { continue };
        let building = facts.build_requires.iter().filter(|_| !runtime);
        let installing = facts.packages.iter().filter(|package| runtime && package.is_made);
        for need in building.chain(installing.flat_map(|package| &package.requires)) {
            for name in relation_names(need) {
                if let Some(provider) = providers.get(name).filter(|provider| **provider != component) {
                    to.insert((*provider).to_owned());
                }
            }
        }
    }
    arrows
}

/// The part of the graph that is at most `depth` arrows away, with the arrows between what is in it.
fn around(all: &Arrows, focus: &[String], depth: usize, reverse: bool) -> Arrows {
    let mut backwards = Arrows::new();
    if reverse {
        for (from, to) in all {
            for to in to {
                backwards.entry(to.clone()).or_default().insert(from.clone());
            }
        }
    }
    let follow = if reverse { &backwards } else { all };
    let mut reached: BTreeSet<&String> = focus.iter().collect();
    let mut edge: Vec<&String> = focus.iter().collect();
    for _ in 0..depth {
        let next = edge.iter().filter_map(|name| follow.get(*name)).flatten();
        edge = next.filter(|name| reached.insert(name)).collect();
    }
    let inside = |to: &BTreeSet<String>| to.iter().filter(|name| reached.contains(name)).cloned().collect();
    reached.iter().map(|name| ((*name).clone(), all.get(*name).map(inside).unwrap_or_default())).collect()
}

fn dot(arrows: &Arrows, focus: &[String]) -> String {
    let mut text = String::from("digraph components {\n  rankdir=LR;\n  node [shape=box];\n");
    for (name, to) in arrows {
        let style = if focus.contains(name) { " [style=bold]" } else { "" };
        text.push_str(&format!("  \"{name}\"{style};\n"));
        for to in to {
            text.push_str(&format!("  \"{name}\" -> \"{to}\";\n"));
        }
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(arrows: &[(&str, &[&str])]) -> Arrows {
        let set = |to: &[&str]| to.iter().map(|name| (*name).to_owned()).collect();
        arrows.iter().map(|(from, to)| ((*from).to_owned(), set(to))).collect()
    }

    #[test]
    fn the_graph_around_a_component() {
        let all = graph(&[("a", &["b"]), ("b", &["c", "a"]), ("c", &["d"]), ("d", &[]), ("e", &["c"])]);
        let names = |found: &Arrows| found.keys().cloned().collect::<Vec<_>>().join(" ");
        let focus = |name: &str| vec![name.to_owned()];
        assert_eq!(names(&around(&all, &focus("a"), 1, false)), "a b");
        assert_eq!(names(&around(&all, &focus("a"), 2, false)), "a b c");
        assert_eq!(names(&around(&all, &focus("c"), 1, true)), "b c e");
        assert_eq!(around(&all, &focus("a"), 1, false)["b"], BTreeSet::from(["a".to_owned()]));
        let text = dot(&around(&all, &focus("a"), 1, false), &focus("a"));
        assert!(text.contains("  \"a\" [style=bold];\n  \"a\" -> \"b\";\n  \"b\";\n  \"b\" -> \"a\";\n"), "{text}");
    }
}
