//! A quick reader of the XML that rpm-md is: tags and texts as places in a window that slides over the document.
//!
//! For what is read by the hundred thousand. It knows no more XML than the documents have: elements, attributes, text,
//! the five named entities and character references, CDATA, comments, processing instructions. A document type is refused.
//! Nothing is copied but what has entities in it.

use std::io::{self, Read};

use crate::ReadError;

/// Bytes that are read at once, and the size of the first window.
const STEP: usize = 1 << 20;

/// The most that one package may take; the largest real one has some ten megabytes of file names.
const MAX_WINDOW: usize = 256 << 20;

/// The part of a document that is in memory.
pub(crate) struct Window<R> {
    kind: &'static str,
    reader: R,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are filled.
    filled: usize,
    /// Bytes of the document before the buffer.
    before: u64,
    ended: bool,
}

/// A value's place: in the window, or, where it had entities, among the resolved ones.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
    resolved: bool,
}

/// Why a token cannot be read.
pub(crate) enum Stop {
    /// The window ends inside it.
    Short,
    /// It is none.
    Wrong(usize, String),
}

/// What stands at a place of the window.
#[derive(Debug)]
pub(crate) enum Token<'a> {
    /// `<name attributes>`; the name without its prefix.
    Open { name: &'a [u8], attributes: &'a [u8], is_empty: bool },
    /// `</name>`
    Close,
    /// Characters from CDATA, which hold no entities.
    Characters,
    /// A comment or a processing instruction.
    Nothing,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(kind: &'static str, reader: R) -> Window<R> {
        Window { kind, reader, buffer: Vec::new(), filled: 0, before: 0, ended: false }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Drops what lies before `start` and reads more; says whether there was more.
    pub(crate) fn slide(&mut self, start: usize) -> Result<bool, ReadError> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.copy_within(start..self.filled, 0);
        self.filled -= start;
        self.before += start as u64;
        if self.filled + STEP > self.buffer.len() {
            if self.buffer.len() >= MAX_WINDOW {
                return Err(self.fact(0, format!("a package of more than {MAX_WINDOW} bytes")));
            }
            let size = (self.buffer.len() * 2).max(2 * STEP);
            self.buffer.resize(size, 0);
        }
        let target = self.filled + STEP;
        while self.filled < target {
            match self.reader.read(&mut self.buffer[self.filled..target]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.syntax(self.filled, error.to_string())),
            }
        }
        Ok(true)
    }

    pub(crate) fn fact(&self, at: usize, fact: String) -> ReadError {
        ReadError::Fact { document: self.kind, position: self.before + at as u64, fact }
    }

    pub(crate) fn syntax(&self, at: usize, cause: String) -> ReadError {
        ReadError::Syntax { document: self.kind, position: self.before + at as u64, cause }
    }
}

/// The token that begins at the next `<` from `at` on: where that is, what it is, and where it ends.
pub(crate) fn token(bytes: &[u8], at: usize) -> Result<(usize, Token<'_>, usize), Stop> {
    let start = at + memchr::memchr(b'<', &bytes[at..]).ok_or(Stop::Short)?;
    let first = *bytes.get(start + 1).ok_or(Stop::Short)?;
    match first {
        b'/' => {
            let end = start + memchr::memchr(b'>', &bytes[start..]).ok_or(Stop::Short)?;
            Ok((start, Token::Close, end + 1))
        }
        b'!' => special(bytes, start),
        b'?' => {
            let end = memchr::memmem::find(&bytes[start..], b"?>").ok_or(Stop::Short)?;
            Ok((start, Token::Nothing, start + end + 2))
        }
        _ => {
            let end = tag_end(bytes, start + 1)?;
            let inside = &bytes[start + 1..end];
            let (inside, is_empty) = match inside.strip_suffix(b"/") {
                Some(inside) => (inside, true),
                None => (inside, false),
            };
            let length = inside.iter().position(u8::is_ascii_whitespace).unwrap_or(inside.len());
            if length == 0 {
                return Err(Stop::Wrong(start, "a `<` begins no element".to_owned()));
            }
            let (name, attributes) = inside.split_at(length);
            Ok((start, Token::Open { name: local(name), attributes, is_empty }, end + 1))
        }
    }
}

