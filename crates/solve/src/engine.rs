//! Conflict-driven clause learning: the search that knows nothing of packages.
//!
//! Rules are clauses. Decisions are guesses, each of a level; propagation adds what follows from them by the rules; a rule
//! that is broken is analysed to a learnt rule, which takes back the wrong guess and forbids it for good. Source: Marques-
//! Silva and Sakallah, GRASP (1996), and Een and Sorensson, An Extensible SAT-solver (2003): watches and first unique
//! implication point. There is no restart and no activity heuristic: whoever asks says what to guess next, and that order
//! is the policy.
//!
//! Rules come while the search goes on: what a package requires is a rule only once the package is decided to be there.
//! So the work is in proportion to the answer, not to the universe.

use crate::decisions::Decisions;
use crate::literal::{Literal, Variable};

/// A rule's number within one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RuleId(pub(crate) u32);

impl RuleId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The next step of a search, told by whoever knows what the variables mean.
pub(crate) enum Next {
    /// Guess this.
    Guess(Literal),
    /// Nothing is left to guess: what is undecided counts as false.
    Done,
}

/// Gives the engine its rules and guesses as the search goes on.
pub(crate) trait Driver {
    /// Adds the rules of what was decided since; says the one that is broken by what is decided, if any.
    fn expand(&mut self, engine: &mut Engine) -> Result<(), RuleId>;

    /// Says what to guess next.
    fn next(&mut self, engine: &Engine) -> Next;

    /// All levels above `level` were taken back.
    fn taken_back(&mut self, level: u32);
}

/// Rules and the state of the search.
#[derive(Default)]
pub(crate) struct Engine {
    /// The literals of all rules, one after the other. The first two of each rule are watched.
    literals: Vec<Literal>,
    /// Where each rule ends in `literals`.
    ends: Vec<u32>,
    /// From which rules a learnt rule follows; empty for given rules.
    learnt_from: Vec<Option<Vec<RuleId>>>,
    /// For each literal, the rules that have it among their first two: only these can break or decide when it becomes false.
    watches: Vec<Vec<RuleId>>,
    decisions: Decisions,
    seen: Vec<bool>,
}

impl Engine {
    /// One variable more.
    pub(crate) fn variable(&mut self) -> Variable {
        let variable = Variable(u32::try_from(self.decisions.variables()).unwrap_or(u32::MAX));
        self.decisions.grow();
        self.watches.push(Vec::new());
        self.watches.push(Vec::new());
        variable
    }

    /// What is decided.
    pub(crate) fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// The literals of a rule; their order changes during the search.
    pub(crate) fn rule(&self, rule: RuleId) -> &[Literal] {
        &self.literals[self.range(rule)]
    }

    fn range(&self, rule: RuleId) -> std::ops::Range<usize> {
        let start = rule.index().checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        start..self.ends[rule.index()] as usize
    }

    /// Adds a rule. A literal is at most once in it, and never with its opposite.
    ///
    /// Above level 0 at least one of its literals has to be undecided, true, or decided at the current level; and when a rule
    /// of one literal is broken, the search has to learn from that one.
    ///
    /// # Errors
    /// The rule's number, when what is decided breaks it.
    pub(crate) fn add(&mut self, literals: &[Literal]) -> Result<RuleId, RuleId> {
        let rule = self.push(literals, None);
        let range = self.range(rule);
        // Watched are two that can still hold, or else those that were decided last: these are free again first.
        for place in 0..range.len().min(2) {
            let from = range.start + place;
            let best = (from..range.end).max_by_key(|index| (self.height(self.literals[*index]), usize::MAX - index));
            self.literals.swap(from, best.unwrap_or(from));
        }
        if let [first, second, ..] = self.literals[range.clone()] {
            self.watches[first.index()].push(rule);
            self.watches[second.index()].push(rule);
        }
        let mut hopeful = self.literals[range].iter().take(2).filter(|literal| !self.decisions.is_false(**literal));
        match (hopeful.next().copied(), hopeful.next()) {
            (None, _) => Err(rule),
            (Some(only), None) => {
                self.decisions.follow(only, rule);
                Ok(rule)
            }
            (Some(_), Some(_)) => Ok(rule),
        }
    }

    /// How late a literal can become free: not at all when it is.
    fn height(&self, literal: Literal) -> u32 {
        if self.decisions.is_false(literal) { self.decisions.level_of(literal.variable()) } else { u32::MAX }
    }

