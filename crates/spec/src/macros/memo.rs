//! Remembering what costly macros of macro files expand to.
//!
//! Some macros look at thousands of names, most of them undefined: Fedora's `%dist` asks for ten thousand. Their text depends
//! on nothing but the macros that they look at. Such an expansion is traced once; as long as a spec defines none of the names
//! that were looked at, its result holds for every evaluation that shares the same [`super::Macros`].
//!
//! An expansion that did anything else than look up and print (define, run a command, warn, ask for its arguments) is never
//! remembered.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use super::hash::{NameHasher, NameMap};
use super::table::Definition;

/// Macro calls from which on an expansion is worth remembering.
pub(super) const COSTLY: u64 = 500;

/// Scripts whose output is kept.
const SCRIPTS: usize = 200;

type Names = HashSet<Arc<str>, BuildHasherDefault<NameHasher>>;

/// What one macro expands to, and the names that this depends on.
#[derive(Debug)]
pub(super) struct Memo {
    definition: Arc<Definition>,
    pub(super) text: String,
    names: Names,
}

impl Memo {
    /// Whether the result holds where `local` names are defined differently.
    pub(super) fn holds<'n>(
        &self,
        definition: &Arc<Definition>,
        mut local: impl Iterator<Item = &'n Arc<str>>,
    ) -> bool {
        Arc::ptr_eq(&self.definition, definition) && !local.any(|name| self.names.contains(name))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.names.iter()
    }
}

/// What is known of a macro's cost.
#[derive(Clone, Debug)]
enum Known {
    /// Its next expansion is to be traced.
    Costly,
    /// It does more than look up and print.
    Unfit,
    Remembered(Arc<Memo>),
}

/// The memos of one set of macros, shared by threads.
#[derive(Debug, Default)]
pub(crate) struct Memos {
    any: AtomicBool,
    known: RwLock<NameMap<Known>>,
    /// What scripts print that can only count and print.
    scripts: RwLock<NameMap<Printed>>,
}

/// What a script prints.
#[derive(Clone, Debug)]
struct Printed {
    text: Arc<str>,
    /// That it is nothing but `%{?head0}%{?head1}` and so on.
    run: Option<Run>,
}

/// Conditional names with rising numbers: `%{?head<from>}` to `%{?head<to>}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) head: Arc<str>,
    pub(super) from: u32,
    pub(super) to: u32,
}

/// The shortest run that is worth a thought.
const RUN: u32 = 100;

impl Run {
    fn read(text: &str) -> Option<Run> {
        let names = text.strip_prefix("%{?")?.strip_suffix('}')?;
        let mut names = names.split("}%{?");
        let first = names.next()?;
        let head = first.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let plain = head.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && head.bytes().all(super::scan::is_name);
        let from: u32 =
            first[head.len()..].parse().ok().filter(|from: &u32| plain && first.ends_with(&from.to_string()))?;
        let mut to = from;
        for name in names {
            to += 1;
            if name.strip_prefix(head)? != to.to_string() {
                return None;
            }
        }
        (to - from >= RUN).then(|| Run { head: Arc::from(head), from, to })
    }
}

impl Clone for Memos {
    /// A changed set of macros begins to learn anew.
    fn clone(&self) -> Memos {
        Memos::default()
    }
}

/// What is to be done with a macro's expansion.
pub(super) enum Plan {
    Expand,
    Trace,
    Recall(Arc<Memo>),
}

impl Memos {
    pub(super) fn plan(&self, name: &str) -> Plan {
        if !self.any.load(Ordering::Relaxed) {
            return Plan::Expand;
        }
        match self.known.read().ok().and_then(|known| known.get(name).cloned()) {
            Some(Known::Costly) => Plan::Trace,
            Some(Known::Remembered(memo)) => Plan::Recall(memo),
            Some(Known::Unfit) | None => Plan::Expand,
        }
    }

    /// What a pure script prints, if it ran before.
    pub(super) fn printed(&self, script: &str) -> Option<Arc<str>> {
        self.scripts.read().ok()?.get(script).map(|printed| printed.text.clone())
    }

    /// The numbered names that a script prints, if it ran before and prints nothing else.
    pub(super) fn printed_run(&self, script: &str) -> Option<Run> {
        self.scripts.read().ok()?.get(script)?.run.clone()
    }

    pub(super) fn remember_printed(&self, script: &str, printed: &str) {
        if let Ok(mut scripts) = self.scripts.write()
            && scripts.len() < SCRIPTS
        {
            scripts.insert(Arc::from(script), Printed { text: Arc::from(printed), run: Run::read(printed) });
        }
    }

    /// Notes that a macro's expansion was costly.
    pub(super) fn note_cost(&self, name: &Arc<str>) {
        if let Ok(mut known) = self.known.write() {
            known.entry(name.clone()).or_insert(Known::Costly);
            self.any.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn remember(&self, definition: &Arc<Definition>, text: &str, trace: Trace) {
        if let Ok(mut known) = self.known.write() {
            let memo = Memo { definition: definition.clone(), text: text.to_owned(), names: trace.names };
            let fit = trace.is_pure;
            known.insert(definition.name.clone(), if fit { Known::Remembered(Arc::new(memo)) } else { Known::Unfit });
        }
    }
}

/// What an expansion looked at so far.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) names: Names,
    pub(super) is_pure: bool,
}

impl Trace {
    pub(super) fn new() -> Trace {
        Trace { names: Names::default(), is_pure: true }
    }
}

/// Whether a Lua script can only count and print: every name in it is its own, or one of Lua's harmless ones.
pub(super) fn is_pure_script(script: &str) -> bool {
    const ALLOWED: &[&str] = &[
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not",
        "or", "repeat", "return", "then", "true", "until", "while", "print", "tostring", "tonumber",
    ];
    let mut declared = Vec::new();
    let (mut previous, mut rest) = ("", script);
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let Some(end) = rest[1..].find(first) else { return false };
            // A backslash may hide the quote: such a script is left alone.
            if rest[..end + 1].contains('\\') {
                return false;
            }
            rest = &rest[end + 2..];
            previous = "";
        } else if rest.starts_with("--") || rest.starts_with("[[") || rest.starts_with("[=") {
            return false;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let word = &rest[..end];
            if matches!(previous, "for" | "local") {
                declared.push(word);
            } else if previous != "." && !ALLOWED.contains(&word) && !declared.contains(&word) {
                return false;
            }
            previous = word;
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() {
                previous = if first == '.' && !rest.starts_with("..") { "." } else { "" };
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_numbered_names() {
        let run =
            |numbers: std::ops::RangeInclusive<u32>| -> String { numbers.map(|n| format!("%{{?x{n}}}")).collect() };
        let read = Run::read(&run(0..=200));
        assert_eq!(read, Some(Run { head: Arc::from("x"), from: 0, to: 200 }));
        for other in [
            run(0..=9),
            run(0..=200) + "%{?y}",
            run(0..=200) + "%{?x202}",
            run(0..=200).replace("?", ""),
            "%{?}".to_owned(),
        ] {
            assert_eq!(Run::read(&other), None, "{other}");
        }
    }

    #[test]
    fn scripts_that_only_print() {
        for (script, pure) in [
            ("for i=0,9999 do print(\"%{?distprefix\" .. i ..\"}\") end", true),
            ("print(string.rep('x', 3))", false),
            ("print(rpm.expand('%name'))", false),
            ("x = 1", false),
            ("print(arg[1])", false),
            ("local a = 1; print(a)", true),
            ("print(macros.name)", false),
        ] {
            assert_eq!(is_pure_script(script), pure, "{script}");
        }
    }
}
