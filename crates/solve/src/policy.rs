//! Which candidate is tried first.
//!
//! In this order: what is installed already, unless it is to be upgraded; the repository of the lower priority number; one
//! that no other candidate replaces; one that is wanted itself, rather than making a condition of the wish true; a package
//! that has the wanted name; the newest of its name; one that is recommended or suggested by, or enhances, what is there
//! already; the one that brings fewer other packages; the name.

use std::collections::{HashMap, HashSet};

use pkg::Relation;

use crate::literal::Variable;
use crate::rules::{Reason, Rules};
use crate::{PackageId, Rich};

/// Packages after which a closure counts as large.
const MAX_CLOSURE: usize = 1000;

/// Orders candidates; remembers how many packages each brings.
pub(crate) struct Policy<'a> {
    rules: &'a Rules<'a>,
    closures: HashMap<PackageId, usize>,
}

impl<'a> Policy<'a> {
    pub(crate) fn new(rules: &'a Rules<'a>) -> Policy<'a> {
        Policy { rules, closures: HashMap::new() }
    }

    /// The best of `candidates`; `there` says what is decided to be there.
    pub(crate) fn best(
        &mut self,
        candidates: &[Variable],
        wanted: &Wanted,
        there: &impl Fn(PackageId) -> bool,
    ) -> Option<Variable> {
        let rules = self.rules;
        let scope = &rules.scope;
        let ids: Vec<PackageId> = candidates.iter().map(|variable| rules.package_of(*variable)).collect();
        let package = |id: PackageId| scope.universe.package(id);
        let one_name = ids.windows(2).all(|pair| package(pair[0]).nevra.name == package(pair[1]).nevra.name);
        let favoured = if one_name { HashSet::new() } else { self.favoured(&ids, there) };
        let mut ranked = Vec::with_capacity(ids.len());
        for id in &ids {
            let this = package(*id);
            let stays = this.installed && !scope.request.upgrade.includes(&this.nevra.name);
            let newer = ids.iter().filter(|other| {
                let other = package(**other);
                other.nevra.name == this.nevra.name
                    && (other.priority, &this.nevra.evr) < (this.priority, &other.nevra.evr)
            });
            let rank = (
                !stays,
                this.priority,
                !one_name && ids.iter().any(|other| scope.obsoletes(*other, *id)),
                wanted.packages.as_ref().is_some_and(|packages| !packages.contains(id)),
                !wanted.names.contains(&this.nevra.name),
                newer.count(),
                !favoured.contains(id),
                if one_name { 0 } else { self.closure(*id) },
                &this.nevra.name,
                // Of equal versions the installed one; then the last in the universe's order, which is the same always.
                !this.installed,
                std::cmp::Reverse(*id),
            );
            ranked.push((rank, *id));
        }
        ranked.sort();
        ranked.first().and_then(|(_, id)| rules.variable_of(*id))
    }

    /// Those of `candidates` for which what is there speaks, or which say that they go with it.
    fn favoured(&self, candidates: &[PackageId], there: &impl Fn(PackageId) -> bool) -> HashSet<PackageId> {
        let scope = &self.rules.scope;
        let mut favoured = HashSet::new();
        for id in self.rules.packages.iter().filter(|id| there(**id)) {
            let package = scope.universe.package(*id);
            for relation in package.recommends.iter().chain(&package.suggests) {
                let Ok(rich) = Rich::of(relation) else { continue };
                for relation in rich.relations() {
                    favoured.extend(scope.providers(relation).into_iter().filter(|id| candidates.contains(id)));
                }
            }
        }
        for id in candidates {
            let package = scope.universe.package(*id);
            let goes_with =
                package.enhances.iter().chain(&package.supplements).filter_map(|relation| Rich::of(relation).ok());
            let mut formulas = goes_with.map(|rich| {
                let sense = crate::formula::Sense::Holds;
                crate::formula::Formula::new(&rich, sense, &|relation| scope.providers(relation))
            });
            if formulas.any(|formula| formula.holds(there)) {
                favoured.insert(*id);
            }
        }
        favoured
    }

    /// About how many packages come with a package: each requirement by the last of its candidates in the universe's order.
    fn closure(&mut self, id: PackageId) -> usize {
        if let Some(size) = self.closures.get(&id) {
            return *size;
        }
        let rules = self.rules;
        let mut seen = HashSet::from([id]);
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let Some(variable) = rules.variable_of(id) else { continue };
            for number in &rules.demands[variable.index()] {
                let rule = &rules.list[*number];
                let candidates = rule.present().map(|variable| rules.package_of(variable));
                let met =
                    rule.when().count() > 1 || rule.present().any(|other| seen.contains(&rules.package_of(other)));
                if let (false, Some(next)) = (met, candidates.max())
                    && seen.insert(next)
                {
                    open.push(next);
                }
            }
            if seen.len() > MAX_CLOSURE {
                break;
            }
        }
        self.closures.insert(id, seen.len());
        seen.len()
    }
}

/// What a dependency wants, apart from its conditions.
#[derive(Default)]
pub(crate) struct Wanted {
    names: Vec<String>,
    /// Whatever provides it; none where that is all candidates anyway.
    packages: Option<HashSet<PackageId>>,
}

impl Wanted {
    /// What a rule of some reason wants.
    pub(crate) fn by_rule(rules: &Rules<'_>, reason: Reason) -> Wanted {
        let scope = &rules.scope;
        match reason {
            Reason::Asked { index } => Wanted::by(rules, &scope.request.install[index]),
            Reason::Requires { package, index } => Wanted::by(rules, &scope.universe.package(package).requires[index]),
            Reason::Stays { package } => {
                Wanted { names: vec![scope.universe.package(package).nevra.name.clone()], packages: None }
            }
            Reason::Conflicts { .. } | Reason::Obsoletes { .. } | Reason::OneVersion { .. } => Wanted::default(),
        }
    }

    /// What a relation wants.
    pub(crate) fn by(rules: &Rules<'_>, relation: &Relation) -> Wanted {
        if !relation.is_rich() {
            return Wanted { names: vec![relation.name.clone()], packages: None };
        }
        let Ok(rich) = Rich::of(relation) else { return Wanted::default() };
        let relations = unconditional(&rich);
        Wanted {
            names: relations.iter().map(|relation| relation.name.clone()).collect(),
            packages: Some(relations.iter().flat_map(|relation| rules.scope.providers(relation)).collect()),
        }
    }
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
