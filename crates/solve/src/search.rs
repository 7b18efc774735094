//! The order of guesses: first what is asked for, then what becomes of installed packages, then what is demanded and has
//! one name, then real choices, then what is recommended.

use crate::decisions::Decisions;
use crate::engine::{Driver, Engine, Next, RuleId};
use crate::formula::{Clause, Formula, Sense};
use crate::literal::{Literal, Variable};
use crate::policy::Wanted;
use crate::rules::{Reason, Renew, Rules};
use crate::solution::Collecting;
use crate::{Because, Kind, PackageId, Rich};

pub(crate) struct Search<'a> {
    pub(crate) rules: Rules<'a>,
    begun: bool,
    /// How much of the trail has its rules.
    expanded: usize,
    /// What each level began with.
    passed: Vec<Passed>,
    now: Passed,
    /// Packages that supplement, with what they do; made when first asked for.
    supplements: Option<Vec<(PackageId, Vec<Formula>)>>,
}

/// How far is settled what has to be decided; counted in places of the lists and of the trail.
#[derive(Clone, Copy, Default)]
struct Passed {
    roots: usize,
    optional: usize,
    stays: usize,
    /// Demands with candidates of one name.
    single: usize,
    /// All demands.
    demands: usize,
    recommended: usize,
}

impl<'a> Search<'a> {
    pub(crate) fn new(rules: Rules<'a>) -> Search<'a> {
        let now = Passed::default();
        Search { rules, begun: false, expanded: 0, passed: Vec::new(), now, supplements: None }
    }

    /// The undecided candidates of a rule that is set off and not satisfied.
    fn open(engine: &Engine, rule: RuleId) -> Option<Vec<Variable>> {
        let decisions = engine.decisions();
        let literals = engine.rule(rule);
        if literals.iter().any(|literal| decisions.is_true(*literal)) {
            return None;
        }
        let mut candidates = Vec::new();
        for literal in literals.iter().filter(|literal| !decisions.is_false(**literal)) {
            if !literal.is_positive() {
                // A condition that is not decided: it is not set off.
                return None;
            }
            candidates.push(literal.variable());
        }
        Some(candidates)
    }

    fn is_one_name(&self, candidates: &[Variable]) -> bool {
        let universe = self.rules.scope.universe;
        let name = |variable: &Variable| universe.table.name(self.rules.package_of(*variable).index());
        candidates.windows(2).all(|pair| name(&pair[0]) == name(&pair[1]))
    }

    fn choose(&mut self, engine: &Engine, candidates: &[Variable], wanted: &Wanted) -> Option<Literal> {
        self.rules.best(engine.decisions(), candidates, wanted).map(Variable::is_true)
    }

    fn choose_for(&mut self, engine: &Engine, rule: RuleId, candidates: &[Variable]) -> Option<Literal> {
        let wanted = self.rules.reason(rule).map(|reason| self.rules.wanted(reason)).unwrap_or_default();
        self.choose(engine, candidates, &wanted)
    }

    /// What the request asks for: what has one name first, for choices may follow from it.
    fn asked(&mut self, engine: &Engine) -> Option<Literal> {
        for only_one_name in [true, false] {
            let mut settled = true;
            for place in self.now.roots..self.rules.roots.len() {
                let rule = self.rules.roots[place];
                let Some(candidates) = Self::open(engine, rule) else {
                    self.now.roots += usize::from(settled);
                    continue;
                };
                settled = false;
                if !only_one_name || self.is_one_name(&candidates) {
                    return self.choose_for(engine, rule, &candidates);
                }
            }
        }
        None
    }

    fn optional(&mut self, engine: &Engine) -> Option<Literal> {
        while let Some((index, clause)) = self.rules.optional.get(self.now.optional) {
            let candidates = self.undecided(clause, engine.decisions());
            if let Some(candidates) = candidates {
                let wanted = self.rules.wanted_by(&self.rules.scope.request.optional[*index]);
                return self.choose(engine, &candidates, &wanted);
            }
            self.now.optional += 1;
        }
        None
    }

    /// What becomes of installed packages.
    fn stays(&mut self, engine: &Engine) -> Option<Literal> {
        let decisions = engine.decisions();
        while let Some(stay) = self.rules.stays.get(self.now.stays) {
            let open = !stay.candidates.iter().any(|variable| decisions.is_there(*variable));
            let undecided = stay.candidates.iter().filter(|variable| !decisions.is_false(variable.is_true()));
            let candidates: Vec<Variable> = undecided.copied().collect();
            if open && !candidates.is_empty() {
                let (package, renew) = (stay.package, stay.renew);
                return self.choose_renewal(engine, package, renew, &candidates);
            }
            self.now.stays += 1;
        }
        None
    }

    fn choose_renewal(
        &mut self,
        engine: &Engine,
        package: PackageId,
        renew: Renew,
        candidates: &[Variable],
    ) -> Option<Literal> {
        let wanted = self.rules.wanted(Reason::Stays { package });
        if renew != Renew::Sync {
            return self.choose(engine, candidates, &wanted);
        }
        // What is there counts only where no repository has anything, or has the same.
        let universe = self.rules.scope.universe;
        let others: Vec<Variable> =
            candidates.iter().copied().filter(|variable| self.rules.package_of(*variable) != package).collect();
        let best = self.choose(engine, &others, &wanted);
        let same = best.filter(|best| {
            let other = self.rules.package_of(best.variable());
            universe.name(other) == universe.name(package) && universe.compare_versions(other, package).is_eq()
        });
        let itself = candidates.iter().find(|variable| self.rules.package_of(**variable) == package);
        match (same, itself) {
            (Some(_), Some(itself)) => Some(itself.is_true()),
            _ => best.or(itself.map(|itself| itself.is_true())),
        }
    }

    /// Demands of what is there, in the order in which it came.
    fn demanded(&mut self, engine: &Engine, only_one_name: bool) -> Option<Literal> {
        let from = if only_one_name { self.now.single } else { self.now.demands };
        for place in from..engine.decisions().trail().len() {
            let literal = engine.decisions().trail()[place];
            let found = literal.is_positive().then(|| self.demanded_by(engine, literal.variable(), only_one_name));
            if let Some(next) = found.flatten() {
                return Some(next);
            }
            if only_one_name {
                self.now.single = place + 1;
            } else {
                self.now.demands = place + 1;
            }
        }
        None
    }

    fn demanded_by(&mut self, engine: &Engine, variable: Variable, only_one_name: bool) -> Option<Literal> {
        for index in 0..self.rules.demands(variable).len() {
            let rule = self.rules.demands(variable)[index];
            let Some(candidates) = Self::open(engine, rule) else { continue };
            if !only_one_name || self.is_one_name(&candidates) {
                return self.choose_for(engine, rule, &candidates);
            }
        }
        None
    }

    fn recommended(&mut self, engine: &Engine) -> Option<Literal> {
        let mut settled = true;
        for place in self.now.recommended..engine.decisions().trail().len() {
            let literal = engine.decisions().trail()[place];
            let variable = literal.variable();
            let count = if literal.is_positive() { self.rules.recommends(variable).len() } else { 0 };
            for index in 0..count {
                let (relation, clause) = &self.rules.recommends(variable)[index];
                // What hangs on a condition may come later.
                settled &= clause.absent.is_empty();
                if let Some(candidates) = self.undecided(clause, engine.decisions()) {
                    let wanted = self.rules.wanted_by(&self.rules.scope.universe.table.relation_value(*relation));
                    return self.choose(engine, &candidates, &wanted);
                }
            }
            self.now.recommended += usize::from(settled);
        }
        None
    }

    fn supplementing(&mut self, engine: &Engine) -> Option<Literal> {
        if !self.rules.scope.request.weak || self.rules.scope.universe.supplementing().is_empty() {
            return None;
        }
        let supplements = match self.supplements.take() {
            Some(supplements) => supplements,
            None => self.all_supplements(),
        };
        let next = self.supplementing_of(&supplements, engine);
        self.supplements = Some(supplements);
        let id = next?;
        // All versions of that name that supplement, so that the newest is tried first.
        let universe = self.rules.scope.universe;
        let decisions = engine.decisions();
        let name = universe.name(id);
        let same: Vec<PackageId> = self.supplements.iter().flatten().map(|(other, _)| *other).collect();
        let same = same.into_iter().filter(|other| universe.name(*other) == name);
        let variables = same.filter_map(|other| self.rules.variable_of(other));
        let candidates: Vec<Variable> = variables.filter(|other| !decisions.is_false(other.is_true())).collect();
        self.choose(engine, &candidates, &Wanted::default())
    }

    fn all_supplements(&self) -> Vec<(PackageId, Vec<Formula>)> {
        let scope = &self.rules.scope;
        let universe = scope.universe;
        let seen = universe.supplementing().iter().copied();
        let seen = seen.filter(|id| scope.hidden(*id).is_none() && !universe.is_installed(*id));
        let formulas = |id: PackageId| {
            let relations =
                universe.list(id, Kind::Supplements).map(|relation| universe.table.relation_value(relation));
            let rich = relations.filter_map(|relation| Rich::of(&relation).ok());
            let providers = |relation: &pkg::Relation| {
                let mut packages = scope.providers(relation);
                packages.sort();
                packages
            };
            rich.map(|rich| Formula::new(&rich, Sense::Holds, &providers)).collect()
        };
        seen.map(|id| (id, formulas(id))).collect()
    }

    /// A package that supplements what is there, and of whose name nothing is there yet.
    fn supplementing_of(&self, supplements: &[(PackageId, Vec<Formula>)], engine: &Engine) -> Option<PackageId> {
        let universe = self.rules.scope.universe;
        let decisions = engine.decisions();
        let there = |id: PackageId| self.rules.variable_of(id).is_some_and(|variable| decisions.is_there(variable));
        let open = |id: PackageId| {
            self.rules.variable_of(id).is_some_and(|variable| !decisions.is_false(variable.is_true()))
                && !universe.named(universe.name(id)).iter().any(|other| there(*other))
        };
        let holds = |formulas: &[Formula]| formulas.iter().any(|formula| formula.holds(&there));
        supplements.iter().find(|(id, formulas)| holds(formulas) && open(*id)).map(|(id, _)| *id)
    }

    /// Takes what supplements the packages that are taken.
    pub(crate) fn supplementing_there(&self, collecting: &mut Collecting<'_>) {
        for (id, formulas) in self.supplements.iter().flatten() {
            let holds = formulas.iter().any(|formula| formula.holds(&|other| collecting.chosen.contains_key(&other)));
            if let (true, Some(variable)) = (holds, self.rules.variable_of(*id)) {
                collecting.take(variable, Because::Supplements);
            }
        }
    }

    /// The undecided candidates of a wish that is set off and not fulfilled; none when there is none.
    fn undecided(&self, clause: &Clause, decisions: &Decisions) -> Option<Vec<Variable>> {
        let there = |id: &PackageId| self.rules.variable_of(*id).is_some_and(|other| decisions.is_there(other));
        if clause.present.iter().any(there) || !clause.absent.iter().all(there) {
            return None;
        }
        let variables = clause.present.iter().filter_map(|id| self.rules.variable_of(*id));
        let undecided: Vec<Variable> = variables.filter(|other| !decisions.is_false(other.is_true())).collect();
        (!undecided.is_empty()).then_some(undecided)
    }
}

impl Driver for Search<'_> {
    fn expand(&mut self, engine: &mut Engine) -> Result<(), RuleId> {
        if !std::mem::replace(&mut self.begun, true) {
            self.rules.begin(engine)?;
            // What supplements has its variable from the start, so that it can be guessed.
            if self.rules.scope.request.weak {
                for id in self.rules.scope.universe.supplementing() {
                    self.rules.variable(engine, *id);
                }
            }
        }
        while let Some(literal) = engine.decisions().trail().get(self.expanded).copied() {
            self.expanded += 1;
            if literal.is_positive() {
                self.rules.expand(engine, literal.variable())?;
            }
        }
        Ok(())
    }

    fn next(&mut self, engine: &Engine) -> Next {
        let mut next = self.asked(engine);
        next = next.or_else(|| self.optional(engine));
        next = next.or_else(|| self.stays(engine));
        next = next.or_else(|| self.demanded(engine, true));
        next = next.or_else(|| self.demanded(engine, false));
        next = next.or_else(|| self.recommended(engine));
        next = next.or_else(|| self.supplementing(engine));
        match next {
            Some(literal) => {
                self.passed.push(self.now);
                Next::Guess(literal)
            }
            None => Next::Done,
        }
    }

    fn taken_back(&mut self, level: u32) {
        if let Some(passed) = self.passed.get(level as usize) {
            self.now = *passed;
            self.passed.truncate(level as usize);
        }
        self.expanded = 0;
    }
}
