//! Why there is no solution: a set of facts that contradict one another and of which none can be left out.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use pkg::{Nevra, Relation};

use crate::engine::{Engine, RuleId, contradiction};
use crate::literal::{Literal, Variable};
use crate::rules::{Reason, Rules};
use crate::{Hidden, Kind, PackageId, Remedy, Rich, RichError};

/// Candidates that a sentence names.
const NAMED: usize = 3;

/// The request cannot be satisfied: the facts contradict one another, and without any one of them they would not.
///
/// In the order in which a reader follows them: from the request onwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsolvable {
    /// At least one.
    pub facts: Vec<Fact>,
    /// Changes of the request, each of which gives it a solution; may be empty.
    pub remedies: Vec<Remedy>,
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
    /// An installed package may not be removed, whatever else may.
    Protected {
        /// The package.
        package: Nevra,
    },
    /// The request erases a package.
    Erased {
        /// What the request names.
        relation: Relation,
        /// The package.
        package: Nevra,
    },
    /// More versions of a name are there than may be.
    Limit {
        /// The oldest.
        package: Nevra,
    },
    /// The request replaces an installed package: only these can take its place.
    Replaces {
        /// The package.
        package: Nevra,
        /// By what.
        by: Replacement,
        /// The packages; empty when there is none.
        candidates: Vec<Nevra>,
    },
    /// A package that would do is not seen.
    Hides {
        /// The package.
        package: Nevra,
        /// Why it is not seen.
        hidden: Hidden,
    },
}

/// By what a request replaces an installed package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// By the best version there is.
    Best,
    /// By an older version.
    Older,
    /// By the same version.
    Same,
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
pub(crate) fn explain(rules: &Rules<'_>, engine: &Engine, core: &[RuleId]) -> Unsolvable {
    let mut facts: Vec<(BTreeSet<PackageId>, Vec<PackageId>, Fact)> = Vec::new();
    for rule in smallest(engine, core) {
        let parts = Parts::of(rules, engine, rule);
        let Some(fact) = fact_of(rules, rule, &parts) else { continue };
        // A conditional dependency gives several rules with one meaning.
        if !facts.iter().any(|(_, _, known)| *known == fact) {
            facts.push((parts.absent.iter().copied().collect(), parts.present, fact));
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
    let hidden = hidden_alternatives(rules, &ordered);
    ordered.extend(hidden);
    Unsolvable { facts: ordered, remedies: Vec::new() }
}

/// What a rule names, in the universe's order.
struct Parts {
    present: Vec<PackageId>,
    absent: Vec<PackageId>,
}

impl Parts {
    fn of(rules: &Rules<'_>, engine: &Engine, rule: RuleId) -> Parts {
        let mut parts = Parts { present: Vec::new(), absent: Vec::new() };
        for literal in engine.rule(rule) {
            let list = if literal.is_positive() { &mut parts.present } else { &mut parts.absent };
            list.push(rules.package_of(literal.variable()));
        }
        parts.present.sort_by_key(|id| rules.scope.universe.rank(*id));
        parts.absent.sort_by_key(|id| rules.scope.universe.rank(*id));
        parts
    }
}

/// Packages that what is wanted would find if they were seen; those for other machines are nobody's news.
fn hidden_alternatives(rules: &Rules<'_>, facts: &[Fact]) -> Vec<Fact> {
    let universe = rules.scope.universe;
    let mut found: Vec<Fact> = Vec::new();
    for fact in facts {
        let Fact::Wants { relation, .. } = fact else { continue };
        if relation.is_rich() {
            continue;
        }
        for id in universe.providers(relation).into_iter().rev() {
            if let Some(hidden @ (Hidden::Excluded | Hidden::Locked)) = rules.scope.hidden(id) {
                let fact = Fact::Hides { package: universe.nevra(id), hidden };
                if found.len() < NAMED && !found.contains(&fact) {
                    found.push(fact);
                }
            }
        }
    }
    found
}

/// Leaves out rules until each one left is needed: from the front and from the back, for the shorter of both.
fn smallest(engine: &Engine, core: &[RuleId]) -> Vec<RuleId> {
    let mut reversed = core.to_vec();
    reversed.reverse();
    let (left, right) = (shrink(engine, core.to_vec()), shrink(engine, reversed));
    let mut shorter = if right.len() < left.len() { right } else { left };
    shorter.sort();
    shorter
}

fn shrink(engine: &Engine, mut core: Vec<RuleId>) -> Vec<RuleId> {
    // Each run may find a smaller core by itself, which is cheaper than leaving out one by one.
    while let Some(smaller) = contradicting(engine, &core).filter(|smaller| smaller.len() < core.len()) {
        core = smaller;
    }
    let mut place = 0;
    while place < core.len() {
        let mut without = core.clone();
        without.remove(place);
        match contradicting(engine, &without) {
            Some(smaller) => {
                // The needed ones before `place` stay: each contradiction needs them.
                place = smaller.iter().take_while(|rule| core[..place].contains(rule)).count();
                core = smaller;
            }
            None => place += 1,
        }
    }
    core
}

/// Those of `rules` that contradict one another, if they do.
fn contradicting(engine: &Engine, rules: &[RuleId]) -> Option<Vec<RuleId>> {
    // Only their own variables, numbered anew.
    let mut numbers: HashMap<Variable, Variable> = HashMap::new();
    let mut clauses: Vec<Vec<Literal>> = Vec::with_capacity(rules.len());
    for rule in rules {
        let mut literals = engine.rule(*rule).to_vec();
        literals.sort();
        let renumber = |literal: Literal| {
            let next = Variable(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
            let variable = *numbers.entry(literal.variable()).or_insert(next);
            if literal.is_positive() { variable.is_true() } else { variable.is_false() }
        };
        clauses.push(literals.into_iter().map(renumber).collect());
    }
    let clauses: Vec<&[Literal]> = clauses.iter().map(Vec::as_slice).collect();
    let core = contradiction(numbers.len(), &clauses)?;
    Some(core.into_iter().map(|number| rules[number]).collect())
}

fn fact_of(rules: &Rules<'_>, rule: RuleId, parts: &Parts) -> Option<Fact> {
    let scope = &rules.scope;
    let universe = scope.universe;
    let nevra = |id: PackageId| universe.nevra(id);
    let present = || parts.present.iter().rev().map(|id| nevra(*id)).collect::<Vec<_>>();
    let replaces = |package, by| Fact::Replaces { package: nevra(package), by, candidates: present() };
    Some(match rules.reason(rule)? {
        Reason::Asked { index } => wants(rules, Who::Request, &scope.request.install[index], present()),
        Reason::Requires { package, relation } => {
            wants(rules, Who::Package(nevra(package)), &universe.table.relation_value(relation), present())
        }
        Reason::Conflicts { package, relation } => {
            let relation = universe.table.relation_value(relation);
            if let Err(cause) = Rich::of(&relation) {
                return Some(Fact::Malformed { who: Who::Package(nevra(package)), cause });
            }
            let others = parts.absent.iter().rev().filter(|id| **id != package).map(|id| nevra(*id)).collect();
            Fact::Conflicts { package: nevra(package), relation, others }
        }
        Reason::Obsoletes { package, old } => Fact::Obsoletes { package: nevra(package), old: nevra(old) },
        Reason::OneVersion { left, right } => Fact::OneVersion { left: nevra(left), right: nevra(right) },
        Reason::Stays { package } => Fact::Stays { package: nevra(package) },
        Reason::Protected { package } => Fact::Protected { package: nevra(package) },
        Reason::Limit { package } => Fact::Limit { package: nevra(package) },
        Reason::Erased { index, package } => {
            Fact::Erased { relation: scope.request.erase[index].clone(), package: nevra(package) }
        }
        Reason::Upgraded { package } => replaces(package, Replacement::Best),
        Reason::Downgraded { package } => replaces(package, Replacement::Older),
        Reason::Reinstalled { package } => replaces(package, Replacement::Same),
    })
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
            let order = universe.compare_versions(*left, *right);
            order.then_with(|| universe.rank(*left).cmp(&universe.rank(*right)))
        })
    };
    if let Some(id) = newest(universe.providers(relation)) {
        let hidden = rules.scope.hidden(id)?;
        return Some(Near::Hidden { package: universe.nevra(id), hidden });
    }
    let id = newest(universe.providers(&Relation::any(&relation.name)))?;
    let mut provides = universe.list(id, Kind::Provides).map(|provided| universe.table.relation_value(provided));
    let provided = provides.find(|provided| provided.name == relation.name);
    Some(Near::Other { package: universe.nevra(id), provided: provided? })
}

