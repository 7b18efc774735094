//! What a transaction is about to do, on the disk before it does it.
//!
//! ```text
//! ROOT/.slipway-transaction/journal   a line for each record: sixteen hexadecimal digits of its digest, a blank, JSON
//!                           new/N     a file that is to come, complete
//!                           old/N     a file that went or was replaced, until the database says so
//!                           script    the scriptlet that runs
//! MOUNT/.slipway-transaction/         new/ and old/ of another mount that is changed, such as `/boot`
//! ```
//!
//! A line that was not written whole ends the journal: what it speaks of was not begun.

use std::io;
use std::path::{Path, PathBuf};

use pkg::Digest;

use super::disk::{Disk, FOLDER, is_there};
use super::step::Step;
use crate::scriptlets::Script;

/// A line of the journal.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Record {
    /// A mount, by the path of its top below the root, has a folder of this transaction.
    Mount(String),
    /// Files of a package come or go.
    Phase { package: String, steps: Vec<Step> },
    /// All files are in place, and the database is changed next.
    Ready(Ready),
    /// So many of the scriptlets that follow the database ran.
    Ran(usize),
}

/// What is left to be done when all files are in place.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Ready {
    /// Numbers of packages that leave the database.
    pub(super) removed: Vec<u32>,
    /// Numbers of packages that come into it, with the digest of their record.
    pub(super) added: Vec<(u32, Digest)>,
    /// What whoever changes the root wants to remember when it is done.
    pub(super) memo: String,
    /// What runs at the end.
    pub(super) scripts: Vec<Script>,
}

/// Where the journal of a root is.
pub(super) fn file(root: &Path) -> PathBuf {
    root.join(FOLDER).join("journal")
}

/// Adds a record; it is on the disk afterwards.
pub(super) fn append(record: &Record, disk: &Disk<'_>) -> io::Result<()> {
    let text = serde_json::to_string(record)?;
    let sum = Digest::of(text.as_bytes()).hex();
    disk.append(&file(disk.root), format!("{} {text}\n", &sum[..16]).as_bytes())
}

/// The records of a transaction that was cut off; `None` when there was none.
pub(super) fn read(root: &Path) -> io::Result<Option<Vec<Record>>> {
    let file = file(root);
    if !is_there(&file) {
        return Ok(None);
    }
    let bytes = fs_err::read(&file)?;
    let mut records = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some((sum, text)) = line.strip_suffix(b"\n").and_then(|line| line.split_at_checked(16)) else { break };
        let text = text.strip_prefix(b" ").unwrap_or_default();
        if Digest::of(text).hex().as_bytes().get(..16) != Some(sum) {
            break;
        }
        let wrong = |error| io::Error::other(format!("`{}`: {error}", file.display()));
        records.push(serde_json::from_slice(text).map_err(wrong)?);
    }
    Ok(Some(records))
}
