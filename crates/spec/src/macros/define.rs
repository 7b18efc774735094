//! `%define`, `%global`, `%undefine`, and the lines of macro files.

use std::sync::Arc;

use super::engine::{Engine, Outcome};
use super::expand::Output;
use super::scan::{is_blank, is_line_end, is_name, matching, skip_blanks};
use super::table::{Body, Definition, Level};
use crate::ErrorKind;

/// A definition as it was written, its body not yet expanded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) name: String,
    options: Option<String>,
    literal: bool,
    once: bool,
    pub(super) body: String,
    /// Behind the definition.
    end: usize,
    /// The name and the body are not divided by a blank.
    crowded: bool,
}

/// Where a body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyEnd {
    /// At the line's end or the closing brace: `%define x body`.
    Line,
    /// At the text's end: `%{define x body}`.
    Text,
}

/// Reads `name[(options)][<modifiers>] body`. The error is the name and what is wrong with it.
pub(super) fn read(text: &str, body_end: BodyEnd) -> Result<Written, (String, String)> {
    let bytes = text.as_bytes();
    let mut at = skip_blanks(bytes, 0);
    let from = at;
    while at < bytes.len() && is_name(bytes[at]) {
        at += 1;
    }
    let name = text[from..at].to_owned();
    let wrong = |problem: &str| (name.clone(), problem.to_owned());
    let mut options = None;
    if bytes.get(at) == Some(&b'(') {
        let end = text[at..].find(')').ok_or_else(|| wrong("has unterminated options"))? + at;
        options = Some(text[at + 1..end].to_owned());
        at = end + 1;
    }
    let (mut literal, mut once) = (false, false);
    if bytes.get(at) == Some(&b'<') {
        let end = text[at..].find('>').ok_or_else(|| wrong("has unterminated modifiers"))? + at;
        for modifier in text[at + 1..end].chars() {
            match modifier {
                'l' => literal = true,
                'o' => once = true,
                other => return Err(wrong(&format!("has the unknown modifier `{other}`"))),
            }
        }
        at = end + 1;
    }
    let raw = at;
    at = skip_blanks(bytes, at);
    let body;
    if body_end == BodyEnd::Text {
        body = text[at..].to_owned();
        at = bytes.len();
    } else if bytes.get(at) == Some(&b'{') {
        let end = matching(bytes, at, b'}').ok_or_else(|| wrong("has a body that is never closed"))?;
        body = text[at + 1..end - 1].to_owned();
        at = end;
    } else {
        let (read, end) = read_free_body(text, at).ok_or_else(|| wrong("has a body that is never closed"))?;
        body = read;
        at = end;
    }
    while at < bytes.len() && is_line_end(bytes[at]) {
        at += 1;
    }
    let first = bytes.get(raw).copied().unwrap_or(0);
    let begins_on_next_line = first == b'\\' && bytes.get(raw + 1).is_some_and(|byte| is_line_end(*byte));
    let valid = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || (byte == b'_' && name.len() > 1));
    if !valid {
        return Err(wrong("has a name that no macro can have"));
    }
    if body.is_empty() {
        return Err(wrong("has an empty body"));
    }
    if options.is_some() && (literal || once) {
        return Err(wrong("has modifiers that do not go with options"));
    }
    if literal && once {
        return Err(wrong("has modifiers that exclude each other"));
    }
    Ok(Written { name, options, literal, once, body, end: at, crowded: !is_blank(first) && !begins_on_next_line })
}

