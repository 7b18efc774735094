//! The macro language: definitions, expansion, expressions, built-ins.
//!
//! A [`Macros`] is what macro files define; it is built once and shared. An evaluation works on an [`Engine`], which lays
//! its own definitions over a shared [`Macros`].
//!
//! Source: rpm's manual, `docs/manual/macros.md`; where it is silent, what rpm 6 does.

mod arguments;
mod builtin;
mod define;
mod engine;
mod expand;
mod expression;
mod file;
mod hash;
mod lua;
mod lua_files;
mod lua_library;
mod memo;
mod scan;
mod string;
mod table;

pub(crate) use builtin::Builtin;
pub(crate) use engine::{Engine, KnownSource, Outcome};
pub(crate) use expand::Output;
pub(crate) use scan::{Nesting, macro_end};
pub(crate) use table::Level;
pub use table::{Macro, Macros};

/// Expands a text by the environment's macros, as `rpm -E` does it.
///
/// # Errors
/// The first thing that is not so, with its place and the macros that led there.
pub fn expand(
    text: &str,
    origin: &crate::Origin,
    environment: &crate::Environment,
) -> Result<String, crate::SpecError> {
    let engine = Engine::new(environment, origin);
    engine.set_position(crate::Position::line(origin.clone(), 1));
    engine.expand_text(text).map_err(|error| *error)
}
