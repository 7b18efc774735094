//! Many components built after a graph, several at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use host::Host;
use pkg::Digest;
use store::Store;

use crate::run::{Built, Effort};
use crate::{BuildError, Event, Job, Progress, State, run};

/// Seconds that a component is taken to need when none of its builds was timed.
const UNKNOWN_S: u64 = 30;

/// Which components are built, and which of them each one waits for.
///
/// Names that are waited for and not in the graph themselves are taken to be there already. The graph has no cycle: `plan` sees to that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// Component to the components whose packages it needs.
    pub after: BTreeMap<String, BTreeSet<String>>,
}

/// What became of every component of a graph.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Those whose packages are there.
    pub built: BTreeMap<String, Built>,
    /// Those that did not build.
    pub failed: BTreeMap<String, BuildError>,
    /// Those that were not tried: name to the failed components that they wait for, directly or not.
    /// Nothing failed for those that an interruption kept from being tried.
    pub waiting: BTreeMap<String, BTreeSet<String>>,
    /// Whether the user asked to stop.
    pub interrupted: bool,
}

impl Outcome {
    /// Whether all were built.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.waiting.is_empty() && !self.interrupted
    }
}

/// Makes the job of a component, once everything it waits for is built: name, and all that was built so far.
pub type MakeJob<'a> = dyn Fn(&str, &BTreeMap<String, Built>) -> Result<Job, BuildError> + Sync + 'a;

/// Builds a component: name, and all that was built so far.
type Work<'a> = dyn Fn(&str, &BTreeMap<String, Built>) -> Result<Built, BuildError> + Sync + 'a;

/// Builds every component of `graph`, `parallel` at once, those first on which the longest chain waits.
///
/// The failure of one leaves those running that do not need it.
pub fn all(
    graph: &Graph,
    parallel: usize,
    make: &MakeJob<'_>,
    host: &Host,
    store: &Store,
    progress: &dyn Progress,
) -> Outcome {
    let effort = Effort::suitable(host, parallel);
    let work =
        |name: &str, built: &BTreeMap<String, Built>| run::build(&make(name, built)?, &effort, host, store, progress);
    let duration = |name: &str| {
        let recorded = store.record("duration", &Digest::of(name.as_bytes()))?;
        std::str::from_utf8(&recorded).ok()?.trim().parse().ok()
    };
    let interrupted = || host.interrupted();
    drive(graph, parallel, &duration, &work, &interrupted, progress)
}

struct Yard {
    ready: BTreeSet<(std::cmp::Reverse<u64>, String)>,
    blocked: BTreeMap<String, BTreeSet<String>>,
    running: usize,
    outcome: Outcome,
}

/// The scheduler, apart from what it schedules.
fn drive(
    graph: &Graph,
    parallel: usize,
    duration: &dyn Fn(&str) -> Option<u64>,
    work: &Work<'_>,
    interrupted: &(dyn Fn() -> bool + Sync),
    progress: &dyn Progress,
) -> Outcome {
    let chain = chains(graph, duration);
    let priority = |name: &str| std::cmp::Reverse(chain.get(name).copied().unwrap_or_default());
    let mut yard = Yard { ready: BTreeSet::new(), blocked: BTreeMap::new(), running: 0, outcome: Outcome::default() };
    for (name, after) in &graph.after {
        let needs: BTreeSet<String> = after.iter().filter(|other| graph.after.contains_key(*other)).cloned().collect();
        if needs.is_empty() {
            yard.ready.insert((priority(name), name.clone()));
        } else {
            yard.blocked.insert(name.clone(), needs);
        }
    }
    let (yard, changed) = (Mutex::new(yard), Condvar::new());
    std::thread::scope(|scope| {
        for _ in 0..parallel.max(1) {
            scope.spawn(|| {
                let mut held = lock(&yard);
                loop {
                    if interrupted() {
                        held.outcome.interrupted = true;
                        break;
                    }
                    let Some((_, name)) = held.ready.pop_first() else {
                        if held.running == 0 {
                            break;
                        }
                        held = changed.wait(held).unwrap_or_else(PoisonError::into_inner);
                        continue;
                    };
                    held.running += 1;
                    let so_far = held.outcome.built.clone();
                    drop(held);
                    let result = work(&name, &so_far);
                    held = lock(&yard);
                    held.running -= 1;
                    match result {
                        Ok(built) => held.finish(name, built, &priority),
                        Err(BuildError::Interrupted) => held.outcome.interrupted = true,
                        Err(error) => held.fail(name, error, progress),
                    }
                    changed.notify_all();
                }
                changed.notify_all();
            });
        }
    });
    let mut yard = yard.into_inner().unwrap_or_else(PoisonError::into_inner);
    for name in yard.blocked.into_keys().chain(yard.ready.into_iter().map(|(_, name)| name)) {
        yard.outcome.waiting.entry(name).or_default();
    }
    // Components that an interruption cut short were taken off every list.
    for name in graph.after.keys() {
        if !yard.outcome.built.contains_key(name) && !yard.outcome.failed.contains_key(name) {
            yard.outcome.waiting.entry(name.clone()).or_default();
        }
    }
    yard.outcome
}

