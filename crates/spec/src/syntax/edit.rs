use std::ops::Range;

/// Changes to a text, by place. Those that touch other places are independent; the order in which they are made does not count,
/// except for insertions at one place, which keep theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    changes: Vec<(Range<usize>, String)>,
}

/// Two changes touch the same bytes, or one is outside the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Both would change the same bytes.
    #[error("two changes touch the same bytes, {first:?} and {second:?}")]
    Overlap {
        /// The one that begins first.
        first: Range<usize>,
        /// The other.
        second: Range<usize>,
    },
    /// The place is not in the text, or in the middle of a letter.
    #[error("the place {0:?} is not one of the text")]
    Outside(Range<usize>),
}

impl Edits {
    /// Puts `text` in the place of a range.
    pub fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.changes.push((range, text.into()));
    }

    /// Puts `text` before the byte at `at`.
    pub fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// Takes a range away.
    pub fn remove(&mut self, range: Range<usize>) {
        self.replace(range, "");
    }

    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Takes in the changes of another.
    pub fn extend(&mut self, other: Edits) {
        self.changes.extend(other.changes);
    }

    /// The changes by place: which bytes are replaced, and by what.
    pub fn changes(&self) -> impl Iterator<Item = (Range<usize>, &str)> {
        self.in_order().into_iter().map(|(range, with)| (range.clone(), with.as_str()))
    }

    fn in_order(&self) -> Vec<&(Range<usize>, String)> {
        let mut changes: Vec<&(Range<usize>, String)> = self.changes.iter().collect();
        // Stable: insertions at one place keep their order.
        changes.sort_by_key(|(range, _)| (range.start, range.end));
        changes
    }

    /// The changed text.
    ///
    /// # Errors
    /// When changes overlap or lie outside; the text is then as it was.
    pub fn apply(&self, text: &str) -> Result<String, EditError> {
        let mut changed = String::with_capacity(text.len());
        let mut last = 0..0;
        for (range, with) in self.in_order() {
            if range.start < last.end {
                return Err(EditError::Overlap { first: last, second: range.clone() });
            }
            let between = text.get(last.end..range.start).filter(|_| text.get(range.clone()).is_some());
            changed.push_str(between.ok_or_else(|| EditError::Outside(range.clone()))?);
            changed.push_str(with);
            last = range.clone();
        }
        changed.push_str(&text[last.end..]);
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_touch_nothing_else() {
        let mut edits = Edits::default();
        edits.replace(6..7, "2");
        edits.insert(0, "a");
        edits.insert(0, "b");
        edits.remove(1..3);
        assert_eq!(edits.apply("0123456789").unwrap(), "ab03452789");
        edits.replace(2..4, "x");
        assert!(matches!(edits.apply("0123456789"), Err(EditError::Overlap { .. })));
        let mut edits = Edits::default();
        edits.insert(11, "x");
        assert!(matches!(edits.apply("0123456789"), Err(EditError::Outside(_))));
    }
}
