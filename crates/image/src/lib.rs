//! Images: packages to a disk that boots.
//!
//! [`assemble`] fills a root and an initrd with packages, finishes both as the definition says, joins kernel, initrd and
//! command line into a unified kernel image, and writes the disk in one pass. Nothing needs root, a loop device or a
//! mount; equal packages and definition give equal bytes, and an image whose inputs did not change is not made again.
//!
//! A kind of image is a file in `kinds/`.

mod error;
mod finish;
mod initrd;
mod kernel;
mod kinds;
mod recipe;

pub use error::ImageError;
pub use kinds::disk::{Built, assemble};
pub use recipe::{Manifest, ManifestPackage, Recipe};