    fn push(&mut self, literals: &[Literal], learnt_from: Option<Vec<RuleId>>) -> RuleId {
        let rule = RuleId(u32::try_from(self.ends.len()).unwrap_or(u32::MAX));
        self.literals.extend_from_slice(literals);
        self.ends.push(u32::try_from(self.literals.len()).unwrap_or(u32::MAX));
        self.learnt_from.push(learnt_from);
        rule
    }

    /// Searches until the driver has nothing to guess any more, or no solution is possible.
    ///
    /// # Errors
    /// Given rules, sorted, that cannot hold together; some of them may not be needed for that.
    pub(crate) fn search(&mut self, driver: &mut impl Driver) -> Result<(), Vec<RuleId>> {
        loop {
            let before = self.decisions.trail().len();
            let step = self.propagate().and_then(|()| driver.expand(self));
            match step {
                Err(conflict) if self.decisions.level() == 0 => return Err(self.core(conflict)),
                Err(conflict) => {
                    let level = self.learn(conflict);
                    driver.taken_back(level);
                }
                // What the new rules decide is propagated first.
                Ok(()) if self.decisions.trail().len() > before => {}
                Ok(()) => match driver.next(self) {
                    Next::Guess(literal) => self.decisions.guess(literal),
                    Next::Done => return Ok(()),
                },
            }
        }
    }

    /// Decides everything that follows from what is decided.
    ///
    /// # Errors
    /// A rule all of whose literals are false.
    fn propagate(&mut self) -> Result<(), RuleId> {
        while let Some(literal) = self.decisions.next_to_propagate() {
            let fallen = !literal;
            let mut watching = std::mem::take(&mut self.watches[fallen.index()]);
            let mut conflict = None;
            watching.retain(|rule| {
                if conflict.is_some() {
                    return true;
                }
                let range = self.range(*rule);
                let literals = &mut self.literals[range];
                if literals[0] == fallen {
                    literals.swap(0, 1);
                }
                let first = literals[0];
                if self.decisions.is_true(first) {
                    return true;
                }
                let other = literals.iter().skip(2).position(|literal| !self.decisions.is_false(*literal));
                if let Some(place) = other {
                    literals.swap(1, place + 2);
                    self.watches[literals[1].index()].push(*rule);
                    return false;
                }
                if self.decisions.is_false(first) {
                    conflict = Some(*rule);
                } else {
                    self.decisions.follow(first, *rule);
                }
                true
            });
            self.watches[fallen.index()] = watching;
            if let Some(rule) = conflict {
                return Err(rule);
            }
        }
        Ok(())
    }

    /// Learns from a broken rule, and goes back to where the learnt rule has something to say: to which level.
    fn learn(&mut self, conflict: RuleId) -> u32 {
        let current = self.decisions.level();
        let mut seen = std::mem::take(&mut self.seen);
        seen.clear();
        seen.resize(self.decisions.variables(), false);
        let mut from = vec![conflict];
        // The literal that follows from the learnt rule comes first; the others are false since earlier levels.
        let mut others: Vec<Literal> = Vec::new();
        let mut open = 0_usize;
        let mut rule = conflict;
        let mut trail = self.decisions.trail().len();
        let asserted = loop {
            for literal in self.rule(rule) {
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
        self.seen = seen;
        others.sort_by_key(|literal| (std::cmp::Reverse(self.decisions.level_of(literal.variable())), *literal));
        let level = others.first().map_or(0, |literal| self.decisions.level_of(literal.variable()));
        others.insert(0, asserted);
        self.decisions.back_to(level);
        let learnt = self.push(&others, Some(from));
        if let [first, second, ..] = others[..] {
            self.watches[first.index()].push(learnt);
            self.watches[second.index()].push(learnt);
        }
        self.decisions.follow(asserted, learnt);
        level
    }

    /// The given rules from which it follows that `conflict` cannot hold.
    fn core(&self, conflict: RuleId) -> Vec<RuleId> {
        let mut seen = vec![false; self.ends.len()];
        let mut core = Vec::new();
        let mut open = vec![conflict];
        while let Some(rule) = open.pop() {
            if std::mem::replace(&mut seen[rule.index()], true) {
                continue;
            }
            match &self.learnt_from[rule.index()] {
                Some(from) => open.extend(from),
                None => core.push(rule),
            }
            let reasons = self.rule(rule).iter().filter(|literal| self.decisions.level_of(literal.variable()) == 0);
            open.extend(reasons.filter_map(|literal| self.decisions.reason(literal.variable())));
        }
        core.sort();
        core
    }
}

/// Rules that are all given before the search: which of them contradict one another, if they do.
pub(crate) fn contradiction(variables: usize, rules: &[&[Literal]]) -> Option<Vec<usize>> {
    /// Guesses whatever satisfies the first rule that is not satisfied.
    struct AnyOpen<'a> {
        rules: &'a [&'a [Literal]],
        added: usize,
    }

