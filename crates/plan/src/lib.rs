//! What to build, in which order, and why.
//!
//! [`make`] turns what the specs say into a [`Plan`]: for each component who provides each of its BuildRequires (stage0,
//! a Debian package of the mapping, or another component's package), and an order in which everything needed is there.

mod closure;
mod cycle;
mod error;
mod graph;
mod make;

pub use closure::{BuiltPackage, Unprovided, closure};
pub use error::{CycleLink, PlanError};
pub use graph::{Need, Plan, Provider, Step};
pub use make::{Candidate, CandidatePackage, Requirement, make};
