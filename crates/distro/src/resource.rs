//! Repositories under names, to which distributions' versions refer.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Located, Position};
use crate::reader::Table;
use crate::reference;

/// Repositories, layouts of repositories, and sets that are made after a layout.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Resources {
    /// Repositories by name.
    pub repositories: BTreeMap<String, Repository>,
    /// Layouts by name.
    pub templates: BTreeMap<String, Template>,
    /// Sets by name.
    pub sets: BTreeMap<String, RepositorySet>,
}

/// A repository of RPM packages.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Repository {
    /// Its address; `None`: the metalink knows.
    pub base_uri: Option<String>,
    /// The address of a list of mirrors.
    pub metalink: Option<String>,
    /// The key that signs it, a path or an address.
    pub key: Option<String>,
    /// Whether signatures are checked.
    pub checks_signatures: bool,
    /// The only architectures that it is for; none: all.
    pub arches: Vec<String>,
    /// Where it is defined.
    pub at: Position,
}

/// A layout of repositories that belong together.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Template {
    /// Its repositories: name, path below the set's address, and kind.
    pub repositories: Vec<(String, String, &'static str)>,
}

/// Repositories after a layout, below one address.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RepositorySet {
    /// The layout.
    pub template: Located<String>,
    /// The address of all of them.
    pub base_uri: String,
    /// What their names start with; the set's name and a minus sign if not said.
    pub name_prefix: Option<String>,
    /// The only ones of the layout; none: all.
    pub only: Vec<Located<String>>,
    /// The key that signs them.
    pub key: Option<String>,
    /// Whether signatures are checked.
    pub checks_signatures: bool,
    /// Where it is defined.
    pub at: Position,
}

/// The layouts that need no definition, as the original has them.
pub(crate) fn built_in_templates() -> BTreeMap<String, Template> {
    let template = |repositories: &[(&str, &str, &'static str)]| Template {
        repositories: repositories.iter().map(|(name, path, kind)| ((*name).into(), (*path).into(), *kind)).collect(),
    };
    let azl_standard = [
        ("base", "base/$basearch", "binary"),
        ("base-debug", "base/debuginfo/$basearch", "debug"),
        ("base-src", "base/srpms", "source"),
        ("sdk", "sdk/$basearch", "binary"),
        ("sdk-debug", "sdk/debuginfo/$basearch", "debug"),
        ("sdk-src", "sdk/srpms", "source"),
    ];
    let koji = [("binary", "$basearch", "binary"), ("debug", "$basearch/debug", "debug"), ("src", "src", "source")];
    BTreeMap::from([
        ("azl-standard".to_owned(), template(&azl_standard)),
        ("koji-dist-repo".to_owned(), template(&koji)),
    ])
}

impl Resources {
    /// Reads what a file says over what earlier ones said: entries of the same name are replaced whole.
    pub(crate) fn read(&mut self, mut table: Table<'_>, folder: &Path) {
        for (name, mut entry) in table.named_tables("rpm-repos", reference::RPM_REPO) {
            check_name(&entry, &name);
            entry.word("type", &[("rpm-md", ()), ("", ())]);
            entry.text("description");
            let (base_uri, metalink) = (read_address(&mut entry, "base-uri"), read_address(&mut entry, "metalink"));
            if base_uri.is_some() == metalink.is_some() {
                let problem = Diagnostic::new("a repository has either a `base-uri` or a `metalink`");
                entry.report(entry.span.clone(), problem);
            }
            let (key, checks_signatures) = read_key(&mut entry, folder);
            let arches = entry.texts("arches");
            let repository = Repository { base_uri, metalink, key, checks_signatures, arches, at: name.at };
            self.repositories.insert(name.value, repository);
        }
        for (name, mut entry) in table.named_tables("rpm-repo-set-templates", reference::RPM_REPO_SET_TEMPLATE) {
            check_name(&entry, &name);
            entry.text("description");
            entry.require("subrepos");
            let mut repositories = Vec::new();
            for mut part in entry.tables("subrepos", reference::SUBREPO) {
                let kinds = [("binary", "binary"), ("debug", "debug"), ("source", "source"), ("", "binary")];
                let kind = part.word("kind", &kinds).unwrap_or("binary");
                let (name, path) = (part.required("name"), part.required("subpath"));
                if let Some((name, path)) = name.zip(path) {
                    repositories.push((name.value, path.value, kind));
                }
            }
            self.templates.insert(name.value, Template { repositories });
        }
        for (name, mut entry) in table.named_tables("rpm-repo-sets", reference::RPM_REPO_SET) {
            check_name(&entry, &name);
            entry.text("description");
            entry.texts("arches");
            entry.require("base-uri");
            let (template, base_uri) = (entry.required("template"), read_address(&mut entry, "base-uri"));
            let (key, checks_signatures) = read_key(&mut entry, folder);
            let (name_prefix, only) = (entry.text("name-prefix"), entry.strings("subrepos"));
            if let Some((template, base_uri)) = template.zip(base_uri) {
                let set = RepositorySet { template, base_uri, name_prefix, only, key, checks_signatures, at: name.at };
                self.sets.insert(name.value, set);
            }
        }
    }
}

fn check_name(table: &Table<'_>, name: &Located<String>) {
    let is_name = name.value.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte));
    if !is_name {
        let problem = Diagnostic::new(format!("`{}` is no name of a repository", name.value));
        table.report(table.span.clone(), problem.hint("letters, digits, `_`, `.`, `:` and `-`"));
    }
}

fn read_address(table: &mut Table<'_>, key: &'static str) -> Option<String> {
    let address = table.string(key).filter(|address| !address.value.is_empty())?;
    let host = address.value.strip_prefix("https://").or_else(|| address.value.strip_prefix("http://"));
    if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) || address.value.contains(char::is_whitespace) {
        let problem = Diagnostic::new(format!("`{}` is no address of the web", address.value));
        table.report(table.value_span(key), problem.hint("`https://` and a host"));
    }
    Some(address.value)
}

fn read_key(table: &mut Table<'_>, folder: &Path) -> (Option<String>, bool) {
    let checks_signatures = !table.boolean("disable-gpg-check").unwrap_or(false);
    let key = table.text("gpg-key").filter(|key| !key.is_empty());
    if checks_signatures && key.is_none() {
        let problem = Diagnostic::new("signatures are checked, and no `gpg-key` says by which key");
        table.report(table.span.clone(), problem.hint("name the key, or write `disable-gpg-check = true`"));
    }
    let key = key.map(|key| match key.contains("://") {
        true => key,
        false => folder.join(key).to_string_lossy().into_owned(),
    });
    (key, checks_signatures)
}
