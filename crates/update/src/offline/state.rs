use std::path::Path;

use pkg::Digest;
use serde::{Deserialize, Serialize};

use super::{About, OfflineError};
use crate::groups;
use crate::stored::Item;

/// The file in the folder. Without it nothing waits.
pub(super) const FILE: &str = "state.json";

/// Raised when an older program would misread the file.
const VERSION: u32 = 1;

/// How far it got; the words are dnf5's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All is stored; nobody said yet that the next start shall do it.
    DownloadComplete,
    /// The next start does it.
    Ready,
    /// It was begun. That is kept where it did not end well.
    TransactionIncomplete,
}

/// What waits, since when, and what it was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    version: u32,
    /// How far it got.
    pub status: Status,
    /// The command line, without what is secret.
    pub command: String,
    /// What somebody wants to be remembered.
    pub comment: String,
    /// When it was stored, in seconds since 1970.
    pub time: u64,
    /// The release that was installed then; empty where nobody knows.
    pub release: String,
    /// The release whose packages come.
    pub target: String,
    /// `tsflags` of that time.
    pub ts_flags: Vec<String>,
    /// What was installed, by [`super::installed_digest`].
    pub installed: Digest,
    /// Every file that is stored.
    pub files: Vec<File>,
    /// Groups and environments that come, go, or become others.
    pub groups: Vec<groups::Change>,
    /// The machine is switched off behind it, where it went well.
    pub power_off: bool,
}

/// A file that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Below the folder.
    pub path: String,
    /// Of its bytes.
    pub sha256: Digest,
}

impl State {
    pub(super) fn new(about: About, installed: Digest, files: Vec<File>, groups: Vec<groups::Change>) -> State {
        let About { command, comment, time, release, target, ts_flags } = about;
        let (version, status, power_off) = (VERSION, Status::DownloadComplete, false);
        State {
            version,
            status,
            command,
            comment,
            time,
            release,
            target,
            ts_flags,
            installed,
            files,
            groups,
            power_off,
        }
    }

    /// Reads the state out of `file`.
    pub(super) fn load(file: &Path) -> Result<State, OfflineError> {
        let wrong = |problem: String| OfflineError::State { file: file.to_owned(), problem };
        let bytes = fs_err::read(file)?;
        let any: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        match any.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => return Err(wrong(format!("it is of version {version}, and {VERSION} is known"))),
            None => return Err(wrong("it does not say its version".to_owned())),
        }
        let state: State = serde_json::from_value(any).map_err(|error| wrong(error.to_string()))?;
        let is_outside = |file: &&File| file.path.starts_with('/') || file.path.split('/').any(|part| part == "..");
        if let Some(file) = state.files.iter().find(is_outside) {
            return Err(wrong(format!("`{}` is not below its folder", file.path)));
        }
        if !state.files.iter().any(|file| file.path == crate::stored::FILE) {
            return Err(wrong("it has no digest of the transaction".to_owned()));
        }
        Ok(state)
    }

    /// Whether it goes from one release to another.
    pub fn is_system_upgrade(&self) -> bool {
        !self.release.is_empty() && self.release != self.target
    }

    /// Whether a package that comes is one of the files of the state.
    pub(super) fn covers(&self, item: &Item, folder: &Path) -> bool {
        match &item.file {
            Some(path) => self.files.iter().any(|file| folder.join(&file.path) == *path),
            None => !item.action.comes(),
        }
    }
}
