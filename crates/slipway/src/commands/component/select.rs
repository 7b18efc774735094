//! Which components a command is about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use distro::query::{COMPONENT_WORDS, Words};
use distro::{Channels, Component, Distro, Query, SpecSource};
use host::{Cmd, Tool};

use crate::context::Context;
use crate::explain::Failure;
use crate::facts::{Book, Facts};

/// Words of a query that only evaluated specs answer.
const FACT_WORDS: &[&str] = &["package", "provides", "requires", "needs", "license", "version", "failed"];

/// Which components are meant: all that every filter lets through.
#[derive(Args, Default)]
pub(crate) struct Select {
    /// Components, by name or glob; all if none is said.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Only members of this component group.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only those with a package that is published to this channel.
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Only those with overlays; with a value, of this type, as in `patch-*`.
    #[arg(long, value_name = "TYPE", num_args = 0..=1, default_missing_value = "*", require_equals = true)]
    has_overlay: Option<String>,
    /// Only those whose spec is `local` or `upstream`.
    #[arg(long, value_parser = ["local", "upstream"])]
    kind: Option<String>,
    /// Only those of this origin: `source` or `stage0`.
    #[arg(long, value_parser = ["source", "stage0", "self"])]
    origin: Option<String>,
    /// Only those of which this is true, as in `group:core not (kind:local or with:docs)`.
    ///
    /// Terms are `word:glob`, or the glob of a name. Words: name, kind, origin, group, upstream, upstream-version, pinned,
    /// overlay, category, release, with, without, define, check, channel, file; and of evaluated specs: package, provides,
    /// requires, needs (of the build), license, version, failed.
    #[arg(long, value_name = "QUERY", verbatim_doc_comment)]
    query: Option<String>,
    /// Only those whose settings, overlays or own files are not as in this revision of git.
    #[arg(long, value_name = "REVISION")]
    changed_since: Option<String>,
    /// Only those that need a package of this component, to be built or to be installed.
    #[arg(long, value_name = "COMPONENT")]
    depends_on: Option<String>,
}

impl Select {
    /// One component by its name.
    pub(crate) fn one(name: &str) -> Select {
        Select { names: vec![name.to_owned()], ..Select::default() }
    }

    /// Whether specs must be evaluated to choose.
    pub(crate) fn needs_facts(&self) -> Result<bool, Failure> {
        let asks = self.parsed()?.is_some_and(|query| FACT_WORDS.iter().any(|word| query.asks(word)));
        Ok(asks || self.channel.is_some() || self.depends_on.is_some())
    }

    fn parsed(&self) -> Result<Option<Query>, Failure> {
        let words: Vec<&str> = COMPONENT_WORDS.iter().chain(FACT_WORDS).copied().collect();
        let parse = |text: &String| Query::parse(text, &words).map_err(|error| Failure::usage(error.to_string()));
        self.query.as_ref().map(parse).transpose()
    }

    /// The components that are meant, by name. Names without a glob must be there.
    pub(crate) fn choose<'a>(
        &self,
        distro: &'a Distro,
        book: Option<&Book>,
        context: &Context,
    ) -> Result<Vec<&'a Component>, Failure> {
        let known = || distro.components.keys().map(String::as_str);
        for name in self.names.iter().chain(&self.depends_on) {
            if !name.contains(['*', '?']) && !distro.components.contains_key(name) {
                return Err(absent("component", name, known()));
            }
        }
        if let Some(group) = &self.group
            && !distro.component_groups.contains_key(group)
        {
            return Err(absent("component group", group, distro.component_groups.keys().map(String::as_str)));
        }
        let query = self.parsed()?;
        let changed = match &self.changed_since {
            Some(revision) => Some(changed_since(distro, revision, context)?),
            None => None,
        };
        let capabilities = self.depends_on.as_ref().map(|name| capabilities(book.and_then(|book| book.facts(name))));
        let channels = Channels::new(&distro.package_groups, &distro.default_publish);
        let chosen = distro.components.values().filter(|component| {
            let facts = book.and_then(|book| book.facts(&component.name));
            let failed = book.is_some_and(|book| book.answers.contains_key(&component.name)) && facts.is_none();
            let known = Known { component, facts, failed, channels: &channels };
            let is = |key: &str, glob: &str| known.any(key, &mut |value| distro::glob_matches(glob, value));
            (self.names.is_empty() || self.names.iter().any(|name| is("name", name)))
                && self.group.as_ref().is_none_or(|group| component.groups.contains(group))
                && self.channel.as_ref().is_none_or(|channel| is("channel", channel))
                && self.has_overlay.as_ref().is_none_or(|kind| is("overlay", kind))
                && self.kind.as_ref().is_none_or(|kind| is("kind", kind))
                && self.origin.as_ref().is_none_or(|origin| is("origin", origin))
                && query.as_ref().is_none_or(|query| query.matches(&known))
                && changed.as_ref().is_none_or(|changed| changed.contains(&component.name))
                && capabilities.as_ref().is_none_or(|wanted| {
                    let is_itself = self.depends_on.as_ref() == Some(&component.name);
                    !is_itself && facts.is_some_and(|facts| needs(facts).any(|name| wanted.contains(name)))
                })
        });
        Ok(chosen.collect())
    }
}

