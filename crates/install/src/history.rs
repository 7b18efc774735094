//! What was done to a root, kept beside the database of packages, which knows only what is there.
//!
//! A line of JSON for each transaction, the newest last:
//!
//! ```text
//! {"id":2,"time":1750000000,"cause":"upgrade","changes":[{"action":"install","package":"a-2-1.noarch"},
//!  {"action":"replace","package":"a-1-1.noarch","by":"a-2-1.noarch"}],"failed":[],"notes":[]}
//! ```

use pkg::SourceDateEpoch;

use crate::InstallError;
use crate::element::{Element, Side};
use crate::transaction::ScriptletRun;

/// Where the history is, beside the database.
pub(crate) const PATH: &str = "usr/lib/sysimage/rpm/history.jsonl";

/// A transaction of the past.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HistoryEntry {
    /// Counted from 1.
    pub id: u64,
    /// When, in seconds since 1970.
    pub time: u64,
    /// What was asked for, such as the command.
    pub cause: String,
    /// What came and went, in this order.
    pub changes: Vec<HistoryChange>,
    /// Scriptlets that failed and did not have to succeed, as in `%post of a-1-1.noarch`.
    pub failed: Vec<String>,
    /// What people were told.
    pub notes: Vec<String>,
}

/// A package that came or went.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HistoryChange {
    /// How.
    pub action: HistoryAction,
    /// Name, EVR and architecture.
    pub package: String,
    /// What took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// How a package came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryAction {
    /// It came.
    Install,
    /// It went because another one took its place.
    Replace,
    /// It went because that was asked for.
    Erase,
}

/// The history in the bytes of its file, the oldest first.
pub fn history(bytes: &[u8]) -> Result<Vec<HistoryEntry>, InstallError> {
    let text = std::str::from_utf8(bytes).map_err(|_| damaged(0, "it is not UTF-8".to_owned()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
    lines
        .map(|(index, line)| serde_json::from_str(line).map_err(|cause| damaged(index + 1, cause.to_string())))
        .collect()
}

fn damaged(line: usize, problem: String) -> InstallError {
    InstallError::Accounts { file: format!("/{PATH}"), line, problem }
}

pub(crate) fn entry(
    before: &[u8],
    cause: &str,
    elements: &[Element],
    runs: &[ScriptletRun],
    notes: &[String],
    at: SourceDateEpoch,
) -> Result<Vec<u8>, InstallError> {
    let id = history(before)?.last().map_or(0, |last| last.id) + 1;
    let change = |element: &Element| {
        let (action, by) = match &element.side {
            Side::Comes { .. } => (HistoryAction::Install, None),
            Side::Goes { successor: None, .. } => (HistoryAction::Erase, None),
            Side::Goes { successor, .. } => (HistoryAction::Replace, successor.clone()),
        };
        HistoryChange { action, package: element.facts.nevra.clone(), by }
    };
    let failed = runs.iter().filter(|run| run.failure.is_some());
    let entry = HistoryEntry {
        id,
        time: at.0,
        cause: cause.to_owned(),
        changes: elements.iter().map(change).collect(),
        failed: failed.map(|run| format!("{} of {}", run.scriptlet, run.package)).collect(),
        notes: notes.to_vec(),
    };
    let mut line = serde_json::to_vec(&entry).map_err(std::io::Error::from)?;
    line.push(b'\n');
    Ok(line)
}
