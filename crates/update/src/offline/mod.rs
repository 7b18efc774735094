//! Transactions that wait for the machine's next start (systemd.offline-updates(7)).
//!
//! `PERSISTDIR/offline` has all that is needed then, without a network and without repositories:
//!
//! ```text
//! state.json        what waits, since when, and what it was made for; written last, so that without it nothing waits
//! transaction.json  what comes and goes, in dnf5's format (`replay` reads it, too)
//! packages/         the packages that come
//! ```
//!
//! `/system-update` leads there when somebody said that the next start shall do it. [`log`] keeps what became of each attempt,
//! in `PERSISTDIR/offline.jsonl`.

pub mod link;
pub mod log;
mod state;

use std::path::{Path, PathBuf};

use install::PackageFile;
use pkg::Digest;

use crate::Installed;
use crate::history::Change;
use crate::resolve::Outcome;
use crate::stored::{self, Item, Stored, StoredError};

pub use state::{State, Status};

/// Why what is stored is not done.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// The state file does not say what it has to.
    #[error("`{}` is damaged: {problem}", file.display())]
    State {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file is not the one that was stored.
    #[error("`{}` is not what was stored\n  stored  {stored}\n  found   {found}", file.display())]
    Differs {
        /// The file.
        file: PathBuf,
        /// As the state says it.
        stored: Digest,
        /// What is there.
        found: String,
    },
    /// Packages came or went since.
    #[error(
        "other packages are installed than when the transaction was stored{}",
        .0.iter().map(|line| format!("\n  {line}")).collect::<String>()
    )]
    Changed(Vec<String>),
    /// The transaction.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// A file; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// `PERSISTDIR/offline`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// What is to be stored beside the transaction itself; see [`State`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the state")]
pub struct About {
    pub command: String,
    pub comment: String,
    pub time: u64,
    pub release: String,
    pub target: String,
    pub ts_flags: Vec<String>,
}

impl Folder {
    /// That of a machine which remembers things in `persist`.
    pub fn of(persist: &Path) -> Folder {
        Folder(persist.join("offline"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn state_file(&self) -> PathBuf {
        self.0.join(state::FILE)
    }

    /// Whether a transaction waits, or something that should be one.
    pub fn is_there(&self) -> bool {
        self.state_file().is_file()
    }

    /// What waits; nothing where no transaction was stored.
    ///
    /// # Errors
    /// [`OfflineError::State`]: what cannot be understood is not done.
    pub fn state(&self) -> Result<Option<State>, OfflineError> {
        match self.is_there() {
            true => State::load(&self.state_file()).map(Some),
            false => Ok(None),
        }
    }

    /// Writes the state in one step.
    ///
    /// # Errors
    /// The message names the file.
    pub fn write(&self, state: &State) -> std::io::Result<()> {
        crate::reasons::replace(&self.state_file(), &serde_json::to_vec_pretty(state)?)
    }

    /// Stores a transaction in the place of one that is there. `files` are the packages that come, in the order of the
    /// outcome's steps, as `fetch` found them good; `changes` are those of the history.
    ///
    /// # Errors
    /// The message names the file. Nothing waits then.
    pub fn store(
        &self,
        outcome: &Outcome,
        files: &[PackageFile],
        changes: &[Change],
        installed: &[Installed],
        about: About,
    ) -> Result<State, OfflineError> {
        self.clean()?;
        let packages = self.0.join("packages");
        fs_err::create_dir_all(&packages)?;
        let mut transaction = Stored::of(changes, &outcome.groups);
        let mut stored = Vec::new();
        for (new, file) in outcome.steps.iter().filter_map(|step| step.new.as_ref()).zip(files) {
            let name = new.nevra.file_name();
            place(file, &packages.join(&name))?;
            let nevra = new.nevra.to_string();
            let entry = transaction.rpms.iter_mut().find(|one| one.nevra == nevra && one.repo_id == new.repository);
            if let Some(entry) = entry {
                entry.package_path = Some(format!("./packages/{name}"));
            }
            stored.push(state::File { path: format!("packages/{name}"), sha256: file.digest });
        }
        let text = transaction.to_text()?;
        fs_err::write(self.0.join(stored::FILE), &text)?;
        stored.push(state::File { path: stored::FILE.to_owned(), sha256: Digest::of(text.as_bytes()) });
        sync(&packages)?;
        let state = State::new(about, installed_digest(installed), stored, outcome.groups.clone());
        self.write(&state)?;
        sync(&self.0)?;
        Ok(state)
    }

    /// What is stored, compared with its digests and with what is installed.
    ///
    /// # Errors
    /// What differs.
    pub fn check(&self, state: &State, installed: &[Installed]) -> Result<Vec<Item>, OfflineError> {
        for file in &state.files {
            let path = self.0.join(&file.path);
            let found = match crate::digest_of(&path) {
                Ok(digest) if digest == file.sha256 => continue,
                Ok(digest) => digest.to_string(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => "nothing".to_owned(),
                Err(error) => return Err(error.into()),
            };
            return Err(OfflineError::Differs { file: path, stored: file.sha256, found });
        }
        let file = self.transaction_file();
        let items = Stored::parse(&fs_err::read(&file)?, &file)?.items(&file)?;
        if let Some(item) = items.iter().find(|item| !state.covers(item, &self.0)) {
            let problem = format!("it has no digest of the package `{}`", item.nevra);
            return Err(OfflineError::State { file: self.state_file(), problem });
        }
        if installed_digest(installed) != state.installed {
            return Err(OfflineError::Changed(stored::differences(&items, installed)));
        }
        Ok(items)
    }

    /// The file of the transaction.
    pub fn transaction_file(&self) -> PathBuf {
        self.0.join(stored::FILE)
    }

    /// Forgets what waits; tells how many packages went.
    ///
    /// # Errors
    /// The message names the file.
    pub fn clean(&self) -> std::io::Result<usize> {
        let packages = self.0.join("packages");
        let count = if packages.is_dir() { fs_err::read_dir(&packages)?.count() } else { 0 };
        // The state first: a folder that is only half there is no transaction.
        match fs_err::remove_file(self.state_file()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        host::remove_tree(&self.0)?;
        Ok(count)
    }
}

/// Which packages are installed, keys left out: any other set has another digest.
pub fn installed_digest(installed: &[Installed]) -> Digest {
    let line = |one: &Installed| format!("{} {}\n", one.package.nevra, one.package.checksum.hex);
    let mut lines: Vec<String> = installed.iter().map(line).collect();
    lines.sort();
    Digest::of(lines.concat().as_bytes())
}

/// A package of its own: caches are emptied, and files that somebody named are changed.
fn place(file: &PackageFile, to: &Path) -> Result<(), OfflineError> {
    fs_err::copy(&file.path, to)?;
    fs_err::File::open(to)?.sync_all()?;
    let digest = crate::digest_of(to)?;
    match digest == file.digest {
        true => Ok(()),
        false => Err(OfflineError::Differs { file: file.path.clone(), stored: file.digest, found: digest.to_string() }),
    }
}

fn sync(folder: &Path) -> std::io::Result<()> {
    fs_err::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
