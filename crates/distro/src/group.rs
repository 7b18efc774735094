//! Groups of components and of binary packages, and the channels to which packages are published.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::component::Component;
use crate::diagnostic::{Diagnostic, Located, Position};
use crate::overlay::{self, Metadata};
use crate::query::{Query, Words};
use crate::reader::Table;
use crate::reference;
use crate::settings::Settings;

/// Components that share settings.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ComponentGroup {
    /// The group in a sentence.
    pub description: String,
    /// Components that are listed.
    pub components: Vec<Located<String>>,
    /// What chooses further components.
    pub query: Option<Located<Query>>,
    /// Globs of specs that are components by being there.
    pub specs: Vec<PathBuf>,
    /// Globs of paths in which no specs are looked for.
    pub excluded_paths: Vec<PathBuf>,
    /// What sort of change the group's settings are.
    pub metadata: Option<Metadata>,
    /// What its components inherit.
    #[serde(skip)]
    pub settings: Settings,
    /// Where it is defined.
    pub at: Position,
}

/// Binary packages that share settings.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PackageGroup {
    /// The group in a sentence.
    pub description: String,
    /// Packages that are listed.
    pub packages: Vec<Located<String>>,
    /// Groups whose packages it also holds, in images.
    pub groups: Vec<Located<String>>,
    /// What chooses further packages, where none of the lists names them.
    pub query: Option<Located<Query>>,
    /// Where its packages are published.
    pub publish: PackagePublish,
    /// Where it is defined.
    pub at: Position,
}

/// Where a binary package is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PackagePublish {
    /// The channel.
    pub rpm: Option<String>,
    /// The channel of debuginfo.
    pub debuginfo: Option<String>,
}

impl PackagePublish {
    /// Takes the value of `rpm-channel`, `debuginfo-channel`, or the older `channel`, which counts less.
    pub(crate) fn set(&mut self, key: &str, channel: &str) {
        match key {
            "debuginfo-channel" => self.debuginfo = Some(channel.to_owned()),
            "channel" if self.rpm.is_some() => {}
            _ => self.rpm = Some(channel.to_owned()),
        }
    }

    fn of(&self, is_debuginfo: bool) -> Option<&str> {
        if is_debuginfo { self.debuginfo.as_deref() } else { self.rpm.as_deref() }
    }
}

/// The words by which a package group's query chooses.
pub const PACKAGE_WORDS: &[&str] = &["name", "component", "group", "kind"];

/// Where binary packages go: an index over groups and defaults.
pub struct Channels<'a> {
    default: &'a PackagePublish,
    groups: &'a BTreeMap<String, PackageGroup>,
    listed: HashMap<&'a str, &'a str>,
}

impl<'a> Channels<'a> {
    /// The index of these groups over this default.
    pub fn new(groups: &'a BTreeMap<String, PackageGroup>, default: &'a PackagePublish) -> Channels<'a> {
        let mut listed = HashMap::new();
        for (name, group) in groups {
            for package in &group.packages {
                listed.entry(package.value.as_str()).or_insert(name.as_str());
            }
        }
        Channels { default, groups, listed }
    }

    /// The group of a package: that which lists it, else the first whose query chooses it.
    pub fn group_of(&self, component: &Component, package: &str) -> Option<(&'a str, &'a PackageGroup)> {
        if let Some(name) = self.listed.get(package) {
            return self.groups.get_key_value(*name).map(|(name, group)| (name.as_str(), group));
        }
        let words = PackageWords { component, package };
        self.groups
            .iter()
            .find(|(_, group)| group.query.as_ref().is_some_and(|query| query.value.matches(&words)))
            .map(|(name, group)| (name.as_str(), group))
    }

    /// The channel of a package of a component: default, component, group, and the package's own word, the last counts.
    pub fn channel(&self, component: &'a Component, package: &str) -> Option<&'a str> {
        let is_debuginfo = is_debuginfo(package);
        let of_component = if is_debuginfo { &component.publish.debuginfo } else { &component.publish.rpm };
        let own = component.packages.get(package).and_then(|publish| publish.of(is_debuginfo));
        own.or_else(|| self.group_of(component, package).and_then(|(_, group)| group.publish.of(is_debuginfo)))
            .or(of_component.as_deref())
            .or_else(|| self.default.of(is_debuginfo))
    }
}

struct PackageWords<'a> {
    component: &'a Component,
    package: &'a str,
}

