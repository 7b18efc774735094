//! What became of transactions that waited for a start: a line of JSON for each attempt, the newest last.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When, in seconds since 1970.
    pub time: u64,
    /// The kernel's id of that start.
    pub boot: String,
    /// The command line that was stored; empty where the state is damaged.
    pub command: String,
    /// The release that was installed.
    pub release: String,
    /// The release whose packages came.
    pub target: String,
    /// How it ended.
    pub end: End,
    /// What happened to packages, and what people should know.
    pub lines: Vec<String>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// It did not: the machine was cut off.
    Unknown,
    /// Well, as this transaction of the history.
    Done(u64),
    /// Not, and why.
    Failed(String),
}

impl End {
    /// In one word.
    pub fn as_str(&self) -> &'static str {
        match self {
            End::Unknown => "cut off",
            End::Done(_) => "done",
            End::Failed(_) => "failed",
        }
    }
}

fn file(persist: &Path) -> PathBuf {
    persist.join("offline.jsonl")
}

/// All attempts, the oldest first.
///
/// # Errors
/// The message names file and line.
pub fn load(persist: &Path) -> io::Result<Vec<Attempt>> {
    let text = match fs_err::read_to_string(file(persist)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let attempt = |(number, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|error| io::Error::other(format!("`{}`:{number}: {error}", file(persist).display())))
    };
    lines.map(attempt).collect()
}

/// Adds an attempt.
///
/// # Errors
/// The message names the file.
pub fn begin(persist: &Path, attempt: &Attempt) -> io::Result<()> {
    write(persist, attempt, false)
}

/// Writes how the last attempt ended.
///
/// # Errors
/// The message names the file.
pub fn finish(persist: &Path, attempt: &Attempt) -> io::Result<()> {
    write(persist, attempt, true)
}

fn write(persist: &Path, attempt: &Attempt, is_known: bool) -> io::Result<()> {
    // A log that cannot be read is put aside: what was done is written down all the same.
    let mut all = load(persist).or_else(|_| {
        fs_err::rename(file(persist), file(persist).with_extension("jsonl.damaged")).map(|()| Vec::new())
    })?;
    if is_known {
        all.pop();
    }
    all.push(attempt.clone());
    let mut text = String::new();
    for attempt in &all {
        text.push_str(&serde_json::to_string(attempt)?);
        text.push('\n');
    }
    crate::reasons::replace(&file(persist), text.as_bytes())
}
