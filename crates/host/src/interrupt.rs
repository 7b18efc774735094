//! Ctrl-C, as a question that long work asks.

use crate::{Host, sys};

impl Host {
    /// From now on SIGINT, SIGTERM and SIGHUP set a flag instead of ending the process: running tools and sandboxes are
    /// killed and report it, other work asks [`Host::interrupted`]. A second signal ends the process at once
    /// (status 130); what it started dies with it.
    ///
    /// The flag is the one process-wide static of Slipway: a signal has no other place to write to.
    pub fn on_interrupt(&self) {
        sys::install_interrupt_handlers();
    }

    /// Whether the user asked to stop.
    #[must_use]
    pub fn interrupted(&self) -> bool {
        sys::interrupted()
    }
}
