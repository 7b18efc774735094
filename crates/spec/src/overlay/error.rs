use std::fmt;

/// An overlay that does not fit; nothing of the component was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayError {
    /// Index of the overlay among those that were given.
    pub overlay: usize,
    /// The word for its kind, as in `spec-set-tag`.
    pub kind: &'static str,
    /// Why it does not fit.
    pub failure: Failure,
}

impl fmt::Display for OverlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "overlay {} (`{}`): {}", self.overlay + 1, self.kind, self.failure)
    }
}

impl std::error::Error for OverlayError {}

/// Why an overlay does not fit, and what it was looking at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is not so.
    pub problem: Problem,
    /// What comes nearest to what was looked for.
    pub nearest: Option<Seen>,
    /// What shows that the spec is already as it should be.
    pub already: Option<Seen>,
}

/// A place of the component that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The file, as in `less.spec`; empty where it is the spec.
    pub file: String,
    /// Counted from 1; 0 where the file as a whole is meant.
    pub line: u32,
    /// What stands there.
    pub text: String,
}

impl Seen {
    pub(super) fn line(line: u32, text: &str) -> Seen {
        Seen { file: String::new(), line, text: text.trim().to_owned() }
    }

    pub(super) fn file(name: &str) -> Seen {
        Seen { file: name.to_owned(), line: 0, text: name.to_owned() }
    }
}

/// What is not as an overlay needs it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no such tag.
    #[error("{package} has no tag `{tag}`{}", with_value(value))]
    NoTag {
        /// As in "the main package".
        package: String,
        /// The tag.
        tag: String,
        /// The value that it should have had.
        value: Option<String>,
    },
    /// There is no such section.
    #[error("there is no section `{0}`")]
    NoSection(String),
    /// There is no such subpackage.
    #[error("no section belongs to a package `{0}`")]
    NoPackage(String),
    /// An expression matches nothing.
    #[error("the expression `{expression}` matches nothing in {place}")]
    NoMatch {
        /// The expression.
        expression: String,
        /// As in "the spec" or "section `%build`".
        place: String,
    },
    /// An expression matches only headings.
    #[error("the expression `{0}` matches only headings of sections, and those are not searched")]
    OnlyHeadings(String),
    /// The expression matches, and its replacement is what stands there.
    #[error("the replacement for `{0}` is what stands there already")]
    SameText(String),
    /// No patch of that name is mentioned.
    #[error("no patch of the spec matches `{0}`")]
    NoPatch(String),
    /// There is no such file.
    #[error("no file beside the spec matches `{0}`")]
    NoFile(String),
    /// More files than one.
    #[error("`{pattern}` matches {count} files, and one is to be renamed")]
    ManyFiles {
        /// The wildcard.
        pattern: String,
        /// How many.
        count: usize,
    },
    /// A file is there already.
    #[error("there is a file `{0}` already")]
    FileExists(String),
    /// A name that leads elsewhere, or that is a spec's.
    #[error("`{name}` {problem}")]
    FileName {
        /// The name.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A conditional begins in what is to be removed and ends elsewhere, or the other way round.
    #[error("section `{section}` (line {line}) shares a conditional with what stands around it")]
    Straddles {
        /// The heading.
        section: String,
        /// Its line.
        line: u32,
    },
    /// `%if` and `%endif` do not match.
    #[error("line {0} has an `%if` or `%endif` without its other half")]
    Unbalanced(u32),
    /// There is no such macro.
    #[error("no `%global` or `%define` of `{0}`")]
    NoMacro(String),
    /// There is no such build conditional.
    #[error("no `%bcond`, `%bcond_with` or `%bcond_without` of `{0}`")]
    NoBcond(String),
    /// There is no such dependency.
    #[error("{package} has no `{tag}: {name}`")]
    NoDependency {
        /// As in "the main package".
        package: String,
        /// The tag.
        tag: String,
        /// What was looked for.
        name: String,
    },
    /// Nothing configures.
    #[error("nothing in `%build` or `%conf` calls `{0}`")]
    NoCommand(String),
    /// No such argument.
    #[error("no argument `{argument}` of {command}")]
    NoArgument {
        /// The argument.
        argument: String,
        /// As in "`%configure`".
        command: String,
    },
    /// It is so already.
    #[error("{0}")]
    Already(String),
    /// The spec has not the shape that the kind can work on.
    #[error("{0}")]
    Shape(String),
}

fn with_value(value: &Option<String>) -> String {
    value.as_ref().map(|value| format!(" with the value `{value}`")).unwrap_or_default()
}

impl Problem {
    /// Whether there is nothing to change, so that an optional overlay may be left out.
    pub fn is_absence(&self) -> bool {
        !matches!(
            self,
            Problem::ManyFiles { .. }
                | Problem::FileExists(_)
                | Problem::FileName { .. }
                | Problem::Straddles { .. }
                | Problem::Unbalanced(_)
                | Problem::Shape(_)
        )
    }
}

impl Failure {
    pub(super) fn new(problem: Problem) -> Failure {
        Failure { problem, nearest: None, already: None }
    }

    pub(super) fn near(problem: Problem, nearest: Option<Seen>) -> Failure {
        Failure { problem, nearest, already: None }
    }

    /// For what is to be removed: where nothing is even like it, it is gone already.
    pub(super) fn or_gone(mut self) -> Failure {
        if self.nearest.is_none() {
            self.already = Some(Seen::line(0, ""));
        }
        self
    }

    pub(super) fn already(mut self, already: Option<Seen>) -> Failure {
        self.already = already;
        self
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure::new(problem)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)?;
        match (&self.already, &self.nearest) {
            (Some(seen), _) if seen.line > 0 => write!(f, "; already so in line {}: `{}`", seen.line, seen.text),
            (Some(_), _) => write!(f, "; already so"),
            (None, Some(seen)) if seen.line > 0 => write!(f, "; nearest is line {}: `{}`", seen.line, seen.text),
            (None, Some(seen)) => write!(f, "; nearest is `{}`", seen.text),
            (None, None) => Ok(()),
        }
    }
}
