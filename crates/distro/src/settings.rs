//! What one layer says about components: the settings of a component, a group, the project or a distribution's version.
//!
//! Every value keeps its place, so that the one in effect can be explained. A later layer is laid over an earlier one by
//! the rules of the original: texts and flags replace, but an empty text or `false` replaces nothing; lists and overlays
//! are appended; `overlay-files` are replaced whole. Beyond it, a layer can take back what earlier ones say: `unset`.

mod merge;
mod read;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use crate::component::SourceFile;
use crate::diagnostic::{Located, Position};
use crate::overlay::Overlay;

/// A text or a flag.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A text, a word or a path.
    Text(String),
    /// True or false.
    Flag(bool),
}

impl Value {
    /// Whether the original takes it for not said.
    fn is_zero(&self) -> bool {
        match self {
            Value::Text(text) => text.is_empty(),
            Value::Flag(flag) => !flag,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Text(text) => write!(f, "\"{text}\""),
            Value::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// What one layer says about components, or several layers merged.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Texts and flags by their key, as in `build.check.skip`.
    values: BTreeMap<Cow<'static, str>, Located<Value>>,
    /// Lists of words by their key, as in `build.with`.
    lists: BTreeMap<&'static str, Vec<Located<String>>>,
    pub(crate) overlays: Vec<Overlay>,
    pub(crate) source_files: Vec<SourceFile>,
    /// Globs of overlay files; `Some` and empty takes back those of earlier layers.
    pub(crate) overlay_files: Option<Vec<Located<String>>>,
    unset: Vec<Located<String>>,
}

/// One thing that a layer says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Saying {
    /// The key, as in `build.check.skip`; items of lists are keys of their own, as in `build.with.docs`.
    pub key: String,
    /// The value as people write it.
    pub value: String,
    /// Where it is written.
    pub at: Position,
}

impl Settings {
    /// The text of a key, if it is there and not empty.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key).map(|found| &found.value) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some(Located { value: Value::Flag(true), .. }))
    }

    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        self.lists.get(key).into_iter().flatten().map(|item| item.value.clone()).collect()
    }

    pub(crate) fn at(&self, key: &str) -> Option<&Position> {
        self.values.get(key).map(|found| &found.at)
    }

    /// The values whose keys lie below `prefix`, by the rest of their key.
    pub(crate) fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Located<Value>)> {
        self.values.iter().filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?.strip_prefix('.')?, value)))
    }

    pub(crate) fn set(&mut self, key: impl Into<Cow<'static, str>>, value: Value, at: Position) {
        self.values.insert(key.into(), Located { value, at });
    }

    /// All that is said, by key; items of lists and overlays in their order.
    pub fn sayings(&self) -> Vec<Saying> {
        let mut sayings: Vec<Saying> = self
            .values
            .iter()
            .map(|(key, found)| Saying { key: key.to_string(), value: found.value.to_string(), at: found.at.clone() })
            .collect();
        let item = |key: &str, item: &Located<String>| Saying {
            key: format!("{key}.{}", item.value),
            value: "listed".to_owned(),
            at: item.at.clone(),
        };
        for (key, list) in &self.lists {
            sayings.extend(list.iter().map(|listed| item(key, listed)));
        }
        sayings.extend(self.overlay_files.iter().flatten().map(|listed| item("overlay-files", listed)));
        sayings.extend(self.source_files.iter().map(|file| Saying {
            key: format!("source-files.{}", file.file_name),
            value: file.hash.as_ref().map_or_else(|| "no digest".to_owned(), |hash| hash.hex().to_owned()),
            at: file.at.clone(),
        }));
        sayings.extend(self.overlays.iter().enumerate().map(|(number, overlay)| Saying {
            key: format!("overlays.{}", number + 1),
            value: format!(
                "{} ({})",
                overlay.kind.as_str(),
                overlay.description.as_deref().unwrap_or("no description")
            ),
            at: overlay.at.clone(),
        }));
        sayings.extend(self.unset.iter().map(|key| Saying {
            key: key.value.clone(),
            value: "taken back".to_owned(),
            at: key.at.clone(),
        }));
        sayings.sort_by(|left, right| left.key.cmp(&right.key));
        sayings
    }

    pub(crate) fn local(path: &Path, at: Position) -> Settings {
        let mut settings = Settings::default();
        settings.set("spec.type", Value::Text("local".to_owned()), at.clone());
        settings.set("spec.path", Value::Text(path.to_string_lossy().into_owned()), at);
        settings
    }
}

/// Whether `key` is `of` or lies below it.
pub fn is_below(key: &str, of: &str) -> bool {
    key.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
