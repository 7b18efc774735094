//! How packages are named, ordered and related: the words that every other crate uses.
//!
//! Floor 0: no effects, no dependency on another crate of the workspace.

mod arch;
mod blobs;
mod digest;
mod epoch;
mod evr;
mod nevra;
mod relation;
mod vercmp;

pub use arch::Arch;
pub use blobs::Blobs;
pub use digest::{Digest, DigestError, Hasher};
pub use epoch::SourceDateEpoch;
pub use evr::{Evr, EvrError};
pub use nevra::{Nevra, NevraError};
pub use relation::{Condition, Relation, RelationError};
pub use vercmp::vercmp;
