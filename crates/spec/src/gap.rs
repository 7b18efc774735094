//! What an answer lacks, or supposes, where it was not refused.

use std::fmt;

use serde::Serialize;

use crate::{ErrorKind, Position, SpecError};

/// What happens where a spec asks for what the environment does not have, or says what rpm refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gaps {
    /// It is an error.
    Refuse,
    /// The evaluation goes on without the command, line or section, and [`Evaluated::gaps`](crate::Evaluated::gaps) says so.
    ///
    /// For questions to many specs at once. What reaches a bound, ends inside a macro call, or leaves out the name, version or
    /// release stays an error.
    Note,
}

/// One thing that an answer lacks or supposes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// What, in a few words.
    pub text: String,
    /// The place in the spec that was being evaluated.
    pub position: Position,
    /// The macros that were being expanded, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.text)?;
        if !self.chain.is_empty() {
            write!(f, " (in {})", self.chain.join(", in "))?;
        }
        Ok(())
    }
}

/// Why an answer is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// A command, file or variable of the machine: answered as where there is none.
    Machine,
    /// A macro that no macro file defines.
    Macro,
    /// What rpm refuses, given the same answers and macro files.
    Refused,
}

impl GapKind {
    /// The kind in the reader's words.
    pub fn as_str(self) -> &'static str {
        match self {
            GapKind::Machine => "machine",
            GapKind::Macro => "macro",
            GapKind::Refused => "refused",
        }
    }
}

impl Gap {
    /// What an error leaves out; nothing where it must stay an error.
    pub(crate) fn of(error: &SpecError) -> Option<Gap> {
        let text = match &*error.kind {
            ErrorKind::Limit { .. } | ErrorKind::Recursion { .. } | ErrorKind::UnterminatedLine => return None,
            ErrorKind::UnknownTag { line, .. } if line.starts_with('%') => {
                let name = line.split_ascii_whitespace().next().unwrap_or(line);
                format!("`{name}` is defined nowhere; what it stands for is missing")
            }
            kind => kind.to_string(),
        };
        let kind = match &*error.kind {
            ErrorKind::UnknownTag { line, .. } if line.starts_with('%') => GapKind::Macro,
            ErrorKind::UndefinedMacro { .. } => GapKind::Macro,
            _ if has_template_mark(&text) => GapKind::Macro,
            ErrorKind::Shell { .. } | ErrorKind::NoFile(_) => GapKind::Machine,
            _ => GapKind::Refused,
        };
        Some(Gap { kind, text, position: error.position.clone(), chain: error.chain.clone() })
    }
}

/// Whether a text has a mark that a build fills in, as `@@VERSION@@` or `@ABI@`: the macro file that it is from is a template.
fn has_template_mark(text: &str) -> bool {
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    text.split('@').skip(1).zip(text.split('@').skip(2)).any(|(part, _)| is_name(part))
}

#[cfg(test)]
mod tests {
    #[test]
    fn marks_of_templates() {
        for (text, has) in
            [("= @PHP_ABI@", true), ("0@@V2@@ >= 21", true), ("a@b@c", false), ("mail@EXAMPLE", false), ("@@", false)]
        {
            assert_eq!(super::has_template_mark(text), has, "{text}");
        }
    }
}
