//! Conditions as formulas, and whether one can hold.
//!
//! What a macro call in a condition expands to is not known: each call is a variable. Two conditions exclude each other when
//! no values of their variables fulfil both; that is decided by bounds on numbers and by equal and unequal words. What is not
//! understood counts as possible.

use std::collections::{BTreeMap, BTreeSet};

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Formula {
    And(Vec<Formula>),
    Or(Vec<Formula>),
    Not(Box<Formula>),
    /// A variable compared with a number.
    Number {
        variable: String,
        relation: Relation,
        value: i64,
    },
    /// A variable that is, or is not, a word.
    Word {
        variable: String,
        is: bool,
        word: String,
    },
    Constant(bool),
    /// It may hold and may not.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

impl Relation {
    fn negated(self) -> Relation {
        match self {
            Relation::Less => Relation::GreaterOrEqual,
            Relation::LessOrEqual => Relation::Greater,
            Relation::Equal => Relation::NotEqual,
            Relation::NotEqual => Relation::Equal,
            Relation::GreaterOrEqual => Relation::Less,
            Relation::Greater => Relation::LessOrEqual,
        }
    }

    /// The same with its sides exchanged.
    fn turned(self) -> Relation {
        match self {
            Relation::Less => Relation::Greater,
            Relation::LessOrEqual => Relation::GreaterOrEqual,
            Relation::GreaterOrEqual => Relation::LessOrEqual,
            Relation::Greater => Relation::Less,
            same => same,
        }
    }

    fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Relation::Less => left < right,
            Relation::LessOrEqual => left <= right,
            Relation::Equal => left == right,
            Relation::NotEqual => left != right,
            Relation::GreaterOrEqual => left >= right,
            Relation::Greater => left > right,
        }
    }
}

/// Alternatives that are looked at; more count as possible.
const ALTERNATIVES: usize = 512;

impl Formula {
    /// Whether some values fulfil the formula, or it is too complex to say.
    pub(super) fn can_hold(&self) -> bool {
        let mut alternatives = Vec::new();
        if !self.expand(true, vec![Vec::new()], &mut alternatives) {
            return true;
        }
        alternatives.iter().any(|alternative| fits(alternative))
    }

    /// Adds the formula's alternatives to each of `before`; false where there are too many.
    fn expand<'f>(&'f self, sign: bool, before: Vec<Literals<'f>>, out: &mut Vec<Literals<'f>>) -> bool {
        if before.len() > ALTERNATIVES {
            return false;
        }
        match (self, sign) {
            (Formula::Not(inner), _) => return inner.expand(!sign, before, out),
            (Formula::And(parts), true) | (Formula::Or(parts), false) => {
                let mut now = before;
                for part in parts {
                    let mut next = Vec::new();
                    if !part.expand(sign, now, &mut next) {
                        return false;
                    }
                    now = next;
                }
                out.extend(now);
            }
            (Formula::Or(parts), true) | (Formula::And(parts), false) => {
                for part in parts {
                    if !part.expand(sign, before.clone(), out) {
                        return false;
                    }
                }
            }
            (Formula::Constant(value), _) if *value != sign => {}
            (Formula::Constant(_) | Formula::Unknown, _) => out.extend(before),
            (literal, _) => out.extend(before.into_iter().map(|mut alternative| {
                alternative.push((literal, sign));
                alternative
            })),
        }
        out.len() <= ALTERNATIVES
    }
}

type Literals<'f> = Vec<(&'f Formula, bool)>;

