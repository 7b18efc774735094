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
mod decisions;
mod engine;
mod explain;
mod formula;
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

/// Finds packages that satisfy `request`: the best by the policy, not one more than is wanted.
///
/// # Errors
/// [`Unsolvable`] when there are none: facts that contradict one another, each of them needed for that, and what would help.
pub fn resolve(universe: &Universe, request: &Request) -> Result<Solution, Unsolvable> {
    let mut solution = attempt(universe, request).map_err(|failed| {
        let mut unsolvable = explain::explain(&failed.search.rules, &failed.engine, &failed.core);
        unsolvable.remedies = remedy::remedies(universe, request, &unsolvable.facts);
        unsolvable
    })?;
    autoremove::autoremove(universe, request, &mut solution);
    Ok(solution)
}

/// The paths that answering `request` asks for and that only filelists can tell; none where primary suffices.
///
/// Tell them by [`Universe::add_paths`] and ask again, until there are none: then [`resolve`].
pub fn missing_paths(universe: &Universe, request: &Request) -> Vec<String> {
    let mut engine = engine::Engine::default();
    let mut search = search::Search::new(rules::Rules::new(scope::Scope::new(universe, request)));
    let _ = engine.search(&mut search);
    search.rules.unknown_paths.into_iter().collect()
}

/// A search that found nothing.
struct Failed<'a> {
    search: search::Search<'a>,
    engine: engine::Engine,
    core: Vec<engine::RuleId>,
}

fn attempt<'a>(universe: &'a Universe, request: &'a Request) -> Result<Solution, Box<Failed<'a>>> {
    let mut surplus = Vec::new();
    let solution = search(universe, request, &surplus)?;
    // What comes beside others may push out the oldest of them.
    surplus.extend(limit::surplus(universe, request, &solution));
    match surplus.is_empty() {
        true => Ok(solution),
        false => Ok(search(universe, request, &surplus).unwrap_or(solution)),
    }
}

fn search<'a>(
    universe: &'a Universe,
    request: &'a Request,
    surplus: &[PackageId],
) -> Result<Solution, Box<Failed<'a>>> {
    let mut engine = engine::Engine::default();
    let mut rules = rules::Rules::new(scope::Scope::new(universe, request));
    rules.surplus = surplus.to_vec();
    let mut search = search::Search::new(rules);
    match engine.search(&mut search) {
        Ok(()) => Ok(Solution::new(&search, &engine)),
        Err(core) => Err(Box::new(Failed { search, engine, core })),
    }
}
