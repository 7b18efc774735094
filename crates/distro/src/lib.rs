//! The definition of a distribution: TOML files to one [`Distro`] value.
//!
//! The vocabulary is that of Azure Linux 4's own tree (`azldev.toml` and what it includes), with a few words of ours:
//! `origin`, `[stage0]`, images of type `slipway`. Every key of every table is listed with its meaning in
//! [`mod@reference`], from which the reference page is written. All problems of a load are reported at once, each with
//! file, line and column.

mod component;
mod diagnostic;
mod glob;
mod image;
mod load;
mod lock;
pub mod overlay;
mod pattern;
mod project;
mod reader;
pub mod reference;
mod stage0;

pub use component::{BuildOptions, Check, Component, ComponentOrigin, FileOrigin, Hash, SourceFile, SpecSource};
pub use diagnostic::{Diagnostic, Diagnostics, Located, Position, Severity, nearest};
pub use glob::matches as glob_matches;
pub use image::{Image, ImageDefinition, Initrd, Partition, PartitionType, System};
pub use load::{Distro, Locks, load};
pub use lock::{Lock, LockedSource};
pub use overlay::{Overlay, OverlayKind};
pub use pattern::Pattern;
pub use project::Project;
pub use stage0::{Stage0, Stage0Command};
