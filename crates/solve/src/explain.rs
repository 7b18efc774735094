//! Why there is no solution: a set of facts that contradict one another and of which none can be left out.

use std::collections::BTreeSet;
use std::fmt;

use pkg::{Nevra, Relation};

use crate::decisions::Decisions;
use crate::engine::{Branch, Engine};
use crate::literal::Literal;
use crate::rules::{Reason, Rules};
use crate::{Hidden, PackageId, Rich, RichError};

/// Candidates that a sentence names.
const NAMED: usize = 3;

/// The request cannot be satisfied: the facts contradict one another, and without any one of them they would not.
///
/// In the order in which a reader follows them: from the request onwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsolvable {
    /// At least one.
    pub facts: Vec<Fact>,
}

/// Who wants something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The request.
    Request,
    /// A package.
    Package(Nevra),
}

/// One fact of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Something is wanted and only these packages provide it.
    Wants {
        /// Who wants it.
        who: Who,
        /// What.
        relation: Relation,
        /// The packages; never empty.
        candidates: Vec<Nevra>,
    },
    /// Something is wanted that nothing provides.
    Nothing {
        /// Who wants it.
        who: Who,
        /// What.
        relation: Relation,
        /// What comes nearest.
        near: Option<Near>,
    },
    /// Something is wanted by a dependency that cannot be understood.
    Malformed {
        /// Who wants it.
        who: Who,
        /// What is wrong with it.
        cause: RichError,
    },
    /// A package does not go together with others.
    Conflicts {
        /// The package that says so.
        package: Nevra,
        /// What it conflicts with.
        relation: Relation,
        /// The packages that are this.
        others: Vec<Nevra>,
    },
    /// A package replaces another.
    Obsoletes {
        /// The package that says so.
        package: Nevra,
        /// The one that it replaces.
        old: Nevra,
    },
    /// Two packages of one name cannot be there together.
    OneVersion {
        /// The older.
        left: Nevra,
        /// The newer.
        right: Nevra,
    },
    /// An installed package may be replaced by a newer one but not removed.
    Stays {
        /// The package.
        package: Nevra,
    },
}

/// What comes nearest to something that nothing provides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Near {
    /// A package would, but is not seen.
    Hidden {
        /// The package.
        package: Nevra,
        /// Why it is not seen.
        hidden: Hidden,
    },
    /// A package provides another version.
    Other {
        /// The package; the newest of them.
        package: Nevra,
        /// What it provides.
        provided: Relation,
    },
}

/// Explains why the rules of `core` cannot hold together.
pub(crate) fn explain(rules: &Rules<'_>, core: &[crate::engine::RuleId]) -> Unsolvable {
    let core = core.iter().map(|rule| rule.index()).collect();
    let mut facts: Vec<(BTreeSet<PackageId>, Vec<PackageId>, Fact)> = Vec::new();
    for number in smallest(rules, core) {
        let rule = &rules.list[number];
        let when = rule.when().map(|variable| rules.package_of(variable)).collect();
        let present = rule.present().map(|variable| rules.package_of(variable)).collect();
        let fact = fact_of(rules, number);
        // A conditional dependency gives several rules with one meaning.
        if !facts.iter().any(|(_, _, known)| *known == fact) {
            facts.push((when, present, fact));
        }
    }
    // From the request onwards: next is always what speaks of packages that were spoken of.
    let mut known: BTreeSet<PackageId> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(facts.len());
    while !facts.is_empty() {
        let next = facts.iter().position(|(when, _, _)| when.is_subset(&known)).unwrap_or(0);
        let (when, present, fact) = facts.remove(next);
        known.extend(when);
        known.extend(present);
        ordered.push(fact);
    }
    Unsolvable { facts: ordered }
}

/// Leaves out rules until each one left is needed.
fn smallest(rules: &Rules<'_>, mut core: Vec<usize>) -> Vec<usize> {
    // Each run may find a smaller core by itself, which is cheaper than leaving out one by one.
    while let Some(smaller) = contradiction(rules, &core).filter(|smaller| smaller.len() < core.len()) {
        core = smaller;
    }
    let mut place = 0;
    while place < core.len() {
        let mut without = core.clone();
        without.remove(place);
        match contradiction(rules, &without) {
            Some(smaller) => {
                // The needed ones before `place` stay: each contradiction needs them.
                place = smaller.iter().take_while(|number| core[..place].contains(number)).count();
                core = smaller;
            }
            None => place += 1,
        }
    }
    core
}

/// Those of `numbers` that contradict one another, if they do.
fn contradiction(rules: &Rules<'_>, numbers: &[usize]) -> Option<Vec<usize>> {
    let clauses: Vec<Box<[Literal]>> = numbers.iter().map(|number| rules.list[*number].literals.clone()).collect();
    let mut engine = Engine::new(rules.packages.len(), clauses.iter().cloned());
    let core = engine.search(&mut AnyOpen { clauses: &clauses }).err()?;
    Some(core.into_iter().map(|rule| numbers[rule.index()]).collect())
}

/// Guesses whatever satisfies the first rule that is not satisfied.
struct AnyOpen<'a> {
    clauses: &'a [Box<[Literal]>],
}

impl Branch for AnyOpen<'_> {
    fn next(&mut self, decisions: &Decisions) -> Option<Literal> {
        let open = self.clauses.iter().find(|clause| !clause.iter().any(|literal| decisions.is_true(*literal)))?;
        open.iter().find(|literal| !decisions.is_false(**literal)).copied()
    }
}