/// Whether literals can all hold at once.
fn fits(literals: &Literals<'_>) -> bool {
    let mut numbers: BTreeMap<&str, (i64, i64, BTreeSet<i64>)> = BTreeMap::new();
    let mut words: BTreeMap<&str, (Option<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for (literal, sign) in literals {
        match literal {
            Formula::Number { variable, relation, value } => {
                let relation = if *sign { *relation } else { relation.negated() };
                let entry = numbers.entry(variable).or_insert_with(|| {
                    let (least, most) = domain(variable);
                    (least, most, BTreeSet::new())
                });
                match relation {
                    Relation::Less => entry.1 = entry.1.min(value.saturating_sub(1)),
                    Relation::LessOrEqual => entry.1 = entry.1.min(*value),
                    Relation::Equal => (entry.0, entry.1) = (entry.0.max(*value), entry.1.min(*value)),
                    Relation::NotEqual => {
                        entry.2.insert(*value);
                    }
                    Relation::GreaterOrEqual => entry.0 = entry.0.max(*value),
                    Relation::Greater => entry.0 = entry.0.max(value.saturating_add(1)),
                }
            }
            Formula::Word { variable, is, word } => {
                let entry = words.entry(variable).or_default();
                if *is == *sign {
                    if entry.0.is_some_and(|other| other != word) {
                        return false;
                    }
                    entry.0 = Some(word);
                } else {
                    entry.1.insert(word);
                }
            }
            _ => {}
        }
    }
    words.values().all(|(is, is_not)| is.is_none_or(|word| !is_not.contains(word)))
        && numbers.values().all(|(least, most, holes)| {
            let width = most.saturating_sub(*least);
            if *least > *most {
                return false;
            }
            // More values than holes: one is left.
            width >= i64::try_from(holes.len()).unwrap_or(i64::MAX)
                || (*least..=*most).any(|value| !holes.contains(&value))
        })
}

/// The values that a macro call can have: `%{with x}` and `0%{?x:1}` are 0 or 1.
fn domain(variable: &str) -> (i64, i64) {
    let is_choice = ["%{with ", "%{defined "].iter().any(|mark| variable.starts_with(mark))
        || (variable.starts_with("0%{?") && variable.contains(":1}"));
    if is_choice { (0, 1) } else { (i64::MIN, i64::MAX) }
}

/// Reads what stands behind `%if`. `version` tells apart uses of one macro between which it may have been defined anew.
pub(super) fn parse(text: &str, version: &dyn Fn(&str) -> String) -> Formula {
    let Some(tokens) = tokens(text) else { return Formula::Unknown };
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, version };
    match parser.either() {
        Some(formula) if parser.at == tokens.len() => formula,
        _ => Formula::Unknown,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Not,
    And,
    Or,
    Compare(Relation),
    Number(i64),
    /// Without its quotes.
    Text(String),
    /// `v".."`: an order of its own.
    Version(String),
    /// Holds a macro call.
    Call(String),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let bytes = text.as_bytes();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let two = bytes.get(at..at + 2).unwrap_or(&[]);
        let (token, length) = match bytes[at] {
            b' ' | b'\t' | b'\n' => {
                at += 1;
                continue;
            }
            b'\\' if two == b"\\\n" => {
                at += 2;
                continue;
            }
            b'(' => (Token::Open, 1),
            b')' => (Token::Close, 1),
            _ if two == b"&&" => (Token::And, 2),
            _ if two == b"||" => (Token::Or, 2),
            _ if two == b"==" => (Token::Compare(Relation::Equal), 2),
            _ if two == b"!=" => (Token::Compare(Relation::NotEqual), 2),
            _ if two == b"<=" => (Token::Compare(Relation::LessOrEqual), 2),
            _ if two == b">=" => (Token::Compare(Relation::GreaterOrEqual), 2),
            b'<' => (Token::Compare(Relation::Less), 1),
            b'>' => (Token::Compare(Relation::Greater), 1),
            b'!' => (Token::Not, 1),
            b'"' => {
                let end = quoted(text, at)?;
                (Token::Text(text[at + 1..end].to_owned()), end + 1 - at)
            }
            b'v' if two == b"v\"" => {
                let end = quoted(text, at + 1)?;
                (Token::Version(text[at + 2..end].to_owned()), end + 1 - at)
            }
            b'%' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-' => {
                let end = word(bytes, at)?;
                let word = &text[at..end];
                let token =
                    if word.contains('%') { Token::Call(normal(word)) } else { Token::Number(word.parse().ok()?) };
                (token, end - at)
            }
            _ => return None,
        };
        tokens.push(token);
        at += length;
    }
    Some(tokens)
}

/// The quote that closes the one at `at`; quotes inside macro calls do not count.
fn quoted(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut index = at + 1;
    while index < bytes.len() {
        match bytes[index] {
            b'"' => return Some(index),
            b'%' if matches!(bytes.get(index + 1), Some(b'{' | b'(' | b'[')) => {
                index = crate::macros::macro_end(bytes, index + 1)?;
            }
            _ => index += 1,
        }
    }
    None
}

/// The end of digits, letters and macro calls that stand together.
fn word(bytes: &[u8], mut at: usize) -> Option<usize> {
    let start = at;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => at = crate::macros::macro_end(bytes, at + 1)?.max(at + 1),
            b'-' if at == start => at += 1,
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') => at += 1,
            _ => break,
        }
    }
    Some(at)
}

/// One spelling for what means the same: `%?x` is `%{?x}`, `0%{?x}` with spaces around is itself.
fn normal(word: &str) -> String {
    word.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: u32,
    version: &'t dyn Fn(&str) -> String,
}

