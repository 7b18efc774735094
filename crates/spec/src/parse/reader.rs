//! Lines of a spec: read, joined, expanded, and filtered by conditionals.
//!
//! Physical lines are joined while macro calls are open or a line ends with a backslash; the joined text is expanded as one;
//! the lines of the result are then looked at for `%if` and its like, and those in dead branches vanish.

use std::rc::Rc;
use std::sync::Arc;

use crate::macros::{Engine, Nesting, Outcome};
use crate::{ErrorKind, Origin, Position};

/// What is taken off a line before it is handed out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Strip {
    /// Nothing: scripts.
    Nothing,
    /// Lines that begin with `#` become empty.
    Comments,
    /// White space at the end and comments: tags and descriptions.
    CommentsAndEnds,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Directive {
    If,
    IfArch,
    IfNotArch,
    IfOs,
    IfNotOs,
    ElseIf,
    ElseIfArch,
    ElseIfOs,
    Else,
    EndIf,
    Include,
}

const DIRECTIVES: &[(&str, Directive)] = &[
    ("%endif", Directive::EndIf),
    ("%else", Directive::Else),
    ("%if", Directive::If),
    ("%ifarch", Directive::IfArch),
    ("%ifnarch", Directive::IfNotArch),
    ("%ifos", Directive::IfOs),
    ("%ifnos", Directive::IfNotOs),
    ("%include", Directive::Include),
    ("%elifarch", Directive::ElseIfArch),
    ("%elifos", Directive::ElseIfOs),
    ("%elif", Directive::ElseIf),
];

impl Directive {
    /// The directive that a line, white space before it aside, begins with.
    fn of(line: &str) -> Option<(&'static str, Directive)> {
        if !line.starts_with('%') {
            return None;
        }
        DIRECTIVES.iter().copied().find(|(text, directive)| {
            line.strip_prefix(text).is_some_and(|rest| match (directive, rest.bytes().next()) {
                (Directive::EndIf | Directive::Else, next) => !next.is_some_and(|byte| byte.is_ascii_alphabetic()),
                (_, next) => matches!(next, None | Some(b' ' | b'\t')),
            })
        })
    }

    fn opens(self) -> bool {
        matches!(self, Directive::If | Directive::IfArch | Directive::IfNotArch | Directive::IfOs | Directive::IfNotOs)
    }

    fn continues(self) -> bool {
        matches!(self, Directive::ElseIf | Directive::ElseIfArch | Directive::ElseIfOs)
    }
}

/// One open conditional.
struct Branch {
    /// Lines of this branch count.
    live: bool,
    /// A later branch may still be taken.
    may_follow: bool,
    /// `%else` was there.
    has_else: bool,
    position: Position,
}

/// A text that is being read.
struct OpenText {
    origin: Origin,
    text: Arc<str>,
    at: usize,
    line: u32,
}

/// Bytes of `%include`d texts inside one another; a file that includes itself ends here.
const INCLUDE_DEPTH: usize = 50;

pub(super) struct Reader {
    engine: Rc<Engine>,
    texts: Vec<OpenText>,
    /// The expanded text whose lines are being handed out, and how far.
    unit: String,
    unit_at: usize,
    /// The text expanded to nothing, which is one empty line.
    is_blank: bool,
    branches: Vec<Branch>,
    /// The present line.
    pub(super) line: String,
    /// Everything that was handed out.
    pub(super) expanded: String,
}

impl Reader {
    pub(super) fn new(engine: Rc<Engine>, text: Arc<str>, origin: Origin) -> Reader {
        let mut reader = Reader {
            engine,
            texts: Vec::new(),
            unit: String::new(),
            unit_at: 0,
            is_blank: false,
            branches: Vec::new(),
            line: String::new(),
            expanded: String::new(),
        };
        reader.open(text, origin);
        reader
    }

    /// Reads another text before the rest of the present one.
    pub(super) fn open(&mut self, text: Arc<str>, origin: Origin) {
        self.texts.push(OpenText { origin, text, at: 0, line: 0 });
    }

    pub(super) fn position(&self) -> Position {
        self.engine.position()
    }