/// There is no thing of this kind and name.
pub(crate) fn absent<'a>(kind: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Failure {
    let failure = Failure::usage(format!("there is no {kind} `{name}`"));
    match distro::nearest(name, known) {
        Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
        None => failure,
    }
}

/// A component and what its spec says.
struct Known<'a> {
    component: &'a Component,
    facts: Option<&'a Facts>,
    failed: bool,
    channels: &'a Channels<'a>,
}

impl Words for Known<'_> {
    fn any(&self, key: &str, is_meant: &mut dyn FnMut(&str) -> bool) -> bool {
        let packages = || self.facts.into_iter().flat_map(|facts| &facts.packages).filter(|package| package.is_made);
        match key {
            "package" => packages().any(|package| is_meant(&package.name)),
            "provides" => packages().flat_map(|package| &package.provides).any(|text| is_meant(text)),
            "requires" => packages().flat_map(|package| &package.requires).any(|text| is_meant(text)),
            "needs" => self.facts.into_iter().flat_map(|facts| &facts.build_requires).any(|text| is_meant(text)),
            "license" => self.facts.is_some_and(|facts| is_meant(&facts.license)),
            "version" => self.facts.is_some_and(|facts| is_meant(&facts.evr)),
            "failed" => is_meant(if self.failed { "yes" } else { "no" }),
            "channel" if self.facts.is_some() => {
                packages().filter_map(|package| self.channels.channel(self.component, &package.name)).any(is_meant)
            }
            _ => self.component.any(key, is_meant),
        }
    }
}

/// The names that a component's packages answer to.
pub(crate) fn capabilities(facts: Option<&Facts>) -> BTreeSet<&str> {
    let packages = facts.into_iter().flat_map(|facts| &facts.packages);
    packages
        .flat_map(|package| {
            package.provides.iter().flat_map(|text| relation_names(text)).chain([package.name.as_str()])
        })
        .collect()
}

/// The names of all that building and installing needs.
fn needs(facts: &Facts) -> impl Iterator<Item = &str> {
    let installing = facts.packages.iter().filter(|package| package.is_made).flat_map(|package| &package.requires);
    facts.build_requires.iter().chain(installing).flat_map(|text| relation_names(text))
}

/// The names in a relation, which may be a rich one: `(a >= 1 or b)` names `a` and `b`.
pub(crate) fn relation_names(text: &str) -> impl Iterator<Item = &str> {
    let is_rich = text.starts_with('(');
    let mut after_operator = false;
    text.split_whitespace().filter_map(move |word| {
        let word = if is_rich { unwrapped(word) } else { word };
        let was_after = std::mem::take(&mut after_operator);
        match word {
            "<" | "<=" | "=" | ">=" | ">" => {
                after_operator = true;
                None
            }
            "and" | "or" | "if" | "else" | "unless" | "with" | "without" | "" => None,
            _ if was_after => None,
            _ => Some(word),
        }
    })
}

/// A word of a rich relation without the parentheses around it: those that are not its own.
fn unwrapped(word: &str) -> &str {
    let word = word.trim_start_matches('(');
    let surplus = word.matches(')').count().saturating_sub(word.matches('(').count());
    let trailing = word.len() - word.trim_end_matches(')').len();
    &word[..word.len() - surplus.min(trailing)]
}