impl Parser<'_> {
    fn take(&mut self, token: &Token) -> bool {
        let found = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> Option<Formula> {
        let mut parts = vec![self.both()?];
        while self.take(&Token::Or) {
            parts.push(self.both()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Formula::Or(parts) })
    }

    fn both(&mut self) -> Option<Formula> {
        let mut parts = vec![self.single()?];
        while self.take(&Token::And) {
            parts.push(self.single()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Formula::And(parts) })
    }

    fn single(&mut self) -> Option<Formula> {
        self.depth += 1;
        if self.depth > 50 {
            return None;
        }
        let formula = if self.take(&Token::Not) {
            // `!` binds tighter than a comparison: what then is compared is 0 or 1.
            let inner = match self.tokens.get(self.at) {
                Some(Token::Not | Token::Open) => self.single()?,
                _ => {
                    let operand = self.operand()?;
                    self.truth(&operand)
                }
            };
            if matches!(self.tokens.get(self.at), Some(Token::Compare(_))) {
                return None;
            }
            Formula::Not(Box::new(inner))
        } else if self.take(&Token::Open) {
            let inner = self.either()?;
            if !self.take(&Token::Close) || matches!(self.tokens.get(self.at), Some(Token::Compare(_))) {
                return None;
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Some(formula)
    }

    fn comparison(&mut self) -> Option<Formula> {
        let left = self.operand()?;
        let Some(Token::Compare(relation)) = self.tokens.get(self.at).cloned() else { return Some(self.truth(&left)) };
        self.at += 1;
        let right = self.operand()?;
        if matches!(self.tokens.get(self.at), Some(Token::Compare(_))) {
            return None;
        }
        Some(match (left, right) {
            (Token::Number(left), Token::Number(right)) => Formula::Constant(relation.holds(left, right)),
            (Token::Call(call), Token::Number(value)) => self.number(&call, relation, value),
            (Token::Number(value), Token::Call(call)) => self.number(&call, relation.turned(), value),
            (Token::Text(left), Token::Text(right)) => self.texts(&left, relation, &right),
            _ => Formula::Unknown,
        })
    }

    fn operand(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at)?.clone();
        self.at += 1;
        matches!(token, Token::Number(_) | Token::Text(_) | Token::Version(_) | Token::Call(_)).then_some(token)
    }

    fn truth(&self, operand: &Token) -> Formula {
        match operand {
            Token::Number(value) => Formula::Constant(*value != 0),
            Token::Text(text) if !text.contains('%') => Formula::Constant(!text.is_empty()),
            Token::Text(text) => {
                Formula::Word { variable: format!("\"{}", (self.version)(text)), is: false, word: String::new() }
            }
            Token::Call(call) => self.number(call, Relation::NotEqual, 0),
            _ => Formula::Unknown,
        }
    }

    /// `%{without x}` is the opposite of `%{with x}`, `%{undefined x}` of `%{defined x}`, `0%{!?x:1}` of `0%{?x:1}`.
    fn number(&self, call: &str, relation: Relation, value: i64) -> Formula {
        for (negative, positive) in [("%{without ", "%{with "), ("%{undefined ", "%{defined "), ("0%{!?", "0%{?")] {
            if let Some(rest) = call.strip_prefix(negative) {
                let is_choice = !negative.starts_with('0') || rest.ends_with(":1}");
                return match (relation, value) {
                    (Relation::NotEqual, 0) if is_choice => Formula::Not(Box::new(Formula::Number {
                        variable: (self.version)(&format!("{positive}{rest}")),
                        relation: Relation::NotEqual,
                        value: 0,
                    })),
                    _ => Formula::Unknown,
                };
            }
        }
        Formula::Number { variable: (self.version)(call), relation, value }
    }

    fn texts(&self, left: &str, relation: Relation, right: &str) -> Formula {
        let is = match relation {
            Relation::Equal => true,
            Relation::NotEqual => false,
            _ => return Formula::Unknown,
        };
        let (variable, word) = match (left.contains('%'), right.contains('%')) {
            (false, false) => return Formula::Constant((left == right) == is),
            (true, false) => (left, right),
            (false, true) => (right, left),
            (true, true) => return Formula::Unknown,
        };
        Formula::Word { variable: format!("\"{}", (self.version)(variable)), is, word: word.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula(text: &str) -> Formula {
        parse(text, &|call| call.to_owned())
    }

    #[test]
    fn conditions_that_can_hold() {
        for (text, can) in [
            ("0", false),
            ("1", true),
            ("1 == 2", false),
            ("\"a\" == \"b\"", false),
            ("0%{?fedora} > 40 && 0%{?fedora} < 30", false),
            ("0%{?fedora} > 40 && 0%{?fedora} < 42", true),
            ("0%{?fedora} > 40 && 41 > 0%{?fedora}", false),
            ("0%{?fedora} > 40 && 0%{?rhel} < 30", true),
            ("%{with a} && !%{with a}", false),
            ("%{with a} && %{without a}", false),
            ("%{with a} && (%{without a} || %{with b})", true),
            ("%{with a} > 1", false),
            ("0%{?a} > 1", true),
            ("%{defined a} && %{undefined a}", false),
            ("0%{?a:1} && 0%{!?a:1}", false),
            ("\"%{x}\" == \"1\" && \"%{x}\" == \"2\"", false),
            ("\"%{x}\" == \"1\" && \"%{x}\" != \"2\"", true),
            ("0%{?a} && ! 0%{?a}", false),
            // what is not understood can hold
            ("! 0%{?a} == 1 && 0", true),
            ("0%{?a} + 1 && 0", true),
            ("v\"1\" > v\"2\"", true),
            ("%{expr:1} ? 0 : 0", true),
        ] {
            assert_eq!(formula(text).can_hold(), can, "{text}");
        }
    }

    #[test]
    fn depth_and_size_have_bounds() {
        let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(formula(&deep).can_hold());
        let wide = (0..40).map(|index| format!("(%{{a{index}}} || %{{b{index}}})")).collect::<Vec<_>>().join(" && ");
        assert!(formula(&wide).can_hold());
    }
}
