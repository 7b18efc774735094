use std::path::PathBuf;

use tree::TreePath;

use crate::live::Lack;

/// Why a root could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A package file cannot be read or unpacked.
    #[error("`{}` cannot be unpacked: {cause}", file.display())]
    Package {
        /// The package file.
        file: PathBuf,
        /// What is wrong with it.
        cause: rpm::UnpackError,
    },
    /// A package file is not the one that was chosen.
    #[error("`{}` has the digest {found}, but {expected} was chosen", file.display())]
    Differs {
        /// The package file.
        file: PathBuf,
        /// The digest that was expected.
        expected: pkg::Digest,
        /// The digest of its bytes.
        found: pkg::Digest,
    },
    /// The transaction may not be; nothing was changed.
    #[error("the packages cannot be changed like this{}", listed(.0))]
    Refused(Vec<Problem>),
    /// A file's owner is in no account file and no sysusers file.
    #[error("`{package}` has a file of the {kind} `{name}`, which no installed package makes: `{path}`")]
    NoAccount {
        /// The package.
        package: String,
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The file.
        path: String,
    },
    /// A line of a sysusers file or of an account file means nothing.
    #[error("`{file}` line {line}: {problem}")]
    Accounts {
        /// The file in the root.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A file's capabilities are written in a way that means nothing.
    #[error("`{path}` of `{package}` has capabilities that mean nothing: `{text}`")]
    Capabilities {
        /// The package.
        package: String,
        /// The file.
        path: String,
        /// The text, as in `cap_net_raw=ep`.
        text: String,
    },
    /// A scriptlet that must succeed did not.
    #[error("{scriptlet} of `{package}` failed ({outcome})\n{output}")]
    Scriptlet {
        /// Which one, as in `%pre`.
        scriptlet: String,
        /// The package.
        package: String,
        /// How it ended.
        outcome: String,
        /// The last lines that it printed.
        output: String,
    },
    /// A scriptlet that cannot be run here.
    #[error("{scriptlet} of `{package}` needs {needs}, which cannot be run here")]
    Interpreter {
        /// Which one.
        scriptlet: String,
        /// The package.
        package: String,
        /// What it needs, as in `<lua>`.
        needs: String,
    },
    /// A package's path cannot stand where it should.
    #[error("`{package}`: {cause}")]
    Place {
        /// The package.
        package: String,
        /// Why not.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A scriptlet did something to the root that cannot be taken back into a tree.
    #[error("scriptlets left `{path}` in a state that cannot be taken over: {problem}")]
    Leftover {
        /// The path.
        path: String,
        /// What about it.
        problem: String,
    },
    /// The sandbox could not be set up.
    #[error(transparent)]
    Sandbox(#[from] host::sandbox::SandboxError),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The database of installed packages.
    #[error("the database of installed packages cannot be written: {0}")]
    Database(#[from] rpm::db::DatabaseError),
    /// The operating system refused something; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A live root without a database: its packages are not ours to change.
    #[error("there is no database of packages at `{}`", file.display())]
    NoDatabase {
        /// Where it should be.
        file: PathBuf,
    },
    /// A disk is too full for what is to come; nothing was changed.
    #[error("there is no room for the packages{}", listed(.0))]
    NoRoom(Vec<Lack>),
    /// A transaction on a live root went wrong, and then so did taking it back.
    #[error("{error}\nwhat was done could not be taken back: {cause}\nthe journal is `{}`", journal.display())]
    NotUndone {
        /// What went wrong first.
        error: Box<InstallError>,
        /// What went wrong then.
        cause: Box<InstallError>,
        /// What has to be undone.
        journal: PathBuf,
    },
    /// The files and the database of a live root are what they were to be, and what follows them went wrong.
    #[error(
        "the packages are in place, and what follows them is not finished: {0}\nthe next transaction goes on from there"
    )]
    NotFinished(Box<InstallError>),
    /// The user interrupted.
    #[error("interrupted; nothing was kept")]
    Interrupted,
}

impl InstallError {
    /// Whether a disk was full.
    pub fn is_full(&self) -> bool {
        match self {
            InstallError::NoRoom(_) => true,
            InstallError::Io(error) | InstallError::Package { cause: rpm::UnpackError::Write(error), .. } => {
                host::is_full(error)
            }
            InstallError::Store(error) => error.is_full(),
            InstallError::Database(error) => error.is_full(),
            InstallError::NotUndone { error, .. } | InstallError::NotFinished(error) => error.is_full(),
            _ => false,
        }
    }
}

fn listed(problems: &[impl std::fmt::Display]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}

/// Why a transaction may not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The very version is installed.
    #[error("`{package}` is installed already")]
    AlreadyInstalled {
        /// The package.
        package: String,
    },
    /// A newer version is installed.
    #[error("`{package}` is older than `{installed}`, which is installed")]
    NewerInstalled {
        /// The package that was to come.
        package: String,
        /// The one that is there.
        installed: String,
    },
    /// What was to be erased is not there.
    #[error("`{package}` is not installed")]
    NotInstalled {
        /// As it was asked for.
        package: String,
    },
    /// A requirement that nothing fulfils.
    #[error("`{package}` needs `{requirement}`, {}", match erased { Some(erased) => format!("which goes with `{erased}`"), None => "which nothing provides".to_owned() })]
    Requires {
        /// The package.
        package: String,
        /// What it requires.
        requirement: String,
        /// The package whose going takes it away.
        erased: Option<String>,
    },
    /// Two packages that may not be there together.
    #[error("`{package}` conflicts with `{other}` by `{relation}`")]
    Conflicts {
        /// The package that says so.
        package: String,
        /// The other.
        other: String,
        /// What it says.
        relation: String,
    },
    /// Two packages bring different things to one path.
    #[error("`{first}`{} and `{second}` disagree about `{path}`: {difference}", if *is_installed { ", which is installed," } else { "" })]
    FileConflict {
        /// The path.
        path: TreePath,
        /// The package that was there first.
        first: String,
        /// The one that came later.
        second: String,
        /// In what they differ.
        difference: String,
        /// Whether the first is installed, and not part of the transaction.
        is_installed: bool,
    },
}
