//! A root filesystem as a value.
//!
//! A [`Tree`] says what is at each path: owner, mode, times, extended attributes and the digest of the content. It is
//! never a directory that somebody has to own as root. Packages merge into it; disk, initrd and archive writers read
//! it; equal trees give equal bytes. The bytes of files stay where a [`pkg::Blobs`] finds them.
//!
//! - [`TreePath`], [`Node`], [`Kind`], [`Meta`]: the words.
//! - [`Tree`]: insert, remove, look up through symbolic links, differ.
//! - [`cpio`]: the `newc` archive that the kernel unpacks as an initrd.
//! - [`directory`]: to and from a directory of the machine, without root.

pub mod cpio;
mod diff;
pub mod directory;
mod node;
mod path;
mod resolve;
mod root;

pub use diff::Change;
pub use node::{Kind, Meta, Node};
pub use path::{PathError, TreePath};
pub use resolve::ResolveError;
pub use root::{InsertError, Tree};
