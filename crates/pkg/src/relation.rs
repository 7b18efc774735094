use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::{Evr, EvrError};

/// How a relation bounds the version: `<`, `<=`, `=`, `>=`, `>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Condition {
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    LessOrEqual,
    /// `=`
    #[serde(rename = "=")]
    Equal,
    /// `>=`
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// `>`
    #[serde(rename = ">")]
    Greater,
}

impl Condition {
    /// The operator as it is written in a spec.
    pub fn as_str(self) -> &'static str {
        match self {
            Condition::Less => "<",
            Condition::LessOrEqual => "<=",
            Condition::Equal => "=",
            Condition::GreaterOrEqual => ">=",
            Condition::Greater => ">",
        }
    }

    /// Parses an operator; `==` is `=`, as in rpm.
    pub fn parse(text: &str) -> Option<Condition> {
        Some(match text {
            "<" => Condition::Less,
            "<=" | "=<" => Condition::LessOrEqual,
            "=" | "==" => Condition::Equal,
            ">=" | "=>" => Condition::GreaterOrEqual,
            ">" => Condition::Greater,
            _ => return None,
        })
    }

    /// Whether the condition allows versions below the bound.
    pub fn allows_less(self) -> bool {
        matches!(self, Condition::Less | Condition::LessOrEqual)
    }

    /// Whether the condition allows versions above the bound.
    pub fn allows_greater(self) -> bool {
        matches!(self, Condition::Greater | Condition::GreaterOrEqual)
    }

    /// Whether the condition allows the bound itself.
    pub fn allows_equal(self) -> bool {
        matches!(self, Condition::LessOrEqual | Condition::Equal | Condition::GreaterOrEqual)
    }
}

/// A capability with an optional version range: what a package provides, requires, conflicts with or obsoletes.
///
/// Written `name [op [epoch:]version[-release]]`, as in `libacl(x86-64) >= 2.3`. The name may be a file's path or hold
/// parentheses. Rich (boolean) dependencies keep their whole text, parentheses included, in `name`: see
/// [`Relation::is_rich`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Relation {
    /// The capability: a package name, a file path, `libz.so.1()(64bit)`, or a whole rich dependency.
    pub name: String,
    /// The version range, if any.
    pub bound: Option<(Condition, Evr)>,
}

impl Relation {
    /// Any version of `name`.
    pub fn any(name: impl Into<String>) -> Relation {
        Relation { name: name.into(), bound: None }
    }

    /// `name condition evr`.
    pub fn new(name: impl Into<String>, condition: Condition, evr: Evr) -> Relation {
        Relation { name: name.into(), bound: Some((condition, evr)) }
    }

    /// Parses one relation: `name`, `name op evr`, or a whole rich dependency in parentheses.
    pub fn parse(text: &str) -> Result<Relation, RelationError> {
        let text = text.trim();
        if text.starts_with('(') {
            return Ok(Relation::any(text));
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            [name] => Ok(Relation::any(name)),
            [name, operator, evr] => {
                let condition = Condition::parse(operator)
                    .ok_or_else(|| RelationError::Operator { text: text.to_owned(), operator: operator.to_owned() })?;
                let evr = Evr::parse(evr).map_err(|cause| RelationError::Evr { text: text.to_owned(), cause })?;
                Ok(Relation::new(name, condition, evr))
            }
            _ => Err(RelationError::Shape(text.to_owned())),
        }
    }

    /// Whether this is a rich dependency, such as `(a or b)`.
    pub fn is_rich(&self) -> bool {
        self.name.starts_with('(')
    }

    /// Whether a package that provides `provided` satisfies this relation.
    ///
    /// Names must be equal and ranges must overlap; where either side has none, they do: a provide without version satisfies
    /// requirements of every version. Source: rpm, `lib/rpmds.cc`, `rpmdsCompareIndex`; measured with `rpm -i --test` 4.18.
    pub fn satisfied_by(&self, provided: &Relation) -> bool {
        if self.name != provided.name {
            return false;
        }
        match (&self.bound, &provided.bound) {
            (None, _) | (_, None) => true,
            (Some((wanted, wanted_evr)), Some((has, has_evr))) => match has_evr.compare_bound(wanted_evr) {
                Ordering::Less => has.allows_greater() || wanted.allows_less(),
                Ordering::Greater => has.allows_less() || wanted.allows_greater(),
                Ordering::Equal => {
                    (has.allows_equal() && wanted.allows_equal())
                        || (has.allows_less() && wanted.allows_less())
                        || (has.allows_greater() && wanted.allows_greater())
                }
            },
        }
    }
}

/// `text` is not a relation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelationError {
    /// Not one or three words.
    #[error("`{0}` is not `name` or `name operator version`")]
    Shape(String),
    /// The middle word is no operator.
    #[error("`{operator}` in `{text}` is not one of < <= = >= >")]
    Operator {
        /// The whole relation.
        text: String,
        /// The word that stands where the operator should.
        operator: String,
    },
    /// The last word is no version.
    #[error("`{text}`: {cause}")]
    Evr {
        /// The whole relation.
        text: String,
        /// What is wrong with its version.
        cause: EvrError,
    },
}

impl FromStr for Relation {
    type Err = RelationError;

    fn from_str(text: &str) -> Result<Relation, RelationError> {
        Relation::parse(text)
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some((condition, evr)) = &self.bound {
            write!(f, " {} {evr}", condition.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_overlap_as_in_rpm() {
        for (wanted, provided, satisfied) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a", "a = 1", true),
            ("a = 1", "a", true),
            ("a = 1", "a = 1-2", true),
            ("a = 1-2", "a = 1", true),
            ("a >= 1.5", "a = 1.4", false),
            ("a >= 1.5", "a = 1.5-1", true),
            ("a > 1", "a = 1-5", false),
            ("a < 2", "a = 2~rc1", true),
            ("a < 2", "a >= 1", true),
            ("a > 2", "a < 2", false),
            ("a >= 2", "a <= 2", true),
            ("a = 1:1", "a = 1", false),
        ] {
            let (wanted, provided) = (Relation::parse(wanted).unwrap(), Relation::parse(provided).unwrap());
            assert_eq!(wanted.satisfied_by(&provided), satisfied, "{wanted} by {provided}");
        }
    }

    #[test]
    fn wrong_relations_say_why() {
        assert!(matches!(Relation::parse("a ~ 1"), Err(RelationError::Operator { .. })));
        assert!(matches!(Relation::parse("a ="), Err(RelationError::Shape(_))));
        assert!(matches!(Relation::parse("a = x:1"), Err(RelationError::Evr { .. })));
        assert!(Relation::parse("(a or b)").unwrap().is_rich());
    }
}
