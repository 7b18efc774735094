//! Distributions and their versions: what is built, and where specs are taken from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Located, Position};
use crate::reader::Table;
use crate::reference;
use crate::settings::Settings;

/// A distribution: the one that is defined, or one from which specs are taken.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Distribution {
    /// The distribution in a sentence.
    pub description: Option<String>,
    /// The version meant where none is named.
    pub default_version: Option<Located<String>>,
    /// The address of a package's dist-git; `$pkg` stands for its name.
    pub dist_git: Option<Located<String>>,
    /// The address of a source in the lookaside cache, with `$pkg`, `$filename`, `$hashtype`, `$hash`.
    pub lookaside: Option<Located<String>>,
    /// Further lookaside caches, in the order in which they are asked.
    pub lookaside_mirrors: Vec<Located<String>>,
    /// Addresses of its repositories.
    pub repositories: Vec<Located<String>>,
    /// Sources come from the lookaside caches and mirrors only.
    pub disable_origins: bool,
    /// Its versions by name.
    pub versions: BTreeMap<String, Version>,
}

/// A version of a distribution.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Version {
    /// The version in a sentence.
    pub description: Option<String>,
    /// What `$releasever` stands for.
    pub release_version: Located<String>,
    /// The branch of its dist-git.
    pub dist_git_branch: Option<String>,
    /// Configuration files of mock, which Slipway only carries along.
    pub mock_configs: Vec<PathBuf>,
    /// Repositories and repository sets that building packages reads, by name.
    pub package_inputs: Vec<Input>,
    /// Repositories and repository sets that making images reads, by name.
    pub image_inputs: Vec<Input>,
    /// What its components inherit.
    #[serde(skip)]
    pub settings: Settings,
    /// Where it is defined.
    pub at: Position,
}

/// A repository or a set of them, by name.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// An entry of `resources.rpm-repos`.
    Repo(Located<String>),
    /// An entry of `resources.rpm-repo-sets`.
    Set(Located<String>),
}

impl Distribution {
    /// Reads what a file says of a distribution over what earlier ones said: what is not said stays, versions are replaced.
    pub(crate) fn read(&mut self, mut table: Table<'_>, folder: &Path) {
        let replace = |slot: &mut Option<Located<String>>, found: Option<Located<String>>| {
            if let Some(found) = found.filter(|found| !found.value.is_empty()) {
                *slot = Some(found);
            }
        };
        if let Some(description) = table.text("description") {
            self.description = Some(description);
        }
        replace(&mut self.default_version, table.string("default-version"));
        replace(&mut self.dist_git, table.string("dist-git-base-uri").map(|address| rooted(address, folder)));
        replace(&mut self.lookaside, table.string("lookaside-base-uri"));
        let mirrors = table.strings("lookaside-mirrors");
        if !mirrors.is_empty() {
            self.lookaside_mirrors = mirrors;
        }
        let repositories: Vec<Located<String>> = table
            .tables("repos", reference::PACKAGE_REPOSITORY)
            .into_iter()
            .filter_map(|mut repository| repository.required("base-uri"))
            .collect();
        if !repositories.is_empty() {
            self.repositories = repositories;
        }
        self.disable_origins |= table.boolean("disable-origins").unwrap_or(false);
        for (name, version) in table.named_tables("versions", reference::VERSION) {
            if let Some(version) = read_version(version, &name, folder) {
                self.versions.insert(name.value, version);
            }
        }
    }
}

/// An address without a scheme or host is a path, relative to the file that says it.
fn rooted(address: Located<String>, folder: &Path) -> Located<String> {
    if address.value.is_empty() || address.value.contains(':') {
        return address;
    }
    Located { value: folder.join(&address.value).to_string_lossy().into_owned(), at: address.at }
}

fn read_version(mut table: Table<'_>, name: &Located<String>, folder: &Path) -> Option<Version> {
    let mock_configs = ["mock-config", "mock-config-x86_64", "mock-config-aarch64"]
        .into_iter()
        .filter_map(|key| Some(folder.join(table.text(key)?)))
        .collect();
    let (mut package_inputs, mut image_inputs) = (Vec::new(), Vec::new());
    if let Some(mut inputs) = table.table("inputs", reference::INPUTS) {
        package_inputs = read_inputs(&mut inputs, "rpm-build");
        image_inputs = read_inputs(&mut inputs, "image-build");
    }
    let config = table.table("default-component-config", reference::COMPONENT);
    let settings = config.map_or_else(Settings::default, |config| Settings::read(config, folder));
    let version = Version {
        description: table.text("description"),
        release_version: table.required("release-ver")?,
        dist_git_branch: table.text("dist-git-branch"),
        mock_configs,
        package_inputs,
        image_inputs,
        settings,
        at: name.at.clone(),
    };
    Some(version)
}

fn read_inputs(table: &mut Table<'_>, key: &'static str) -> Vec<Input> {
    let mut inputs = Vec::new();
    for mut input in table.tables(key, reference::INPUT) {
        match (input.string("repo"), input.string("set")) {
            (Some(repo), None) => inputs.push(Input::Repo(repo)),
            (None, Some(set)) => inputs.push(Input::Set(set)),
            _ => {
                let problem = crate::diagnostic::Diagnostic::new("an input names either a `repo` or a `set`");
                input.report(input.span.clone(), problem);
            }
        }
    }
    inputs
}
