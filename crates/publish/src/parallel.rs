//! Work on many things, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Gives out the numbers below a bound, each once.
pub(crate) struct Queue {
    next: AtomicUsize,
    count: usize,
}

impl Queue {
    /// A number that nobody else gets; `None` when all are given out, or something failed.
    pub(crate) fn take(&self) -> Option<usize> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.count).then_some(number)
    }

    fn close(&self) {
        self.next.store(self.count, Ordering::Relaxed);
    }
}

/// What one worker has done.
pub(crate) struct Done<'a, T, E> {
    results: Vec<(usize, Result<T, E>)>,
    queue: &'a Queue,
}

impl<T, E> Done<'_, T, E> {
    /// Adds a result; after an error no more are begun.
    pub(crate) fn push(&mut self, number: usize, result: Result<T, E>) {
        if result.is_err() {
            self.queue.close();
        }
        self.results.push((number, result));
    }
}

/// Lets `work` take numbers below `count` on each core until none is left; gives the results in the numbers' order.
///
/// # Errors
/// The first in that order, of what was begun.
pub(crate) fn on_all_cores<T: Send, E: Send>(
    count: usize,
    work: impl Fn(&Queue, &mut Done<'_, T, E>) + Sync,
) -> Result<Vec<T>, E> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(count).max(1);
    let queue = Queue { next: AtomicUsize::new(0), count };
    let mut results: Vec<(usize, Result<T, E>)> = std::thread::scope(|scope| {
        let run = || {
            let mut done = Done { results: Vec::new(), queue: &queue };
            work(&queue, &mut done);
            done.results
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(run)).collect();
        let joined = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
