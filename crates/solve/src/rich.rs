//! Rich dependencies: `(a or b)`, `(a if b else c)`, `(a with b)` and their like.
//!
//! ```text
//! rich     = "(" operand { "and" operand } ")"   likewise or, with
//!          | "(" operand ("if" | "unless") operand [ "else" operand ] ")" | "(" operand "without" operand ")"
//! operand  = rich | name [ operator version ]
//! ```
//!
//! Source: rpm, `docs/manual/boolean_dependencies.md`, and `lib/rpmds.cc`, `rpmrichParse`.

use pkg::{Relation, RelationError};

/// Parentheses within parentheses that are followed; real packages have three.
const MAX_DEPTH: usize = 32;

/// A dependency, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rich {
    /// One capability.
    Plain(Relation),
    /// All hold.
    And(Vec<Rich>),
    /// At least one holds.
    Or(Vec<Rich>),
    /// The first holds where the second does; the third, if any, holds where the second does not.
    If(Box<[Rich; 2]>, Option<Box<Rich>>),
    /// The first holds and the second does not; the third, if any, holds where the second does.
    Unless(Box<[Rich; 2]>, Option<Box<Rich>>),
    /// One package provides all.
    With(Vec<Rich>),
    /// One package provides the first but not the second.
    Without(Box<[Rich; 2]>),
}

/// `text` is no rich dependency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RichError {
    /// Parentheses or operators are not where they should be.
    #[error("the dependency `{text}` {fact} at byte {at}")]
    Shape {
        /// The whole dependency.
        text: String,
        /// What is not so.
        fact: &'static str,
        /// Where, counted from 0.
        at: usize,
    },
    /// One of its operands is no relation.
    #[error("the dependency `{text}` has an operand that is none: {cause}")]
    Operand {
        /// The whole dependency.
        text: String,
        /// What is wrong with it.
        cause: RelationError,
    },
}

impl Rich {
    /// Takes a relation apart: rich where its name is in parentheses, else plain.
    pub fn of(relation: &Relation) -> Result<Rich, RichError> {
        if relation.is_rich() { Rich::parse(&relation.name) } else { Ok(Rich::Plain(relation.clone())) }
    }

    /// Parses a whole rich dependency, outer parentheses included.
    pub fn parse(text: &str) -> Result<Rich, RichError> {
        let mut parser = Parser { text, at: 0 };
        let rich = parser.group(0)?;
        parser.skip_spaces();
        if parser.at < text.len() {
            return Err(parser.error("goes on behind its end"));
        }
        Ok(rich)
    }

