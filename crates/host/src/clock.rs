//! Monotonic time for progress and statistics, and the time of day for what a machine does to itself. Nothing here may reach
//! an output that is built: results do not depend on the clock.

use std::time::{Duration, Instant};

/// Measures how long something took, by the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    #[must_use]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Seconds since 1970 by the machine's clock: only for what is about now, such as the age of a cache or the time at which a
/// machine was changed. What is built, published or put into an image never asks.
#[must_use]
pub fn unix_now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks for the time of day")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Writes a duration for people: `0.4s`, `12s`, `3m05s`, `1h02m`.
#[must_use]
pub fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{}.{}s", seconds, duration.subsec_millis() / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_for_people() {
        for (millis, text) in [(420, "0.4s"), (12_000, "12s"), (185_000, "3m05s"), (3_725_000, "1h02m")] {
            assert_eq!(human(Duration::from_millis(millis)), text);
        }
    }
}
