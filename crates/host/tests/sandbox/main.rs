//! The sandbox, really run: as root where the tests are, and as an unprivileged user (`unprivileged.rs` runs all other
//! tests of this program again under setpriv).
#![expect(clippy::unwrap_used, reason = "the functions here belong to tests")]

mod ends;
mod fixture;
mod isolation;
mod layers;
mod limits;
mod streams;
mod unprivileged;
