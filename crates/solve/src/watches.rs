use crate::decisions::Decisions;
use crate::engine::RuleId;
use crate::literal::Literal;

/// For each literal, the rules that have it among their first two: only these can break or decide when it becomes false.
pub(crate) struct Watches {
    rules: Vec<Vec<RuleId>>,
}

impl Watches {
    pub(crate) fn new(variables: usize) -> Watches {
        Watches { rules: vec![Vec::new(); variables * 2] }
    }

    pub(crate) fn watch(&mut self, literal: Literal, rule: RuleId) {
        self.rules[literal.index()].push(rule);
    }

    /// Decides everything that follows from what is decided.
    ///
    /// # Errors
    /// A rule all of whose literals are false.
    pub(crate) fn propagate(&mut self, rules: &mut [Box<[Literal]>], decisions: &mut Decisions) -> Result<(), RuleId> {
        while let Some(literal) = decisions.next_to_propagate() {
            let fallen = !literal;
            let mut watching = std::mem::take(&mut self.rules[fallen.index()]);
            let mut conflict = None;
            watching.retain(|rule| {
                if conflict.is_some() {
                    return true;
                }
                let literals = &mut rules[rule.index()];
                if literals[0] == fallen {
                    literals.swap(0, 1);
                }
                let first = literals[0];
                if decisions.is_true(first) {
                    return true;
                }
                let other = literals.iter().skip(2).position(|literal| !decisions.is_false(*literal));
                if let Some(place) = other {
                    literals.swap(1, place + 2);
                    self.rules[literals[1].index()].push(*rule);
                    return false;
                }
                if decisions.is_false(first) {
                    conflict = Some(*rule);
                } else {
                    decisions.follow(first, *rule);
                }
                true
            });
            self.rules[fallen.index()] = watching;
            if let Some(rule) = conflict {
                return Err(rule);
            }
        }
        Ok(())
    }
}
