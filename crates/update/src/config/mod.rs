//! `dnf.conf`, `*.repo` files, variables and what the command line says over them.
//!
//! Read as libdnf reads them: see `ini` for the syntax. Every value knows where it comes from ([`Origin`]), and what cannot be
//! understood is an error with file and line; an option that nobody knows is a warning.

pub mod edit;
mod ini;
pub(crate) mod load;
mod option;
mod repository;
mod settings;
mod value;
mod variables;

use std::path::PathBuf;

pub use host::transfer::redacted;
pub use load::{Config, Files, Overrides};
pub use option::{Key, Place};
pub use repository::Repository;
pub use settings::{Origin, Setting, Settings};
pub use value::Kind;
pub use variables::Variables;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A line of a file.
    #[error("`{}`:{line}: {problem}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// An argument.
    #[error("`{argument}`: {problem}")]
    Argument {
        /// As it was given.
        argument: String,
        /// What is wrong.
        problem: String,
    },
    /// Repositories that are named and not there.
    #[error("no repository matches `{pattern}`")]
    NoRepository {
        /// What was asked for.
        pattern: String,
        /// The ids that there are.
        known: Vec<String>,
    },
    /// A file that cannot be read; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
