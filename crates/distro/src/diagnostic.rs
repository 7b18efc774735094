use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A place in a definition file. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Position {
    /// The file, as people reach it.
    pub file: PathBuf,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// A value, and where it was written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: Position,
}

/// One problem of a definition: what is not so, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Diagnostic {
    /// What is not so; lower case, no full stop.
    pub message: String,
    /// Where it was written, if it is about something written.
    pub at: Option<Position>,
    /// The line of text at that place, and how many characters of it are meant.
    pub excerpt: Option<(String, usize)>,
    /// What is said below the excerpt.
    pub note: Option<String>,
    /// A remedy.
    pub hint: Option<String>,
    /// Whether the definition can be used in spite of it.
    pub severity: Severity,
}

/// Whether a definition with the problem can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It cannot: what was meant is not known.
    Error,
    /// It can, though something is not as it was meant.
    Warning,
}

impl Severity {
    /// What stands before the problem: `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

impl Diagnostic {
    /// A problem that stands nowhere in particular.
    pub fn new(message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            message: message.into(),
            at: None,
            excerpt: None,
            note: None,
            hint: None,
            severity: Severity::Error,
        }
    }

    /// The same with a remedy.
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// The same as something that does not keep the definition from being used.
    pub fn warning(mut self) -> Diagnostic {
        self.severity = Severity::Warning;
        self
    }

    /// The same with words below the excerpt.
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.note = Some(note.into());
        self
    }

    /// The same at a place whose text is at hand.
    pub fn at_span(mut self, file: &SourceText, span: Range<usize>) -> Diagnostic {
        let at = file.position(span.start);
        let line = file.text.lines().nth(at.line - 1).unwrap_or("").to_owned();
        let rest_of_line = line.chars().count().saturating_sub(at.column - 1);
        let meant = file.text.get(span).map_or(1, |text| text.chars().count());
        self.excerpt = Some((line, meant.min(rest_of_line).max(1)));
        self.at = Some(at);
        self
    }

    /// The same at a place that was noted down earlier.
    pub fn at(mut self, at: &Position) -> Diagnostic {
        self.at = Some(at.clone());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some(at) = &self.at {
            write!(f, "\n  --> {at}")?;
            if let Some((line, meant)) = &self.excerpt {
                let number = at.line.to_string();
                let gutter = " ".repeat(number.len());
                let indent: String =
                    line.chars().take(at.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
                write!(f, "\n {number} | {line}\n {gutter} | {indent}{}", "^".repeat(*meant))?;
                if let Some(note) = &self.note {
                    write!(f, " {note}")?;
                }
            }
        }
        if self.excerpt.is_none()
            && let Some(note) = &self.note
        {
            write!(f, "\n  {note}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// All problems that a load found: errors before warnings, each by place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                write!(f, "\n\n{}: ", diagnostic.severity.as_str())?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// A definition file with its text, from which positions are found.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// The file, as people reach it.
    pub path: PathBuf,
    /// All of its text.
    pub text: Arc<str>,
}

impl SourceText {
    /// Where the byte `offset` stands.
    pub fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Position { file: self.path.clone(), line, column }
    }
}

/// The one of `known` that is most like `word`, if one is alike at all: at most a third of its letters differ.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters to add, drop, change or swap to make one word of the other (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![(0..=to.len()).collect::<Vec<usize>>()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let changed = usize::from(from[i - 1] != to[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + changed);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_a_likely_one() {
        let known = ["packages", "partitions", "spec", "origin"];
        for (word, expected) in
            [("pakages", Some("packages")), ("sepc", Some("spec")), ("orign", Some("origin")), ("colour", None)]
        {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn a_problem_shows_its_line() {
        let file = SourceText { path: "distro.toml".into(), text: "a = 1\nnmae = 2\n".into() };
        let shown =
            Diagnostic::new("no such key: `nmae`").at_span(&file, 6..10).hint("did you mean `name`?").to_string();
        assert_eq!(
            shown,
            "no such key: `nmae`\n  --> distro.toml:2:1\n 2 | nmae = 2\n   | ^^^^\nhint: did you mean `name`?"
        );
    }
}
