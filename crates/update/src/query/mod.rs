//! Questions about a [`crate::Sack`]: which packages match, what they need, and how they are shown.

pub mod advisories;
pub mod checks;
pub mod filter;
pub mod format;
pub mod glob;
pub mod matching;
pub mod spec;
pub mod updates;
