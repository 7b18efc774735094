use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::config::ini::{BYTES_MAX, Ini, Section};
use crate::config::{ConfigError, Key, Origin, Place, Repository, Settings, Variables, option};
use crate::query::glob::Glob;

/// What the command line says over the files.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The configuration file; `/etc/dnf/dnf.conf` of the root where not said.
    pub config: Option<PathBuf>,
    /// The root that is looked at and changed.
    pub installroot: Option<PathBuf>,
    /// Configuration, repositories and variables are this machine's and not the root's.
    pub use_host_config: bool,
    /// `$releasever`.
    pub releasever: Option<String>,
    /// The machine's architecture.
    pub arch: Option<String>,
    /// `key=value` and `repository.key=value`, in order.
    pub setopt: Vec<String>,
    /// Patterns of ids: these repositories and no others.
    pub only: Vec<String>,
    /// Patterns of ids, and whether these repositories are used, in order.
    pub enable: Vec<(String, bool)>,
    /// Repositories without a file: id and base address.
    pub from_path: Vec<(String, String)>,
}

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[main]`.
    pub main: Settings,
    /// The repositories, by id.
    pub repositories: Vec<Repository>,
    /// What stands for `$name`.
    pub variables: Variables,
    /// The root that is looked at and changed; absolute.
    pub installroot: PathBuf,
    /// What was read and not understood, but does not matter.
    pub warnings: Vec<String>,
    /// Where it is written.
    pub files: Files,
}

/// Where a configuration is written; none of it has to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// `dnf.conf`.
    pub main: PathBuf,
    /// The folders of repository files, the first of them first.
    pub repositories: Vec<PathBuf>,
    /// The file that changes options of repositories, whoever describes them.
    pub overrides: PathBuf,
    /// The folder of variables that is read last.
    pub variables: PathBuf,
}

/// Folders of files that change options of repositories; files of both are read in order of their names.
const OVERRIDES: [&str; 2] = ["etc/dnf/repos.override.d", "usr/share/dnf5/repos.override.d"];

/// The one of these files that `config-manager` writes. Source: libdnf5, `repo_config_override.cpp`.
const OWN_OVERRIDES: &str = "99-config_manager.repo";

const MAIN_FILES: [&str; 2] = ["etc/dnf/dnf.conf", "usr/share/dnf5/libdnf.conf.d/20-default.conf"];

impl Config {
    /// Reads the files and applies what the command line says. `release` tells the release of a root where nobody says it.
    pub fn load(overrides: &Overrides, release: &dyn Fn(&Path) -> Option<String>) -> Result<Config, ConfigError> {
        let mut warnings = Vec::new();
        let root = overrides.installroot.clone().unwrap_or_else(|| PathBuf::from("/"));
        let root = std::path::absolute(root)?;
        let base = if overrides.use_host_config { PathBuf::from("/") } else { root.clone() };
        let (mut main, mut sections) = (Settings::default(), Vec::new());
        let file = match &overrides.config {
            Some(file) => Some(file.clone()),
            None => MAIN_FILES.iter().map(|name| base.join(name)).find(|path| path.is_file()),
        };
        let main_file = file.clone().unwrap_or_else(|| base.join(MAIN_FILES[0]));
        let main_file = if main_file.ends_with(MAIN_FILES[1]) { base.join(MAIN_FILES[0]) } else { main_file };
        if let Some(file) = file {
            for section in Ini::parse(&read_text(&file)?, &file)?.sections {
                if section.name == "main" {
                    apply(&mut main, &section, &file, Place::Main, &mut warnings)?;
                } else {
                    sections.push((section, file.clone()));
                }
            }
        }
        for (argument, key, value) in overrides.setopt.iter().filter_map(|argument| main_option(argument)) {
            let key = find(argument, key)?;
            main.set(key, value, Origin::CommandLine).map_err(|problem| wrong(argument, problem))?;
        }
        if !main.flag(Key::Strict) {
            for key in [Key::SkipBroken, Key::SkipUnavailable] {
                main.set(key, "1", main.origin(Key::Strict).clone()).map_err(|problem| wrong("strict", problem))?;
            }
        }
        let variables = variables(overrides, &main, &base, &root, release)?;
        let base_of = said_in(&main, Key::ReposDir, &base);
        let folders = main.list(Key::ReposDir).into_iter().map(|folder| below(&base_of, &variables.expand(&folder)));
        let folders: Vec<PathBuf> = folders.collect();
        let variables_base = said_in(&main, Key::VarsDir, &base);
        let files = Files {
            main: main_file,
            repositories: folders.clone(),
            overrides: base.join(OVERRIDES[0]).join(OWN_OVERRIDES),
            variables: main.list(Key::VarsDir).last().map(|one| below(&variables_base, one)).unwrap_or_default(),
        };
        for file in repository_files(folders.into_iter())? {
            let ini = Ini::parse(&read_text(&file)?, &file)?;
            sections.extend(
                ini.sections.into_iter().filter(|section| section.name != "main").map(|one| (one, file.clone())),
            );
        }
        let mut config = Config { main, repositories: Vec::new(), variables, installroot: root, warnings, files };
        for (section, file) in sections {
            config.add(&section, &file)?;
        }
        config.repositories.sort_by(|left, right| left.id.cmp(&right.id));
        for file in repository_files(OVERRIDES.iter().map(|folder| base.join(folder)))? {
            config.apply_file(&file)?;
        }
        config.apply_overrides(overrides)?;
        Ok(config)
    }

    fn add(&mut self, section: &Section, file: &Path) -> Result<(), ConfigError> {
        let id = self.variables.expand(&section.name);
        let line = |problem: String| ConfigError::Line { file: file.to_owned(), line: section.line, problem };
        if id.contains('/') || id.starts_with('.') || id.contains(char::is_whitespace) {
            return Err(line(format!("`{id}` cannot be the id of a repository")));
        }
        if let Some(other) = self.repositories.iter().find(|known| known.id == id) {
            return Err(line(format!("the repository `{id}` is described already, at {}", other.origin)));
        }
        let mut own = Settings::default();
        apply(&mut own, section, file, Place::Repository, &mut self.warnings)?;
        let origin = Origin::File { path: file.to_owned(), line: section.line };
        self.repositories.push(Repository::new(&id, origin, own, &self.main, &self.variables));
        Ok(())
    }

    /// Applies a file whose sections are patterns of ids; one that matches nothing speaks of what is not there now.
    fn apply_file(&mut self, file: &Path) -> Result<(), ConfigError> {
        for section in Ini::parse(&read_text(file)?, file)?.sections {
            let glob = Glob::new(&self.variables.expand(&section.name));
            let mut checked = Settings::default();
            apply(&mut checked, &section, file, Place::Repository, &mut self.warnings)?;
            for entry in &section.entries {
                let Some(key) = Key::find(&entry.key).filter(|key| checked.get(*key).is_some()) else { continue };
                let origin = Origin::File { path: file.to_owned(), line: entry.line };
                for repository in self.repositories.iter_mut().filter(|one| glob.matches(&one.id)) {
                    let line = |problem| ConfigError::Line { file: file.to_owned(), line: entry.line, problem };
                    repository.set_from(key, &entry.value, origin.clone()).map_err(line)?;
                }
            }
        }
        Ok(())
    }

    fn apply_overrides(&mut self, overrides: &Overrides) -> Result<(), ConfigError> {
        for (id, address) in &overrides.from_path {
            let mut own = Settings::default();
            let address = if address.starts_with('/') { format!("file://{address}") } else { address.clone() };
            let set = [(Key::BaseUrl, address.as_str()), (Key::Name, id)];
            for (key, text) in set {
                own.set(key, text, Origin::CommandLine).map_err(|problem| wrong(address.as_str(), problem))?;
            }
            self.repositories.retain(|known| known.id != *id);
            self.repositories.push(Repository::new(id, Origin::CommandLine, own, &self.main, &self.variables));
        }
        for argument in &overrides.setopt {
            let Some((pattern, key, value)) = repository_option(argument) else { continue };
            let key = find(argument, key)?;
            if key.place() == Place::Main {
                return Err(wrong(argument, format!("`{}` is an option of `[main]` only", key.name())));
            }
            for repository in matching(&mut self.repositories, pattern)? {
                repository.set(key, value).map_err(|problem| wrong(argument, problem))?;
            }
        }
        if !overrides.only.is_empty() {
            self.repositories.iter_mut().for_each(|repository| repository.enabled = false);
            for pattern in overrides.only.iter().flat_map(|patterns| patterns.split(',')) {
                matching(&mut self.repositories, pattern)?.for_each(|repository| repository.enabled = true);
            }
            for (id, _) in &overrides.from_path {
                matching(&mut self.repositories, id)?.for_each(|repository| repository.enabled = true);
            }
        }
        for (patterns, enabled) in &overrides.enable {
            for pattern in patterns.split(',') {
                matching(&mut self.repositories, pattern)?.for_each(|repository| repository.enabled = *enabled);
            }
        }
        Ok(())
    }

    /// The repositories that are used.
    pub fn enabled(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.iter().filter(|repository| repository.enabled)
    }

    /// The machine's architecture.
    pub fn arch(&self) -> pkg::Arch {
        pkg::Arch::new(self.variables.get("arch").unwrap_or_default())
    }

    /// A folder of ours that an option names. What is remembered of a root lies in it; caches are this machine's.
    pub fn folder(&self, key: Key) -> PathBuf {
        let folder = self.variables.expand(self.main.text(key));
        match key {
            Key::PersistDir => below(&self.installroot, &folder),
            _ => PathBuf::from(folder),
        }
    }
}

fn wrong(argument: &str, problem: String) -> ConfigError {
    let shown = argument
        .split_once('=')
        .filter(|(name, _)| Key::ALL.iter().any(|key| key.is_secret() && name.ends_with(key.name())));
    let argument = shown.map_or_else(|| argument.to_owned(), |(name, _)| format!("{name}=***"));
    ConfigError::Argument { argument, problem }
}

fn find(argument: &str, name: &str) -> Result<Key, ConfigError> {
    Key::find(name).ok_or_else(|| wrong(argument, format!("there is no option `{name}`")))
}

/// `key=value` of `[main]`; options that mean nothing here are passed over.
fn main_option(argument: &str) -> Option<(&str, &str, &str)> {
    let (key, value) = argument.split_once('=').unwrap_or((argument, ""));
    (!key.contains('.') && !option::WITHOUT_EFFECT.contains(&key)).then_some((argument, key.trim(), value.trim()))
}

/// `repository.key=value`.
fn repository_option(argument: &str) -> Option<(&str, &str, &str)> {
    let (name, value) = argument.split_once('=')?;
    let (repository, key) = name.rsplit_once('.')?;
    (!option::WITHOUT_EFFECT.contains(&key)).then_some((repository, key.trim(), value.trim()))
}

fn matching<'a>(
    repositories: &'a mut [Repository],
    pattern: &str,
) -> Result<impl Iterator<Item = &'a mut Repository>, ConfigError> {
    let glob = Glob::new(pattern.trim());
    if !repositories.iter().any(|repository| glob.matches(&repository.id)) {
        let known = repositories.iter().map(|repository| repository.id.clone()).collect();
        return Err(ConfigError::NoRepository { pattern: pattern.to_owned(), known });
    }
    Ok(repositories.iter_mut().filter(move |repository| glob.matches(&repository.id)))
}

/// Puts a section's values into `settings`.
fn apply(
    settings: &mut Settings,
    section: &Section,
    file: &Path,
    place: Place,
    warnings: &mut Vec<String>,
) -> Result<(), ConfigError> {
    for entry in &section.entries {
        let origin = Origin::File { path: file.to_owned(), line: entry.line };
        let Some(key) = Key::find(&entry.key) else {
            if !option::WITHOUT_EFFECT.contains(&entry.key.as_str()) {
                warnings.push(format!("{origin}: nobody knows the option `{}`", entry.key));
            }
            continue;
        };
        if key.place() != place && key.place() != Place::Both {
            let other = if place == Place::Main { "a repository" } else { "`[main]`" };
            warnings.push(format!("{origin}: `{}` is an option of {other}", key.name()));
            continue;
        }
        let line = |problem: String| ConfigError::Line { file: file.to_owned(), line: entry.line, problem };
        // A value with variables is looked at when they are known: in practice texts and lists only.
        settings.set(key, &entry.value, origin).map_err(line)?;
    }
    Ok(())
}

fn variables(
    overrides: &Overrides,
    main: &Settings,
    base: &Path,
    root: &Path,
    release: &dyn Fn(&Path) -> Option<String>,
) -> Result<Variables, ConfigError> {
    let arch = match (&overrides.arch, main.text(Key::Arch)) {
        (Some(arch), _) => arch.as_str(),
        (None, "") => std::env::consts::ARCH,
        (None, arch) => arch,
    };
    let mut variables = Variables::of_machine(arch);
    let base_of = said_in(main, Key::VarsDir, base);
    for folder in main.list(Key::VarsDir) {
        variables.load(&below(&base_of, &folder))?;
    }
    match &overrides.releasever {
        Some(version) => variables.set_release(version),
        None if variables.get("releasever").is_none() => {
            if let Some(version) = release(root) {
                variables.set_release(&version);
            }
        }
        None => {}
    }
    Ok(variables)
}

/// The `*.repo` files by name; of two of one name that of the earlier folder.
fn repository_files(folders: impl Iterator<Item = PathBuf>) -> Result<Vec<PathBuf>, ConfigError> {
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let entries = match fs_err::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let is_new = files.iter().all(|known| known.file_name() != path.file_name());
            if path.extension().is_some_and(|extension| extension == "repo") && is_new {
                files.push(path);
            }
        }
    }
    files.sort_by(|left, right| left.file_name().cmp(&right.file_name()));
    Ok(files)
}

/// The root that the folders of an option are in: `base` for what a file in it or nobody says, and this machine's for what the
/// command line or a file elsewhere says.
fn said_in(main: &Settings, key: Key, base: &Path) -> PathBuf {
    match main.origin(key) {
        Origin::Default => base.to_owned(),
        Origin::File { path, .. } if path.starts_with(base) => base.to_owned(),
        Origin::File { .. } | Origin::CommandLine => PathBuf::from("/"),
    }
}

/// `path`, which is absolute in the root `base`, as it is seen from outside.
pub(crate) fn below(base: &Path, path: &str) -> PathBuf {
    base.join(path.trim_start_matches('/'))
}

/// A file of the configuration, bounded.
pub(crate) fn read_text(path: &Path) -> Result<String, ConfigError> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    let line = |line, problem: &str| ConfigError::Line { file: path.to_owned(), line, problem: problem.to_owned() };
    if bytes.len() as u64 > BYTES_MAX {
        return Err(line(1, "it is larger than 4 MiB: this is no configuration"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        line(before.iter().filter(|byte| **byte == b'\n').count() + 1, "it is not UTF-8")
    })
}
