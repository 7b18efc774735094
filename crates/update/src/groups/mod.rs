//! Groups and environments of packages (comps): what repositories have, what was installed, and how it changes.
//!
//! What was installed is kept in `PERSISTDIR/groups.json`: of each group why it is there, which packages came with it, and
//! its description of that time, so that an upgrade knows what is new in it. Source of the rules: libdnf5, `goal.cpp`.

mod available;
mod change;
mod installed;
mod plan;

pub use available::{Available, load, means, order};
pub use change::{Change, State};
pub use installed::{Environment, Group, InstalledGroups, Kind};
pub use plan::{Asked, Plan, plan};
pub use repodata::comps::Comps;

#[cfg(test)]
mod tests;
