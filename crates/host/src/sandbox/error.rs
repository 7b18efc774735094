//! Why a sandbox could not be run.

use std::io;
use std::path::PathBuf;

use crate::LockError;

/// A sandbox could not be run. How the program in it ended is no error, see [`super::Exit`].
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The description asks for something that cannot be.
    #[error("the sandbox has {what}: `{value}`")]
    Description {
        /// What is wrong with it.
        what: &'static str,
        /// The offending value.
        value: String,
    },
    /// More layers than overlay can stack.
    #[error("the root has {count} layers, overlay takes {most}")]
    TooManyLayers {
        /// Layers asked for.
        count: usize,
        /// Layers possible.
        most: usize,
    },
    /// Another sandbox runs on the same directories.
    #[error("another process is using `{path}`", path = work.display())]
    InUse {
        /// The work directory.
        work: PathBuf,
    },
    /// The lock on the work directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A directory or file outside.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The kernel refused new namespaces.
    #[error("this machine gives us no new user and mount namespaces")]
    Namespaces(#[source] io::Error),
    /// The kernel refused a step of the setup, inside.
    #[error("the sandbox cannot be set up: {step}{}", of(what))]
    Setup {
        /// The step.
        step: &'static str,
        /// What it was about, such as a path.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The root does not have the program, or cannot run it.
    #[error("the sandbox cannot run `{program}`")]
    Program {
        /// First word of `argv`.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The user asked to stop; everything inside was killed.
    #[error("the sandbox was interrupted")]
    Interrupted,
}

fn of(what: &str) -> String {
    if what.is_empty() { String::new() } else { format!(" `{what}`") }
}
