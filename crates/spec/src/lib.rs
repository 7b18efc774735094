//! The spec language: macros, conditionals, evaluation.
//!
//! ```
//! let mut macros = spec::Macros::builtin();
//! macros.load("%dist .sk1\n%_sourcedir /src\n", &spec::Origin::new("macros.skiff"));
//! let environment = spec::Environment::new(macros.into(), spec::Target::linux("x86_64"));
//! let text = "Name: hello\nVersion: 1.0\nRelease: 1%{?dist}\nSummary: Greets\nLicense: MIT\n\
//!             Source: https://example.org/hello-%{version}.tar.xz\nBuildRequires: gcc\n%description\nSays hello.\n%files\n";
//! let hello = spec::evaluate(text, &spec::Origin::new("hello.spec"), &environment)?;
//! assert_eq!(hello.source.to_string(), "hello-1.0-1.sk1.src");
//! assert_eq!(hello.sources[0].file_name, "hello-1.0.tar.xz");
//! assert_eq!(hello.build_requires[0].position.to_string(), "hello.spec:7");
//! # Ok::<(), spec::SpecError>(())
//! ```
//!
//! Floor 1: pure. Files, clock, variables and shell commands are what the [`Environment`] says; Lua scripts of macro files
//! run inside bounds and without the machine.
//!
//! Source: rpm's manual (`docs/manual/spec.md`, `macros.md`, `lua.md`, `boolean_dependencies.md`); where it is silent, what
//! rpm 6 does.

mod answer;
mod arch;
pub mod autospec;
mod base64;
mod calendar;
mod environment;
mod error;
mod evaluator;
mod file_entry;
mod gap;
mod glob;
pub mod lint;
mod macros;
pub mod overlay;
mod parse;
mod position;
mod shell;
mod spelling;
pub mod syntax;

pub use answer::{
    BuildScript, ChangelogEntry, Dependency, Evaluated, FileList, Qualifiers, Scriptlet, Source, Subpackage, Trigger,
};
pub use environment::{Environment, Files, Limits, Reply, Shell, Target, Undefined};
pub use error::{ErrorKind, Severity, SpecError, Warning};
pub use evaluator::{Evaluator, evaluate, expand};
pub use file_entry::{Attributes, Config, FileEntry, Role};
pub use gap::{Gap, GapKind, Gaps};
pub use macros::{Macro, Macros};
pub use position::{Located, Origin, Position};
pub use shell::NativeShell;
