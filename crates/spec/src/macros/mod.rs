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
mod lua_interpreter;
mod lua_library;
mod lua_loops;
mod lua_patterns;
mod memo;
mod scan;
mod string;
mod table;

pub(crate) use builtin::Builtin;
pub(crate) use engine::{Engine, KnownSource, Outcome};
pub(crate) use expand::Output;
pub(crate) use lua_interpreter::Interpreter;
pub(crate) use scan::{Nesting, macro_end};
pub(crate) use table::Level;
pub use table::{Macro, Macros};
