//! Packages to one signed, immutable snapshot.
//!
//! [`compose`] signs packages, writes the metadata that package managers read, signs that too, and makes all of it visible
//! in one step:
//!
//! ```text
//! OUT/current -> snapshots/DIGEST       replaced by one rename(2); what a repository's URL names
//! OUT/snapshots/DIGEST/                 complete as soon as it has its name, and never changed
//!   Packages/b/bash-5.2.37-1.sk1.x86_64.rpm   signed; the folder is the name's first letter
//!   repodata/repomd.xml, repomd.xml.asc       the index and its signature
//!   repodata/DIGEST-{primary,filelists,other}.xml.gz
//!   RPM-GPG-KEY                               the public key, armoured
//! ```
//!
//! Equal packages, key and time give equal bytes, whatever was published before. A process killed at any moment leaves
//! `current` as it was or as it was to be, and at most a folder `snapshots/.partial-*`, which the next run removes.

mod compose;
mod entry;
mod error;
mod facts;
mod folder;
mod known;
mod parallel;
mod serve;
mod snapshot;

pub use compose::{Package, compose};
pub use error::PublishError;
pub use facts::facts;
pub use folder::{Indexed, index};
pub use serve::{Answered, serve};
pub use snapshot::{CURRENT, KEY_FILE, Published, SNAPSHOTS, Snapshot};
