//! For tests only: packages made at test time, so that no binary lies in the repository.
//!
//! [`packages`] is a small family of RPMs, one for each thing that filling a root must get right. [`server`] does wrong in
//! every way that HTTP allows. `tests/house.rs` compares
//! the workspace's crates and their dependencies with the plan of the floors.

pub mod packages;
pub mod server;
