//! One package built in a sandbox, and many after a graph.
//!
//! Floor 4. A [`Job`] is everything that goes into the packages of one component; its id is the digest of all that, and
//! what was built under an id once is found again in the store. [`run::build`] puts a root together out of read-only
//! layers (stage0's base, more Debian packages, packages of our own), runs rpmbuild in it as an ordinary user without
//! network, and takes the packages into the store. [`schedule::all`] does so for a graph.
//!
//! ```text
//! Stage0Definition --stage0::prepare--> Stage0
//! [Source]         --sources::fetch---> objects in the store
//! Job              --run::build-------> Built: packages as objects, log
//! ```

pub mod archive;
pub mod debian;
mod error;
mod job;
mod keep;
mod layer;
pub mod logs;
mod progress;
mod root;
pub mod run;
pub mod schedule;
pub mod shell;
pub mod sources;
pub mod stage0;

pub use error::BuildError;
pub use job::{BUILDER_VERSION, Check, File, Job, Options};
pub use keep::keep;
pub use logs::Stage;
pub use progress::{Event, Progress, Silent, State};
pub use root::Root;
pub use run::{Built, Effort, Rpm};
