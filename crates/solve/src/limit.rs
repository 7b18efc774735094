//! How many versions of a kernel and its like stay.

use crate::{PackageId, Request, Solution, Universe};

/// The oldest installed packages of each name of which there are more than may be.
pub(crate) fn surplus(universe: &Universe<'_>, request: &Request, solution: &Solution) -> Vec<PackageId> {
    let mut surplus = Vec::new();
    if request.several_limit == 0 {
        return surplus;
    }
    for name in &request.several {
        let there: Vec<PackageId> =
            universe.named(name).into_iter().filter(|id| solution.because(*id).is_some()).collect();
        let comes = there.iter().any(|id| !universe.is_installed(*id));
        let Some(over) = there.len().checked_sub(request.several_limit).filter(|over| comes && *over > 0) else {
            continue;
        };
        let protected = |id: &PackageId| {
            let mut kept = request.protected.iter().chain(&request.locked).chain(&request.install);
            kept.any(|relation| relation.bound.is_some() && universe.matching_name(relation).contains(id))
        };
        let mut oldest: Vec<PackageId> =
            there.into_iter().filter(|id| universe.is_installed(*id) && !protected(id)).collect();
        oldest.sort_by(|left, right| universe.compare_versions(*left, *right).then_with(|| left.cmp(right)));
        surplus.extend(oldest.into_iter().take(over));
    }
    surplus
}
