use std::fmt;

use crate::Position;

/// A spec or a macro that does not evaluate: what is not so, where, and through which macros it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// What is not so.
    pub kind: Box<ErrorKind>,
    /// The place in the spec (or macro file) that was being evaluated.
    pub position: Position,
    /// The macros that were being expanded, outermost first, as in `%autosetup`, `%autopatch`.
    pub chain: Vec<String>,
}

impl SpecError {
    pub(crate) fn new(kind: ErrorKind, position: Position) -> SpecError {
        SpecError { kind: Box::new(kind), position, chain: Vec::new() }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.kind)?;
        if !self.chain.is_empty() {
            write!(f, " (in {})", self.chain.join(", in "))?;
        }
        Ok(())
    }
}

impl std::error::Error for SpecError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.kind)
    }
}

/// Something that rpm only warns of, or only logs, and that does not stop an evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What is doubtful; for `%{echo:..}` and `%{warn:..}` their text.
    pub text: String,
    /// Whether rpm would call it a warning; otherwise it is a plain message.
    pub severity: Severity,
    /// The place in the spec that was being evaluated.
    pub position: Position,
    /// The macros that were being expanded, outermost first.
    pub chain: Vec<String>,
}

impl Warning {
    /// The macro that nobody defined, if the warning is about one.
    pub fn undefined_macro(&self) -> Option<&str> {
        let rest = self.text.strip_prefix("macro `%{").filter(|rest| rest.ends_with(" is not defined"))?;
        rest.split_once('}').map(|(name, _)| name)
    }
}

/// How much a [`Warning`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Text that a macro prints, as `%{echo:..}` does.
    Message,
    /// Doubtful, yet accepted.
    Warning,
}

/// What a [`SpecError`] is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// `%{`, `%(` or `%[` without its end.
    #[error("`%{open}` is never closed: `{text}`")]
    Unterminated {
        /// The opening bracket.
        open: char,
        /// What follows, cut short.
        text: String,
    },
    /// The text ends inside a macro call or after a continued line.
    #[error("the text ends inside a macro call or continued line that begins here")]
    UnterminatedLine,
    /// More nested expansions than rpm allows.
    #[error("macros are nested deeper than {limit} levels; a macro probably expands to itself")]
    Recursion {
        /// Levels that are allowed.
        limit: u32,
    },
    /// A bound of [`crate::Limits`] was reached.
    #[error("the evaluation needs more {what} than the {limit} that are allowed")]
    Limit {
        /// What ran out.
        what: &'static str,
        /// How much was allowed.
        limit: u64,
    },
    /// A macro's definition that makes no sense.
    #[error("macro `%{name}` {problem}")]
    Definition {
        /// The macro.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A parametric macro was called with an option that it does not know.
    #[error("macro `%{name}` has no option `-{option}` (its options are `{options}`)")]
    UnknownOption {
        /// The macro.
        name: String,
        /// The option's letter.
        option: char,
        /// The macro's options as in getopt(3).
        options: String,
    },
    /// A built-in macro with the wrong number or kind of arguments.
    #[error("`%{name}`: {problem}")]
    Argument {
        /// The macro.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// `%{error:..}` or `macros.error`.
    #[error("{0}")]
    Raised(String),
    /// A Lua script that does not compile, fails, or does what it may not.
    #[error("lua: {0}")]
    Lua(String),
    /// An expression in `%[..]` or `%if`.
    #[error("{problem} in the expression `{expression}`")]
    Expression {
        /// The whole expression.
        expression: String,
        /// What is wrong.
        problem: String,
    },
    /// A `%(..)` command that the given shell does not run.
    #[error("the shell command `{command}` is not one that is evaluated here: {problem}")]
    Shell {
        /// The command after macro expansion.
        command: String,
        /// Why not.
        problem: String,
    },
    /// A file that `%{load:..}`, `%include` or Lua asks for is not in the environment.
    #[error("there is no file `{0}` in the environment")]
    NoFile(String),
    /// A conditional directive out of order, or with nothing to test.
    #[error("{0}")]
    Conditional(String),
    /// A tag that no spec can have.
    #[error("unknown tag: `{line}`")]
    UnknownTag {
        /// The line.
        line: String,
        /// The known tag that is spelled most like it.
        nearest: Option<String>,
    },
    /// A tag whose value is missing or of the wrong form.
    #[error("tag `{tag}`: {problem}")]
    Tag {
        /// The tag as rpm spells it.
        tag: String,
        /// What is wrong.
        problem: String,
    },
    /// A macro that is defined nowhere, in a place where its bare name cannot be meant.
    #[error("macro `%{{{name}}}` in {place} is not defined{}", nearest_text(nearest))]
    UndefinedMacro {
        /// The macro.
        name: String,
        /// The tag or section, as in "tag `Version`".
        place: String,
        /// Defined macros that are spelled alike.
        nearest: Vec<String>,
    },
    /// A dependency that cannot be read.
    #[error("`{text}` is not a dependency: {problem}")]
    Dependency {
        /// The dependency or the whole field.
        text: String,
        /// What is wrong.
        problem: String,
    },
    /// A section's heading or content.
    #[error("{0}")]
    Section(String),
    /// A package without one of the tags that it must have.
    #[error("package `{package}` has no {what}")]
    Missing {
        /// The package.
        package: String,
        /// The tag or section that is missing.
        what: &'static str,
    },
}

fn nearest_text(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; nearest are %{}", nearest.join(", %")) }
}
