use pkg::Relation;

use crate::{PackageId, Request, Universe};

/// A universe as one request sees it.
pub(crate) struct Scope<'a> {
    pub(crate) universe: &'a Universe,
    pub(crate) request: &'a Request,
    hidden: Vec<Option<Hidden>>,
}

/// Why a request does not see a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// It is for another machine.
    Arch,
    /// The request excludes it.
    Excluded,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(universe: &'a Universe, request: &'a Request) -> Scope<'a> {
        let mut hidden: Vec<Option<Hidden>> = universe
            .ids()
            .map(|id| (!universe.package(id).nevra.arch.runs_on(&request.arch)).then_some(Hidden::Arch))
            .collect();
        for relation in &request.exclude {
            universe.matching_name(relation).for_each(|id| hidden[id.index()] = Some(Hidden::Excluded));
        }
        // What is there cannot be overlooked.
        universe.ids().filter(|id| universe.package(*id).installed).for_each(|id| hidden[id.index()] = None);
        Scope { universe, request, hidden }
    }

    pub(crate) fn hidden(&self, id: PackageId) -> Option<Hidden> {
        self.hidden[id.index()]
    }

    /// The packages that satisfy a plain relation, sorted.
    pub(crate) fn providers(&self, relation: &Relation) -> Vec<PackageId> {
        let mut providers = self.universe.providers(relation);
        providers.retain(|id| self.hidden(*id).is_none());
        providers
    }

    /// The packages that satisfy a plain relation of the request, sorted.
    pub(crate) fn asked(&self, relation: &Relation) -> Vec<PackageId> {
        let mut found: Vec<PackageId> =
            self.universe.matching_name(relation).filter(|id| self.hidden(*id).is_none()).collect();
        let providers = self.providers(relation);
        if found.is_empty() {
            return providers;
        }
        let replacing: Vec<PackageId> =
            providers.into_iter().filter(|id| found.iter().any(|old| self.obsoletes(*id, *old))).collect();
        found.extend(replacing);
        found.sort();
        found.dedup();
        found
    }

    /// Whether `new` says that it replaces `old`.
    pub(crate) fn obsoletes(&self, new: PackageId, old: PackageId) -> bool {
        let obsoletes = &self.universe.package(new).obsoletes;
        new != old && obsoletes.iter().any(|relation| self.universe.matching_name(relation).any(|id| id == old))
    }

    /// Whether two packages of one name cannot be there together.
    pub(crate) fn excludes_other_version(&self, left: PackageId, right: PackageId) -> bool {
        let (left, right) = (self.universe.package(left), self.universe.package(right));
        let side_by_side = self.request.several.contains(&left.nevra.name) && left.nevra.evr != right.nevra.evr;
        let other_machine = left.nevra.arch != right.nevra.arch
            && left.nevra.arch.as_str() != "noarch"
            && right.nevra.arch.as_str() != "noarch";
        !side_by_side && !other_machine
    }
}
