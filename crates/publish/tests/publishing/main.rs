//! Publishing into temporary folders.

#![expect(clippy::unwrap_used, reason = "a test's own functions")]

mod fixture;
mod oracles;
mod snapshot;
