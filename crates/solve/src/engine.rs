//! Conflict-driven clause learning: the search that knows nothing of packages.
//!
//! Rules are clauses. Decisions are guesses, each of a level; propagation adds what follows from them by the rules; a rule
//! that is broken is analysed to a learnt rule, which takes back the wrong guess and forbids it for good. Source: Marques-
//! Silva and Sakallah, GRASP (1996), and Een and Sorensson, An Extensible SAT-solver (2003): watches and first unique
//! implication point. There is no restart and no activity heuristic: whoever asks says what to guess next, and that order
//! is the policy.

use crate::decisions::Decisions;
use crate::literal::Literal;
use crate::watches::Watches;

/// A rule's number within one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RuleId(pub(crate) u32);

impl RuleId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Says what to guess next; nothing ends the search: what is undecided then counts as false.
pub(crate) trait Branch {
    fn next(&mut self, decisions: &Decisions) -> Option<Literal>;
}

/// Rules and the state of the search.
pub(crate) struct Engine {
    /// The literals of each rule: the given ones first, then the learnt. The first two of each are watched.
    rules: Vec<Box<[Literal]>>,
    /// From which rules each learnt rule follows. Learnt rules come behind the given ones.
    learnt_from: Vec<Vec<RuleId>>,
    given: usize,
    watches: Watches,
    decisions: Decisions,
    /// A given rule that cannot hold whatever is decided.
    broken: Option<RuleId>,
}

impl Engine {
    /// An engine over `variables` variables and the given rules. A literal is at most once in a rule, and never with its
    /// opposite.
    pub(crate) fn new(variables: usize, rules: impl IntoIterator<Item = Box<[Literal]>>) -> Engine {
        let mut engine = Engine {
            rules: Vec::new(),
            learnt_from: Vec::new(),
            given: 0,
            watches: Watches::new(variables),
            decisions: Decisions::new(variables),
            broken: None,
        };
        for literals in rules {
            let rule = engine.push(literals);
            if let [literal] = *engine.rules[rule.index()] {
                if engine.decisions.is_false(literal) {
                    engine.broken.get_or_insert(rule);
                } else {
                    engine.decisions.follow(literal, rule);
                }
            } else if engine.rules[rule.index()].is_empty() {
                engine.broken.get_or_insert(rule);
            }
        }
        engine.given = engine.rules.len();
        engine
    }

    /// What is decided.
    pub(crate) fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// Searches until `branch` has nothing to guess any more, or no solution is possible.
    ///
    /// # Errors
    /// Given rules, sorted, that cannot hold together; some of them may not be needed for that.
    pub(crate) fn search(&mut self, branch: &mut impl Branch) -> Result<(), Vec<RuleId>> {
        if let Some(rule) = self.broken {
            return Err(self.core(rule));
        }
        loop {
            match self.watches.propagate(&mut self.rules, &mut self.decisions) {
                Err(conflict) if self.decisions.level() == 0 => return Err(self.core(conflict)),
                Err(conflict) => self.learn(conflict),
                Ok(()) => match branch.next(&self.decisions) {
                    Some(literal) => self.decisions.guess(literal),
                    None => return Ok(()),
                },
            }
        }
    }

    fn push(&mut self, literals: Box<[Literal]>) -> RuleId {
        let rule = RuleId(u32::try_from(self.rules.len()).unwrap_or(u32::MAX));
        if let [first, second, ..] = *literals {
            self.watches.watch(first, rule);
            self.watches.watch(second, rule);
        }
        self.rules.push(literals);
        rule
    }

