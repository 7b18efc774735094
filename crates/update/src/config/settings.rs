use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::config::{Key, value};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// No file says it.
    Default,
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The command line.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::CommandLine => f.write_str("command line"),
        }
    }
}

/// A value as it was written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Variables are not replaced yet.
    pub text: String,
    /// Where.
    pub origin: Origin,
}

/// The options of one section.
///
/// Values are checked against their kind when they are set, so that reading them cannot fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    values: BTreeMap<Key, Setting>,
}

impl Settings {
    /// Sets an option; the error says what is wrong with the value.
    pub(crate) fn set(&mut self, key: Key, text: &str, origin: Origin) -> Result<(), String> {
        let text = if text.is_empty() { key.default() } else { text };
        if !key.kind().accepts(text) {
            return Err(format!("`{}` is {}, not `{text}`", key.name(), key.kind().shape()));
        }
        // Lists of exclusions add up over files and arguments, as in dnf.
        let adds = matches!(key, Key::Exclude | Key::IncludePackages | Key::Protected | Key::InstallOnly);
        let before = if adds && origin == Origin::CommandLine { self.values.get(&key) } else { None };
        let text = before.map_or_else(|| text.to_owned(), |before| format!("{} {text}", before.text));
        self.values.insert(key, Setting { text, origin });
        Ok(())
    }

    /// What was set.
    pub fn get(&self, key: Key) -> Option<&Setting> {
        self.values.get(&key)
    }

    /// The value, or the default.
    pub fn text(&self, key: Key) -> &str {
        self.values.get(&key).map_or(key.default(), |setting| setting.text.as_str())
    }

    /// A boolean.
    pub fn flag(&self, key: Key) -> bool {
        value::boolean(self.text(key)).unwrap_or_default()
    }

    /// A whole number.
    pub fn number(&self, key: Key) -> i64 {
        self.text(key).parse().unwrap_or_default()
    }

    /// Seconds; `u64::MAX` is for ever.
    pub fn seconds(&self, key: Key) -> u64 {
        value::seconds(self.text(key)).unwrap_or_default()
    }

    /// Bytes.
    pub fn bytes(&self, key: Key) -> u64 {
        value::bytes(self.text(key)).unwrap_or_default()
    }

    /// Words.
    pub fn list(&self, key: Key) -> Vec<String> {
        value::list(self.text(key))
    }

    /// Where the value comes from.
    pub fn origin(&self, key: Key) -> &Origin {
        self.values.get(&key).map_or(&Origin::Default, |setting| &setting.origin)
    }
}
