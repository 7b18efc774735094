//! What the commands of `slipway dnf` say and do: the whole program, with repositories in folders and roots in folders.

mod changes;
mod offline;
mod place;
mod questions;
mod repositories;
