use std::path::{Path, PathBuf};

use distro::Distro;
use host::Host;
use store::Store;

use crate::commands::Global;
use crate::explain::Failure;
use crate::ui::Ui;

/// What every command has at hand.
pub(crate) struct Context {
    pub(crate) ui: Ui,
    pub(crate) host: Host,
    store_folder: PathBuf,
    directory: Option<PathBuf>,
    output: Option<PathBuf>,
}

/// The names of a definition's root file, ours and that of Azure Linux's tool.
const DEFINITIONS: [&str; 2] = ["distro.toml", "azldev.toml"];

impl Context {
    pub(crate) fn new(global: &Global) -> Result<Context, Failure> {
        let host = Host::detect().map_err(|error| Failure::environment(error.to_string()))?;
        host.on_interrupt();
        let store_folder = match &global.store {
            Some(folder) => folder.clone(),
            None => store_folder().ok_or_else(|| {
                Failure::environment("there is no home folder to keep the store in").hint("name one with `--store`")
            })?,
        };
        Ok(Context {
            ui: Ui::new(global.json, global.quiet),
            host,
            store_folder,
            directory: global.directory.clone(),
            output: global.output.clone(),
        })
    }

    /// That of a command which has none of Slipway's own options.
    pub(crate) fn plain(ui: &Ui) -> Result<Context, Failure> {
        let host = Host::detect().map_err(|error| Failure::environment(error.to_string()))?;
        let store_folder = store_folder().unwrap_or_else(|| PathBuf::from("/var/cache/slipway/store"));
        Ok(Context { ui: ui.clone(), host, store_folder, directory: None, output: None })
    }

    /// Opens the store, which is made when it is not there yet.
    pub(crate) fn store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.store_folder)?)
    }

    /// The root file of the definition: in the folder named, or in this one or the nearest above, there or in `distro/`.
    pub(crate) fn definition(&self) -> Result<PathBuf, Failure> {
        let found = match &self.directory {
            Some(directory) => definition_in(directory),
            None => {
                let here = std::path::absolute(".").unwrap_or_default();
                here.ancestors().find_map(definition_in).map(|path| relative_to(&path, &here))
            }
        };
        found.ok_or_else(|| {
            let place = self.directory.as_deref().unwrap_or(Path::new("."));
            let names = DEFINITIONS.map(|name| format!("`{name}`")).join(" or ");
            Failure::definition(format!("no definition is in `{}`: there is no {names}", place.display()))
                .hint("run inside a definition's folder, or name it with `--directory`")
        })
    }

    /// Loads the definition.
    pub(crate) fn distro(&self) -> Result<Distro, Failure> {
        Ok(distro::load(&self.definition()?, distro::Locks::Required)?)
    }

    /// Where results are put: `out` beside the definition's folder unless told otherwise.
    pub(crate) fn output(&self) -> Result<PathBuf, Failure> {
        if let Some(output) = &self.output {
            return Ok(output.clone());
        }
        let definition = std::path::absolute(self.definition()?).unwrap_or_default();
        let folder = definition.parent().unwrap_or(Path::new("/"));
        let base = if folder.ends_with("distro") { folder.parent().unwrap_or(folder) } else { folder };
        Ok(base.join("out"))
    }
}

/// Where the store is unless told otherwise.
pub(crate) fn store_folder() -> Option<PathBuf> {
    use host::environment::{Variable, cache_home, read};
    read(Variable::Store).map(PathBuf::from).or_else(|| cache_home().map(|cache| cache.join("slipway")))
}

/// The root file of the definition in a folder. An `azldev.toml` counts more than a file in `distro/`, which may be a part of
/// what it includes.
fn definition_in(folder: &Path) -> Option<PathBuf> {
    let [ours, original] = DEFINITIONS;
    [folder.join(ours), folder.join(original), folder.join("distro").join(ours)].into_iter().find(|path| path.is_file())
}

/// Shorter where `path` lies below `folder`: messages then name it as people would.
fn relative_to(path: &Path, folder: &Path) -> PathBuf {
    path.strip_prefix(folder).map_or_else(|_| path.to_owned(), Path::to_owned)
}
