//! Debian as the source of stage0 and of upstream tarballs: its archive through apt, its packages read natively.

mod apt;
mod deb;
mod machine;
mod uris;

pub use apt::{Apt, Refresh};
pub use deb::{DebError, unpack};
pub(crate) use deb::{Folders, MERGED, merged};
pub use machine::{Archive, archive};
pub use uris::Remote;