fn fact_of(rules: &Rules<'_>, number: usize) -> Fact {
    let universe = rules.scope.universe;
    let rule = &rules.list[number];
    let nevra = |id: PackageId| universe.package(id).nevra.clone();
    let nevras = |ids: &mut dyn Iterator<Item = PackageId>| {
        let mut ids: Vec<PackageId> = ids.collect();
        ids.sort_by(|left, right| right.cmp(left));
        ids.into_iter().map(nevra).collect::<Vec<_>>()
    };
    let present = || nevras(&mut rule.present().map(|variable| rules.package_of(variable)));
    match rule.reason {
        Reason::Asked { index } => wants(rules, Who::Request, &rules.scope.request.install[index], present()),
        Reason::Requires { package, index } => {
            wants(rules, Who::Package(nevra(package)), &universe.package(package).requires[index], present())
        }
        Reason::Conflicts { package, index } => {
            let relation = universe.package(package).conflicts[index].clone();
            if let Err(cause) = Rich::of(&relation) {
                return Fact::Malformed { who: Who::Package(nevra(package)), cause };
            }
            let others = rule.when().map(|variable| rules.package_of(variable)).filter(|id| *id != package);
            Fact::Conflicts { package: nevra(package), relation, others: nevras(&mut others.into_iter()) }
        }
        Reason::Obsoletes { package, old, .. } => Fact::Obsoletes { package: nevra(package), old: nevra(old) },
        Reason::OneVersion { left, right } => Fact::OneVersion { left: nevra(left), right: nevra(right) },
        Reason::Stays { package } => Fact::Stays { package: nevra(package) },
    }
}

fn wants(rules: &Rules<'_>, who: Who, relation: &Relation, candidates: Vec<Nevra>) -> Fact {
    match Rich::of(relation) {
        Err(cause) => Fact::Malformed { who, cause },
        Ok(rich) if candidates.is_empty() => {
            let near = rich.relations().into_iter().find_map(|relation| near(rules, relation));
            Fact::Nothing { who, relation: relation.clone(), near }
        }
        Ok(_) => Fact::Wants { who, relation: relation.clone(), candidates },
    }
}

fn near(rules: &Rules<'_>, relation: &Relation) -> Option<Near> {
    let universe = rules.scope.universe;
    let newest = |ids: Vec<PackageId>| {
        ids.into_iter().max_by(|left, right| {
            let evr = |id: &PackageId| &universe.package(*id).nevra.evr;
            evr(left).cmp(evr(right)).then(left.cmp(right))
        })
    };
    if let Some(id) = newest(universe.providers(relation)) {
        let hidden = rules.scope.hidden(id)?;
        return Some(Near::Hidden { package: universe.package(id).nevra.clone(), hidden });
    }
    let id = newest(universe.providers(&Relation::any(&relation.name)))?;
    let package = universe.package(id);
    let provided = package.provides.iter().find(|provided| provided.name == relation.name).cloned();
    let own = || Relation::new(&package.nevra.name, pkg::Condition::Equal, package.nevra.evr.clone());
    Some(Near::Other { package: package.nevra.clone(), provided: provided.unwrap_or_else(own) })
}

impl std::error::Error for Unsolvable {}

impl fmt::Display for Unsolvable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no set of packages satisfies the request")?;
        self.facts.iter().try_for_each(|fact| write!(f, "\n  {fact}"))
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Request => f.write_str("the request"),
            Who::Package(nevra) => write!(f, "`{nevra}`"),
        }
    }
}

fn list(nevras: &[Nevra]) -> String {
    let named: Vec<String> = nevras.iter().take(NAMED).map(|nevra| format!("`{nevra}`")).collect();
    match nevras.len().checked_sub(NAMED) {
        Some(more) if more > 0 => format!("{} and {more} more", named.join(", ")),
        _ => named.join(" or "),
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fact::Wants { who: Who::Request, relation, candidates } => {
                write!(f, "the request asks for `{relation}`: only {}", list(candidates))
            }
            Fact::Wants { who, relation, candidates } => {
                write!(f, "{who} requires `{relation}`: only {}", list(candidates))
            }
            Fact::Nothing { who, relation, near } => {
                let verb = if *who == Who::Request { "asks for" } else { "requires" };
                write!(f, "{who} {verb} `{relation}`, which nothing provides")?;
                match near {
                    Some(Near::Hidden { package, hidden: Hidden::Arch }) => {
                        write!(f, "; `{package}` would, but is for another machine")
                    }
                    Some(Near::Hidden { package, hidden: Hidden::Excluded }) => {
                        write!(f, "; `{package}` would, but is excluded")
                    }
                    Some(Near::Other { package, provided }) => write!(f, "; `{package}` provides `{provided}`"),
                    None => Ok(()),
                }
            }
            Fact::Malformed { who, cause } => write!(f, "{who} cannot be satisfied: {cause}"),
            Fact::Conflicts { package, relation, others } if others.is_empty() => {
                write!(f, "`{package}` conflicts with `{relation}`")
            }
            Fact::Conflicts { package, relation, others } => {
                write!(f, "`{package}` conflicts with `{relation}`, which is {}", list(others))
            }
            Fact::Obsoletes { package, old } => write!(f, "`{package}` replaces `{old}`"),
            Fact::OneVersion { left, right } => {
                write!(f, "`{left}` and `{right}` cannot be there together")
            }
            Fact::Stays { package } => write!(f, "`{package}` is installed and may not be removed"),
        }
    }
}
