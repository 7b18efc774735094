//! Which installed packages nothing needs any more.

use std::collections::BTreeSet;

use crate::{Autoremove, Kind, PackageId, Request, Rich, Solution, Universe};

/// Takes out of `solution` what came as a dependency and is none any more, as far as the request wants that.
pub(crate) fn autoremove(universe: &Universe<'_>, request: &Request, solution: &mut Solution) {
    if request.autoremove == Autoremove::None {
        return;
    }
    let after: BTreeSet<PackageId> = solution.packages().collect();
    let needed = needed(universe, request, &after);
    let mut unneeded: BTreeSet<PackageId> = after.difference(&needed).copied().collect();
    if request.autoremove == Autoremove::Freed {
        let before: BTreeSet<PackageId> = universe.installed().iter().copied().collect();
        let needed_before = self::needed(universe, request, &before);
        unneeded.retain(|id| needed_before.contains(id));
    }
    for id in &unneeded {
        solution.chosen.remove(id);
        solution.removed.push(*id);
    }
    solution.removed.sort_by_key(|id| universe.rank(*id));
    solution.unneeded = unneeded;
}

/// Those of `there` that somebody wants, and all that they require or recommend: whoever can satisfy that.
fn needed(universe: &Universe<'_>, request: &Request, there: &BTreeSet<PackageId>) -> BTreeSet<PackageId> {
    let kept = |id: &PackageId| {
        let named = |relation: &pkg::Relation| universe.matching_name(relation).contains(id);
        !universe.is_installed(*id)
            || !universe.reason(*id).is_removable()
            || request.protected.iter().chain(&request.locked).chain(&request.install).any(named)
    };
    let mut needed: BTreeSet<PackageId> = there.iter().copied().filter(kept).collect();
    let mut open: Vec<PackageId> = needed.iter().copied().collect();
    loop {
        while let Some(id) = open.pop() {
            for relation in [Kind::Requires, Kind::Recommends].into_iter().flat_map(|kind| universe.list(id, kind)) {
                let candidates = match universe.table.is_rich(relation) {
                    false => universe.satisfying(relation),
                    // Whatever may have a part in it.
                    true => match Rich::of(&universe.table.relation_value(relation)) {
                        Ok(rich) => {
                            rich.relations().into_iter().flat_map(|relation| universe.providers(relation)).collect()
                        }
                        Err(_) => Vec::new(),
                    },
                };
                open.extend(candidates.into_iter().filter(|other| there.contains(other) && needed.insert(*other)));
            }
        }
        let supplementing: Vec<PackageId> =
            there.iter().copied().filter(|id| !needed.contains(id) && supplements(universe, *id, &needed)).collect();
        if supplementing.is_empty() {
            return needed;
        }
        needed.extend(&supplementing);
        open.extend(supplementing);
    }
}

fn supplements(universe: &Universe<'_>, id: PackageId, there: &BTreeSet<PackageId>) -> bool {
    let relations = universe.list(id, Kind::Supplements).map(|relation| universe.table.relation_value(relation));
    let rich: Vec<Rich> = relations.filter_map(|relation| Rich::of(&relation).ok()).collect();
    let mut named = rich.iter().flat_map(Rich::relations);
    named.any(|relation| universe.providers(relation).iter().any(|other| there.contains(other)))
}
