use std::sync::Arc;

use super::builtin::Builtin;
use super::hash::NameMap;
use crate::Origin;

/// How far a definition reaches: one made inside a parametric macro ends with its call.
///
/// The numbers are rpm's (`rpmmacro.h`, `RMIL_*`), as `%{dump}` shows them.
pub(crate) struct Level;

impl Level {
    pub(crate) const BUILTIN: i32 = -20;
    pub(crate) const FILES: i32 = -13;
    pub(crate) const CONFIGURATION: i32 = -11;
    pub(crate) const COMMAND_LINE: i32 = -7;
    pub(crate) const SPEC: i32 = -3;
    pub(crate) const GLOBAL: i32 = 0;
}

/// What a macro stands for.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Text(Arc<str>),
    Builtin(Builtin),
}

/// One definition of a macro.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: Arc<str>,
    /// Options as in getopt(3), for a parametric macro.
    pub(crate) options: Option<Arc<str>>,
    pub(crate) body: Body,
    pub(crate) level: i32,
    /// Made by a parametric call: `%1`, `%*`, `%{-f}`; not seen from calls further in.
    pub(crate) automatic: bool,
    /// The body is not expanded again.
    pub(crate) literal: bool,
    /// The body holds marks of quoted arguments.
    pub(crate) quoted: bool,
    /// Expanded once, at first use.
    pub(crate) once: bool,
    /// Where it was defined; nothing for what the engine defines itself.
    pub(crate) place: Option<(Origin, u32)>,
}

impl Definition {
    pub(crate) fn text(name: impl AsRef<str>, body: impl AsRef<str>, level: i32) -> Definition {
        Definition {
            name: Arc::from(name.as_ref()),
            options: None,
            body: Body::Text(Arc::from(body.as_ref())),
            level,
            automatic: false,
            literal: false,
            quoted: false,
            once: false,
            place: None,
        }
    }

    pub(crate) fn literal(name: impl AsRef<str>, body: impl AsRef<str>, level: i32) -> Definition {
        Definition { literal: true, ..Definition::text(name, body, level) }
    }

    pub(crate) fn builtin(name: &str, builtin: Builtin, options: Option<&str>) -> Definition {
        Definition {
            body: Body::Builtin(builtin),
            options: options.map(Arc::from),
            ..Definition::text(name, "", Level::BUILTIN)
        }
    }

    pub(crate) fn is_builtin(&self) -> bool {
        matches!(self.body, Body::Builtin(_))
    }

    pub(crate) fn body_text(&self) -> &str {
        match &self.body {
            Body::Text(text) => text,
            Body::Builtin(_) => "<builtin>",
        }
    }
}

/// The macros that a set of macro files defines, on top of rpm's built-in ones.
///
/// Built once by [`Macros::load`] in the order in which rpm reads its files, then shared by any number of evaluations.
#[derive(Clone, Debug)]
pub struct Macros {
    pub(crate) table: NameMap<Vec<Arc<Definition>>>,
    pub(crate) warnings: Vec<crate::Warning>,
    pub(super) memos: super::memo::Memos,
    /// Names that end with a digit, once somebody asked for them.
    numbered: std::sync::OnceLock<Vec<Arc<str>>>,
}

impl Default for Macros {
    fn default() -> Macros {
        Macros::builtin()
    }
}

/// A macro's present definition, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Macro {
    /// Its name, without `%`.
    pub name: String,
    /// Its options as in getopt(3), if it takes arguments.
    pub options: Option<String>,
    /// Its text; `<builtin>` for what rpm itself defines.
    pub body: String,
    /// The file and line that define it.
    pub place: Option<(Origin, u32)>,
}

impl Macros {
    /// rpm's built-in macros only.
    pub fn builtin() -> Macros {
        let mut macros = Macros {
            table: NameMap::default(),
            warnings: Vec::new(),
            memos: super::memo::Memos::default(),
            numbered: std::sync::OnceLock::new(),
        };
        for definition in super::builtin::definitions() {
            macros.push(definition);
        }
        macros
    }

    pub(crate) fn push(&mut self, definition: Definition) {
        self.memos = super::memo::Memos::default();
        self.numbered = std::sync::OnceLock::new();
        self.table.entry(definition.name.clone()).or_default().push(Arc::new(definition));
    }

    /// The names that end with a digit.
    pub(super) fn numbered(&self) -> &[Arc<str>] {
        let ends_so = |name: &&Arc<str>| name.ends_with(|c: char| c.is_ascii_digit());
        self.numbered.get_or_init(|| self.table.keys().filter(ends_so).cloned().collect())
    }

    /// The definition that counts, if `name` is defined.
    pub fn get(&self, name: &str) -> Option<Macro> {
        let definition = self.table.get(name)?.last()?;
        Some(Macro {
            name: name.to_owned(),
            options: definition.options.as_deref().map(str::to_owned),
            body: definition.body_text().to_owned(),
            place: definition.place.clone(),
        })
    }

    /// The names that are defined, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.table.iter().filter(|(_, stack)| !stack.is_empty()).map(|(name, _)| &**name).collect();
        names.sort_unstable();
        names
    }

    /// What was doubtful in the files, in reading order.
    pub fn warnings(&self) -> &[crate::Warning] {
        &self.warnings
    }
}