    /// All capabilities in it.
    pub fn relations(&self) -> Vec<&Relation> {
        match self {
            Rich::Plain(relation) => vec![relation],
            Rich::And(parts) | Rich::Or(parts) | Rich::With(parts) => parts.iter().flat_map(Rich::relations).collect(),
            Rich::If(parts, other) | Rich::Unless(parts, other) => {
                parts.iter().chain(other.as_deref()).flat_map(Rich::relations).collect()
            }
            Rich::Without(parts) => parts.iter().flat_map(Rich::relations).collect(),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn error(&self, fact: &'static str) -> RichError {
        RichError::Shape { text: self.text.to_owned(), fact, at: self.at }
    }

    fn skip_spaces(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The next word: up to white space or a parenthesis that was not opened in it, as in `libz.so.1()(64bit)`.
    fn word(&mut self) -> &'a str {
        self.skip_spaces();
        let rest = &self.text[self.at..];
        let mut open = 0_usize;
        let end = rest.char_indices().find(|(_, character)| match character {
            '(' => {
                open += 1;
                false
            }
            ')' if open > 0 => {
                open -= 1;
                false
            }
            ')' => true,
            _ => character.is_whitespace(),
        });
        let word = &rest[..end.map_or(rest.len(), |(index, _)| index)];
        self.at += word.len();
        word
    }

    fn peek_word(&self) -> &'a str {
        Parser { text: self.text, at: self.at }.word()
    }

    fn group(&mut self, depth: usize) -> Result<Rich, RichError> {
        self.skip_spaces();
        if !self.text[self.at..].starts_with('(') {
            return Err(self.error("has no opening parenthesis"));
        }
        if depth > MAX_DEPTH {
            return Err(self.error("is nested too deeply"));
        }
        self.at += 1;
        let mut parts = vec![self.operand(depth)?];
        let mut operator = "";
        let mut other = None;
        loop {
            self.skip_spaces();
            if self.text[self.at..].starts_with(')') {
                self.at += 1;
                break;
            }
            let start = self.at;
            let word = self.word();
            let fits = match word {
                "and" | "or" | "with" => operator.is_empty() || operator == word,
                "if" | "unless" | "without" => operator.is_empty(),
                "else" => matches!(operator, "if" | "unless") && parts.len() == 2 && other.is_none(),
                _ => false,
            };
            if !fits {
                self.at = start;
                return Err(self.error(match word {
                    "" => "has no closing parenthesis",
                    _ => "has no operator that fits",
                }));
            }
            let operand = self.operand(depth)?;
            if word == "else" {
                other = Some(Box::new(operand));
            } else {
                operator = word;
                parts.push(operand);
            }
        }
        let pair = |parts: Vec<Rich>| <[Rich; 2]>::try_from(parts).map(Box::new).map_err(|_| self.error("has no pair"));
        Ok(match operator {
            "and" => Rich::And(parts),
            "or" => Rich::Or(parts),
            "with" => Rich::With(parts),
            "if" => Rich::If(pair(parts)?, other),
            "unless" => Rich::Unless(pair(parts)?, other),
            "without" => Rich::Without(pair(parts)?),
            _ => Rich::And(parts),
        })
    }

    fn operand(&mut self, depth: usize) -> Result<Rich, RichError> {
        self.skip_spaces();
        if self.text[self.at..].starts_with('(') {
            return self.group(depth + 1);
        }
        let name = self.word();
        if name.is_empty() {
            return Err(self.error("has no name where it should"));
        }
        let mut relation = name.to_owned();
        if pkg::Condition::parse(self.peek_word()).is_some() {
            for _ in 0..2 {
                relation.push(' ');
                relation.push_str(self.word());
            }
        }
        let plain =
            Relation::parse(&relation).map_err(|cause| RichError::Operand { text: self.text.to_owned(), cause })?;
        Ok(Rich::Plain(plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Rich {
        Rich::Plain(Relation::parse(text).unwrap())
    }

    #[test]
    fn every_operator_is_known() {
        let pair = |left, right| Box::new([plain(left), plain(right)]);
        for (text, rich) in [
            ("(a or b)", Rich::Or(vec![plain("a"), plain("b")])),
            ("( a and b >= 2 and c )", Rich::And(vec![plain("a"), plain("b >= 2"), plain("c")])),
            ("(a if b)", Rich::If(pair("a", "b"), None)),
            ("(a if b else c)", Rich::If(pair("a", "b"), Some(Box::new(plain("c"))))),
            ("(a unless b else c)", Rich::Unless(pair("a", "b"), Some(Box::new(plain("c"))))),
            ("(a >= 1 with a < 2)", Rich::With(vec![plain("a >= 1"), plain("a < 2")])),
            ("(a without b)", Rich::Without(pair("a", "b"))),
            ("(libz.so.1()(64bit) or /bin/sh)", Rich::Or(vec![plain("libz.so.1()(64bit)"), plain("/bin/sh")])),
            ("(a)", Rich::And(vec![plain("a")])),
            ("(a or (b and c))", Rich::Or(vec![plain("a"), Rich::And(vec![plain("b"), plain("c")])])),
        ] {
            assert_eq!(Rich::parse(text), Ok(rich), "{text}");
        }
    }

    #[test]
    fn wrong_ones_say_where() {
        let deep = format!("{}a{}", "(".repeat(40), ")".repeat(40));
        for (text, fact) in [
            ("a", "has no opening parenthesis at byte 0"),
            ("(a", "has no closing parenthesis at byte 2"),
            ("(a or b and c)", "has no operator that fits at byte 8"),
            ("(a b)", "has no operator that fits at byte 3"),
            ("(a or )", "has no name where it should at byte 6"),
            ("(a) b", "goes on behind its end at byte 4"),
            (&deep, "is nested too deeply"),
            ("(a >= )", "operand that is none"),
        ] {
            let error = Rich::parse(text).unwrap_err().to_string();
            assert!(error.contains(fact), "{error}");
        }
    }
}
