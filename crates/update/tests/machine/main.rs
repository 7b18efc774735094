//! Repositories over the network, and packages in a root: what a machine does from end to end.

mod repository;
mod server;
mod syncing;
mod transactions;
