//! What specs are evaluated with: macro files, files that they may read, the shell.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use distro::Distro;
use host::{Cmd, Host, Tool};
use spec::{Environment, Files, NativeShell, Origin, Shell, Target, Undefined};

use super::inputs::{Macros, ShellChoice, SpecFile};
use super::tree_macros;
use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline;

/// The environment of all specs, before what is each one's own.
pub(super) struct Setting {
    base: Environment,
    distro: Option<Distro>,
    shared: Arc<Shared>,
    source_dir: Option<PathBuf>,
    shell: ShellChoice,
    /// What commands print, by their text.
    answers: BTreeMap<String, String>,
}

/// Files that every spec may see, by the path that it asks for.
#[derive(Default)]
pub(crate) struct Shared {
    /// Folders by the path that they stand for, as `/usr/lib/rpm`.
    mounts: Vec<(String, PathBuf)>,
    /// Single files by the path that they stand for.
    pub(crate) files: BTreeMap<String, Arc<str>>,
    /// Lua modules of a tree by their file names: in a tree they are not where a package puts them.
    pub(super) modules: BTreeMap<String, Arc<str>>,
}

/// The memory of a machine that nobody looked at: macros divide it by what one compiler needs.
const MEMORY: &str = "MemTotal: 8388608 kB\nMemFree: 8388608 kB\nMemAvailable: 8388608 kB\nSwapTotal: 0 kB\n";

impl Shared {
    /// What a bare root has beside its macro files.
    pub(crate) fn add_bare_root(&mut self) {
        self.files.insert("/proc/meminfo".to_owned(), Arc::from(MEMORY));
    }

    /// The text of a file that all specs may see.
    pub(crate) fn text(&self, path: &str) -> Option<Arc<str>> {
        let module = || {
            let name = path.strip_prefix(CONFIGURATION)?.rsplit_once('/')?.1;
            self.modules.get(name)
        };
        self.files.get(path).or_else(module).cloned()
    }
}

impl Setting {
    pub(super) fn new(arguments: &Macros, context: &Context) -> Result<Setting, Failure> {
        let target = Target::linux(arguments.target.clone().unwrap_or_else(|| pipeline::arch().as_str().to_owned()));
        let mut macros = spec::Macros::builtin();
        let mut shared = Shared::default();
        let mut distro = None;
        if arguments.macros.is_empty() && arguments.macros_from.is_none() {
            match context.definition() {
                Ok(path) => {
                    let found = distro::load(&path, distro::Locks::Ignored)?;
                    for path in &found.project.macros {
                        load(&mut macros, path)?;
                    }
                    distro = Some(found);
                }
                Err(_) => context.ui.note(
                    "note: no macro files are known, so that only rpm's built-in macros count; `--macros` names some",
                ),
            }
        }
        for path in &arguments.macros {
            for file in macro_files(path, &target, &mut shared)? {
                load(&mut macros, &file)?;
            }
        }
        let mut base = Environment::new(Arc::new(macros), target);
        base.definitions = definitions(arguments)?;
        if let Some(found) = &distro {
            base.clock = found.project.epoch;
        }
        if arguments.run_shell_commands {
            base.shell = Arc::new(MachineShell { host: context.host.clone() });
        }
        let mut answers = BTreeMap::new();
        if let ShellChoice::Answers(path) = &arguments.shell {
            answers = read_answers(path)?;
        }
        if arguments.shell != ShellChoice::Builtin {
            shared.add_bare_root();
        }
        if let Some(tree) = &arguments.macros_from {
            base.macros = tree_macros::collect(tree, &base, &mut shared, context)?;
        }
        let (source_dir, shell) = (arguments.source_dir.clone(), arguments.shell.clone());
        Ok(Setting { base, distro, shared: Arc::new(shared), source_dir, shell, answers })
    }

    /// All macro files together.
    pub(super) fn macros(&self) -> &spec::Macros {
        &self.base.macros
    }

