//! The package file of rpm, read and written natively, and the database of installed packages.
//!
//! ```text
//! lead        96 bytes, only its magic and its kind still mean something
//! signature   a header: digests and OpenPGP signatures over what follows; padded to 8 bytes
//! header      a header: everything that is known of the package, its table of files included
//! payload     a compressed cpio archive with the bytes of the files
//! ```
//!
//! [`Package::read`] reads all but the payload; [`Package::payload`] then streams the files. Nothing here needs more memory
//! than the two headers and the decompressor's window. No input is trusted: counts and offsets are checked before use, and
//! what a package unpacks to is bounded by the sizes in its header.

pub mod base64;
mod changelog;
mod checksum;
pub mod db;
mod dependency;
mod difference;
mod file;
mod header;
mod lead;
mod package;
mod payload;
pub mod policy;
mod query;
mod resign;
mod scriptlet;
mod tag;
mod trigger;
mod unpack;
mod verify;
pub mod write;

pub use changelog::ChangelogEntry;
pub use checksum::{Algorithm, Checksum, Checksummer};
pub use dependency::{Dependency, DependencyKind, Sense};
pub use difference::{Difference, differences};
pub use file::{FileEntry, FileFlags, FileKind, FilesError};
pub use header::{Header, HeaderBuilder, HeaderError, Value, ValueKind};
pub use lead::Lead;
pub use package::{Package, PackageError};
pub use payload::{Compression, Item, Payload, PayloadError};
pub use query::is_tag_name;
pub use resign::{ResignError, sign};
pub use scriptlet::{Scriptlet, ScriptletFlags, ScriptletKind};
pub use tag::{Tag, signature};
pub use trigger::{Trigger, TriggerCondition, TriggerScope, TriggerWhen};
pub use unpack::{UnpackError, Unpacked, row_name, unpack, unpack_at, unpack_rows};
pub use verify::DigestError;
