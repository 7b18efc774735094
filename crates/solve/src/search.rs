//! The order of guesses: first what is demanded and has one name, then real choices, then what is recommended.

use crate::decisions::Decisions;
use crate::engine::Branch;
use crate::literal::{Literal, Variable};
use crate::policy::{Policy, Wanted};
use crate::rules::Rules;
use crate::{PackageId, Universe};

pub(crate) struct Search<'a> {
    rules: &'a Rules<'a>,
    policy: Policy<'a>,
    /// How much of the trail has no open demand with candidates of one name, per level and now.
    passed: Vec<usize>,
    now: usize,
}

impl<'a> Search<'a> {
    pub(crate) fn new(rules: &'a Rules<'a>) -> Search<'a> {
        Search { rules, policy: Policy::new(rules), passed: Vec::new(), now: 0 }
    }

    fn universe(&self) -> &'a Universe {
        self.rules.scope.universe
    }

    /// The undecided candidates of a rule that is set off and not satisfied.
    fn open(&self, number: usize, decisions: &Decisions) -> Option<Vec<Variable>> {
        let rule = &self.rules.list[number];
        let satisfied = rule.literals.iter().any(|literal| decisions.is_true(*literal));
        if satisfied || !rule.when().all(|variable| decisions.is_there(variable)) {
            return None;
        }
        Some(rule.present().filter(|variable| !decisions.is_false(variable.is_true())).collect())
    }

    fn one_name(&self, candidates: &[Variable]) -> bool {
        let name = |variable: Variable| &self.universe().package(self.rules.package_of(variable)).nevra.name;
        candidates.windows(2).all(|pair| name(pair[0]) == name(pair[1]))
    }

    fn choose(&mut self, candidates: &[Variable], wanted: &Wanted, decisions: &Decisions) -> Option<Literal> {
        let rules = self.rules;
        let there = |id: PackageId| rules.variable_of(id).is_some_and(|variable| decisions.is_there(variable));
        self.policy.best(candidates, wanted, &there).map(Variable::is_true)
    }

    /// Demands of the request and of what is there, from place `from` of the trail on.
    fn demanded(&mut self, decisions: &Decisions, only_one_name: bool) -> Option<Literal> {
        let from = if only_one_name { self.now } else { 0 };
        // Place 0 stands for the request; the trail begins at 1.
        for place in from..=decisions.trail().len() {
            let rules = self.rules;
            let numbers = match place.checked_sub(1).map(|place| decisions.trail()[place]) {
                None => &rules.roots,
                Some(literal) if literal.is_positive() => &rules.demands[literal.variable().index()],
                Some(_) => continue,
            };
            if only_one_name {
                self.now = place;
            }
            for number in numbers {
                let Some(candidates) = self.open(*number, decisions) else { continue };
                if only_one_name && !self.one_name(&candidates) {
                    continue;
                }
                let wanted = Wanted::by_rule(rules, rules.list[*number].reason);
                return self.choose(&candidates, &wanted, decisions);
            }
        }
        None
    }

    fn recommended(&mut self, decisions: &Decisions) -> Option<Literal> {
        let rules = self.rules;
        for literal in decisions.trail().iter().filter(|literal| literal.is_positive()) {
            let variable = literal.variable();
            let package = self.universe().package(rules.package_of(variable));
            for (clause, index) in &rules.recommends[variable.index()] {
                let there = |id: &PackageId| rules.variable_of(*id).is_some_and(|other| decisions.is_there(other));
                if clause.present.iter().any(there) || !clause.absent.iter().all(there) {
                    continue;
                }
                let candidates = self.undecided(clause.present.iter().copied(), decisions);
                if !candidates.is_empty() {
                    let wanted = Wanted::by(rules, &package.recommends[*index]);
                    return self.choose(&candidates, &wanted, decisions);
                }
            }
        }
        None
    }

    fn supplementing(&mut self, decisions: &Decisions) -> Option<Literal> {
        let rules = self.rules;
        let there = |id: PackageId| rules.variable_of(id).is_some_and(|other| decisions.is_there(other));
        for (id, formulas) in &rules.supplements {
            let name = &self.universe().package(*id).nevra.name;
            if !formulas.iter().any(|formula| formula.holds(&there)) {
                continue;
            }
            // All versions of that name that supplement, so that the newest is tried first.
            let same = rules.supplements.iter().map(|(other, _)| *other);
            let same = same.filter(|other| &self.universe().package(*other).nevra.name == name);
            if same.clone().any(there) {
                continue;
            }
            let candidates = self.undecided(same, decisions);
            if !candidates.is_empty() {
                return self.choose(&candidates, &Wanted::default(), decisions);
            }
        }
        None
    }

    fn undecided(&self, ids: impl Iterator<Item = PackageId>, decisions: &Decisions) -> Vec<Variable> {
        let variables = ids.filter_map(|id| self.rules.variable_of(id));
        variables.filter(|other| !decisions.is_false(other.is_true())).collect()
    }
}

impl Branch for Search<'_> {
    fn next(&mut self, decisions: &Decisions) -> Option<Literal> {
        let level = decisions.level() as usize;
        if let Some(passed) = self.passed.get(level) {
            // The engine went back: so does what was passed.
            self.now = *passed;
            self.passed.truncate(level);
        }
        let mut next = self.demanded(decisions, true);
        if next.is_none() {
            next = self.demanded(decisions, false);
        }
        if next.is_none() {
            next = self.recommended(decisions);
        }
        if next.is_none() {
            next = self.supplementing(decisions);
        }
        self.passed.push(self.now);
        next
    }
}
