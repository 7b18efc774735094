use host::Host;

use crate::config::Config;
use crate::keys::KeyOffer;

/// What everything here acts with.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    /// Programs, locks.
    pub host: &'a Host,
    /// What is configured.
    pub config: &'a Config,
    /// Seconds since 1970.
    pub now: u64,
    /// Whether a key is taken in.
    pub consent: &'a dyn Fn(&KeyOffer) -> bool,
    /// Tells somebody something while work goes on.
    pub note: &'a dyn Fn(&str),
}
