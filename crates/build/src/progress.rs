use std::time::Duration;

use crate::logs::Stage;

/// What happens, told as it happens. Threads tell at once; the receiver prints.
pub trait Progress: Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: Event<'_>) {}
}

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// Preparing stage0 or fetching sources: `done` of `total` steps of `what` (`download`, `unpack`, `link`).
    Preparing {
        /// What is done.
        what: &'a str,
        /// Steps done.
        done: usize,
        /// Steps in all.
        total: usize,
    },
    /// A component's build went on.
    Component {
        /// The component.
        name: &'a str,
        /// What it does now.
        state: State<'a>,
        /// Since its build started.
        elapsed: Duration,
    },
}

/// Where a component's build is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State<'a> {
    /// Its root is put together.
    Root,
    /// rpmbuild is in this part.
    Stage(Stage),
    /// Its packages are there; nothing had to be built.
    Cached,
    /// Its packages were built.
    Built,
    /// It did not build, or was interrupted.
    Failed,
    /// It is not tried, since this one did not build.
    Waiting {
        /// The component that failed.
        on: &'a str,
    },
}
