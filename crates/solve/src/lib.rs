//! Dependency solving by rpm's rules, and why not.
//!
//! [`resolve`] answers a [`Request`] over a [`Universe`] of packages with a [`Solution`], or says in [`Unsolvable`] which
//! facts contradict one another. Pure and deterministic: equal packages and request give the equal answer, whatever the
//! packages' order.
//!
//! What the words mean (source: rpm's dependency matching, `lib/rpmds.cc` and `lib/depends.cc`; libsolv with rpm's
//! disttype where rpm leaves a choice):
//! - A versioned requirement needs a provide whose range overlaps; a provide without version satisfies any. A package
//!   provides its name in its version, and its files.
//! - `Conflicts` match what others provide, never what the package itself does. `Obsoletes` match names, not provides.
//! - One version of a name at a time, other than for [`Request::several`] and packages of two machine architectures.
//! - Rich dependencies speak of the packages that will be there. `with` and `without` speak of one package.
//! - `Recommends` and `Supplements` are followed after everything required is settled, and where they cannot be followed
//!   they are not. `Suggests` and `Enhances` only turn choices.
//! - `rpmlib(...)` is what rpm itself can do and always satisfied.
//!
//! Which candidate is tried first: see the module `policy`. The search: see the module `engine`.

mod autoremove;
mod cache;
mod column;
mod decisions;
mod engine;
mod explain;
mod formula;
mod index;
mod limit;
mod literal;
mod package;
mod policy;
mod remedy;
mod request;
mod rich;
mod rules;
mod scope;
mod search;
mod solution;
mod strings;
mod table;
mod universe;

pub use cache::CacheError;
pub use explain::{Fact, Near, Replacement, Unsolvable, Who};
pub use package::{Package, PackageId, Reason};
pub use remedy::Remedy;
pub use request::{Allowed, Autoremove, Best, Request, Upgrade};
pub use rich::{Rich, RichError};
pub use scope::Hidden;
pub use solution::{Because, Change, Solution};
pub use table::{Identity, Kind, Table, TableBuilder, TableError, Version};
pub use universe::{Paths, Source, Universe};

/// What [`answer`] comes to.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Packages.
    Solution(Solution),
    /// First it has to be known who has these paths, which only filelists can tell.
    Paths(Vec<String>),
}

/// Finds packages that satisfy `request`: the best by the policy, not one more than is wanted.
///
/// # Errors
/// [`Unsolvable`] when there are none: facts that contradict one another, each of them needed for that, and what would help.
pub fn resolve(universe: &Universe<'_>, request: &Request) -> Result<Solution, Unsolvable> {
    told(universe, request, search(universe, request, &[]))
}

/// As [`resolve`], unless the answer takes paths that only filelists can tell, and nobody told yet.
///
/// Tell them by [`Universe::add_paths`] and ask again. Where primary suffices nothing is searched twice.
///
/// # Errors
/// As [`resolve`].
pub fn answer(universe: &Universe<'_>, request: &Request) -> Result<Answer, Unsolvable> {
    let found = search(universe, request, &[]);
    let rules = match &found {
        Ok(found) => &found.search.rules,
        Err(failed) => &failed.search.rules,
    };
    match rules.unknown_paths.is_empty() {
        true => told(universe, request, found).map(Answer::Solution),
        false => Ok(Answer::Paths(rules.unknown_paths.iter().cloned().collect())),
    }
}

/// The paths that answering `request` asks for and that only filelists can tell; none where primary suffices.
///
/// Tell them by [`Universe::add_paths`] and ask again, until there are none: then [`resolve`].
pub fn missing_paths(universe: &Universe<'_>, request: &Request) -> Vec<String> {
    match answer(universe, request) {
        Ok(Answer::Paths(paths)) => paths,
        _ => Vec::new(),
    }
}

/// A search that found packages.
struct Found<'a> {
    search: search::Search<'a>,
    engine: engine::Engine,
}

/// A search that found nothing.
struct Failed<'a> {
    search: search::Search<'a>,
    engine: engine::Engine,
    core: Vec<engine::RuleId>,
}

type Searched<'a> = Result<Found<'a>, Box<Failed<'a>>>;

fn search<'a>(universe: &'a Universe<'a>, request: &'a Request, surplus: &[PackageId]) -> Searched<'a> {
    let mut engine = engine::Engine::default();
    let mut rules = rules::Rules::new(scope::Scope::new(universe, request));
    rules.surplus = surplus.to_vec();
    let mut search = search::Search::new(rules);
    match engine.search(&mut search) {
        Ok(()) => Ok(Found { search, engine }),
        Err(core) => Err(Box::new(Failed { search, engine, core })),
    }
}

/// What was found, or why nothing was.
fn told<'a>(universe: &'a Universe<'a>, request: &'a Request, found: Searched<'a>) -> Result<Solution, Unsolvable> {
    let mut solution = within_limits(universe, request, found).map_err(|failed| {
        let mut unsolvable = explain::explain(&failed.search.rules, &failed.engine, &failed.core);
        unsolvable.remedies = remedy::remedies(universe, request, &unsolvable.facts);
        unsolvable
    })?;
    autoremove::autoremove(universe, request, &mut solution);
    Ok(solution)
}

fn attempt<'a>(universe: &'a Universe<'a>, request: &'a Request) -> Result<Solution, Box<Failed<'a>>> {
    within_limits(universe, request, search(universe, request, &[]))
}

fn within_limits<'a>(
    universe: &'a Universe<'a>,
    request: &'a Request,
    found: Searched<'a>,
) -> Result<Solution, Box<Failed<'a>>> {
    let solution = found.map(|found| Solution::new(&found.search, &found.engine))?;
    // What comes beside others may push out the oldest of them.
    let surplus = limit::surplus(universe, request, &solution);
    match surplus.is_empty() {
        true => Ok(solution),
        false => {
            let again = search(universe, request, &surplus);
            Ok(again.map(|found| Solution::new(&found.search, &found.engine)).unwrap_or(solution))
        }
    }
}
