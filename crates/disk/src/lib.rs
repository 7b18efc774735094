//! Disk layouts written byte for byte: partition tables, file systems, boot images, disk formats.
//!
//! Floor 1: pure. Every writer takes values and a `Write + Seek`, needs no privilege, no device and no mount, and gives equal
//! bytes for equal input. Outputs are taken to read as zeros where nothing was written yet (a new file, a fresh
//! [`Section`] of one), and zeros are not written: images stay sparse.
//!
//! - [`gpt`]: the partition table around everything
//! - [`fat`]: the EFI system partition
//! - [`ext4`]: the root file system, from a [`tree::Tree`]
//! - [`uki`]: kernel, initrd and command line as one UEFI program
//! - [`qcow2`]: a raw image as QEMU's sparse, compressed format

pub mod ext4;
pub mod fat;
pub mod gpt;
pub mod qcow2;
mod section;
pub mod uki;
mod uuid;

pub use section::Section;
pub use uuid::{Uuid, UuidError};
