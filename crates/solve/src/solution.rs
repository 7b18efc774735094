use std::collections::{BTreeMap, BTreeSet};

use pkg::Relation;

use crate::decisions::Decisions;
use crate::engine::{Engine, RuleId};
use crate::literal::Variable;
use crate::rules::{Reason, Rules};
use crate::search::Search;
use crate::{PackageId, Universe};

/// The packages that will be there, and why each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    pub(crate) chosen: BTreeMap<PackageId, Because>,
    pub(crate) removed: Vec<PackageId>,
    pub(crate) unneeded: BTreeSet<PackageId>,
}

/// Why a package is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// The request asks for it.
    Asked(Relation),
    /// A package requires it.
    Required {
        /// Who requires it.
        by: PackageId,
        /// By which relation.
        relation: Relation,
    },
    /// A package recommends it.
    Recommended {
        /// Who recommends it.
        by: PackageId,
        /// By which relation.
        relation: Relation,
    },
    /// It supplements what is there.
    Supplements,
    /// It was there, or replaces this one, which was.
    Installed(PackageId),
}

/// One step from what is installed to the solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A package that was not there in any version, or comes beside others.
    Install(PackageId),
    /// A newer version takes the place of an older one.
    Upgrade {
        /// What comes.
        new: PackageId,
        /// What goes.
        old: PackageId,
    },
    /// An older version takes the place of a newer one.
    Downgrade {
        /// What comes.
        new: PackageId,
        /// What goes.
        old: PackageId,
    },
    /// The same version takes the place of what is there.
    Reinstall {
        /// What comes.
        new: PackageId,
        /// What goes.
        old: PackageId,
    },
    /// A package goes because another, which comes, obsoletes it.
    Replace {
        /// What comes.
        new: PackageId,
        /// What goes.
        old: PackageId,
    },
    /// A package goes.
    Erase(PackageId),
    /// A package goes that nothing needs any more.
    Autoremove(PackageId),
}

impl Solution {
    /// The packages that will be there, in the universe's order.
    pub fn packages(&self) -> impl Iterator<Item = PackageId> + '_ {
        self.chosen.keys().copied()
    }

    /// The packages that have to be added.
    pub fn added<'a>(&'a self, universe: &'a Universe) -> impl Iterator<Item = PackageId> + 'a {
        self.packages().filter(|id| !universe.is_installed(*id))
    }

    /// The installed packages that go.
    pub fn removed(&self) -> &[PackageId] {
        &self.removed
    }

    /// Why a package is there; none when it is not.
    pub fn because(&self, id: PackageId) -> Option<&Because> {
        self.chosen.get(&id)
    }

    /// What has to be done, in the universe's order: what comes first, then what goes without anything in its place.
    pub fn changes(&self, universe: &Universe<'_>) -> Vec<Change> {
        let mut gone: BTreeSet<PackageId> = self.removed.iter().copied().collect();
        let mut changes = Vec::new();
        let added: Vec<PackageId> = self.added(universe).collect();
        for new in &added {
            // Of several versions that went the newest is the one that is replaced.
            let same = gone.iter().copied().filter(|old| universe.name(*old) == universe.name(*new));
            let old = same
                .filter(|old| self.because(*new) == Some(&Because::Installed(*old)) || self.alone(universe, *new))
                .max_by_key(|old| (universe.arch(*old) == universe.arch(*new), universe.rank(*old)));
            changes.push(match old {
                None => Change::Install(*new),
                Some(old) => {
                    gone.remove(&old);
                    match universe.compare_versions(*new, old) {
                        std::cmp::Ordering::Greater => Change::Upgrade { new: *new, old },
                        std::cmp::Ordering::Equal => Change::Reinstall { new: *new, old },
                        std::cmp::Ordering::Less => Change::Downgrade { new: *new, old },
                    }
                }
            });
        }
        for old in gone {
            let replacing = universe.replacing(old).into_iter().find(|new| added.contains(new));
            changes.push(match replacing {
                Some(new) => Change::Replace { new, old },
                None if self.unneeded.contains(&old) => Change::Autoremove(old),
                None => Change::Erase(old),
            });
        }
        changes
    }

    /// Whether no installed package of the same name stays, so that one which goes makes room.
    fn alone(&self, universe: &Universe<'_>, new: PackageId) -> bool {
        let still = |id: &PackageId| self.chosen.contains_key(id) && universe.is_installed(*id);
        !universe.named(universe.name(new)).iter().any(still)
    }

    /// Collects what the decisions make true, from the request onwards, so that nothing is in it that nothing wants.
    pub(crate) fn new(search: &Search<'_>, engine: &Engine) -> Solution {
        let rules = &search.rules;
        let mut collecting =
            Collecting { rules, engine, decisions: engine.decisions(), chosen: BTreeMap::new(), open: Vec::new() };
        for rule in &rules.roots {
            collecting.follow(*rule);
        }
        for stay in &rules.stays {
            for variable in &stay.candidates {
                collecting.take(*variable, Because::Installed(stay.package));
            }
        }
        for (index, clause) in &rules.optional {
            let relation = &rules.scope.request.optional[*index];
            for variable in clause.present.iter().filter_map(|id| rules.variable_of(*id)) {
                collecting.take(variable, Because::Asked(relation.clone()));
            }
        }
        loop {
            while let Some(variable) = collecting.open.pop() {
                rules.demands(variable).iter().for_each(|rule| collecting.follow(*rule));
            }
            collecting.follow_weak();
            search.supplementing_there(&mut collecting);
            if collecting.open.is_empty() {
                break;
            }
        }
        let universe = rules.scope.universe;
        let chosen = collecting.chosen;
        let removed = universe.installed().iter().copied().filter(|id| !chosen.contains_key(id)).collect();
        Solution { chosen, removed, unneeded: BTreeSet::new() }
    }
}

