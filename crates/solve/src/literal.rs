/// A statement that is true or false in a solution: "this package is there". Numbered without gaps within one solving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Variable(pub(crate) u32);

impl Variable {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }

    /// The package is there.
    pub(crate) fn is_true(self) -> Literal {
        Literal(self.0 << 1)
    }

    /// The package is not there.
    pub(crate) fn is_false(self) -> Literal {
        Literal(self.0 << 1 | 1)
    }
}

/// A variable or its negation; the lowest bit is set in negations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Literal(u32);

impl Literal {
    pub(crate) fn variable(self) -> Variable {
        Variable(self.0 >> 1)
    }

    pub(crate) fn is_positive(self) -> bool {
        self.0 & 1 == 0
    }

    /// For tables with an entry for each literal.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl std::ops::Not for Literal {
    type Output = Literal;

    fn not(self) -> Literal {
        Literal(self.0 ^ 1)
    }
}
