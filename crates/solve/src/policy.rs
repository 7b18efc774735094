//! Which candidate is tried first.
//!
//! In this order: one whose requirements can be met at all; what is installed already, unless it is to be replaced; the
//! repository of the lower priority number; one that no other candidate replaces; one that is wanted itself, rather than
//! making a condition of the wish true; a package that has the wanted name, of `(a or b)` the one that is written first; the
//! newest of its name; one that is recommended
//! or suggested by, or enhances, what is there already; the one that brings fewer other packages; the name; the repository
//! of lower cost.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use pkg::Relation;

use crate::decisions::Decisions;
use crate::formula::{Formula, Sense};
use crate::literal::Variable;
use crate::rules::{Meaning, Reason, Rules};
use crate::strings::Text;
use crate::{Kind, PackageId, Rich};

/// Packages after which a closure counts as large.
const MAX_CLOSURE: usize = 1000;

impl Rules<'_> {
    /// The best of `candidates`, which may be in any order.
    pub(crate) fn best(&mut self, decisions: &Decisions, candidates: &[Variable], wanted: &Wanted) -> Option<Variable> {
        if let [only] = candidates {
            return Some(*only);
        }
        let universe = self.scope.universe;
        let ids: Vec<PackageId> = candidates.iter().map(|variable| self.package_of(*variable)).collect();
        let name = |id: &PackageId| universe.table.name(id.index());
        let one_name = ids.windows(2).all(|pair| name(&pair[0]) == name(&pair[1]));
        let replaced = self.replaced(&ids, one_name);
        let newer = self.newer(&ids);
        let mut ranked = Vec::with_capacity(ids.len());
        for id in ids {
            let stays = universe.is_installed(id) && !self.is_renewed(id);
            let rank = (
                self.is_hopeless(id),
                !stays,
                universe.priority(id),
                replaced.contains(&id),
                wanted.packages.as_ref().is_some_and(|packages| !packages.contains(&id)),
                wanted.names.iter().position(|wanted| *wanted == name(&id)).unwrap_or(wanted.names.len()),
                newer.get(&id).copied().unwrap_or_default(),
            );
            ranked.push((rank, id));
        }
        let best = ranked.iter().map(|(rank, _)| *rank).min()?;
        let mut equal: Vec<PackageId> =
            ranked.into_iter().filter(|(rank, _)| *rank == best).map(|(_, id)| id).collect();
        if !one_name && equal.len() > 1 {
            self.keep_favoured(&mut equal, decisions);
            self.keep_smallest(&mut equal, decisions);
        }
        let last = |id: &PackageId| (universe.name(*id), !universe.is_installed(*id), Reverse(universe.rank(*id)));
        let chosen = equal.into_iter().min_by_key(last)?;
        self.variable_of(chosen)
    }

    /// Those of `ids` that another of them obsoletes.
    fn replaced(&self, ids: &[PackageId], one_name: bool) -> HashSet<PackageId> {
        let universe = self.scope.universe;
        let mut replaced = HashSet::new();
        if !one_name {
            for new in ids {
                let relations = universe.list(*new, Kind::Obsoletes);
                let old = relations.flat_map(|relation| universe.obsoleted(relation));
                replaced.extend(old.filter(|old| old != new && ids.contains(old)));
            }
        }
        replaced
    }

    /// For each candidate, how many of its name are better by repository or version.
    fn newer(&self, ids: &[PackageId]) -> HashMap<PackageId, usize> {
        let universe = self.scope.universe;
        let mut sorted = ids.to_vec();
        sorted.sort_by_key(|id| universe.rank(*id));
        let mut newer = HashMap::new();
        for group in sorted.chunk_by(|left, right| universe.name(*left) == universe.name(*right)) {
            for this in group.iter().filter(|_| group.len() > 1) {
                let better = group.iter().filter(|other| {
                    let order = universe.priority(**other).cmp(&universe.priority(*this));
                    order.then_with(|| universe.compare_versions(*this, **other)).is_lt()
                });
                newer.insert(*this, better.count());
            }
        }
        newer
    }

    /// Leaves those for which what is there speaks, or which say that they go with it, if there are any.
    fn keep_favoured(&self, candidates: &mut Vec<PackageId>, decisions: &Decisions) {
        let universe = self.scope.universe;
        let there = |id: PackageId| self.variable_of(id).is_some_and(|variable| decisions.is_there(variable));
        let goes_with = |id: PackageId| {
            let relations = [Kind::Enhances, Kind::Supplements].into_iter().flat_map(|kind| universe.list(id, kind));
            let mut rich = relations.filter_map(|relation| Rich::of(&universe.table.relation_value(relation)).ok());
            rich.any(|rich| {
                let providers = |relation: &Relation| {
                    let mut packages = self.scope.providers(relation);
                    packages.sort();
                    packages
                };
                Formula::new(&rich, Sense::Holds, &providers).holds(&there)
            })
        };
        let favoured: Vec<PackageId> = candidates
            .iter()
            .copied()
            .filter(|id| self.suggested_by(*id).iter().any(|by| there(*by)) || goes_with(*id))
            .collect();
        if !favoured.is_empty() {
            *candidates = favoured;
        }
    }

    /// Leaves those that bring the fewest packages that are not there yet.
    fn keep_smallest(&mut self, candidates: &mut Vec<PackageId>, decisions: &Decisions) {
        if candidates.len() < 2 {
            return;
        }
        // In order of names, so that what is cut off does not depend on the order of candidates.
        candidates.sort_by_key(|id| self.scope.universe.rank(*id));
        let mut smallest = MAX_CLOSURE;
        let mut sizes = Vec::with_capacity(candidates.len());
        for id in candidates.iter() {
            let size = self.closure(*id, decisions, smallest);
            smallest = smallest.min(size);
            sizes.push(size);
        }
        let mut sizes = sizes.into_iter();
        candidates.retain(|_| sizes.next() == Some(smallest));
    }

    /// About how many packages come with a package, each requirement by the last of its candidates in the universe's order;
    /// counted no further than one above `enough`.
    fn closure(&mut self, id: PackageId, decisions: &Decisions, enough: usize) -> usize {
        let universe = self.scope.universe;
        let mut seen = HashSet::from([id]);
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            for relation in universe.list(id, Kind::Requires) {
                match self.meaning(relation, Sense::Holds) {
                    Meaning::Plain(list) => self.follow(&list, decisions, &mut seen, &mut open),
                    Meaning::Rich(clauses) => {
                        for clause in clauses.iter().filter(|clause| clause.absent.is_empty()) {
                            self.follow(&clause.present, decisions, &mut seen, &mut open);
                        }
                    }
                }
            }
            if seen.len() > enough {
                break;
            }
        }
        seen.len()
    }

    fn follow(
        &self,
        candidates: &[PackageId],
        decisions: &Decisions,
        seen: &mut HashSet<PackageId>,
        open: &mut Vec<PackageId>,
    ) {
        let there = |id: &PackageId| self.variable_of(*id).is_some_and(|variable| decisions.is_there(variable));
        let met = candidates.iter().any(|id| seen.contains(id) || there(id));
        let last = candidates.iter().max_by_key(|id| self.scope.universe.rank(**id));
        if let (false, Some(next)) = (met, last)
            && seen.insert(*next)
        {
            open.push(*next);
        }
    }

    /// What a rule of some reason wants.
    pub(crate) fn wanted(&self, reason: Reason) -> Wanted {
        let universe = self.scope.universe;
        match reason {
            Reason::Asked { index } => self.wanted_by(&self.scope.request.install[index]),
            Reason::Requires { relation, .. } if universe.table.is_rich(relation) => {
                self.wanted_by(&universe.table.relation_value(relation))
            }
            Reason::Requires { relation, .. } => {
                Wanted { names: vec![universe.table.relation(relation).name], packages: None }
            }
            Reason::Stays { package }
            | Reason::Upgraded { package }
            | Reason::Downgraded { package }
            | Reason::Reinstalled { package } => {
                Wanted { names: vec![universe.table.name(package.index())], packages: None }
            }
            _ => Wanted::default(),
        }
    }

    /// What a relation wants.
    pub(crate) fn wanted_by(&self, relation: &Relation) -> Wanted {
        let find = |relation: &Relation| self.scope.universe.table.strings.find(&relation.name);
        if !relation.is_rich() {
            return Wanted { names: find(relation).into_iter().collect(), packages: None };
        }
        let Ok(rich) = Rich::of(relation) else { return Wanted::default() };
        let relations = unconditional(&rich);
        Wanted {
            names: relations.iter().filter_map(|relation| find(relation)).collect(),
            packages: Some(relations.iter().flat_map(|relation| self.scope.providers(relation)).collect()),
        }
    }
}

/// What a dependency wants, apart from its conditions.
#[derive(Default)]
pub(crate) struct Wanted {
    /// In the order in which they are written.
    names: Vec<Text>,
    /// Whatever provides it; none where that is all candidates anyway.
    packages: Option<HashSet<PackageId>>,
}

/// The capabilities in a rich dependency, without those of conditions.
fn unconditional(rich: &Rich) -> Vec<&Relation> {
    match rich {
        Rich::If(pair, other) | Rich::Unless(pair, other) => {
            std::iter::once(&pair[0]).chain(other.as_deref()).flat_map(unconditional).collect()
        }
        Rich::And(parts) | Rich::Or(parts) => parts.iter().flat_map(unconditional).collect(),
        Rich::Without(pair) => unconditional(&pair[0]),
        Rich::With(_) | Rich::Plain(_) => rich.relations(),
    }
}