    /// The environment without a spec.
    pub(super) fn plain(&self) -> Environment {
        let mut environment = self.base.clone();
        environment.files = Arc::new(Visible { shared: self.shared.clone(), folder: None });
        self.set_shell(&mut environment);
        environment
    }

    fn set_shell(&self, environment: &mut Environment) {
        if self.shell == ShellChoice::Builtin {
            return;
        }
        let mut shell = NativeShell::of_bare_root(environment.files.clone());
        for (command, output) in &self.answers {
            shell = shell.with_answer(command, output);
        }
        environment.shell = Arc::new(shell);
    }

    /// Whether answers may lack something that they say.
    pub(super) fn may_have_gaps(&self) -> bool {
        self.shell != ShellChoice::Builtin
    }

    /// The environment of one spec: with the settings of its component, if it is one's.
    pub(super) fn of(&self, spec: &SpecFile, undefined: Undefined) -> Environment {
        let mut environment = self.base.clone();
        if let Some(distro) = &self.distro
            && let Some(component) =
                distro.components.values().find(|component| is_same(component.spec.path(), &spec.path))
        {
            let own = pipeline::environment(component, &environment.macros, distro);
            environment.definitions.splice(0..0, own.definitions);
        }
        environment.undefined = undefined;
        let folder = self.source_dir.clone().unwrap_or_else(|| spec.path.parent().unwrap_or(Path::new("")).to_owned());
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        let text = folder.to_string_lossy().into_owned();
        environment.definitions.insert(0, ("_sourcedir".to_owned(), text.clone()));
        environment.files = Arc::new(Visible { shared: self.shared.clone(), folder: Some((text, folder)) });
        self.set_shell(&mut environment);
        environment
    }
}

/// What commands print: a JSON object of commands and their output.
fn read_answers(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let text = fs_err::read_to_string(path)?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("`{}` does not say what commands print: {error}", path.display()))
            .hint("write it as a JSON object: {\"ghc --numeric-version\": \"9.8.4\"}")
    })
}

fn is_same(left: &Path, right: &Path) -> bool {
    left.file_name() == right.file_name()
        && matches!((fs_err::canonicalize(left), fs_err::canonicalize(right)), (Ok(left), Ok(right)) if left == right)
}

fn load(macros: &mut spec::Macros, path: &Path) -> Result<(), Failure> {
    let bytes = fs_err::read(path)?;
    macros.load(&String::from_utf8_lossy(&bytes), &Origin::file(path));
    Ok(())
}

fn definitions(arguments: &Macros) -> Result<Vec<(String, String)>, Failure> {
    let mut definitions = Vec::new();
    for text in &arguments.define {
        let (name, body) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name || body.trim().is_empty() {
            return Err(Failure::usage(format!("`{text}` is no definition")).hint("write it as --define 'NAME VALUE'"));
        }
        definitions.push((name.to_owned(), body.trim_start().to_owned()));
    }
    for name in &arguments.with {
        definitions.push((format!("_with_{name}"), format!("--with-{name}")));
    }
    for name in &arguments.without {
        definitions.push((format!("_without_{name}"), format!("--without-{name}")));
    }
    Ok(definitions)
}

/// rpm's own folder.
pub(super) const CONFIGURATION: &str = "/usr/lib/rpm";

