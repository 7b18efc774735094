use std::path::PathBuf;

use pkg::Digest;
use store::StoreError;

use crate::debian::DebError;
use crate::logs::Stage;

/// Why something could not be fetched, prepared or built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// rpmbuild ended with another status than 0.
    #[error("`{component}` does not build: its {stage} ended with {exit}")]
    Failed {
        /// The component.
        component: String,
        /// The part of the spec that ran last.
        stage: Stage,
        /// How it ended: `exit status 2`, `signal 9`, `the time limit of 3600 s`.
        exit: String,
        /// The last useful lines of that part's output, oldest first.
        lines: Vec<String>,
        /// The whole log.
        log: PathBuf,
        /// The kept root's folder, for [`crate::shell::enter`].
        root: PathBuf,
    },
    /// rpmbuild ended well but wrote no package.
    #[error("the build of `{component}` wrote no package")]
    NoPackages {
        /// The component.
        component: String,
        /// The whole log.
        log: PathBuf,
    },
    /// The disk is used up. Nothing half-written stays under a final name.
    #[error("no space is left on the disk of `{}`, where `{component}` was built", path.display())]
    Full {
        /// The component.
        component: String,
        /// The store's folder.
        path: PathBuf,
        /// The whole log.
        log: PathBuf,
    },
    /// A source's bytes are not those that the lock pins.
    #[error("the source `{file}` of `{component}` is not the one that was pinned")]
    SourceDiffers {
        /// The component that wants it.
        component: String,
        /// The source's file name.
        file: String,
        /// Where it is pinned.
        at: String,
        /// The digest that is pinned.
        locked: String,
        /// Bytes, where they are known.
        locked_size: Option<u64>,
        /// The digest of what came.
        received: String,
        /// Bytes that came.
        received_size: u64,
        /// The address that sent it last, without name and password.
        from: Option<String>,
        /// Where the received file is kept.
        quarantine: PathBuf,
    },
    /// No address gives a source.
    #[error("the source `{file}` of `{component}` cannot be fetched\n  --> {at}{}", lines(failures))]
    SourceUnreachable {
        /// The component that wants it.
        component: String,
        /// The source's file name.
        file: String,
        /// Where it is named.
        at: String,
        /// What each address answered.
        failures: Vec<String>,
    },
    /// A source has no digest.
    #[error("nothing says which bytes the source `{file}` of `{component}` has\n  --> {at}")]
    Unpinned {
        /// The component that wants it.
        component: String,
        /// The source's file name.
        file: String,
        /// Where it is named.
        at: String,
    },
    /// A source was left alone since what it needs, or what came before it, could not be had.
    #[error("the source `{file}` of `{component}` was not tried, as others before it could not be had\n  --> {at}")]
    NotTried {
        /// The component that wants it.
        component: String,
        /// The source's file name.
        file: String,
        /// Where it is named.
        at: String,
    },
    /// A signature is not right.
    #[error("the source `{file}` of `{component}` is not signed as the definition wants: {cause}")]
    SourceSignature {
        /// The component that wants it.
        component: String,
        /// The source's file name.
        file: String,
        /// The signature's file.
        signature: String,
        /// The file of keys.
        key: PathBuf,
        /// Where the definition wants it.
        at: String,
        /// What is not right.
        cause: String,
        /// Where the file is kept; it may be in the store for somebody who wants no signature.
        quarantine: Option<PathBuf>,
    },
    /// A file of keys cannot be used.
    #[error("the keys `{}` cannot be used: {cause}\n  --> {at}", key.display())]
    SourceKey {
        /// The file of keys.
        key: PathBuf,
        /// Where the definition names it.
        at: String,
        /// Why.
        cause: String,
    },
    /// A commit cannot be packed.
    #[error("the commit {commit} of `{uri}` cannot be packed: {message}")]
    Git {
        /// The repository, without name and password.
        uri: String,
        /// The commit.
        commit: String,
        /// Why.
        message: String,
    },
    /// Several sources could not be had.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\nerror: "))]
    Several(Vec<BuildError>),
    /// A transfer failed on our side.
    #[error(transparent)]
    Transfer(host::transfer::TransferError),
    /// A file of the archive has another digest than the archive's own signed index says.
    #[error("`{file}` came with other bytes than the archive's index says: expected {expected}, received {received}")]
    ArchiveDiffers {
        /// The package file.
        file: String,
        /// From the index or the lock.
        expected: Digest,
        /// What came.
        received: Digest,
    },
    /// The archive does not have a file.
    #[error("Debian's `{suite}` has no `{file}` in its package `{package}`{}", if .has.is_empty() { String::new() } else { format!(", but {}", .has.join(", ")) })]
    NotInArchive {
        /// The suite.
        suite: String,
        /// The source or binary package.
        package: String,
        /// The file that is wanted.
        file: String,
        /// The files that it has instead.
        has: Vec<String>,
    },
    /// The machine's apt is not configured for a Debian archive.
    #[error("no Debian archive is configured on this machine: /etc/apt has no entry with `main` of `{codename}`")]
    NoArchive {
        /// The suite that the machine runs, from os-release.
        codename: String,
    },
    /// apt refused; its own words follow.
    #[error("apt cannot {action}: {message}")]
    Apt {
        /// What was asked for.
        action: String,
        /// The lines in which apt says why.
        message: String,
    },
    /// A file of a Debian package cannot be unpacked.
    #[error("`{package}` cannot be unpacked: {error}")]
    Deb {
        /// The package.
        package: String,
        /// Why.
        error: DebError,
    },
    /// An RPM that a root needs cannot be unpacked.
    #[error("`{package}` cannot be unpacked: {message}")]
    Rpm {
        /// The package.
        package: String,
        /// Why.
        message: String,
    },
    /// Two packages of one root have a path as different things.
    #[error("`{path}` is a folder in one package and something else in another of the same root")]
    Conflict {
        /// The path, absolute in the root.
        path: String,
    },
    /// A Debian package is asked for that stage0 was not prepared with.
    #[error("stage0 was not prepared with the Debian package `{0}`")]
    NotPrepared(String),
    /// A command that finishes a root did not end well.
    #[error("`{command}`, which finishes the root of `{component}`, ended with {exit}: {output}")]
    RootCommand {
        /// The component.
        component: String,
        /// The command line.
        command: String,
        /// How it ended.
        exit: String,
        /// What it printed.
        output: String,
    },
    /// There is no root to enter.
    #[error("no build root of `{0}` is kept")]
    NoRoot(String),
    /// A name that would leave its folder.
    #[error("`{0}` is not a plain file name")]
    FileName(String),
    /// Ctrl-C, or SIGTERM.
    #[error("interrupted")]
    Interrupted,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A program could not be run.
    #[error(transparent)]
    Run(host::RunError),
    /// The sandbox could not be made.
    #[error(transparent)]
    Sandbox(host::sandbox::SandboxError),
    /// Reading or writing; the message names the path.
    #[error(transparent)]
    Io(std::io::Error),
}

fn lines(failures: &[String]) -> String {
    failures.iter().map(|failure| format!("\n  {failure}")).collect()
}

impl From<host::RunError> for BuildError {
    fn from(error: host::RunError) -> BuildError {
        match error {
            host::RunError::Interrupted { .. } => BuildError::Interrupted,
            error => BuildError::Run(error),
        }
    }
}

impl From<host::sandbox::SandboxError> for BuildError {
    fn from(error: host::sandbox::SandboxError) -> BuildError {
        match error {
            host::sandbox::SandboxError::Interrupted => BuildError::Interrupted,
            host::sandbox::SandboxError::Io(error) => BuildError::from(error),
            error => BuildError::Sandbox(error),
        }
    }
}

impl From<std::io::Error> for BuildError {
    fn from(error: std::io::Error) -> BuildError {
        BuildError::Io(error)
    }
}

impl BuildError {
    /// The same, where a full disk is told as one: all that is written here is written into the store.
    pub(crate) fn in_store(self, store: &store::Store) -> BuildError {
        match self {
            BuildError::Io(error) => match store.error(error) {
                StoreError::Io(error) => BuildError::Io(error),
                full => BuildError::Store(full),
            },
            error => error,
        }
    }
}
