//! What holds together by rpm's words, written apart from the solver.

use pkg::{Condition, Relation};
use solve::{Package, Rich};

/// Whether one package satisfies a plain relation. Written from rpm's words, apart from the solver.
pub(crate) fn provides(package: &Package, relation: &Relation) -> bool {
    let own = Relation::new(&package.nevra.name, Condition::Equal, package.nevra.evr.clone());
    relation.satisfied_by(&own)
        || package.provides.iter().any(|provided| relation.satisfied_by(provided))
        || (relation.bound.is_none() && package.files.contains(&relation.name))
}

fn alone(rich: &Rich, package: &Package) -> bool {
    match rich {
        Rich::Plain(relation) => provides(package, relation),
        Rich::With(parts) | Rich::And(parts) => parts.iter().all(|part| alone(part, package)),
        Rich::Or(parts) => parts.iter().any(|part| alone(part, package)),
        Rich::Without(pair) => alone(&pair[0], package) && !alone(&pair[1], package),
        Rich::If(..) | Rich::Unless(..) => false,
    }
}

fn holds(rich: &Rich, set: &[&Package]) -> bool {
    match rich {
        Rich::Plain(_) | Rich::With(_) | Rich::Without(_) => set.iter().any(|package| alone(rich, package)),
        Rich::And(parts) => parts.iter().all(|part| holds(part, set)),
        Rich::Or(parts) => parts.iter().any(|part| holds(part, set)),
        Rich::If(pair, _) if holds(&pair[1], set) => holds(&pair[0], set),
        Rich::If(_, other) => other.as_ref().is_none_or(|other| holds(other, set)),
        Rich::Unless(pair, other) if holds(&pair[1], set) => other.as_ref().is_some_and(|other| holds(other, set)),
        Rich::Unless(pair, _) => holds(&pair[0], set),
    }
}

pub(crate) fn right(set: &[&Package], install: &[Relation]) -> bool {
    let rich = |relation: &Relation| Rich::of(relation).unwrap();
    let asked = install.iter().all(|relation| holds(&rich(relation), set));
    asked
        && set.iter().all(|package| {
            let others: Vec<&Package> = set.iter().copied().filter(|other| other != package).collect();
            package.requires.iter().all(|relation| holds(&rich(relation), set))
                && !package.conflicts.iter().any(|relation| holds(&rich(relation), &others))
                && !others.iter().any(|other| {
                    let own = Relation::new(&other.nevra.name, Condition::Equal, other.nevra.evr.clone());
                    other.nevra.name == package.nevra.name
                        || package.obsoletes.iter().any(|relation| relation.satisfied_by(&own))
                })
        })
}
