//! Dependency solving by rpm's rules, and why not.
//!
//! [`resolve`] answers a [`Request`] over a [`Universe`] of packages with a [`Solution`], or says in [`Unsolvable`] which
//! facts contradict one another. Pure and deterministic: equal packages and request give the equal answer, whatever the
//! packages' order.
//!
//! What the words mean (source: rpm's dependency matching, `lib/rpmds.cc` and `lib/depends.cc`; libsolv with rpm's
//! disttype where rpm leaves a choice):
//! - A versioned requirement needs a provide whose range overlaps; a provide without version satisfies only requirements
//!   without one. A package provides its name in its version, and its files.
//! - `Conflicts` match what others provide, never what the package itself does. `Obsoletes` match names, not provides.
//! - One version of a name at a time, other than for [`Request::several`] and packages of two machine architectures.
//! - Rich dependencies speak of the packages that will be there. `with` and `without` speak of one package.
//! - `Recommends` and `Supplements` are followed after everything required is settled, and where they cannot be followed
//!   they are not. `Suggests` and `Enhances` only turn choices.
//! - `rpmlib(...)` is what rpm itself can do and always satisfied.
//!
//! Which candidate is tried first: see the module `policy`. The search: see the module `engine`.

mod decisions;
mod engine;
mod explain;
mod formula;
mod literal;
mod package;
mod policy;
mod request;
mod rich;
mod rules;
mod scope;
mod search;
mod solution;
mod universe;
mod watches;

pub use explain::{Fact, Near, Unsolvable, Who};
pub use package::{Package, PackageId};
pub use request::{Request, Upgrade};
pub use rich::{Rich, RichError};
pub use scope::Hidden;
pub use solution::{Because, Solution};
pub use universe::Universe;

/// Finds packages that satisfy `request`: the best by the policy, not one more than is wanted.
///
/// # Errors
/// [`Unsolvable`] when there are none: facts that contradict one another, each of them needed for that.
pub fn resolve(universe: &Universe, request: &Request) -> Result<Solution, Unsolvable> {
    let rules = rules::Rules::new(scope::Scope::new(universe, request));
    let clauses = rules.list.iter().map(|rule| rule.literals.clone());
    let mut engine = engine::Engine::new(rules.packages.len(), clauses);
    match engine.search(&mut search::Search::new(&rules)) {
        Ok(()) => Ok(Solution::new(&rules, engine.decisions())),
        Err(core) => Err(explain::explain(&rules, &core)),
    }
}
