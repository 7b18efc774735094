//! A shell in a build's root, as it was when the build failed, or as it is before one starts.

use host::Host;
use host::sandbox::{self, Console, Outcome};
use host::{Status, environment};
use store::Store;

use crate::root::{self, Root};
use crate::run::{command_line, finish_root, inside};
use crate::{BuildError, Job};

/// The root that the last failed build of `component` left.
///
/// # Errors
/// [`BuildError::NoRoot`]: it did not fail, or its layers were collected since.
pub fn kept(component: &str, store: &Store) -> Result<Root, BuildError> {
    root::kept(component, store)
}

/// Puts the root of `job` together as a build would find it, in place of a kept one.
pub fn prepare(job: &Job, host: &Host, store: &Store) -> Result<Root, BuildError> {
    let _guard = store.lock(&format!("build-{}", job.name))?;
    let compose = || {
        let root = root::compose(job, store)?;
        finish_root(job, &root, host)?;
        Ok(root)
    };
    compose().map_err(|error: BuildError| error.in_store(store))
}

/// Removes the root that is kept of `component`; none there is no error.
pub fn discard(component: &str, store: &Store) -> Result<(), BuildError> {
    let _guard = store.lock(&format!("build-{component}"))?;
    host::remove_tree(&root::folder(component, store)?)?;
    Ok(())
}

/// The line to type in the shell to build as Slipway does.
pub fn build_line(job: &Job, root: &Root) -> String {
    let words = command_line(job, &root.spec);
    let quoted = words
        .into_iter()
        .map(|word| if word.contains([' ', '\'', '$']) { format!("'{}'", word.replace('\'', "'\\''")) } else { word });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Runs a shell in `root` on our own terminal; what it writes stays in the root. Without network, as the build has none.
/// `command` is run instead of an interactive shell.
///
/// Returns the shell's exit code, 128 and the signal's number for a signal.
pub fn enter(root: &Root, command: Option<&str>, host: &Host, store: &Store) -> Result<i32, BuildError> {
    let _guard = store.lock(&format!("build-{}", root.component))?;
    let mut argv = vec!["/bin/bash".to_owned(), "--norc".to_owned()];
    match command {
        Some(command) => argv.extend(["-c".to_owned(), command.to_owned()]),
        None => argv.push("-i".to_owned()),
    }
    let mut sandbox = inside(root, argv);
    sandbox.console = Console::Interactive;
    sandbox.limits.wall_time_s = None;
    sandbox.env.retain(|(name, _)| name != "TERM");
    let terminal = environment::read(environment::Variable::Term).unwrap_or_else(|| "dumb".into());
    sandbox.env.push(("TERM".to_owned(), terminal.to_string_lossy().into_owned()));
    sandbox.env.push(("RPM_BUILD_NCPUS".to_owned(), host.cores().to_string()));
    sandbox.env.push(("PS1".to_owned(), format!("[{} \\w]$ ", root.component)));
    sandbox.cwd = format!("/{}", root::TOP);
    match sandbox::run(host, &sandbox)?.outcome {
        Outcome::Ended(Status::Code(code)) => Ok(code),
        Outcome::Ended(Status::Signal(signal)) => Ok(128 + signal),
        Outcome::TimedOut | Outcome::OutOfMemory => Ok(128 + 9),
    }
}
