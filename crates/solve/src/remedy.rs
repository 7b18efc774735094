//! What would make an impossible request possible: tried out, not guessed.

use std::fmt;

use pkg::{Nevra, Relation};

use crate::explain::{Fact, Near, Who};
use crate::{Allowed, Best, PackageId, Request, Universe};

/// One change of a request with which it has a solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Not asking for this.
    LeaveOut(Relation),
    /// Letting these installed packages go.
    Erase(Vec<Nevra>),
    /// Seeing a package that is excluded or locked out.
    Show(Nevra),
    /// Not insisting on the best versions.
    AcceptOlder,
    /// Letting a replacement be of another vendor.
    ChangeVendor,
    /// Letting a replacement be for another architecture.
    ChangeArch,
}

/// Wishes of a request that are tried without.
const MOST: usize = 8;

/// The changes of `request`, one at a time, that give it a solution; `facts` say why it has none.
pub(crate) fn remedies(universe: &Universe<'_>, request: &Request, facts: &[Fact]) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    let mut attempt = |request: &Request, remedy: &dyn Fn(&crate::Solution) -> Remedy| {
        if let Ok(solution) = crate::attempt(universe, request) {
            remedies.push(remedy(&solution));
        }
    };
    for fact in facts {
        let (Fact::Nothing { near: Some(Near::Hidden { package, .. }), .. } | Fact::Hides { package, .. }) = fact
        else {
            continue;
        };
        let ids = universe.named(&package.name).into_iter();
        let ids: Vec<PackageId> = ids.filter(|id| universe.nevra(*id) == *package).collect();
        let shown = show(universe, request, &ids);
        attempt(&shown, &|_| Remedy::Show(package.clone()));
    }
    if request.best == Best::Required {
        attempt(&Request { best: Best::Preferred, ..request.clone() }, &|_| Remedy::AcceptOlder);
    }
    if !request.may_erase() && !universe.installed().is_empty() {
        let erased = |solution: &crate::Solution| solution.removed().iter().map(|id| universe.nevra(*id)).collect();
        attempt(&Request { erasing: Allowed::Yes, ..request.clone() }, &|solution| Remedy::Erase(erased(solution)));
    }
    if request.vendor_change == Allowed::No && !universe.installed().is_empty() {
        attempt(&Request { vendor_change: Allowed::Yes, ..request.clone() }, &|_| Remedy::ChangeVendor);
    }
    if request.arch_change == Allowed::No && !universe.installed().is_empty() {
        attempt(&Request { arch_change: Allowed::Yes, ..request.clone() }, &|_| Remedy::ChangeArch);
    }
    let asked = facts.iter().filter_map(|fact| match fact {
        Fact::Wants { who: Who::Request, relation, .. } | Fact::Nothing { who: Who::Request, relation, .. } => {
            Some(relation)
        }
        _ => None,
    });
    if request.install.len() > 1 {
        for relation in asked.take(MOST) {
            let mut less = request.clone();
            less.install.retain(|other| other != relation);
            attempt(&less, &|_| Remedy::LeaveOut(relation.clone()));
        }
    }
    remedies
}

/// The request, which sees some packages whatever it excludes or locks.
fn show(universe: &Universe<'_>, request: &Request, shown: &[PackageId]) -> Request {
    let mut changed = request.clone();
    let matches = |relation: &Relation| universe.matching_name(relation).iter().any(|id| shown.contains(id));
    // All others that an exclusion hid stay hidden.
    let excluded = changed.exclude.iter().filter(|relation| matches(relation));
    let hidden: Vec<PackageId> = excluded.flat_map(|relation| universe.matching_name(relation)).collect();
    changed.exclude.retain(|relation| !matches(relation));
    changed.hidden.extend(hidden);
    changed.hidden.retain(|id| !shown.contains(id));
    let named = |relation: &Relation| shown.iter().any(|id| universe.name(*id) == relation.name);
    changed.locked.retain(|relation| !named(relation));
    changed
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remedy::LeaveOut(relation) => write!(f, "not to ask for `{relation}`"),
            Remedy::Erase(nevras) if nevras.is_empty() => f.write_str("to let installed packages be replaced"),
            Remedy::Erase(nevras) => write!(f, "to let {} be removed", crate::explain::list(nevras, " and ")),
            Remedy::Show(nevra) => write!(f, "not to exclude `{nevra}`"),
            Remedy::AcceptOlder => f.write_str("to accept versions that are not the best"),
            Remedy::ChangeVendor => f.write_str("to allow a change of vendor"),
            Remedy::ChangeArch => f.write_str("to allow a change of architecture"),
        }
    }
}
