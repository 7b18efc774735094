//! Repository metadata, "rpm-md": what a package manager reads to know a repository without its packages.
//!
//! ```text
//! repodata/repomd.xml            names the other documents with their digests; the only one that is signed
//! repodata/DIGEST-primary.xml    per package: name, versions, relations, location, and the files that others often require
//! repodata/DIGEST-filelists.xml  per package: all files
//! repodata/DIGEST-other.xml      per package: changelog
//! ```
//!
//! - [`Package`]: everything that primary, filelists and other say of one package.
//! - [`Entry`]: one package's part of the three documents; they are joined without looking at the package again.
//! - [`Documents`]: the three documents of a repository, [`Repomd`]: their index.
//! - [`primary::Reader`], [`filelists::Reader`], [`other::Reader`]: one package at a time, bounded; [`read_packages`]: all.
//! - [`Solvables`], [`filelists::owners`]: what dependency solving needs, several times as fast.
//! - [`updateinfo`], [`comps`]: advisories and groups, read and written; [`Documents::attach`] takes any other document
//!   (modules, and what the future brings) as it is.
//! - [`Compression`], [`decompress`]: gzip and zstd written; gzip, zstd, xz, bzip2 and zchunk read.
//!
//! Pure: bytes to values and back. Output depends on the packages only, and equals what createrepo_c(8) writes for the
//! same facts, byte for byte before compression. Source: createrepo_c's documents; there is no standard but the practice.

mod compression;
pub mod comps;
mod documents;
mod error;
pub mod filelists;
pub mod other;
mod package;
pub mod primary;
mod repomd;
mod repository;
mod scan;
mod solvable;
pub mod updateinfo;
mod xml;
mod zchunk;

pub use compression::{Compression, decompress, decompress_ahead};
pub use documents::{Documents, Entry, Group};
pub use error::ReadError;
pub use package::{
    Algorithm, Change, Checksum, File, FileKind, HeaderRange, Package, PackageId, Requirement, Sizes, is_primary_path,
};
pub use repomd::{Data, Repomd};
pub use repository::read_packages;
pub use solvable::{RelationKind, Solvable, SolvableRelation, Solvables};
