//! A call of an external program, as a value.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Tool;
use crate::environment::{self, Variable};

/// What a program reads on its standard input.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stdin {
    /// Nothing: `/dev/null`.
    #[default]
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
    /// This file.
    File(PathBuf),
    /// A pipe that the caller of [`crate::Host::spawn`] writes.
    Piped,
    /// Our own standard input. The program then also stays in our process group, so that it may use the terminal.
    Inherit,
}

/// A call of an external program: built by its methods, looked at by tests, run by [`crate::Host::run`].
///
/// The environment does not come from ours: it is `PATH`, `LC_ALL=C.UTF-8` and `TZ=UTC`, plus what [`Cmd::env`] and
/// [`Cmd::pass`] add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cmd {
    /// The program.
    pub tool: Tool,
    /// Its arguments, without the program's own name.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: BTreeMap<String, OsString>,
    /// Where it runs; ours when `None`.
    pub cwd: Option<PathBuf>,
    /// What it reads.
    pub stdin: Stdin,
    /// It is killed when it runs for longer.
    pub time_limit: Option<Duration>,
}

impl Cmd {
    /// A call of `tool` without arguments.
    #[must_use]
    pub fn new(tool: Tool) -> Cmd {
        let env = [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("LC_ALL", "C.UTF-8"),
            ("TZ", "UTC"),
        ];
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Cmd { tool, args: Vec::new(), env, cwd: None, stdin: Stdin::Empty, time_limit: None }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Cmd {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Cmd {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable of the program.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Cmd {
        self.env.insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    /// Passes a variable of our own environment on, when it is set.
    #[must_use]
    pub fn pass(self, variable: Variable) -> Cmd {
        match environment::read(variable) {
            Some(value) => self.env(variable.name(), value),
            None => self,
        }
    }

    /// Sets the working directory.
    #[must_use]
    pub fn cwd(mut self, path: impl AsRef<Path>) -> Cmd {
        self.cwd = Some(path.as_ref().to_owned());
        self
    }

    /// Sets what it reads.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Cmd {
        self.stdin = stdin;
        self
    }

    /// Kills the program when it runs for longer than `limit`.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Cmd {
        self.time_limit = Some(limit);
        self
    }
}

/// The call as a line for a POSIX shell, for messages: `rpm -qa --root '/a b'`.
impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tool.program())?;
        for arg in &self.args {
            write!(f, " {}", quoted(&arg.to_string_lossy()))?;
        }
        Ok(())
    }
}

/// `word` as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reads_as_a_shell_line() {
        let cmd = Cmd::new(Tool::Rpm).args(["-qa", "--root", "/a b", "it's", ""]).env("X", "1");
        assert_eq!(cmd.to_string(), r"rpm -qa --root '/a b' 'it'\''s' ''");
        assert_eq!(cmd.env["LC_ALL"], "C.UTF-8");
    }
}
