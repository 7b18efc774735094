//! What acts on this machine: external programs, processes, the sandbox, locks, the clock and the environment.
//!
//! Floor 3. Whoever gets a [`Host`] may run programs; whoever gets none cannot. All `unsafe` of the workspace is in
//! `sys.rs` of this crate, each use with the reason why it holds.
//!
//! - [`Tool`] is the closed list of external programs, [`Cmd`] a call of one of them as a value, [`Host::run`] and
//!   its siblings start it. Children die with the thread that started them and on Ctrl-C.
//! - [`sandbox`] runs untrusted programs (package builds, scriptlets) in namespaces over an overlay of directories.
//! - [`transfer`] fetches one file from one address, by curl.
//! - [`FileBytes`], [`Lock`], [`clock`], [`environment`], [`remove_tree`] and [`is_full`] are the small rest.

mod bytes;
pub mod clock;
mod cmd;
pub mod environment;
mod full;
mod interrupt;
mod lines;
mod lock;
mod machine;
mod process;
mod remove;
pub mod sandbox;
pub mod sha256;
mod sys;
mod tool;
pub mod transfer;

pub use bytes::FileBytes;
pub use cmd::{Cmd, Stdin};
pub use full::is_full;
pub use lock::{Lock, LockError, RecordLock};
pub use machine::{Cgroups, Host, HostError};
pub use process::{Output, RunError, Running, Sink, Status, Stream};
pub use remove::remove_tree;
pub use tool::{MissingTool, Tool};
