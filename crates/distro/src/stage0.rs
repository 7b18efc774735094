use std::collections::BTreeMap;

use crate::diagnostic::Position;
use crate::reader::Table;
use crate::reference;

/// The foreign build root that bootstraps the distribution.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Stage0 {
    /// The Debian suite; empty where the definition has no stage0 and nothing can be built.
    pub suite: String,
    /// Debian packages in every build root.
    pub packages: Vec<String>,
    /// Globs of the capabilities for which stage0 stands in.
    pub provides: Vec<String>,
    /// Debian packages for what a component needs to build and no component provides.
    pub mapping: BTreeMap<String, Vec<String>>,
    /// Symbolic links to make: path to target.
    pub links: BTreeMap<String, String>,
    /// Files to write: path to text.
    pub files: BTreeMap<String, String>,
    /// Commands run as root inside a finished build root.
    pub commands: Vec<Stage0Command>,
    /// Where it is defined.
    #[serde(skip)]
    pub at: Position,
}

/// A command run as root inside a finished build root.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Stage0Command {
    /// The program and its arguments.
    pub run: Vec<String>,
}

impl Stage0 {
    /// Whether stage0 stands in for the capability `name`.
    pub fn stands_in_for(&self, name: &str) -> bool {
        self.provides.iter().any(|glob| crate::glob_matches(glob, name))
    }
}

pub(crate) fn read(mut table: Table<'_>) -> Option<Stage0> {
    let at = table.at();
    let suite = table.required("suite");
    table.require("packages");
    let packages = table.texts("packages");
    Some(Stage0 {
        packages,
        provides: table.texts("provides"),
        mapping: table.list_map("mapping").into_iter().collect(),
        links: table.string_map("links").into_iter().map(|(path, target)| (path, target.value)).collect(),
        files: table.string_map("files").into_iter().map(|(path, text)| (path, text.value)).collect(),
        commands: table
            .tables("commands", reference::STAGE0_COMMAND)
            .into_iter()
            .map(|mut command| Stage0Command { run: command.texts("run") })
            .collect(),
        suite: suite?.value,
        at,
    })
}
