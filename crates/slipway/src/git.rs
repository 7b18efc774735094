//! git, asked about a repository: reads nobody's settings, so that the answers are those of the repository alone.

use std::path::{Path, PathBuf};

use host::environment::Variable;
use host::{Cmd, Host, Output, Stdin, Tool};

use crate::explain::Failure;

/// A repository on this machine.
pub(crate) struct Git<'h> {
    pub(crate) host: &'h Host,
    pub(crate) folder: PathBuf,
}

/// Files larger than this are no specs, patches or lists; dist-git keeps sources elsewhere.
const LARGEST: usize = 64 << 20;

/// A call of git without a repository.
pub(crate) fn plain() -> Cmd {
    Cmd::new(Tool::Git)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .pass(Variable::HttpProxy)
        .pass(Variable::HttpsProxy)
        .pass(Variable::NoProxy)
}

impl<'h> Git<'h> {
    pub(crate) fn new(folder: &Path, host: &'h Host) -> Git<'h> {
        Git { host, folder: folder.to_owned() }
    }

    /// A call of git in the repository.
    pub(crate) fn cmd(&self) -> Cmd {
        plain().args(["-c", "safe.directory=*", "-C"]).arg(&self.folder)
    }

    pub(crate) fn check(&self, arguments: &[&str]) -> Result<Output, Failure> {
        Ok(self.host.check(&self.cmd().args(arguments))?)
    }

    /// What git says, or nothing where it says no.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Result<Option<String>, Failure> {
        let output = self.host.run(&self.cmd().args(arguments))?;
        Ok(output.status.success().then(|| output.text().trim_end_matches('\n').to_owned()))
    }

    /// The contents of objects, in their order; nothing for those that are not there.
    pub(crate) fn blobs(&self, names: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Failure> {
        let asked = names.iter().map(|name| format!("{name}\n")).collect::<String>();
        let output =
            self.host.check(&self.cmd().args(["cat-file", "--batch"]).stdin(Stdin::Bytes(asked.into_bytes())))?;
        let mut rest = output.stdout.as_slice();
        let mut blobs = Vec::with_capacity(names.len());
        while blobs.len() < names.len() {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return Err(Failure::environment(format!("git said too little about `{}`", self.folder.display())));
            };
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            let mut words = head.rsplit(' ');
            let size = words.next().and_then(|size| size.parse::<usize>().ok());
            match (size, words.next()) {
                (Some(size), Some("blob")) if rest.len() > size && size <= LARGEST => {
                    blobs.push(Some(rest[..size].to_vec()));
                    rest = &rest[size + 1..];
                }
                (Some(size), Some(_)) => {
                    blobs.push(None);
                    rest = rest.get(size + 1..).unwrap_or_default();
                }
                _ => blobs.push(None),
            }
        }
        Ok(blobs)
    }
}