    /// Learns from a broken rule, and goes back to where the learnt rule has something to say.
    fn learn(&mut self, conflict: RuleId) {
        let current = self.decisions.level();
        let mut seen = vec![false; self.decisions.variables()];
        let mut from = vec![conflict];
        // The literal that follows from the learnt rule comes first; the others are false since earlier levels.
        let mut others: Vec<Literal> = Vec::new();
        let mut open = 0_usize;
        let mut rule = conflict;
        let mut trail = self.decisions.trail().len();
        let asserted = loop {
            for literal in &self.rules[rule.index()] {
                let variable = literal.variable();
                let level = self.decisions.level_of(variable);
                if level == 0 || seen[variable.index()] || self.decisions.is_true(*literal) {
                    continue;
                }
                seen[variable.index()] = true;
                if level == current {
                    open += 1;
                } else {
                    others.push(*literal);
                }
            }
            // Back along the trail to the latest decision that has a part in the conflict.
            let literal = loop {
                trail -= 1;
                let literal = self.decisions.trail()[trail];
                if seen[literal.variable().index()] {
                    break literal;
                }
            };
            open -= 1;
            if open == 0 {
                break !literal;
            }
            let Some(reason) = self.decisions.reason(literal.variable()) else {
                // The guess of this level is its oldest decision, so it is reached only when nothing else is open.
                break !literal;
            };
            from.push(reason);
            rule = reason;
        };
        others.sort_by_key(|literal| (std::cmp::Reverse(self.decisions.level_of(literal.variable())), *literal));
        let level = others.first().map_or(0, |literal| self.decisions.level_of(literal.variable()));
        let literals: Box<[Literal]> = std::iter::once(asserted).chain(others).collect();
        self.decisions.back_to(level);
        let learnt = self.push(literals);
        self.learnt_from.push(from);
        self.decisions.follow(asserted, learnt);
    }

    /// The given rules from which it follows that `conflict` cannot hold.
    fn core(&self, conflict: RuleId) -> Vec<RuleId> {
        let mut seen = vec![false; self.rules.len()];
        let mut core = Vec::new();
        let mut open = vec![conflict];
        while let Some(rule) = open.pop() {
            if std::mem::replace(&mut seen[rule.index()], true) {
                continue;
            }
            match rule.index().checked_sub(self.given) {
                Some(learnt) if self.given > 0 => open.extend(&self.learnt_from[learnt]),
                _ => core.push(rule),
            }
            let reasons =
                self.rules[rule.index()].iter().filter(|literal| self.decisions.level_of(literal.variable()) == 0);
            open.extend(reasons.filter_map(|literal| self.decisions.reason(literal.variable())));
        }
        core.sort();
        core
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::literal::Variable;

    const VARIABLES: u32 = 7;

    struct Lowest;

    impl Branch for Lowest {
        fn next(&mut self, decisions: &Decisions) -> Option<Literal> {
            let literals = (0..VARIABLES).map(|number| Variable(number).is_true());
            literals.into_iter().find(|literal| !decisions.is_true(*literal) && !decisions.is_false(*literal))
        }
    }

    fn satisfied(rule: &[Literal], values: u32) -> bool {
        rule.iter().any(|literal| (values >> literal.variable().0 & 1 == 1) == literal.is_positive())
    }

    fn possible(rules: &[&[Literal]]) -> bool {
        (0..1 << VARIABLES).any(|values| rules.iter().all(|rule| satisfied(rule, values)))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn finds_what_trying_everything_finds(
            rules in prop::collection::vec(prop::collection::btree_map(0..VARIABLES, any::<bool>(), 0..4), 0..40)
        ) {
            let literal = |(variable, positive): (&u32, &bool)| {
                let variable = Variable(*variable);
                if *positive { variable.is_true() } else { variable.is_false() }
            };
            let rules: Vec<Box<[Literal]>> = rules.iter().map(|rule| rule.iter().map(literal).collect()).collect();
            let all: Vec<&[Literal]> = rules.iter().map(AsRef::as_ref).collect();
            let mut engine = Engine::new(VARIABLES as usize, rules.clone());
            match engine.search(&mut Lowest) {
                Ok(()) => {
                    let values = (0..VARIABLES).filter(|number| engine.decisions().is_there(Variable(*number)));
                    let values = values.fold(0, |values, number| values | 1 << number);
                    prop_assert!(all.iter().all(|rule| satisfied(rule, values)));
                }
                Err(core) => {
                    prop_assert!(!possible(&all));
                    let core: Vec<&[Literal]> = core.iter().map(|rule| all[rule.index()]).collect();
                    prop_assert!(!possible(&core), "the core of {} rules can hold", core.len());
                }
            }
        }
    }
}
