//! Repositories over the network, and packages in a root: what a machine does from end to end.

mod groups;
mod refusals;
mod repository;
mod syncing;
mod transactions;