/// The macro files that a path stands for, in rpm's order.
fn macro_files(path: &Path, target: &Target, shared: &mut Shared) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return match path.is_file() {
            true => Ok(vec![path.to_owned()]),
            false => Err(Failure::usage(format!("there is no file or folder `{}`", path.display()))),
        };
    }
    let below = CONFIGURATION.trim_start_matches('/');
    let (mount, strip) = if path.join(below).join("macros").is_file() {
        ("/", "/")
    } else if path.join("macros").is_file() && path.join("macros.d").is_dir() {
        (CONFIGURATION, "/usr/lib/rpm/")
    } else {
        let mut files = Vec::new();
        for entry in fs_err::read_dir(path)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if (name == "macros" || name.starts_with("macros.")) && counts(&name) {
                files.push(path.join(name));
            }
        }
        files.sort();
        return match files.is_empty() {
            true => Err(Failure::usage(format!("`{}` has no macro files", path.display()))
                .hint("macro files are called `macros` or begin with `macros.`")),
            false => Ok(files),
        };
    };
    shared.mounts.push((mount.to_owned(), path.to_owned()));
    let mut patterns = spec::Macros::usual_paths(target, "");
    patterns.retain(|pattern| !pattern.contains("//"));
    let at = patterns.iter().position(|pattern| pattern.starts_with("/etc/")).unwrap_or(patterns.len());
    let configuration = if mount == "/" { path.join(below) } else { path.to_owned() };
    patterns.splice(at..at, vendors(&configuration)?);
    let mut files = Vec::new();
    for pattern in patterns {
        let Some(inner) = pattern.strip_prefix(strip) else { continue };
        files.extend(matches(path, inner)?);
    }
    Ok(files)
}

/// `/usr/lib/rpm/VENDOR/macros`, whatever the vendor.
fn vendors(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().join("macros").is_file() {
            found.push(format!("{CONFIGURATION}/{name}/macros"));
        }
    }
    found.sort();
    Ok(found)
}

