use crate::engine::RuleId;
use crate::literal::{Literal, Variable};

/// What is true or false so far, in which order it was decided, and why.
#[derive(Default)]
pub(crate) struct Decisions {
    /// For each variable: undecided, or whether it is true.
    values: Vec<Option<bool>>,
    /// For each decided variable: how many guesses came before it, its own included.
    levels: Vec<u32>,
    /// For each decided variable: the rule from which it follows; none for guesses.
    reasons: Vec<Option<RuleId>>,
    /// The true literals in the order of their decision.
    trail: Vec<Literal>,
    /// Where on the trail each level begins, from level 1.
    level_starts: Vec<usize>,
    /// How much of the trail was propagated.
    propagated: usize,
}

impl Decisions {
    /// One variable more, undecided.
    pub(crate) fn grow(&mut self) {
        self.values.push(None);
        self.levels.push(0);
        self.reasons.push(None);
    }

    pub(crate) fn variables(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn is_true(&self, literal: Literal) -> bool {
        self.values[literal.variable().index()] == Some(literal.is_positive())
    }

    pub(crate) fn is_false(&self, literal: Literal) -> bool {
        self.values[literal.variable().index()] == Some(!literal.is_positive())
    }

    /// Whether the variable is decided to be true.
    pub(crate) fn is_there(&self, variable: Variable) -> bool {
        self.values[variable.index()] == Some(true)
    }

    /// How many guesses are standing.
    pub(crate) fn level(&self) -> u32 {
        u32::try_from(self.level_starts.len()).unwrap_or(u32::MAX)
    }

    /// The level of a decided variable; 0 also for undecided ones.
    pub(crate) fn level_of(&self, variable: Variable) -> u32 {
        if self.values[variable.index()].is_some() { self.levels[variable.index()] } else { 0 }
    }

    /// The rule from which a decided variable follows.
    pub(crate) fn reason(&self, variable: Variable) -> Option<RuleId> {
        self.reasons[variable.index()]
    }

    /// The true literals, oldest first.
    pub(crate) fn trail(&self) -> &[Literal] {
        &self.trail
    }

    /// Takes the next literal that is not yet propagated.
    pub(crate) fn next_to_propagate(&mut self) -> Option<Literal> {
        let literal = self.trail.get(self.propagated).copied()?;
        self.propagated += 1;
        Some(literal)
    }

    /// Makes `literal` true on a new level.
    pub(crate) fn guess(&mut self, literal: Literal) {
        self.level_starts.push(self.trail.len());
        self.set(literal, None);
    }

    /// Makes `literal` true because `rule` says so; one that is true already stays as it is.
    pub(crate) fn follow(&mut self, literal: Literal, rule: RuleId) {
        if !self.is_true(literal) {
            self.set(literal, Some(rule));
        }
    }

    fn set(&mut self, literal: Literal, reason: Option<RuleId>) {
        let variable = literal.variable().index();
        self.values[variable] = Some(literal.is_positive());
        self.levels[variable] = self.level();
        self.reasons[variable] = reason;
        self.trail.push(literal);
    }

    /// Takes back all levels above `level`.
    pub(crate) fn back_to(&mut self, level: u32) {
        let Some(start) = self.level_starts.get(level as usize).copied() else { return };
        for literal in self.trail.drain(start..) {
            let variable = literal.variable().index();
            self.values[variable] = None;
            self.reasons[variable] = None;
        }
        self.level_starts.truncate(level as usize);
        self.propagated = self.propagated.min(start);
    }
}