    /// Puts the next line into `self.line`; false at the end of the last text.
    pub(super) fn next(&mut self, strip: Strip) -> Outcome<bool> {
        loop {
            if self.unit_at >= self.unit.len() && !self.next_unit()? {
                return Ok(false);
            }
            if !self.take_line(strip)? {
                continue;
            }
            if !self.branches.last().is_none_or(|branch| branch.live) {
                self.line.clear();
            }
            self.expanded.push_str(&self.line);
            if strip == Strip::CommentsAndEnds {
                self.expanded.push('\n');
            }
            let limit = self.engine.environment.limits.output;
            if self.expanded.len() as u64 > limit {
                return Err(self.engine.fail(ErrorKind::Limit { what: "bytes of expanded text", limit }));
            }
            return Ok(true);
        }
    }

    /// Reads and expands what belongs together. An empty result is one empty line.
    fn next_unit(&mut self) -> Outcome<bool> {
        let mut nesting = Nesting::default();
        let mut unit = std::mem::take(&mut self.unit);
        unit.clear();
        let mut first = None;
        while let Some(open) = self.texts.last_mut() {
            if open.at >= open.text.len() {
                self.texts.pop();
                continue;
            }
            let rest = &open.text[open.at..];
            let length = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
            let line = &rest[..length];
            open.at += length;
            open.line += 1;
            first.get_or_insert_with(|| Position::line(open.origin.clone(), open.line));
            unit.push_str(line);
            nesting.scan(line.as_bytes());
            if !nesting.wants_more() {
                break;
            }
        }
        let Some(position) = first else {
            if let Some(branch) = self.branches.last() {
                self.engine.set_position(branch.position.clone());
                return Err(self.engine.fail(ErrorKind::Conditional("`%if` has no `%endif`".to_owned())));
            }
            return Ok(false);
        };
        self.engine.set_position(position.clone());
        if nesting.wants_more() {
            return Err(self.engine.fail(ErrorKind::UnterminatedLine));
        }
        self.unit = match self.expand_unit(&unit, &position) {
            Ok(expanded) => expanded,
            Err(error) => {
                self.engine.skip_line(error)?;
                without_text(&unit)
            }
        };
        self.unit_at = 0;
        self.is_blank = self.unit.is_empty();
        Ok(true)
    }

    fn expand_unit(&mut self, unit: &str, position: &Position) -> Outcome<String> {
        let start = unit.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
        let directive = Directive::of(start);
        if let Some((text, Directive::Else | Directive::EndIf)) = directive {
            let behind = start[text.len()..].trim();
            if !behind.is_empty() && !behind.starts_with('#') {
                let problem = format!("`{text}` has something behind it: `{behind}`");
                return Err(self.engine.fail(ErrorKind::Conditional(problem)));
            }
        }
        let counts = match (directive, self.branches.last()) {
            (_, None) => true,
            (Some((_, directive)), Some(branch)) if directive.continues() => branch.may_follow,
            (_, Some(branch)) => branch.live,
        };
        if !counts || memchr::memchr(b'%', unit.as_bytes()).is_none() {
            return Ok(unit.to_owned());
        }
        self.engine.offset.set(0);
        self.engine.expand_text(unit).map_err(|mut error| {
            if error.position == *position {
                let before = &unit.as_bytes()[..self.engine.offset.get().min(unit.len())];
                let lines = before.iter().filter(|byte| **byte == b'\n').count();
                let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
                error.position.line += u32::try_from(lines).unwrap_or(0);
                error.position.column = u32::try_from(column).unwrap_or(0);
            }
            error
        })
    }

