use std::fmt;
use std::sync::Arc;

/// Where a text comes from: the name that messages show, usually a path relative to the project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// A text named `name`.
    pub fn new(name: impl AsRef<str>) -> Origin {
        Origin(Arc::from(name.as_ref()))
    }

    /// A file, by the path that messages should show.
    pub fn file(path: &std::path::Path) -> Origin {
        Origin::new(path.to_string_lossy())
    }

    /// The name, as messages show it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place in a text. Written `file:line` or `file:line:column`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The text.
    pub origin: Origin,
    /// Counted from 1; 0 where the text as a whole is meant.
    pub line: u32,
    /// In bytes, counted from 1; 0 where the line as a whole is meant.
    pub column: u32,
}

impl Position {
    /// A whole line of a text.
    pub fn line(origin: Origin, line: u32) -> Position {
        Position { origin, line, column: 0 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin.as_str())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

impl serde::Serialize for Position {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A value and the place that it was read from.
///
/// A value that a macro produced has the place where the macro was called.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Located<T> {
    /// What was read.
    pub value: T,
    /// Where.
    pub position: Position,
}
