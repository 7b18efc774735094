//! `%autorelease` and `%autochangelog`: a release and a changelog that follow from the history of a spec's repository.
//!
//! The release counts the commits since the version last changed; the changelog has an entry for each commit, down to the last that
//! changed a file `changelog`. Comments in messages, such as `[skip changelog]` and `[bump release: 3]`, change both.
//!
//! Source: rpmautospec 0.8 (`pkg_history.py`, `changelog.py`, `magic_comments.py`) and rpmautospec-core, whose text this writes but
//! for the line that names its version. Pure: the commits are given, head first.

mod changelog;
mod features;
mod flags;
mod release;
mod wrap;

pub use features::Features;
pub use flags::{Flags, flags};

use std::collections::BTreeMap;
use std::sync::Arc;

/// A commit of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// The id of its tree: two commits with one tree have the same files.
    pub tree: String,
    /// The ids of its parents; those that are not in the history are unknown, as in a shallow one.
    pub parents: Vec<String>,
    /// Who made the change.
    pub author: String,
    /// Their address, without brackets.
    pub email: String,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
    /// The message.
    pub message: String,
    /// The spec at that commit.
    pub spec: Option<Arc<str>>,
    /// The file `changelog` at that commit.
    pub changelog: Option<Arc<str>>,
}

/// Why a history does not give a release.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AutospecError {
    /// There is no commit.
    #[error("the history has no commit")]
    Empty,
    /// The spec of the head does not say its version.
    #[error("the version of the spec at commit `{0}` cannot be told")]
    NoVersion(String),
}

/// Writes release and changelog into the spec of the first commit. Nothing where it uses neither, or has been written before.
///
/// `spec` is the text that is written into, usually that commit's. `flags` tells version and release flags of a spec.
///
/// # Errors
/// When there is no commit, or its version cannot be told.
pub fn process(
    spec: &str,
    history: &[Commit],
    flags: &dyn Fn(&str) -> Option<Flags>,
) -> Result<Option<String>, AutospecError> {
    let features = Features::of(spec);
    if features.is_processed || !(features.has_autorelease || features.needs_changelog()) {
        return Ok(None);
    }
    let Some(head) = history.first() else { return Err(AutospecError::Empty) };
    let index: BTreeMap<&str, usize> =
        history.iter().enumerate().map(|(index, commit)| (commit.id.as_str(), index)).collect();
    let walk = release::Walk::new(history, &index, flags);
    let results = walk.run(features.needs_changelog());
    let Some(result) = results.first().and_then(Option::as_ref) else { return Err(AutospecError::Empty) };
    if result.flags.is_none() {
        return Err(AutospecError::NoVersion(head.id.clone()));
    }
    let entries = result.changelog.iter().map(|entry| changelog::text(history, &results, entry)).collect::<Vec<_>>();
    Ok(Some(features.write(spec, result.number, &entries.join("\n\n"))))
}

#[cfg(test)]
mod tests;
