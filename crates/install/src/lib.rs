//! A root filesystem filled with packages and changed by them, as rpm would do it, without root.
//!
//! [`fill`] takes package files and returns an [`Installed`]: a [`tree::Tree`] that knows the true owner and mode of each
//! path, and where the bytes are. [`change()`] does the same to a root that exists: it installs, upgrades and erases. The
//! steps are rpm's own, in its order:
//!
//! 1. each package is unpacked once into the store, whatever roots it goes into; what takes the place of what, and what
//!    forbids it, is looked up in the database of the root;
//! 2. the packages are ordered so that each comes after what it requires ([`order`](crate::order()));
//! 3. what is to become of each file is decided before anything is touched;
//! 4. for each package that comes: the accounts of its sysusers files, `%pre`, its files, file triggers, `%post`, triggers;
//!    for each that goes: triggers, `%preun`, its files, `%postun`, triggers;
//! 5. at the end `%posttrans` and the transaction file triggers, then the database of installed packages.
//!
//! Scriptlets run in a sandbox over what was installed so far; what they change is taken back into the tree. Those in Lua
//! run in this process and see nothing but the tree.

mod accounts;
mod capabilities;
mod change;
mod checks;
mod contents;
mod directory;
mod element;
mod error;
mod facts;
mod fate;
mod files;
mod history;
mod installed;
pub mod live;
mod lua;
mod order;
mod repository;
mod scriptlets;
mod site;
mod solvables;
mod transaction;
mod triggers;
mod workspace;

pub use change::{Allowances, Change, Filters};
pub use contents::Contents;
pub use directory::{Sharing, write_directory};
pub use error::{InstallError, Problem};
pub use history::{HistoryAction, HistoryChange, HistoryEntry, history};
pub use order::order;
pub use repository::{Repository, RepositoryError};
pub use solvables::{SolvablesError, solvables};
pub use transaction::{DATABASE, Installed, Options, PackageFile, ScriptletRun, change, fill, run_in};