/// The components that are not as they were in a revision: their settings and overlays after all layers, or a file beside
/// their spec, an overlay's own file, or a rendered file.
fn changed_since(distro: &Distro, revision: &str, context: &Context) -> Result<BTreeSet<String>, Failure> {
    if revision.starts_with('-') {
        return Err(Failure::usage(format!("`{revision}` is no revision of git")));
    }
    let root = std::path::absolute(distro.file.parent().unwrap_or(Path::new("."))).unwrap_or_default();
    let top = Cmd::new(Tool::Git).args(["-C"]).arg(&root).args(["rev-parse", "--show-toplevel"]);
    if !context.host.run(&top)?.status.success() {
        return Err(Failure::environment(format!("`{}` is in no repository of git", root.display()))
            .hint("what changed is known only of a definition that git keeps"));
    }
    let git = |arguments: &[&str]| -> Result<String, Failure> {
        let cmd = Cmd::new(Tool::Git).args(["-C"]).arg(&root).args(arguments.iter().copied());
        Ok(context.host.check(&cmd)?.text())
    };
    let changed: Vec<PathBuf> =
        git(&["diff", "--name-only", "--relative", revision, "--"])?.lines().map(|line| root.join(line)).collect();
    let before = load_revision(distro, &root, revision, context)?;
    let mut names = BTreeSet::new();
    for component in distro.components.values() {
        let own: Vec<&Path> = match &component.spec {
            SpecSource::Local { .. } => vec![component.spec.folder()],
            SpecSource::Upstream(_) => vec![],
        };
        let own: Vec<PathBuf> = own
            .into_iter()
            .map(Path::to_owned)
            .chain(component.rendered.clone())
            .chain(component.overlays.iter().filter_map(|overlay| overlay.source().cloned()))
            .map(|path| std::path::absolute(path).unwrap_or_default())
            .collect();
        let is_same = before
            .components
            .get(&component.name)
            .is_some_and(|earlier| essence(earlier, &before) == essence(component, distro));
        if !is_same || changed.iter().any(|path| own.iter().any(|own| path.starts_with(own))) {
            names.insert(component.name.clone());
        }
    }
    Ok(names)
}

/// The definition as it was, in a folder that is gone when it is loaded.
fn load_revision(distro: &Distro, root: &Path, revision: &str, context: &Context) -> Result<Distro, Failure> {
    let store = context.store()?;
    let folder = store.temp_dir()?;
    let archive = folder.path().join("revision.tar");
    let mut cmd = Cmd::new(Tool::Git).arg("-C").arg(root).args(["archive", "--format=tar", "-o"]).arg(&archive);
    cmd = cmd.args([revision, "--", "."]);
    // Rendered specs are many and say nothing of the definition.
    if let Some(rendered) = &distro.project.rendered_specs_dir
        && let Ok(inside) = std::path::absolute(rendered).unwrap_or_default().strip_prefix(root)
    {
        cmd = cmd.arg(format!(":(exclude){}", inside.display()));
    }
    context.host.check(&cmd)?;
    let tree = folder.path().join("tree");
    fs_err::create_dir_all(&tree)?;
    context.host.check(&Cmd::new(Tool::Tar).arg("-xf").arg(&archive).arg("-C").arg(&tree))?;
    let file = tree.join(distro.file.file_name().unwrap_or_default());
    distro::load(&file, distro::Locks::Ignored).map_err(|problems| {
        let folder = format!("{}/", tree.display());
        Failure::definition(format!("the definition of `{revision}` cannot be read: {problems}").replace(&folder, ""))
    })
}

/// What a component is, without places and without the folder of its definition.
fn essence(component: &Component, distro: &Distro) -> String {
    fn without_places(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => {
                map.retain(|key, _| key != "at" && key != "lock");
                map.values_mut().for_each(without_places);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(without_places),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(component).unwrap_or_default();
    without_places(&mut value);
    for file in value["source_files"].as_array_mut().into_iter().flatten() {
        // Locks are not read in the other revision.
        file["size"] = serde_json::Value::Null;
        file["origin_version"] = serde_json::Value::Null;
        if file["origin"]["type"].as_str().is_some_and(|kind| kind.starts_with("debian")) {
            file["hash"] = serde_json::Value::Null;
        }
    }
    let folder = distro.file.parent().unwrap_or(Path::new("."));
    value.to_string().replace(&format!("{}/", folder.display()), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_relations() {
        for (text, expected) in [
            ("gcc", vec!["gcc"]),
            ("gcc >= 15", vec!["gcc"]),
            ("pkgconfig(zlib) >= 1", vec!["pkgconfig(zlib)"]),
            ("(a >= 1 or (b with libc.so.6()(64bit)))", vec!["a", "b", "libc.so.6()(64bit)"]),
            ("(pkgconfig(a) if b else c = 2)", vec!["pkgconfig(a)", "b", "c"]),
        ] {
            assert_eq!(relation_names(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