    impl Driver for AnyOpen<'_> {
        fn expand(&mut self, engine: &mut Engine) -> Result<(), RuleId> {
            while let Some(rule) = self.rules.get(self.added) {
                self.added += 1;
                engine.add(rule)?;
            }
            Ok(())
        }

        fn next(&mut self, engine: &Engine) -> Next {
            let decisions = engine.decisions();
            let open = self.rules.iter().find(|rule| !rule.iter().any(|literal| decisions.is_true(*literal)));
            let literal = open.and_then(|rule| rule.iter().find(|literal| !decisions.is_false(**literal)));
            literal.map_or(Next::Done, |literal| Next::Guess(*literal))
        }

        fn taken_back(&mut self, _level: u32) {}
    }

    let mut engine = Engine::default();
    for _ in 0..variables {
        engine.variable();
    }
    // All rules are added at level 0, so a rule's place and its number are the same.
    let core = engine.search(&mut AnyOpen { rules, added: 0 }).err()?;
    Some(core.into_iter().map(RuleId::index).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VARIABLES: u32 = 7;

    /// Guesses the lowest; rules come only once their first variable is decided to be true, or nothing is left to guess.
    struct Lazily {
        rules: Vec<Vec<Literal>>,
        added: Vec<bool>,
    }

    impl Driver for Lazily {
        fn expand(&mut self, engine: &mut Engine) -> Result<(), RuleId> {
            for (rule, added) in self.rules.iter().zip(&mut self.added) {
                let due = rule.iter().all(|literal| literal.is_positive())
                    || rule.iter().any(|literal| {
                        !literal.is_positive()
                            && engine.decisions().is_true(!*literal)
                            && engine.decisions().level_of(literal.variable()) == engine.decisions().level()
                    });
                // Rules of positive literals are given at the start.
                if due
                    && !*added
                    && (engine.decisions().level() == 0 || rule.iter().any(|literal| !literal.is_positive()))
                {
                    *added = true;
                    engine.add(rule)?;
                }
            }
            Ok(())
        }

        fn next(&mut self, engine: &Engine) -> Next {
            let decisions = engine.decisions();
            let literals = (0..VARIABLES).map(|number| Variable(number).is_true());
            let mut open =
                literals.into_iter().filter(|literal| !decisions.is_true(*literal) && !decisions.is_false(*literal));
            open.next().map_or(Next::Done, Next::Guess)
        }

        fn taken_back(&mut self, _level: u32) {}
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
            let rules: Vec<Vec<Literal>> = rules.iter().map(|rule| rule.iter().map(literal).collect()).collect();
            let all: Vec<&[Literal]> = rules.iter().map(Vec::as_slice).collect();
            let mut engine = Engine::default();
            (0..VARIABLES).for_each(|_| { engine.variable(); });
            let added = vec![false; rules.len()];
            match engine.search(&mut Lazily { rules: rules.clone(), added }) {
                Ok(()) => {
                    let values = (0..VARIABLES).filter(|number| engine.decisions().is_there(Variable(*number)));
                    let values = values.fold(0, |values, number| values | 1 << number);
                    prop_assert!(all.iter().all(|rule| satisfied(rule, values)));
                }
                Err(core) => {
                    prop_assert!(!possible(&all));
                    let core: Vec<&[Literal]> = core.iter().filter(|rule| engine.learnt_from[rule.index()].is_none()).map(|rule| engine.rule(*rule)).collect();
                    prop_assert!(!possible(&core), "the core of {} rules can hold", core.len());
                }
            }
            // The same at once.
            match contradiction(VARIABLES as usize, &all) {
                Some(core) => {
                    let core: Vec<&[Literal]> = core.iter().map(|number| all[*number]).collect();
                    prop_assert!(!possible(&core));
                }
                None => prop_assert!(possible(&all)),
            }
        }
    }
}
