//! Whether what is there fits together.

use std::collections::BTreeSet;
use std::fmt;

use pkg::{Nevra, Relation};
use solve::Rich;

use crate::query::matching::{List, Offers};
use crate::sack::Origin;
use crate::{Place, Sack};

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// A requirement that nothing satisfies.
    Missing {
        /// Whose.
        package: Nevra,
        /// What.
        requires: Relation,
    },
    /// Two packages that exclude each other.
    Conflict {
        /// Who says so.
        package: Nevra,
        /// What it conflicts with.
        conflicts: Relation,
        /// Which package is that.
        with: Nevra,
    },
    /// A package that another one replaces.
    Obsoleted {
        /// The old one.
        package: Nevra,
        /// Who replaces it.
        by: Nevra,
    },
    /// Two versions of one package.
    Duplicate {
        /// The older one.
        package: Nevra,
        /// The newer one.
        with: Nevra,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Missing { package, requires } => write!(f, "{package} has missing requires of {requires}"),
            Problem::Conflict { package, conflicts, with } => {
                write!(f, "{package} has installed conflict \"{conflicts}\": {with}")
            }
            Problem::Obsoleted { package, by } => write!(f, "{package} is obsoleted by {by}"),
            Problem::Duplicate { package, with } => write!(f, "{package} is a duplicate with {with}"),
        }
    }
}

/// What `check` looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Requirements and conflicts.
    Dependencies,
    /// Several versions of one package.
    Duplicates,
    /// Packages that others replace.
    Obsoleted,
}