/// The name behind the prefix.
fn local(name: &[u8]) -> &[u8] {
    match memchr::memchr(b':', name) {
        Some(colon) => &name[colon + 1..],
        None => name,
    }
}

/// Where the `>` of a tag is; one in an attribute's value is none.
fn tag_end(bytes: &[u8], from: usize) -> Result<usize, Stop> {
    let mut at = from;
    loop {
        let found = at + memchr::memchr3(b'>', b'"', b'\'', &bytes[at..]).ok_or(Stop::Short)?;
        match bytes[found] {
            b'>' => return Ok(found),
            quote => at = found + 2 + memchr::memchr(quote, &bytes[found + 1..]).ok_or(Stop::Short)?,
        }
    }
}

fn special(bytes: &[u8], start: usize) -> Result<(usize, Token<'_>, usize), Stop> {
    let rest = &bytes[start..];
    for (opening, closing) in [(&b"<!--"[..], &b"-->"[..]), (b"<![CDATA[", b"]]>")] {
        if rest.starts_with(opening) {
            let end = memchr::memmem::find(&rest[opening.len()..], closing).ok_or(Stop::Short)?;
            let token = if opening.len() == 4 { Token::Nothing } else { Token::Characters };
            return Ok((start, token, start + opening.len() + end + closing.len()));
        }
        if opening.starts_with(rest) {
            return Err(Stop::Short);
        }
    }
    Err(Stop::Wrong(start, "a document type is not allowed".to_owned()))
}

/// The attributes of a tag: names without prefix and values as they stand.
pub(crate) struct Attributes<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_ascii_start();
        let equals = memchr::memchr(b'=', rest)?;
        let value = rest[equals + 1..].trim_ascii_start();
        let (quote, value) = value.split_first()?;
        let end = memchr::memchr(*quote, value)?;
        self.0 = &value[end + 1..];
        Some((local(rest[..equals].trim_ascii_end()), &value[..end]))
    }
}

/// Values that had entities, resolved.
#[derive(Default)]
pub(crate) struct Resolved(String);

impl Resolved {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The place of `value`, which lies in `bytes`; the cause when an entity in it is not known.
    pub(crate) fn span(&mut self, bytes: &[u8], value: &[u8]) -> Result<Span, String> {
        let place = |number: usize| u32::try_from(number).map_err(|_| "it is too long".to_owned());
        if memchr::memchr(b'&', value).is_none() {
            let start = value.as_ptr().addr().saturating_sub(bytes.as_ptr().addr());
            return Ok(Span { start: place(start)?, end: place(start + value.len())?, resolved: false });
        }
        let start = self.0.len();
        let text = std::str::from_utf8(value).map_err(|_| "it is not UTF-8".to_owned())?;
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            self.0.push_str(&rest[..at]);
            let end = rest[at..].find(';').ok_or("an `&` begins no entity")?;
            let name = &rest[at + 1..at + end];
            self.0.push(entity(name).ok_or_else(|| format!("`&{name};` is not known"))?);
            rest = &rest[at + end + 1..];
        }
        self.0.push_str(rest);
        Ok(Span { start: place(start)?, end: place(self.0.len())?, resolved: true })
    }

    /// The value at `span`; `text` is the part of the window from `start` on.
    pub(crate) fn text<'a>(&'a self, text: &'a str, start: usize, span: Span) -> &'a str {
        let (from, to) = (span.start as usize, span.end as usize);
        if span.resolved { &self.0[from..to] } else { text.get(from - start..to - start).unwrap_or_default() }
    }

    /// The value at `span`; `bytes` is the window. Nothing when it is not UTF-8.
    pub(crate) fn lossy<'a>(&'a self, bytes: &'a [u8], span: Span) -> &'a str {
        let (from, to) = (span.start as usize, span.end as usize);
        if span.resolved { &self.0[from..to] } else { std::str::from_utf8(&bytes[from..to]).unwrap_or_default() }
    }
}

fn entity(name: &str) -> Option<char> {
    let number = |digits: &str, base: u32| u32::from_str_radix(digits, base).ok().and_then(char::from_u32);
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => match name.strip_prefix("#x") {
            Some(digits) => number(digits, 16),
            None => number(name.strip_prefix('#')?, 10),
        },
    }
}
