//! What the commands of `slipway dnf` say and do: the whole program, with repositories in folders and roots in folders.

mod offline;
mod place;
