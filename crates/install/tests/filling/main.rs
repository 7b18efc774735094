//! Filling a root with packages that are made here, judged by what is expected and by what rpm does with the same packages.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod changing;
mod conflicts;
mod contents;
mod live;
mod lua;
mod oracle;
mod scriptlets;
mod universe;
mod yard;
