//! The machine's side: repositories, what is installed, questions about both, and transactions with history.
//!
//! - [`config`]: `dnf.conf`, `*.repo` files, variables, and what the command line says over them.
//! - [`sync()`]: a repository's index and documents on this machine, verified, in a cache that processes share;
//!   [`download`]: packages.
//! - [`Sack`]: all packages that are known, installed and available; [`query`]: which of them match, and how they are shown.
//! - [`resolve`]: what a job does to a machine, by the solver. [`transaction`]: doing it, by `install`.
//! - [`history`], [`reasons`]: what was done, and why each package is there.
//! - [`stored`]: a transaction in a folder; [`offline`]: one that waits for the machine's next start.
//!
//! Nothing here prints or asks: who calls hands in a [`Machine`] with functions for both.

mod apply;
pub mod config;
pub mod groups;
pub mod history;
mod installed;
pub mod keys;
mod machine;
pub mod offline;
pub mod query;
pub mod reasons;
pub mod resolve;
pub mod restarting;
mod sack;
pub mod stored;
mod sync;
pub mod transaction;

pub use installed::{DatabaseFile, Installed, InstalledError};
pub use machine::Machine;
pub use sack::{Candidate, Origin, Place, Sack, SackError};
pub use sync::{
    Clean, Download, DownloadError, Freshness, SyncError, Synced, TransferError, clean, digest_of, download,
    fetch_text, sync,
};
