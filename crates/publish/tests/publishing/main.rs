//! Publishing into temporary folders.

#![expect(clippy::unwrap_used, reason = "a test's own functions")]

mod fixture;
mod folder;
mod oracles;
mod snapshot;