/// What does not fit among the installed packages; `several` are names of which several versions may be there.
pub fn check(sack: &Sack, looks: &[Look], several: &[String]) -> Vec<Problem> {
    let installed: Vec<Place> = sack.installed().collect();
    let nevra = |place: Place| sack.package(place).nevra.clone();
    let mut problems = Vec::new();
    if looks.contains(&Look::Dependencies) {
        let all: BTreeSet<Place> = installed.iter().copied().collect();
        problems.extend(unsatisfied(sack, &all, &all));
        for place in &installed {
            for relation in &sack.package(*place).conflicts {
                let others = sack.providers(relation).into_iter().filter(|other| other != place && all.contains(other));
                problems.extend(others.map(|other| Problem::Conflict {
                    package: nevra(*place),
                    conflicts: relation.clone(),
                    with: nevra(other),
                }));
            }
        }
    }
    if looks.contains(&Look::Duplicates) {
        let places: Vec<Place> = super::updates::duplicates(sack).into_iter().collect();
        let allowed = |place: Place| several.iter().any(|word| super::spec::providers(sack, word).contains(&place));
        for pair in places.windows(2) {
            let (one, other) = (&sack.package(pair[0]).nevra, &sack.package(pair[1]).nevra);
            if one.name == other.name && one.arch == other.arch && !allowed(pair[0]) {
                problems.push(Problem::Duplicate { package: one.clone(), with: other.clone() });
            }
        }
    }
    if looks.contains(&Look::Obsoleted) {
        for place in &installed {
            for relation in List::Obsoletes.of(sack.package(*place)) {
                let old = sack.named(&relation.name).iter().filter(|old| {
                    let evr = sack.package(**old).nevra.evr.clone();
                    let own = Relation::new(&relation.name, pkg::Condition::Equal, evr);
                    *old != place && sack.is_installed(**old) && relation.satisfied_by(&own)
                });
                problems.extend(old.map(|old| Problem::Obsoleted { package: nevra(*old), by: nevra(*place) }));
            }
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

/// Requirements of the packages `of` that nothing of `among` satisfies.
pub fn unsatisfied(sack: &Sack, of: &BTreeSet<Place>, among: &BTreeSet<Place>) -> Vec<Problem> {
    let offers = Offers::new(among.iter().map(|place| sack.package(*place)));
    let mut problems = Vec::new();
    for place in of {
        let package = sack.package(*place);
        for relation in List::Requires.of(package) {
            let own = || crate::sack::provides(package, relation);
            let fits = match relation.is_rich() {
                true => Rich::of(relation).is_ok_and(|rich| holds(sack, among, &offers, &rich)),
                false => relation.name.starts_with("rpmlib(") || offers.satisfy(relation) || own(),
            };
            if !fits {
                problems.push(Problem::Missing { package: package.nevra.clone(), requires: relation.clone() });
            }
        }
    }
    problems
}

/// Whether a rich dependency holds where all packages of `among` are there.
fn holds(sack: &Sack, among: &BTreeSet<Place>, offers: &Offers<'_>, rich: &Rich) -> bool {
    let inner = |rich: &Rich| holds(sack, among, offers, rich);
    match rich {
        Rich::Plain(relation) => offers.satisfy(relation),
        Rich::And(parts) => parts.iter().all(inner),
        Rich::Or(parts) => parts.iter().any(inner),
        Rich::If(parts, otherwise) => match inner(&parts[1]) {
            true => inner(&parts[0]),
            false => otherwise.as_deref().is_none_or(inner),
        },
        Rich::Unless(parts, otherwise) => match inner(&parts[1]) {
            false => inner(&parts[0]),
            true => otherwise.as_deref().is_some_and(inner),
        },
        Rich::With(..) | Rich::Without(..) => among.iter().any(|place| of_one(sack, *place, rich)),
    }
}

/// Whether one package satisfies a dependency alone, as `with` and `without` ask.
fn of_one(sack: &Sack, place: Place, rich: &Rich) -> bool {
    match rich {
        Rich::Plain(relation) => Offers::new([sack.package(place)]).satisfy(relation),
        Rich::With(parts) => parts.iter().all(|part| of_one(sack, place, part)),
        Rich::Without(parts) => of_one(sack, place, &parts[0]) && !of_one(sack, place, &parts[1]),
        Rich::And(parts) => parts.iter().all(|part| of_one(sack, place, part)),
        Rich::Or(parts) => parts.iter().any(|part| of_one(sack, place, part)),
        Rich::If(..) | Rich::Unless(..) => false,
    }
}

/// Installed packages that came as dependencies and that nothing which is to stay needs or recommends.
pub fn unneeded(sack: &Sack) -> BTreeSet<Place> {
    let installed: BTreeSet<Place> = sack.installed().collect();
    let is_root = |place: &Place| match &sack.get(*place).origin {
        Origin::Installed { reason, .. } => !reason.is_removable(),
        _ => false,
    };
    let mut needed: BTreeSet<Place> = installed.iter().copied().filter(is_root).collect();
    let mut fresh = needed.clone();
    while !fresh.is_empty() {
        let mut next = BTreeSet::new();
        for list in [List::Requires, List::Recommends] {
            next.extend(super::matching::satisfying(sack, &installed, list, &fresh));
        }
        let offers = Offers::new(needed.iter().map(|place| sack.package(*place)));
        let supplements = |place: &&Place| sack.package(**place).supplements.iter().any(|one| offers.touch(one));
        next.extend(installed.iter().filter(supplements));
        fresh = next.difference(&needed).copied().collect();
        needed.extend(&fresh);
    }
    installed.difference(&needed).copied().collect()
}

/// Installed packages that nothing outside their own circle requires or recommends: groups of packages that need each other,
/// most of them of one package. Source: libdnf5, `filter_leaves_groups`.
pub fn leaf_groups(sack: &Sack) -> Vec<Vec<Place>> {
    let places: Vec<Place> = sack.installed().collect();
    let installed: BTreeSet<Place> = places.iter().copied().collect();
    let number: std::collections::BTreeMap<Place, usize> = places.iter().copied().zip(0..).collect();
    let edges: Vec<Vec<usize>> = places
        .iter()
        .map(|place| {
            let needed = [List::Requires, List::Recommends].into_iter();
            let needed =
                needed.flat_map(|list| super::matching::satisfying(sack, &installed, list, &BTreeSet::from([*place])));
            needed.filter(|other| other != place).map(|other| number[&other]).collect()
        })
        .collect();
    let circle = circles(&edges);
    let mut is_needed = BTreeSet::new();
    for (from, targets) in edges.iter().enumerate() {
        is_needed.extend(targets.iter().map(|to| circle[*to]).filter(|to| *to != circle[from]));
    }
    let mut groups: std::collections::BTreeMap<usize, Vec<Place>> = std::collections::BTreeMap::new();
    for (index, place) in places.iter().enumerate().filter(|(index, _)| !is_needed.contains(&circle[*index])) {
        groups.entry(circle[index]).or_default().push(*place);
    }
    let mut groups: Vec<Vec<Place>> = groups.into_values().collect();
    groups.sort();
    groups
}

/// The number of each node's circle: nodes that reach each other have the same. Kosaraju's algorithm, without recursion.
fn circles(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(edges.len());
    let mut seen = vec![false; edges.len()];
    for start in 0..edges.len() {
        let mut stack = vec![(start, 0)];
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        while let Some((node, next)) = stack.pop() {
            match edges[node].get(next) {
                Some(to) => {
                    stack.push((node, next + 1));
                    if !std::mem::replace(&mut seen[*to], true) {
                        stack.push((*to, 0));
                    }
                }
                None => order.push(node),
            }
        }
    }
    let mut back = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        targets.iter().for_each(|to| back[*to].push(from));
    }
    let mut circle = vec![usize::MAX; edges.len()];
    for start in order.into_iter().rev() {
        let mut stack = vec![start];
        while let Some(node) = stack.pop() {
            if circle[node] == usize::MAX {
                circle[node] = start;
                stack.extend(&back[node]);
            }
        }
    }
    circle
}

/// Installed packages that no other installed package requires or recommends.
pub fn leaves(sack: &Sack) -> BTreeSet<Place> {
    let installed: BTreeSet<Place> = sack.installed().collect();
    let mut needed = BTreeSet::new();
    for place in &installed {
        for list in [List::Requires, List::Recommends] {
            let found = super::matching::satisfying(sack, &installed, list, &BTreeSet::from([*place]));
            needed.extend(found.into_iter().filter(|other| other != place));
        }
    }
    installed.difference(&needed).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_reach_each_other_are_a_circle() {
        let circle = circles(&[vec![1], vec![2], vec![0, 3], vec![], vec![3]]);
        assert_eq!((circle[0], circle[1]), (circle[2], circle[2]));
        let all: BTreeSet<usize> = circle.into_iter().collect();
        assert_eq!(all.len(), 3);
    }
}