/// Reads a body to the end of its line, over continued lines and open brackets. Backslashes go, the byte behind stays.
fn read_free_body(text: &str, from: usize) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let (mut braces, mut parentheses, mut squares) = (0_u32, 0_u32, 0_u32);
    let mut body = Vec::new();
    let mut at = from;
    while at < bytes.len() && (braces > 0 || parentheses > 0 || !is_line_end(bytes[at])) {
        match bytes[at] {
            b'\\' if at + 1 < bytes.len() => at += 1,
            b'%' => {
                let next = bytes.get(at + 1).copied().unwrap_or(0);
                if matches!(next, b'{' | b'(' | b'[' | b'%') {
                    body.push(b'%');
                    at += 1;
                }
                match next {
                    b'{' => braces += 1,
                    b'(' => parentheses += 1,
                    b'[' => squares += 1,
                    _ => {}
                }
            }
            b'{' if braces > 0 => braces += 1,
            b'}' => braces = braces.saturating_sub(1),
            b'(' if parentheses > 0 => parentheses += 1,
            b')' => parentheses = parentheses.saturating_sub(1),
            b'[' if squares > 0 => squares += 1,
            b']' => squares = squares.saturating_sub(1),
            _ => {}
        }
        body.push(bytes[at]);
        at += 1;
    }
    if braces > 0 || parentheses > 0 || squares > 0 {
        return None;
    }
    while body.last().is_some_and(|byte| is_blank(*byte) || is_line_end(*byte)) {
        body.pop();
    }
    // Only ASCII backslashes were taken out, so this is still UTF-8.
    Some((String::from_utf8(body).unwrap_or_else(|wrong| String::from_utf8_lossy(wrong.as_bytes()).into_owned()), at))
}

impl Written {
    /// The definition at `level`, its body as written.
    pub(super) fn definition(self, level: i32) -> Definition {
        Definition {
            options: self.options.map(Arc::from),
            literal: self.literal,
            once: self.once,
            ..Definition::text(&self.name, &self.body, level)
        }
    }
}

impl Engine {
    /// `%define` and `%global`. Returns how much of `text` belongs to the definition.
    pub(super) fn define(
        &self,
        text: &str,
        level: i32,
        expand_body: bool,
        takes_flags: bool,
        body_end: BodyEnd,
    ) -> Outcome<usize> {
        let (mut level, mut expand_body, mut from) = (level, expand_body, 0);
        if takes_flags {
            while let Some(flags) = text[skip_blanks(text.as_bytes(), from)..].strip_prefix('-') {
                let flags = &flags[..flags.find([' ', '\t']).unwrap_or(flags.len())];
                for flag in flags.chars() {
                    match flag {
                        'e' => expand_body = true,
                        'g' => level = Level::GLOBAL,
                        other => return Err(self.wrong_flags(&format!("has no option `-{other}`"))),
                    }
                }
                if flags.is_empty() {
                    return Err(self.wrong_flags("has no option behind `-`"));
                }
                from = skip_blanks(text.as_bytes(), from) + 1 + flags.len();
            }
        }
        let written = read(&text[from..], body_end)
            .map_err(|(name, problem)| self.fail(ErrorKind::Definition { name, problem }))?;
        self.refuse_builtin(&written.name)?;
        if written.crowded {
            self.warn(format!("macro `%{}` needs white space before its body", written.name));
        }
        let end = from + written.end;
        let mut definition = written.definition(level);
        definition.place = Some((self.position().origin, self.position().line));
        if expand_body && !definition.literal {
            let mut expanded = Output::keeping_quotes(true);
            self.expand(definition.body_text(), &mut expanded)?;
            definition.quoted = expanded.has_quotes;
            definition.body = Body::Text(Arc::from(expanded.text));
        }
        self.push(definition);
        Ok(end)
    }

    fn wrong_flags(&self, problem: &str) -> Box<crate::SpecError> {
        self.fail(ErrorKind::Definition { name: "define".to_owned(), problem: problem.to_owned() })
    }

    /// `%undefine`: the definition before counts again.
    pub(crate) fn undefine(&self, name: &str) -> Outcome {
        let first = name.bytes().next().unwrap_or(0);
        if !(first.is_ascii_alphabetic() || (first == b'_' && name.len() > 1)) {
            let problem = "has a name that no macro can have".to_owned();
            return Err(self.fail(ErrorKind::Definition { name: name.to_owned(), problem }));
        }
        self.refuse_builtin(name)?;
        self.pop(name);
        Ok(())
    }

    /// A definition as Lua and macro files make it: at `level`, body not expanded.
    pub(crate) fn define_plain(&self, text: &str, level: i32) -> Outcome {
        self.define(text, level, false, false, BodyEnd::Line).map(|_| ())
    }

    fn refuse_builtin(&self, name: &str) -> Outcome {
        match self.find(name) {
            Some(found) if found.is_builtin() || found.automatic => {
                let problem = "is built into rpm".to_owned();
                Err(self.fail(ErrorKind::Definition { name: name.to_owned(), problem }))
            }
            _ => Ok(()),
        }
    }
}