impl Words for PackageWords<'_> {
    fn any(&self, key: &str, is_meant: &mut dyn FnMut(&str) -> bool) -> bool {
        match key {
            "name" => is_meant(self.package),
            "component" => is_meant(&self.component.name),
            "group" => self.component.groups.iter().any(|group| is_meant(group)),
            "kind" if is_debuginfo(self.package) => is_meant("debuginfo"),
            "kind" => {
                let last = self.package.rsplit('-').next().unwrap_or_default();
                is_meant(if matches!(last, "devel" | "static" | "doc" | "docs") { last } else { "plain" })
            }
            _ => false,
        }
    }
}

/// Whether a package holds debug information: `-debuginfo` or `-debugsource` is a part of its name.
pub fn is_debuginfo(package: &str) -> bool {
    ["-debuginfo", "-debugsource"].into_iter().any(|part| {
        package.match_indices(part).any(|(at, _)| {
            let rest = &package[at + part.len()..];
            rest.is_empty() || rest.starts_with('-')
        })
    })
}

pub(crate) fn read_component_group(mut table: Table<'_>, folder: &Path, at: Position) -> ComponentGroup {
    ComponentGroup {
        description: table.text("description").unwrap_or_default(),
        components: table.strings("components"),
        query: read_query(&mut table, crate::query::COMPONENT_WORDS),
        specs: table.texts("specs").into_iter().map(|glob| folder.join(glob)).collect(),
        excluded_paths: table.texts("excluded-paths").into_iter().map(|glob| folder.join(glob)).collect(),
        metadata: table.table("metadata", reference::METADATA).map(overlay::read_metadata),
        settings: table
            .table("default-component-config", reference::COMPONENT)
            .map_or_else(Settings::default, |config| Settings::read(config, folder)),
        at,
    }
}

pub(crate) fn read_package_group(mut table: Table<'_>, at: Position) -> PackageGroup {
    let packages = table.strings("packages");
    let mut seen: HashMap<&str, &Position> = HashMap::with_capacity(packages.len());
    for package in &packages {
        if package.value.is_empty() {
            table.report_at(&package.at, Diagnostic::new("a package has a name"));
        } else if let Some(earlier) = seen.insert(&package.value, &package.at) {
            let problem = Diagnostic::new(format!("`{}` is listed twice in one group", package.value));
            table.report_at(&package.at, problem.note(format!("first in line {}", earlier.line)));
        }
    }
    let publish = table.table("default-package-config", reference::PACKAGE).map(read_package_config);
    PackageGroup {
        description: table.text("description").unwrap_or_default(),
        groups: table.strings("groups"),
        query: read_query(&mut table, PACKAGE_WORDS),
        publish: publish.unwrap_or_default(),
        packages,
        at,
    }
}

/// Reads the settings of binary packages, as in `[default-package-config]`.
pub(crate) fn read_package_config(mut table: Table<'_>) -> PackagePublish {
    let mut found = PackagePublish::default();
    if let Some(mut publish) = table.table("publish", reference::PACKAGE_PUBLISH) {
        for key in ["rpm-channel", "debuginfo-channel", "channel"] {
            if let Some(channel) = read_channel(&mut publish, key) {
                found.set(key, &channel.value);
            }
        }
    }
    found
}

/// The name of a channel, which is also that of a folder.
pub(crate) fn read_channel(table: &mut Table<'_>, key: &'static str) -> Option<Located<String>> {
    let channel = table.string(key).filter(|channel| !channel.value.is_empty())?;
    if channel.value.contains(['/', '\\']) || matches!(channel.value.as_str(), "." | "..") {
        let problem = Diagnostic::new(format!("`{}` is no name of a channel", channel.value));
        table.report(table.value_span(key), problem.hint("it is also that of a folder: no path"));
    }
    Some(channel)
}

fn read_query(table: &mut Table<'_>, words: &[&str]) -> Option<Located<Query>> {
    let text = table.string("query")?;
    match Query::parse(&text.value, words) {
        Ok(query) => Some(Located { value: query, at: text.at }),
        Err(error) => {
            table.report(table.value_span("query"), error);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn debuginfo_is_a_whole_part_of_a_name() {
        for (name, expected) in [
            ("gcc-debuginfo", true),
            ("gcc-debugsource", true),
            ("gcc-debuginfo-common", true),
            ("gcc-debuginfod", false),
            ("debuginfo", false),
        ] {
            assert_eq!(super::is_debuginfo(name), expected, "{name}");
        }
    }
}