pub(crate) struct Collecting<'a> {
    pub(crate) rules: &'a Rules<'a>,
    engine: &'a Engine,
    decisions: &'a Decisions,
    pub(crate) chosen: BTreeMap<PackageId, Because>,
    open: Vec<Variable>,
}

impl Collecting<'_> {
    pub(crate) fn take(&mut self, variable: Variable, because: Because) {
        let id = self.rules.package_of(variable);
        if self.decisions.is_there(variable) && !self.chosen.contains_key(&id) {
            self.chosen.insert(id, because);
            self.open.push(variable);
        }
    }

    /// Takes what satisfies a rule, once all that sets it off is taken.
    fn follow(&mut self, rule: RuleId) {
        let rules = self.rules;
        let literals = self.engine.rule(rule);
        let absent = literals.iter().filter(|literal| !literal.is_positive());
        if !absent.map(|literal| rules.package_of(literal.variable())).all(|id| self.chosen.contains_key(&id)) {
            return;
        }
        let table = &rules.scope.universe.table;
        let because = match rules.reason(rule) {
            Some(Reason::Asked { index }) => Because::Asked(rules.scope.request.install[index].clone()),
            Some(Reason::Requires { package, relation } | Reason::Conflicts { package, relation }) => {
                Because::Required { by: package, relation: table.relation_value(relation) }
            }
            Some(
                Reason::Stays { package }
                | Reason::Protected { package }
                | Reason::Upgraded { package }
                | Reason::Downgraded { package }
                | Reason::Reinstalled { package },
            ) => Because::Installed(package),
            _ => return,
        };
        let mut present: Vec<Variable> =
            literals.iter().filter(|literal| literal.is_positive()).map(|literal| literal.variable()).collect();
        present.sort();
        for variable in present {
            self.take(variable, because.clone());
        }
    }

    fn follow_weak(&mut self) {
        let rules = self.rules;
        let known: Vec<PackageId> = self.chosen.keys().copied().collect();
        for by in known {
            let Some(variable) = rules.variable_of(by) else { continue };
            for (relation, clause) in rules.recommends(variable) {
                if !clause.absent.iter().all(|id| self.chosen.contains_key(id)) {
                    continue;
                }
                let relation = rules.scope.universe.table.relation_value(*relation);
                for other in clause.present.iter().filter_map(|id| rules.variable_of(*id)) {
                    self.take(other, Because::Recommended { by, relation: relation.clone() });
                }
            }
        }
    }
}
