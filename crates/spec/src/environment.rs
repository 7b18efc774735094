use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Gaps, Macros, NativeShell};

/// Everything that an evaluation depends on beside the spec's text. Equal environments and texts give equal answers.
///
/// Made once and shared by threads: cloning is cheap.
#[derive(Clone)]
pub struct Environment {
    /// The macro files' definitions.
    pub macros: Arc<Macros>,
    /// The machine that packages are made for.
    pub target: Target,
    /// Definitions that win over macro files, in order, as `rpmbuild --define 'name body'` makes them.
    pub definitions: Vec<(String, String)>,
    /// Files that `%{load:}`, `%include`, `%{exists:}` and Lua may see.
    pub files: Arc<dyn Files>,
    /// Who answers `%(command)`.
    pub shell: Arc<dyn Shell>,
    /// What `%{getenv:NAME}` says.
    pub variables: Arc<BTreeMap<String, String>>,
    /// What `%{rpmversion}` says.
    pub rpm_version: Arc<str>,
    /// What Lua's `posix.uname("%r")` says; specs ask which kernel's interfaces they may expect.
    pub kernel_release: Arc<str>,
    /// What `%{getncpus}` says.
    pub cpus: u32,
    /// What Lua's `os.time()` and a shell's `date` say, in seconds of 1970-01-01 UTC.
    pub clock: pkg::SourceDateEpoch,
    /// Bounds against macro bombs.
    pub limits: Limits,
    /// What happens when a tag holds a macro that nobody defined.
    pub undefined: Undefined,
    /// What happens where the answer cannot be whole.
    pub gaps: Gaps,
}

impl Environment {
    /// An environment for `target` with `macros`, no files, rpm's default bounds, and no tolerance for undefined macros.
    pub fn new(macros: Arc<Macros>, target: Target) -> Environment {
        Environment {
            macros,
            target,
            definitions: Vec::new(),
            files: Arc::new(BTreeMap::<String, Arc<str>>::new()),
            shell: Arc::new(NativeShell::default()),
            variables: Arc::new(BTreeMap::from([("HOME".to_owned(), "/builddir".to_owned())])),
            rpm_version: Arc::from("6.1.0"),
            kernel_release: Arc::from("6.12.0"),
            cpus: 2,
            clock: pkg::SourceDateEpoch(0),
            limits: Limits::default(),
            undefined: Undefined::Refuse,
            gaps: Gaps::Refuse,
        }
    }

    /// The same environment with one more definition that wins over macro files.
    #[must_use]
    pub fn with_definition(mut self, name: impl Into<String>, body: impl Into<String>) -> Environment {
        self.definitions.push((name.into(), body.into()));
        self
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("target", &self.target)
            .field("definitions", &self.definitions)
            .finish_non_exhaustive()
    }
}

/// The machine that packages are made for, in rpm's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `%_target_cpu`, as in `x86_64`.
    pub cpu: String,
    /// `%_target_os`, as in `linux`.
    pub os: String,
}

impl Target {
    /// Linux on `cpu`.
    pub fn linux(cpu: impl Into<String>) -> Target {
        Target { cpu: cpu.into(), os: "linux".to_owned() }
    }
}

/// What happens when a tag holds a macro that nobody defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undefined {
    /// It is an error.
    Refuse,
    /// Its text stays as it is and a warning says so, as rpm does it.
    Warn,
}

/// The files that an evaluation may see. The map of paths to texts is the usual implementation.
pub trait Files: Send + Sync {
    /// The text of the file at `path`, or nothing where there is none.
    fn read(&self, path: &str) -> Option<Arc<str>>;
    /// Whether there is a file or directory at `path`.
    fn exists(&self, path: &str) -> bool {
        self.read(path).is_some()
    }
    /// The paths that match a shell pattern, sorted.
    fn glob(&self, pattern: &str) -> Vec<String> {
        let _ = pattern;
        Vec::new()
    }
}

impl Files for BTreeMap<String, Arc<str>> {
    fn read(&self, path: &str) -> Option<Arc<str>> {
        self.get(path).cloned()
    }

    fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.contains_key(path)
            || self.range(format!("{path}/")..).next().is_some_and(|(key, _)| {
                key.len() > path.len() && key.starts_with(path) && key.as_bytes()[path.len()] == b'/'
            })
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        self.keys().filter(|path| crate::glob::matches_path(pattern, path)).cloned().collect()
    }
}

/// Who answers `%(command)`.
///
/// A refusal is an error among tags, where the answer counts. In build scripts, scriptlets and file lists it is a warning, and
/// the command counts as printing nothing: what a spec provides and needs does not depend on these.
pub trait Shell: Send + Sync {
    /// The standard output of `command`. What stands behind the last line's end is cut by the caller.
    ///
    /// # Errors
    /// Why the command is not run, in a few words.
    fn run(&self, command: &str, clock: pkg::SourceDateEpoch) -> Result<String, String>;

    /// As [`Shell::run`], and what the answer supposes of the machine, if anything.
    ///
    /// # Errors
    /// Why the command is not run, in a few words.
    fn reply(&self, command: &str, clock: pkg::SourceDateEpoch) -> Result<Reply, String> {
        self.run(command, clock).map(|output| Reply { output, supposed: None })
    }
}

/// What a command prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The standard output.
    pub output: String,
    /// What was taken for granted of a machine that nobody looked at, as in "there is no program `ghc`".
    pub supposed: Option<String>,
}

/// Bounds against macro bombs. Reaching one is an error, never a wrong answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nested expansions; rpm's own limit is 64.
    pub depth: u32,
    /// Macro calls in one evaluation.
    pub calls: u64,
    /// Bytes that one expansion may produce; all expansions and definitions of an evaluation together may produce 16 times as
    /// much, those inside others counted each time.
    pub output: u64,
    /// Lua instructions in one evaluation.
    pub lua_instructions: u64,
    /// Bytes that Lua may hold.
    pub lua_memory: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 64, calls: 5_000_000, output: 64 << 20, lua_instructions: 50_000_000, lua_memory: 64 << 20 }
    }
}
