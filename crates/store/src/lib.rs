//! The store: everything that was fetched or made once and is to be had again for its digest.
//!
//! Floor 3: acts on the local disk only. One folder, shared by all processes of one user:
//!
//! ```text
//! VERSION                 the layout's number; another number is another store
//! objects/AB/CDEF..       files named by the SHA-256 of their bytes, read-only
//! records/KIND/KEY        small results: the digest of some inputs -> bytes
//! directories/KIND/KEY/   prepared directories (an unpacked package, a root); present means complete
//! areas/NAME/             plain folders of one stage (logs, kept build roots), not addressed by digest
//! quarantine/             files whose digest was not the expected one
//! locks/                  flock(2) files
//! tmp/SESSION/            what is being written, by one process; the next one to open the store sweeps it when its owner is dead
//! ```
//!
//! Everything gets its name by one `rename(2)`, so that a process killed at any moment leaves nothing but a stale session.

mod collect;
mod directories;
mod error;
mod locks;
mod objects;
mod records;
mod session;
mod store;

pub use collect::{Collected, Keep, Purge, Usage};
pub use error::StoreError;
pub use locks::Guard;
pub use session::TempDir;
pub use store::{Durability, Store};