fn lock(yard: &Mutex<Yard>) -> MutexGuard<'_, Yard> {
    yard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Yard {
    fn finish(&mut self, name: String, built: Built, priority: &dyn Fn(&str) -> std::cmp::Reverse<u64>) {
        for needs in self.blocked.values_mut() {
            needs.remove(&name);
        }
        let free: Vec<String> =
            self.blocked.iter().filter(|(_, needs)| needs.is_empty()).map(|(name, _)| name.clone()).collect();
        for name in free {
            self.blocked.remove(&name);
            self.ready.insert((priority(&name), name));
        }
        self.outcome.built.insert(name, built);
    }

    /// Takes everything off the list that needs `name`, directly or not.
    fn fail(&mut self, name: String, error: BuildError, progress: &dyn Progress) {
        let mut lost = vec![name.clone()];
        while let Some(cause) = lost.pop() {
            let dependents: Vec<String> =
                self.blocked.iter().filter(|(_, needs)| needs.contains(&cause)).map(|(name, _)| name.clone()).collect();
            for dependent in dependents {
                let known = self.outcome.waiting.entry(dependent.clone()).or_default();
                if known.is_empty() {
                    let state = State::Waiting { on: &name };
                    progress.event(Event::Component { name: &dependent, state, elapsed: Duration::ZERO });
                }
                if known.insert(name.clone()) {
                    lost.push(dependent);
                }
            }
        }
        self.outcome.failed.insert(name, error);
    }
}

/// For each component, the seconds of the longest chain that starts with it and runs over those that wait for it.
fn chains(graph: &Graph, duration: &dyn Fn(&str) -> Option<u64>) -> BTreeMap<String, u64> {
    let own: BTreeMap<&str, u64> =
        graph.after.keys().map(|name| (name.as_str(), duration(name).unwrap_or(UNKNOWN_S).max(1))).collect();
    let mut chain: BTreeMap<String, u64> = own.iter().map(|(name, seconds)| ((*name).to_owned(), *seconds)).collect();
    // Each round carries lengths over one edge; without a cycle, as many rounds as components are enough.
    for _ in 0..graph.after.len() {
        let mut settled = true;
        for (name, after) in &graph.after {
            let length = chain.get(name).copied().unwrap_or_default();
            for other in after {
                let through = length + own.get(other.as_str()).copied().unwrap_or_default();
                if let Some(known) = chain.get_mut(other).filter(|known| **known < through) {
                    *known = through;
                    settled = false;
                }
            }
        }
        if settled {
            break;
        }
    }
    chain
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::Silent;

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Graph { after: edges.iter().map(|(name, after)| ((*name).to_owned(), set(after))).collect() }
    }

    fn built(name: &str) -> Built {
        let id = Digest::of(name.as_bytes());
        Built { component: name.to_owned(), id, packages: Vec::new(), log: id, cached: false, seconds: 0 }
    }

    type Order = Mutex<Vec<String>>;

    fn run(graph: &Graph, parallel: usize, fails: &[&str]) -> (Outcome, Vec<String>) {
        let order = Order::default();
        let work = |name: &str, so_far: &BTreeMap<String, Built>| {
            for needed in &graph.after[name] {
                assert!(so_far.contains_key(needed) || !graph.after.contains_key(needed), "{name} before {needed}");
            }
            order.lock().unwrap().push(name.to_owned());
            if fails.contains(&name) { Err(BuildError::NoRoot(name.to_owned())) } else { Ok(built(name)) }
        };
        let duration = |name: &str| (name == "glibc").then_some(300);
        let outcome = drive(graph, parallel, &duration, &work, &|| false, &Silent);
        (outcome, order.into_inner().unwrap())
    }

    const EDGES: &[(&str, &[&str])] = &[
        ("attr", &[]),
        ("acl", &["attr"]),
        ("coreutils", &["acl", "libcap"]),
        ("glibc", &[]),
        ("libcap", &[]),
        ("tzdata", &["elsewhere"]),
    ];

    #[test]
    fn the_longest_chain_goes_first() {
        let (outcome, order) = run(&graph(EDGES), 1, &[]);
        assert!(outcome.is_complete());
        assert_eq!(order, ["glibc", "attr", "acl", "libcap", "coreutils", "tzdata"]);
    }

    #[test]
    fn a_failure_stops_only_what_needs_it() {
        for parallel in [1, 2, 5] {
            let (outcome, order) = run(&graph(EDGES), parallel, &["attr"]);
            assert_eq!(outcome.failed.keys().collect::<Vec<_>>(), ["attr"]);
            assert_eq!(outcome.built.keys().collect::<Vec<_>>(), ["glibc", "libcap", "tzdata"]);
            let on: BTreeSet<String> = ["attr".to_owned()].into();
            assert_eq!(outcome.waiting, [("acl".to_owned(), on.clone()), ("coreutils".to_owned(), on)].into());
            assert_eq!(order.len(), 4);
        }
    }

    #[test]
    fn as_many_run_at_once_as_asked_for() {
        let graph = graph(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])]);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |name: &str, _: &BTreeMap<String, Built>| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(30));
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(built(name))
        };
        assert!(drive(&graph, 2, &|_| None, &work, &|| false, &Silent).is_complete());
        assert_eq!(most.into_inner(), 2);
    }

    #[test]
    fn an_interruption_starts_nothing_more() {
        let stop = AtomicUsize::new(0);
        let work = |name: &str, _: &BTreeMap<String, Built>| {
            if stop.fetch_add(1, Ordering::SeqCst) == 1 { Err(BuildError::Interrupted) } else { Ok(built(name)) }
        };
        let outcome = drive(&graph(EDGES), 1, &|_| None, &work, &|| stop.load(Ordering::SeqCst) >= 2, &Silent);
        assert!(outcome.interrupted && !outcome.is_complete());
        assert_eq!((outcome.built.len(), outcome.waiting.len()), (1, 5));
        assert!(outcome.failed.is_empty());
    }

    #[test]
    fn a_cycle_ends_all_the_same() {
        let (outcome, _) = run(&graph(&[("a", &["b"]), ("b", &["a"]), ("c", &[])]), 2, &[]);
        assert_eq!(outcome.waiting.len(), 2);
    }
}
