use std::cell::Cell;
use std::io;

/// What is to go wrong, for tests: nothing, or something at one change of the file system, counted from 0.
///
/// Each change that a transaction makes to the file system asks [`Faults`] first. Tests let a transaction end at each of them.
#[derive(Debug, Default)]
pub struct Faults {
    /// How many changes there have been.
    count: Cell<u64>,
    fault: Option<(u64, Fault)>,
    is_dead: Cell<bool>,
}

/// How a change of the file system fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process ends before the change, as by `kill -9`: nothing is changed from then on, not to clean up either.
    Death,
    /// The same in the middle of it: of what is written, half arrives.
    Torn,
    /// The disk is full, this once.
    NoSpace,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Faults {
        Faults::default()
    }

    /// `fault` happens at change number `at`.
    pub fn at(at: u64, fault: Fault) -> Faults {
        Faults { fault: Some((at, fault)), ..Faults::default() }
    }

    /// How many changes there have been.
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// Whether the process is taken to have ended.
    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.get()
    }

    /// Before a change: whether it may be. With `Ok(true)` half of it.
    pub(super) fn next(&self) -> io::Result<Whole> {
        let dead = || io::Error::other("the transaction was ended by a test");
        if self.is_dead.get() {
            return Err(dead());
        }
        let number = self.count.replace(self.count.get() + 1);
        match self.fault.filter(|(at, _)| *at == number) {
            None => Ok(Whole::Yes),
            Some((_, Fault::NoSpace)) => Err(io::Error::from(rustix::io::Errno::NOSPC)),
            Some((_, fault)) => {
                self.is_dead.set(true);
                if fault == Fault::Torn { Ok(Whole::Half) } else { Err(dead()) }
            }
        }
    }
}

/// Whether something is written whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    Half,
}
