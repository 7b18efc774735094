//! The definition of a distribution: TOML files to one [`Distro`] value.
//!
//! The vocabulary is that of Azure Linux 4's own tree (`azldev.toml` and what it includes), with a few words of ours:
//! `origin`, `[stage0]`, images of type `slipway`. Every key of every table is listed with its meaning in
//! [`mod@reference`], from which the reference page is written. All problems of a load are reported at once, each with
//! file, line and column.

mod component;
pub mod consistency;
mod diagnostic;
mod distribution;
mod glob;
mod group;
mod image;
mod load;
mod lock;
pub mod lookaside;
pub mod moment;
pub mod overlay;
mod pattern;
mod project;
pub mod query;
mod reader;
pub mod reference;
pub mod render;
pub mod resource;
pub mod schema;
pub mod settings;
mod shared_lock;
mod stage0;
mod suite;

pub use component::{
    BuildOptions, Check, Component, ComponentOrigin, FileOrigin, Hash, Publish, ReleaseCalculation, SourceFile,
    SourceSignature, SpecSource, Upstream,
};
pub use diagnostic::{Diagnostic, Diagnostics, Located, Position, Severity, nearest};
pub use distribution::{Distribution, Input, Version};
pub use glob::matches as glob_matches;
pub use group::{Channels, ComponentGroup, PACKAGE_WORDS, PackageGroup, PackagePublish, is_debuginfo};
pub use image::{ForeignImage, Image, ImageDefinition, ImageFacts, Initrd, Partition, PartitionType, System};
pub use load::{Distro, Locks, Reason, load, load_with};
pub use lock::{Lock, LockFacts, LockedSource};
pub use overlay::{Overlay, OverlayKind};
pub use pattern::Pattern;
pub use project::Project;
pub use query::Query;
pub use shared_lock::{LockedMacros, LockedStage0, SharedLock};
pub use stage0::{Stage0, Stage0Command};
pub use suite::{Runner, TestSuite};
