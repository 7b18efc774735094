//! Macro files: lines of `%name body`, everything else is comment.

use super::define::{self, BodyEnd};
use super::engine::{Engine, Outcome};
use super::scan::{Nesting, is_blank, skip_blanks};
use super::table::{Definition, Level, Macros};
use crate::{Origin, Position, Severity, Warning};

/// One definition of a macro file: its first line's number and its text behind the `%`.
struct Entry {
    line: u32,
    text: String,
}

/// The definitions in a macro file, in order.
fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut lines = text.split_inclusive('\n').zip(1_u32..);
    while let Some((first, line)) = lines.next() {
        let start = skip_blanks(first.as_bytes(), 0);
        if first.as_bytes().get(start) != Some(&b'%') {
            continue;
        }
        let mut joined = String::new();
        let mut nesting = Nesting::default();
        let mut next = Some(first);
        while let Some(part) = next {
            // A carriage return before the line's end is dropped, so that files from elsewhere read the same.
            let bare = part.trim_end_matches(['\n', '\r']);
            joined.push_str(bare);
            nesting.scan(bare.as_bytes());
            if !(bare.ends_with('\\') || nesting.is_open()) {
                break;
            }
            joined.push('\n');
            next = lines.next().map(|(part, _)| part);
        }
        let text = joined.trim_start_matches(|c: char| c.is_ascii() && is_blank(c as u8));
        entries.push(Entry { line, text: text[1..].to_owned() });
    }
    entries
}

impl Macros {
    /// Adds what a macro file defines; what it defines anew wins.
    ///
    /// Source: rpm's manual, "Macro files"; rpm reads its own `macros`, then the target's `platform/*/macros`, then the
    /// files of `fileattrs`, `macros.d`, and the machine's and user's. The order is the caller's.
    ///
    /// A definition that makes no sense is skipped, as rpm does it, and [`Macros::warnings`] says so.
    pub fn load(&mut self, text: &str, origin: &Origin) {
        for entry in entries(text) {
            match define::read(&entry.text, BodyEnd::Line) {
                Ok(written) => {
                    let defined = self.table.get(written.name.as_str()).and_then(|stack| stack.last());
                    if defined.is_some_and(|definition| definition.is_builtin()) {
                        self.warn(format!("macro `%{}` is built into rpm", written.name), origin, entry.line);
                        continue;
                    }
                    let place = Some((origin.clone(), entry.line));
                    self.push(Definition { place, ..written.definition(Level::FILES) });
                }
                Err((name, problem)) => self.warn(format!("macro `%{name}` {problem}"), origin, entry.line),
            }
        }
    }

    /// Where rpm looks for macro files, in the order in which later ones win, as shell patterns.
    ///
    /// Source: rpm 6, `MACROFILES` of its configuration; the user's own files are left out, as nothing here may depend on them.
    /// Of what a pattern matches, names that end in `.rpmnew`, `.rpmsave` or `.rpmorig`, or in neither letter nor digit, do not count.
    pub fn usual_paths(target: &crate::Target, vendor: &str) -> Vec<String> {
        let platform = format!("{}-{}", target.cpu, target.os);
        vec![
            "/usr/lib/rpm/macros".to_owned(),
            "/usr/lib/rpm/macros.d/macros.*".to_owned(),
            format!("/usr/lib/rpm/platform/{platform}/macros"),
            "/usr/lib/rpm/fileattrs/*.attr".to_owned(),
            format!("/usr/lib/rpm/{vendor}/macros"),
            "/etc/rpm/macros.*".to_owned(),
            "/etc/rpm/macros".to_owned(),
            format!("/etc/rpm/{platform}/macros"),
        ]
    }

    fn warn(&mut self, text: String, origin: &Origin, line: u32) {
        let position = Position::line(origin.clone(), line);
        self.warnings.push(Warning { text, severity: Severity::Warning, position, chain: Vec::new() });
    }
}

impl Engine {
    /// `%{load:path}`. Returns whether every definition made sense.
    pub(crate) fn load(&self, text: &str, origin: &Origin) -> Outcome<bool> {
        let outside = self.position();
        let mut sound = true;
        for entry in entries(text) {
            self.set_position(Position::line(origin.clone(), entry.line));
            match self.define_plain(&entry.text, Level::FILES) {
                Ok(()) => {}
                Err(error) if matches!(*error.kind, crate::ErrorKind::Definition { .. }) => {
                    self.warn(error.kind.to_string());
                    sound = false;
                }
                Err(error) => {
                    self.set_position(outside);
                    return Err(error);
                }
            }
        }
        self.set_position(outside);
        Ok(sound)
    }
}
