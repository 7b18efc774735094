use pkg::Relation;

use crate::table::RelationId;
use crate::{Allowed, Kind, PackageId, Request, Universe};

/// A universe as one request sees it.
pub(crate) struct Scope<'a> {
    pub(crate) universe: &'a Universe<'a>,
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
    /// Another version of its name is locked.
    Locked,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(universe: &'a Universe<'a>, request: &'a Request) -> Scope<'a> {
        let strings = &universe.table.strings;
        let fits = [request.arch.as_str(), "noarch"].map(|arch| strings.find(arch).map_or(u32::MAX, |text| text.0));
        let fitting = |arch: u32| (!fits.contains(&arch)).then_some(Hidden::Arch);
        let mut hidden: Vec<Option<Hidden>> = universe.table.arch.iter().map(fitting).collect();
        for relation in &request.exclude {
            universe.matching_name(relation).into_iter().for_each(|id| hidden[id.index()] = Some(Hidden::Excluded));
        }
        request.hidden.iter().for_each(|id| hidden[id.index()] = Some(Hidden::Excluded));
        for id in request.locked.iter().flat_map(|locked| universe.named(&locked.name)) {
            let matches = |locked: &Relation| universe.matching_name(locked).contains(&id);
            if !request.locked.iter().any(matches) {
                hidden[id.index()] = Some(Hidden::Locked);
            }
        }
        // What is there cannot be overlooked.
        universe.installed().iter().for_each(|id| hidden[id.index()] = None);
        Scope { universe, request, hidden }
    }

    pub(crate) fn hidden(&self, id: PackageId) -> Option<Hidden> {
        self.hidden[id.index()]
    }

    fn visible(&self, mut packages: Vec<PackageId>) -> Vec<PackageId> {
        packages.retain(|id| self.hidden(*id).is_none());
        packages
    }

    /// The packages that satisfy a plain relation, in order.
    pub(crate) fn providers(&self, relation: &Relation) -> Vec<PackageId> {
        self.visible(self.universe.providers(relation))
    }

    /// The packages that satisfy a plain relation of a package, in order.
    pub(crate) fn satisfying(&self, relation: RelationId) -> Vec<PackageId> {
        self.visible(self.universe.satisfying(relation))
    }

    /// The packages that satisfy a plain relation of the request, in order.
    pub(crate) fn asked(&self, relation: &Relation) -> Vec<PackageId> {
        let mut found = self.visible(self.universe.matching_name(relation));
        let providers = self.providers(relation);
        if found.is_empty() {
            return providers;
        }
        let replacing: Vec<PackageId> =
            providers.into_iter().filter(|id| found.iter().any(|old| self.obsoletes(*id, *old))).collect();
        found.extend(replacing);
        found.sort_by_key(|id| self.universe.rank(*id));
        found.dedup();
        found
    }

    /// Whether `new` says that it replaces `old`.
    pub(crate) fn obsoletes(&self, new: PackageId, old: PackageId) -> bool {
        let universe = self.universe;
        new != old
            && universe.list(new, Kind::Obsoletes).any(|relation| universe.obsoleted(relation).any(|id| id == old))
    }

    /// Whether two packages of one name cannot be there together.
    pub(crate) fn excludes_other_version(&self, left: PackageId, right: PackageId) -> bool {
        let universe = self.universe;
        let other_machine = |left: &str, right: &str| left != right && left != "noarch" && right != "noarch";
        let side_by_side = self.is_several(left) && universe.compare_versions(left, right).is_ne();
        !side_by_side && !other_machine(universe.arch(left), universe.arch(right))
    }

    /// Whether several versions of a package's name may be there.
    pub(crate) fn is_several(&self, id: PackageId) -> bool {
        let several = &self.request.several;
        !several.is_empty() && several.iter().any(|name| name == self.universe.name(id))
    }

    /// The packages that may take the place of an installed one: of its name, and those that obsolete it.
    pub(crate) fn replacements(&self, old: PackageId) -> Vec<PackageId> {
        let universe = self.universe;
        let named = universe.named(universe.name(old)).into_iter();
        let same =
            named.filter(|id| *id != old && !universe.is_installed(*id) && self.excludes_other_version(old, *id));
        let mut found: Vec<PackageId> = same.collect();
        found.extend(universe.replacing(old).into_iter().filter(|id| !universe.is_installed(*id)));
        found.retain(|id| self.hidden(*id).is_none() && self.may_replace(old, *id));
        found.dedup();
        found
    }

    fn may_replace(&self, old: PackageId, new: PackageId) -> bool {
        let (universe, request) = (self.universe, self.request);
        let (from, to) = (universe.arch(old), universe.arch(new));
        let arch = from == to || from == "noarch" || to == "noarch" || request.arch_change == Allowed::Yes;
        arch && (universe.vendor(old) == universe.vendor(new) || request.vendor_change == Allowed::Yes)
    }

    /// Whether an installed package may not go at all: itself, or any of its name.
    pub(crate) fn protection(&self, id: PackageId) -> Option<Protection> {
        let named = self.request.protected.iter().filter(|relation| relation.name == self.universe.name(id));
        let mut strength = None;
        for relation in named {
            if relation.bound.is_none() {
                strength = strength.max(Some(Protection::Name));
            } else if self.universe.matching_name(relation).contains(&id) {
                strength = Some(Protection::Version);
            }
        }
        strength
    }
}

/// What of a package may not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protection {
    /// Some version of it stays.
    Name,
    /// This version stays.
    Version,
}
