use std::collections::BTreeMap;

use pkg::Relation;

use crate::decisions::Decisions;
use crate::literal::Variable;
use crate::rules::{Reason, Rules};
use crate::{PackageId, Universe};

/// The packages that will be there, and why each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    chosen: BTreeMap<PackageId, Because>,
    removed: Vec<PackageId>,
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

impl Solution {
    /// The packages that will be there, in the universe's order: by name and architecture.
    pub fn packages(&self) -> impl Iterator<Item = PackageId> + '_ {
        self.chosen.keys().copied()
    }

    /// The packages that have to be added.
    pub fn added<'a>(&'a self, universe: &'a Universe) -> impl Iterator<Item = PackageId> + 'a {
        self.packages().filter(|id| !universe.package(*id).installed)
    }

    /// The installed packages that go.
    pub fn removed(&self) -> &[PackageId] {
        &self.removed
    }

    /// Why a package is there; none when it is not.
    pub fn because(&self, id: PackageId) -> Option<&Because> {
        self.chosen.get(&id)
    }

    /// Collects what the decisions make true, from the request onwards, so that nothing is in it that nothing wants.
    pub(crate) fn new(rules: &Rules<'_>, decisions: &Decisions) -> Solution {
        let mut collecting = Collecting { rules, decisions, chosen: BTreeMap::new(), open: Vec::new() };
        for number in &rules.roots {
            collecting.follow(*number);
        }
        loop {
            while let Some(variable) = collecting.open.pop() {
                rules.demands[variable.index()].iter().for_each(|number| collecting.follow(*number));
            }
            collecting.follow_weak();
            if collecting.open.is_empty() {
                break;
            }
        }
        let universe = rules.scope.universe;
        let chosen = collecting.chosen;
        let removed = universe.ids().filter(|id| universe.package(*id).installed && !chosen.contains_key(id)).collect();
        Solution { chosen, removed }
    }
}

struct Collecting<'a> {
    rules: &'a Rules<'a>,
    decisions: &'a Decisions,
    chosen: BTreeMap<PackageId, Because>,
    open: Vec<Variable>,
}

impl Collecting<'_> {
    fn take(&mut self, variable: Variable, because: Because) {
        let id = self.rules.package_of(variable);
        if self.decisions.is_there(variable) && !self.chosen.contains_key(&id) {
            self.chosen.insert(id, because);
            self.open.push(variable);
        }
    }

    /// Takes what satisfies a rule, once all that sets it off is taken.
    fn follow(&mut self, number: usize) {
        let (rules, universe) = (self.rules, self.rules.scope.universe);
        let rule = &rules.list[number];
        if !rule.when().all(|variable| self.chosen.contains_key(&rules.package_of(variable))) {
            return;
        }
        let because = match rule.reason {
            Reason::Asked { index } => Because::Asked(rules.scope.request.install[index].clone()),
            Reason::Stays { package } => Because::Installed(package),
            Reason::Requires { package, index } => {
                Because::Required { by: package, relation: universe.package(package).requires[index].clone() }
            }
            Reason::Conflicts { package, index } => {
                Because::Required { by: package, relation: universe.package(package).conflicts[index].clone() }
            }
            Reason::Obsoletes { .. } | Reason::OneVersion { .. } => return,
        };
        for variable in rule.present() {
            self.take(variable, because.clone());
        }
    }

    fn follow_weak(&mut self) {
        let (rules, universe) = (self.rules, self.rules.scope.universe);
        let known: Vec<PackageId> = self.chosen.keys().copied().collect();
        for by in known {
            let Some(variable) = rules.variable_of(by) else { continue };
            for (clause, index) in &rules.recommends[variable.index()] {
                if !clause.absent.iter().all(|id| self.chosen.contains_key(id)) {
                    continue;
                }
                let relation = universe.package(by).recommends[*index].clone();
                for other in clause.present.iter().filter_map(|id| rules.variable_of(*id)) {
                    self.take(other, Because::Recommended { by, relation: relation.clone() });
                }
            }
        }
        for (id, formulas) in &rules.supplements {
            let holds = formulas.iter().any(|formula| formula.holds(&|other| self.chosen.contains_key(&other)));
            if let (true, Some(variable)) = (holds, rules.variable_of(*id)) {
                self.take(variable, Because::Supplements);
            }
        }
    }
}