/// Files that match a path whose last part may hold one `*`.
fn matches(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let (folder, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let folder = root.join(folder);
    let Some((before, after)) = name.split_once('*') else {
        return Ok(Some(folder.join(name)).filter(|path| path.is_file()).into_iter().collect());
    };
    let mut found = Vec::new();
    if folder.is_dir() {
        for entry in fs_err::read_dir(&folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(before) && name.ends_with(after) && counts(&name) && folder.join(&name).is_file() {
                found.push(folder.join(name));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether rpm reads a file of that name.
pub(super) fn counts(name: &str) -> bool {
    name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && ![".rpmnew", ".rpmsave", ".rpmorig"].iter().any(|end| name.ends_with(end))
}

/// What one spec may see: the files that all may see, and those in its own folder.
struct Visible {
    shared: Arc<Shared>,
    folder: Option<(String, PathBuf)>,
}

/// Bytes of one file that a spec may read.
const FILE_LIMIT: u64 = 16 << 20;

impl Visible {
    fn path(&self, path: &str) -> Option<PathBuf> {
        if let Some((text, folder)) = &self.folder
            && let Some(rest) = path.strip_prefix(text.as_str())
            && let Some(rest) = rest.strip_prefix('/')
        {
            return inside(folder, rest);
        }
        self.shared.mounts.iter().find_map(|(mount, folder)| {
            let rest = path.strip_prefix(mount.trim_end_matches('/'))?.strip_prefix('/')?;
            inside(folder, rest)
        })
    }

    fn shared(&self, path: &str) -> Option<Arc<str>> {
        self.shared.text(path)
    }
}

/// A path in a folder that does not lead out of it, neither by its words nor by links.
fn inside(folder: &Path, rest: &str) -> Option<PathBuf> {
    let rest = Path::new(rest);
    if !rest.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return None;
    }
    let path = fs_err::canonicalize(folder.join(rest)).ok()?;
    path.starts_with(fs_err::canonicalize(folder).ok()?).then_some(path)
}

impl Files for Visible {
    fn read(&self, path: &str) -> Option<Arc<str>> {
        let Some(found) = self.path(path) else { return self.shared(path) };
        let meta = fs_err::metadata(&found).ok()?;
        if !meta.is_file() || meta.len() > FILE_LIMIT {
            return None;
        }
        let bytes = fs_err::read(&found).ok()?;
        Some(Arc::from(String::from_utf8_lossy(&bytes)))
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path).is_some() || self.shared(path).is_some()
    }
}

/// Time that one command of a spec may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(20);

/// The machine's own shell, for what [`NativeShell`] refuses.
struct MachineShell {
    host: Host,
}

impl Shell for MachineShell {
    fn run(&self, command: &str, clock: pkg::SourceDateEpoch) -> Result<String, String> {
        if let Ok(answer) = NativeShell::default().run(command, clock) {
            return Ok(answer);
        }
        let cmd = Cmd::new(Tool::Shell).args(["-c", command]).env("HOME", "/").time_limit(COMMAND_LIMIT);
        // As rpm: what the command prints counts, whatever its exit code.
        self.host.run(&cmd).map(|output| output.text()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_specs_see_their_folder_only() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("spec");
        fs_err::create_dir_all(folder.join("sub")).unwrap();
        fs_err::write(folder.join("a.conf"), "inside").unwrap();
        fs_err::write(outer.path().join("secret"), "outside").unwrap();
        std::os::unix::fs::symlink("../secret", folder.join("link")).unwrap();
        let root = outer.path().join("root");
        fs_err::create_dir_all(root.join("usr/lib/rpm/lua")).unwrap();
        fs_err::write(root.join("usr/lib/rpm/lua/m.lua"), "module").unwrap();
        let mut shared = Shared::default();
        shared.mounts.push(("/".to_owned(), root));
        shared.modules.insert("common.lua".to_owned(), Arc::from("from the tree"));
        let name = folder.to_string_lossy().into_owned();
        let visible = Visible { shared: Arc::new(shared), folder: Some((name.clone(), folder.clone())) };
        for (path, text) in [
            (format!("{name}/a.conf"), Some("inside")),
            (format!("{name}/../secret"), None),
            (format!("{name}/link"), None),
            (format!("{name}/sub"), None),
            (format!("{name}x/a.conf"), None),
            ("/usr/lib/rpm/lua/m.lua".to_owned(), Some("module")),
            ("/usr/lib/rpm/../../../secret".to_owned(), None),
            ("/usr/lib/rpm/lua/any/common.lua".to_owned(), Some("from the tree")),
            ("/etc/passwd".to_owned(), None),
            ("a.conf".to_owned(), None),
        ] {
            assert_eq!(visible.read(&path).as_deref(), text, "{path}");
        }
    }

    #[test]
    fn files_macro_files_come_in_the_order_of_rpm() {
        let root = tempfile::tempdir().unwrap();
        let rpm = root.path().join("usr/lib/rpm");
        for file in [
            "usr/lib/rpm/macros",
            "usr/lib/rpm/macros.d/macros.b",
            "usr/lib/rpm/macros.d/macros.a",
            "usr/lib/rpm/macros.d/macros.c.rpmnew",
            "usr/lib/rpm/macros.d/macros.d~",
            "usr/lib/rpm/platform/x86_64-linux/macros",
            "usr/lib/rpm/platform/aarch64-linux/macros",
            "usr/lib/rpm/fileattrs/x.attr",
            "usr/lib/rpm/vendor/macros",
            "etc/rpm/macros.z",
            "etc/rpm/macros",
        ] {
            let path = root.path().join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "").unwrap();
        }
        let names = |path: &Path| -> Vec<String> {
            let files = macro_files(path, &Target::linux("x86_64"), &mut Shared::default()).unwrap();
            files.iter().map(|file| file.strip_prefix(root.path()).unwrap().to_string_lossy().into_owned()).collect()
        };
        let own = [
            "usr/lib/rpm/macros",
            "usr/lib/rpm/macros.d/macros.a",
            "usr/lib/rpm/macros.d/macros.b",
            "usr/lib/rpm/platform/x86_64-linux/macros",
            "usr/lib/rpm/fileattrs/x.attr",
            "usr/lib/rpm/vendor/macros",
        ];
        assert_eq!(names(&rpm), own);
        assert_eq!(names(root.path()), [&own[..], &["etc/rpm/macros.z", "etc/rpm/macros"]].concat());
        let plain = root.path().join("usr/lib/rpm/macros.d");
        assert_eq!(names(&plain), own[1..3]);
        assert!(macro_files(&root.path().join("etc"), &Target::linux("x86_64"), &mut Shared::default()).is_err());
    }
}
