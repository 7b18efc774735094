//! From a rich dependency to rules: conjunctive normal form over packages.

use std::collections::BTreeSet;

use crate::{PackageId, Rich};

/// A dependency with its capabilities replaced by the packages that provide them; negations only at the leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Formula {
    /// At least one of the packages is there.
    Any(Vec<PackageId>),
    /// None of the packages is there.
    None(Vec<PackageId>),
    /// All parts hold.
    All(Vec<Formula>),
    /// One part holds.
    One(Vec<Formula>),
}

/// One rule's content: one of `present` is there or one of `absent` is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) present: Vec<PackageId>,
    pub(crate) absent: BTreeSet<PackageId>,
}

/// Clauses that one dependency may become. `(a if b)` becomes as many as `b` has providers.
const MAX_CLAUSES: usize = 1 << 16;

/// Whether a dependency has to hold or not to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sense {
    Holds,
    Fails,
}

impl Sense {
    fn reverse(self) -> Sense {
        match self {
            Sense::Holds => Sense::Fails,
            Sense::Fails => Sense::Holds,
        }
    }
}

impl Formula {
    /// The formula that says that `rich` holds, or fails; `providers` tells the packages of one capability, sorted.
    pub(crate) fn new(rich: &Rich, sense: Sense, providers: &impl Fn(&pkg::Relation) -> Vec<PackageId>) -> Formula {
        let part = |rich: &Rich, sense: Sense| Formula::new(rich, sense, providers);
        let parts = |parts: &[Rich]| parts.iter().map(|rich| part(rich, sense)).collect();
        let holds = sense == Sense::Holds;
        match rich {
            Rich::Plain(_) | Rich::With(_) | Rich::Without(_) => {
                let packages = one_package(rich, providers);
                if holds { Formula::Any(packages) } else { Formula::None(packages) }
            }
            Rich::And(list) if holds => Formula::All(parts(list)),
            Rich::And(list) => Formula::One(parts(list)),
            Rich::Or(list) if holds => Formula::One(parts(list)),
            Rich::Or(list) => Formula::All(parts(list)),
            // (a or not b) and (c or b); its opposite is (not a and b) or (not c and not b).
            Rich::If(pair, other) => {
                let both = conditional(pair, other.as_deref(), sense, providers);
                if holds {
                    Formula::All(both.into_iter().map(Formula::One).collect())
                } else {
                    Formula::One(both.into_iter().map(Formula::All).collect())
                }
            }
            // (a and not b) or (c and b); its opposite is (not a or b) and (not c or not b).
            Rich::Unless(pair, other) => {
                let both = conditional(pair, other.as_deref(), sense, providers);
                if holds {
                    Formula::One(both.into_iter().map(Formula::All).collect())
                } else {
                    Formula::All(both.into_iter().map(Formula::One).collect())
                }
            }
        }
    }

    /// The clauses that together say the same; `None` when there are too many.
    pub(crate) fn clauses(&self) -> Option<Vec<Clause>> {
        match self {
            Formula::Any(packages) => Some(vec![Clause { present: packages.clone(), absent: BTreeSet::new() }]),
            Formula::None(packages) => {
                Some(packages.iter().map(|id| Clause { present: Vec::new(), absent: BTreeSet::from([*id]) }).collect())
            }
            Formula::All(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(part.clauses()?);
                    if all.len() > MAX_CLAUSES {
                        return None;
                    }
                }
                Some(all)
            }
            Formula::One(parts) => {
                let mut product = vec![Clause::default()];
                for part in parts {
                    let clauses = part.clauses()?;
                    if product.len().saturating_mul(clauses.len()) > MAX_CLAUSES {
                        return None;
                    }
                    product =
                        product.iter().flat_map(|left| clauses.iter().filter_map(|right| left.join(right))).collect();
                }
                Some(product)
            }
        }
    }

    /// Whether it holds when exactly the packages that `is_there` says are there.
    pub(crate) fn holds(&self, is_there: &impl Fn(PackageId) -> bool) -> bool {
        match self {
            Formula::Any(packages) => packages.iter().any(|id| is_there(*id)),
            Formula::None(packages) => !packages.iter().any(|id| is_there(*id)),
            Formula::All(parts) => parts.iter().all(|part| part.holds(is_there)),
            Formula::One(parts) => parts.iter().any(|part| part.holds(is_there)),
        }
    }
}

impl Clause {
    /// Both in one; `None` when that always holds.
    fn join(&self, other: &Clause) -> Option<Clause> {
        let mut joined = self.clone();
        for id in &other.present {
            if !joined.present.contains(id) {
                joined.present.push(*id);
            }
        }
        joined.absent.extend(&other.absent);
        joined.present.iter().all(|id| !joined.absent.contains(id)).then_some(joined)
    }
}

/// The branches of `if` and `unless`: `a` beside the opposite of `b`, and `c`, if any, beside `b`.
fn conditional(
    [then, condition]: &[Rich; 2],
    other: Option<&Rich>,
    sense: Sense,
    providers: &impl Fn(&pkg::Relation) -> Vec<PackageId>,
) -> Vec<Vec<Formula>> {
    let part = |rich: &Rich, sense: Sense| Formula::new(rich, sense, providers);
    let first = vec![part(then, sense), part(condition, sense.reverse())];
    let second = other.map(|other| vec![part(other, sense), part(condition, sense)]);
    std::iter::once(first).chain(second).collect()
}

/// The packages that satisfy, each alone, a dependency without `and`, `or` and conditions.
///
/// Within `with` and `without`, `or` is the union and `and` as `with`: rpm allows no other operator there.
fn one_package(rich: &Rich, providers: &impl Fn(&pkg::Relation) -> Vec<PackageId>) -> Vec<PackageId> {
    let lists = |parts: &[Rich]| parts.iter().map(|part| one_package(part, providers)).collect::<Vec<_>>();
    match rich {
        Rich::Plain(relation) => providers(relation),
        Rich::With(parts) | Rich::And(parts) => {
            let mut lists = lists(parts).into_iter();
            let first = lists.next().unwrap_or_default();
            lists.fold(first, |found, list| found.into_iter().filter(|id| list.binary_search(id).is_ok()).collect())
        }
        Rich::Or(parts) => lists(parts).into_iter().flatten().collect::<BTreeSet<_>>().into_iter().collect(),
        Rich::Without(pair) => {
            let without = one_package(&pair[1], providers);
            one_package(&pair[0], providers).into_iter().filter(|id| without.binary_search(id).is_err()).collect()
        }
        Rich::If(..) | Rich::Unless(..) => Vec::new(),
    }
}
