//! Overlays: what a distribution changes in an upstream spec, and in the files beside it.
//!
//! A [`Folder`] is a spec and its files as values; [`apply`] makes one from another, all overlays or none. There are two
//! families of [`Operation`]s. The *original* kinds mean what they mean in azldev (`internal/rpm/spec/edit.go`,
//! `internal/app/azldev/core/sources/overlays.go`), its traps included, because trees rely on them. They see lines. The *typed*
//! kinds are ours: they see the parts of a [`crate::syntax::Document`], know macros, packages and conditionals, and refuse when
//! a spec has not the shape that they need. A typed kind whose wish is fulfilled already fails too, and says so: an overlay
//! that changes nothing is one to remove.
//!
//! [`Applied`] says which bytes each overlay changed, and nothing else differs from upstream.
//!
//! ```
//! use spec::overlay::{Folder, Operation, Overlay, apply};
//!
//! let upstream = Folder::new("a.spec", "Name: a\n%global with_x 1\nVersion: 1\n");
//! let set = Operation::SetMacro { name: "with_x".into(), value: "0".into() };
//! let applied = apply(&upstream, &[Overlay::new(set)])?;
//! assert_eq!(applied.folder.spec, "Name: a\n%global with_x 0\nVersion: 1\n");
//! assert_eq!(applied.steps[0].changed_bytes("a.spec"), 1);
//! # Ok::<(), spec::overlay::OverlayError>(())
//! ```

mod apply;
mod error;
mod folder;
mod holds;
mod nearest;
mod operation;
mod original;
mod provenance;
mod typed;
mod view;
mod wildcard;

pub use apply::{Applied, Step, apply};
pub use error::{Failure, OverlayError, Problem, Seen};
pub use folder::Folder;
pub use holds::holds;
pub use operation::{Operation, Overlay, Scope, Search};
pub use provenance::{Change, Hunk, Provenance, Span};
pub use typed::DEPENDENCY_TAGS;