impl std::error::Error for Unsolvable {}

impl fmt::Display for Unsolvable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no set of packages satisfies the request")?;
        self.facts.iter().try_for_each(|fact| write!(f, "\n  {fact}"))?;
        match &self.remedies[..] {
            [] => Ok(()),
            [first, others @ ..] => {
                write!(f, "\nit would help {first}")?;
                others.iter().try_for_each(|remedy| write!(f, ", or {remedy}"))
            }
        }
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

/// Up to [`NAMED`] of them.
pub(crate) fn list(nevras: &[Nevra], conjunction: &str) -> String {
    let named: Vec<String> = nevras.iter().take(NAMED).map(|nevra| format!("`{nevra}`")).collect();
    match nevras.len().checked_sub(NAMED) {
        Some(more) if more > 0 => format!("{} and {more} more", named.join(", ")),
        _ => named.join(conjunction),
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fact::Wants { who: Who::Request, relation, candidates } => {
                write!(f, "the request asks for `{relation}`: only {}", list(candidates, " or "))
            }
            Fact::Wants { who, relation, candidates } => {
                write!(f, "{who} requires `{relation}`: only {}", list(candidates, " or "))
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
                    Some(Near::Hidden { package, hidden: Hidden::Locked }) => {
                        write!(f, "; `{package}` would, but another version is locked")
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
                write!(f, "`{package}` conflicts with `{relation}`, which is {}", list(others, " or "))
            }
            Fact::Obsoletes { package, old } => write!(f, "`{package}` replaces `{old}`"),
            Fact::OneVersion { left, right } => {
                write!(f, "`{left}` and `{right}` cannot be there together")
            }
            Fact::Stays { package } => write!(f, "`{package}` is installed and may not be removed"),
            Fact::Protected { package } => write!(f, "`{package}` is installed and protected"),
            Fact::Erased { relation, package } => write!(f, "the request erases `{relation}`, which is `{package}`"),
            Fact::Limit { package } => write!(f, "`{package}` goes because more versions of it are there than may be"),
            Fact::Replaces { package, by, candidates } => {
                let by = match by {
                    Replacement::Best => "its best version",
                    Replacement::Older => "an older version",
                    Replacement::Same => "the same version",
                };
                write!(f, "the request replaces `{package}` by {by}")?;
                match &candidates[..] {
                    [] => f.write_str(", which no repository has"),
                    candidates => write!(f, ": only {}", list(candidates, " or ")),
                }
            }
            Fact::Hides { package, hidden: Hidden::Locked } => {
                write!(f, "`{package}` is not considered, because another version is locked")
            }
            Fact::Hides { package, .. } => write!(f, "`{package}` is not considered, because it is excluded"),
        }
    }
}