    /// Takes the next line off the unit. False where it opened another text and there is no line to hand out.
    fn take_line(&mut self, strip: Strip) -> Outcome<bool> {
        self.line.clear();
        if std::mem::take(&mut self.is_blank) {
            return Ok(true);
        }
        let rest = &self.unit[self.unit_at..];
        let first_end = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1);
        // White space before a directive does not count, line ends excepted.
        let lead = rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)).count();
        let directive = Directive::of(&rest[lead..]);
        if let Some((text, directive)) = directive {
            self.take_joined();
            let line = std::mem::take(&mut self.line);
            let argument = line[lead + text.len()..].to_owned();
            if directive == Directive::Include {
                if self.is_live() {
                    return self.include(argument.trim()).map(|()| false);
                }
                return Ok(true);
            }
            self.apply(text, directive, &argument)?;
            return Ok(true);
        }
        self.line.push_str(&rest[..first_end]);
        self.unit_at += first_end;
        if strip != Strip::Nothing && self.line.trim_start().starts_with('#') {
            self.line.clear();
        }
        if strip == Strip::CommentsAndEnds {
            let spaces = self.line.bytes().rev().take_while(|byte| byte.is_ascii_whitespace() || *byte == 0x0b).count();
            self.line.truncate(self.line.len() - spaces);
        }
        Ok(true)
    }

    /// Takes a directive's line, over continued lines.
    fn take_joined(&mut self) {
        let rest = &self.unit[self.unit_at..];
        let mut from = 0;
        loop {
            let end = rest[from..].find('\n').map_or(rest.len(), |end| from + end + 1);
            let part = &rest[from..end];
            from = end;
            match part.strip_suffix("\\\n") {
                Some(part) => {
                    self.line.push_str(part);
                    self.line.push_str("  ");
                }
                None => {
                    self.line.push_str(part);
                    break;
                }
            }
            if from >= rest.len() {
                break;
            }
        }
        self.unit_at += from;
    }

    fn is_live(&self) -> bool {
        self.branches.last().is_none_or(|branch| branch.live)
    }

    fn apply(&mut self, text: &str, directive: Directive, argument: &str) -> Outcome {
        let position = self.position();
        if !directive.opens() {
            let problem = match self.branches.last() {
                None => Some(format!("`{text}` has no `%if`")),
                Some(branch) if branch.has_else && directive != Directive::EndIf => {
                    Some(format!("`{text}` stands behind `%else`"))
                }
                Some(_) => None,
            };
            if let Some(problem) = problem {
                return Err(self.engine.fail(ErrorKind::Conditional(problem)));
            }
        }
        if directive.opens() {
            let outer = self.is_live();
            let live = self.holds(text, directive, argument, outer)? && outer;
            self.branches.push(Branch { live, may_follow: outer && !live, has_else: false, position });
            return Ok(());
        }
        if directive == Directive::EndIf {
            self.branches.pop();
            return Ok(());
        }
        let may_follow = self.branches.last().is_some_and(|branch| branch.may_follow);
        if directive == Directive::Else {
            if let Some(branch) = self.branches.last_mut() {
                branch.live = may_follow;
                branch.has_else = true;
            }
            return Ok(());
        }
        let live = self.holds(text, directive, argument, may_follow)? && may_follow;
        if let Some(branch) = self.branches.last_mut() {
            branch.live = live;
            branch.may_follow &= !live;
        }
        Ok(())
    }

    /// Whether a condition holds. In a dead branch expressions are not looked at.
    fn holds(&self, text: &str, directive: Directive, argument: &str, counts: bool) -> Outcome<bool> {
        let any = |name: &str| -> Outcome<bool> {
            if argument.trim().is_empty() {
                return Err(self
                    .engine
                    .fail(ErrorKind::Conditional(format!("`{text}` names nothing to compare with"))));
            }
            let own = self.engine.expand_text(name)?;
            Ok(argument.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(&own)))
        };
        match directive {
            Directive::IfArch | Directive::ElseIfArch => any("%{_target_cpu}"),
            Directive::IfNotArch => any("%{_target_cpu}").map(|found| !found),
            Directive::IfOs | Directive::ElseIfOs => any("%{_target_os}"),
            Directive::IfNotOs => any("%{_target_os}").map(|found| !found),
            // A condition that cannot be told does not hold.
            _ if counts => {
                self.engine.condition(argument).or_else(|error| self.engine.skip_line(error).map(|()| false))
            }
            _ => Ok(false),
        }
    }

    /// Reads a file here; one that is not there may be left out.
    fn include(&mut self, path: &str) -> Outcome {
        if path.is_empty() {
            return Err(self.engine.fail(ErrorKind::Conditional("`%include` names no file".to_owned())));
        }
        if self.texts.len() >= INCLUDE_DEPTH {
            return Err(self.engine.fail(ErrorKind::Limit { what: "nested includes", limit: INCLUDE_DEPTH as u64 }));
        }
        let Some(text) = self.engine.environment.files.read(path) else {
            return self.engine.skip(self.engine.fail(ErrorKind::NoFile(path.to_owned())));
        };
        self.open(text, Origin::new(path));
        Ok(())
    }
}

/// What stays of a text that cannot be expanded: its directive, without what it asks for.
fn without_text(unit: &str) -> String {
    match Directive::of(unit.trim_start()) {
        Some((_, directive)) if directive.opens() => "%if 0\n".to_owned(),
        Some((_, directive)) if directive.continues() => "%elif 0\n".to_owned(),
        Some((text, Directive::Else | Directive::EndIf)) => format!("{text}\n"),
        _ => "\n".to_owned(),
    }
}
