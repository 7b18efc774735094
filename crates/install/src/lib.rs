//! A root filesystem filled with packages, as rpm would fill it, without root.
//!
//! [`fill`] takes package files and returns an [`Installed`]: a [`tree::Tree`] that knows the true owner and mode of each
//! path, and where the bytes are. The steps are rpm's own, in its order:
//!
//! 1. the packages are ordered so that each comes after what it requires ([`order`](crate::order()));
//! 2. each is unpacked once into the store, whatever roots it goes into;
//! 3. for each: the accounts of its sysusers files, `%pre`, its files, file triggers, `%post`;
//! 4. at the end `%posttrans` and the transaction file triggers, then the database of installed packages.
//!
//! Scriptlets run in a sandbox over what was installed so far; what they change is taken back into the tree.

mod accounts;
mod capabilities;
mod contents;
mod error;
mod merge;
mod order;
mod repository;
mod scriptlets;
mod transaction;
mod workspace;

pub use contents::Contents;
pub use error::InstallError;
pub use order::order;
pub use repository::{Repository, RepositoryError};
pub use transaction::{Installed, Options, PackageFile, ScriptletRun, fill, run_in};
