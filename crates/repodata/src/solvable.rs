//! What dependency solving needs of primary, read several times as fast as whole packages, and without copying.

use std::io::Read;

use pkg::Condition;

use crate::primary::{MAX_LIST, is_location, parse_flags};
use crate::scan::{Attributes, Resolved, Span, Stop, Token, Window, token};
use crate::{Algorithm, ReadError};

/// What a relation of a package means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelationKind {
    /// `rpm:provides`
    Provides,
    /// `rpm:requires`
    Requires,
    /// `rpm:conflicts`
    Conflicts,
    /// `rpm:obsoletes`
    Obsoletes,
    /// `rpm:recommends`
    Recommends,
    /// `rpm:suggests`
    Suggests,
    /// `rpm:supplements`
    Supplements,
    /// `rpm:enhances`
    Enhances,
}

/// A relation of a package, borrowed from the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SolvableRelation<'a> {
    /// What it means.
    pub kind: RelationKind,
    /// The capability, a path, or a whole rich dependency.
    pub name: &'a str,
    /// Condition, epoch, version and release; the release may be empty.
    pub bound: Option<(Condition, u32, &'a str, &'a str)>,
}

/// One package of primary, borrowed from the document; see [`crate::Package`] for the fields.
#[derive(Clone, Copy)]
pub struct Solvable<'a> {
    record: &'a Record,
    /// The package's part of the window, and where that begins.
    text: &'a str,
    start: usize,
    resolved: &'a Resolved,
}

/// Places of one package's values.
#[derive(Default)]
struct Record {
    name: Span,
    arch: Span,
    epoch: u32,
    version: Span,
    release: Span,
    algorithm: Option<Algorithm>,
    checksum: Span,
    location: Span,
    location_base: Option<Span>,
    vendor: Span,
    package_size: u64,
    installed_size: u64,
    relations: Vec<Entry>,
    files: Vec<Span>,
}

struct Entry {
    kind: RelationKind,
    name: Span,
    condition: Option<Condition>,
    epoch: u32,
    version: Span,
    release: Span,
}

impl<'a> Solvable<'a> {
    fn text(&self, span: Span) -> &'a str {
        self.resolved.text(self.text, self.start, span)
    }

    /// The package's name.
    pub fn name(&self) -> &'a str {
        self.text(self.record.name)
    }

    /// The machine that it is for.
    pub fn arch(&self) -> &'a str {
        self.text(self.record.arch)
    }

    /// Epoch, version and release.
    pub fn version(&self) -> (u32, &'a str, &'a str) {
        (self.record.epoch, self.text(self.record.version), self.text(self.record.release))
    }

    /// How the file's digest was computed, and its digits.
    pub fn checksum(&self) -> (Algorithm, &'a str) {
        (self.record.algorithm.unwrap_or(Algorithm::Sha256), self.text(self.record.checksum))
    }

    /// The file's path below the repository's base.
    pub fn location(&self) -> &'a str {
        self.text(self.record.location)
    }

    /// Another base than the repository's own.
    pub fn location_base(&self) -> Option<&'a str> {
        self.record.location_base.map(|span| self.text(span))
    }

    /// Whose package it is.
    pub fn vendor(&self) -> &'a str {
        self.text(self.record.vendor)
    }

    /// Bytes of the package's file.
    pub fn package_size(&self) -> u64 {
        self.record.package_size
    }

    /// Bytes of the files that it installs.
    pub fn installed_size(&self) -> u64 {
        self.record.installed_size
    }

    /// All relations of all kinds, in the document's order.
    pub fn relations(&self) -> impl Iterator<Item = SolvableRelation<'a>> + 'a {
        let this = *self;
        this.record.relations.iter().map(move |entry| SolvableRelation {
            kind: entry.kind,
            name: this.text(entry.name),
            bound: entry
                .condition
                .map(|condition| (condition, entry.epoch, this.text(entry.version), this.text(entry.release))),
        })
    }

    /// The paths that primary lists.
    pub fn files(&self) -> impl Iterator<Item = &'a str> + 'a {
        let this = *self;
        this.record.files.iter().map(move |span| this.text(*span))
    }
}

/// Reads the solvables of a primary document one by one.
///
/// Checks less of the XML than [`crate::primary::Reader`]: that elements close, but not by which name. What it tells of a
/// document that this one accepts is the same. Memory: a window of two megabytes, or of the largest package.
pub struct Solvables<R> {
    window: Window<R>,
    at: usize,
    in_root: bool,
    record: Record,
    resolved: Resolved,
}

impl<R: Read> Solvables<R> {
    /// Reads decompressed XML: see [`crate::decompress`].
    pub fn new(reader: R) -> Solvables<R> {
        let (record, resolved) = (Record::default(), Resolved::default());
        Solvables { window: Window::new("primary", reader), at: 0, in_root: false, record, resolved }
    }

    /// The next package; none at the end.
    ///
    /// # Errors
    /// [`ReadError`] when the document is cut off, or a value is not what it has to be.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend what it reads")]
    pub fn next(&mut self) -> Result<Option<Solvable<'_>>, ReadError> {
        let end = loop {
            match self.read() {
                Ok(end) => break end,
                Err(Stop::Wrong(at, fact)) => return Err(self.window.fact(at, fact)),
                Err(Stop::Short) => {
                    let start = std::mem::take(&mut self.at);
                    if !self.window.slide(start)? {
                        self.at = start;
                        return self.finish().map(|()| None);
                    }
                }
            }
        };
        let Some(end) = end else { return Ok(None) };
        let start = std::mem::replace(&mut self.at, end);
        let text = std::str::from_utf8(&self.window.bytes()[start..end]);
        let text = text.map_err(|_| self.window.syntax(start, "it is not UTF-8".to_owned()))?;
        Ok(Some(Solvable { record: &self.record, text, start, resolved: &self.resolved }))
    }

    /// At the end of the document: whether it may end here.
    fn finish(&self) -> Result<(), ReadError> {
        let rest = &self.window.bytes()[self.at..];
        if !self.in_root && rest.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        Err(self.window.syntax(self.window.bytes().len(), "it ends inside an element".to_owned()))
    }

    /// Reads up to the end of the next package, which is where the answer is; none at the end of the root.
    fn read(&mut self) -> Result<Option<usize>, Stop> {
        let bytes = self.window.bytes();
        loop {
            let (start, token, end) = token(bytes, self.at)?;
            match token {
                Token::Open { name, is_empty, .. } if !self.in_root => {
                    if name != b"metadata" {
                        let name = String::from_utf8_lossy(name);
                        return Err(Stop::Wrong(start, format!("`{name}` as its root")));
                    }
                    self.in_root = !is_empty;
                    self.at = end;
                }
                Token::Open { name: b"package", is_empty: false, .. } => {
                    self.resolved.clear();
                    let end = self.record.read(bytes, end, &mut self.resolved)?;
                    return Ok(Some(end));
                }
                Token::Open { name, .. } => {
                    let name = String::from_utf8_lossy(name);
                    return Err(Stop::Wrong(start, format!("`{name}` where a package should be")));
                }
                Token::Close => {
                    self.in_root = false;
                    self.at = end;
                }
                Token::Characters | Token::Nothing => self.at = end,
            }
        }
    }
}

impl Record {
    /// Reads what follows `<package>`, up to behind its end.
    fn read(&mut self, bytes: &[u8], mut at: usize, resolved: &mut Resolved) -> Result<usize, Stop> {
        let (mut relations, mut files) = (std::mem::take(&mut self.relations), std::mem::take(&mut self.files));
        relations.clear();
        files.clear();
        *self = Record { relations, files, ..Record::default() };
        let mut list = None;
        // Elements that are open inside the package.
        let mut depth = 0_usize;
        loop {
            let (start, token, end) = token(bytes, at)?;
            let wrong = |cause: String| Stop::Wrong(start, cause);
            at = end;
            match token {
                Token::Close if depth == 0 => return self.check(bytes, resolved, end),
                Token::Close => depth -= 1,
                Token::Open { name, attributes, is_empty } => {
                    depth += usize::from(!is_empty);
                    if name == b"entry" {
                        self.entry(bytes, attributes, list, resolved).map_err(wrong)?;
                    } else if let Some(kind) = kind(name) {
                        list = Some(kind);
                    } else if !self.attributes(bytes, name, attributes, resolved).map_err(wrong)? {
                        self.content(bytes, name, (end, is_empty), resolved)?;
                    }
                }
                Token::Characters | Token::Nothing => {}
            }
        }
    }

    /// Reads elements that are made of attributes; says whether `name` is one.
    fn attributes(
        &mut self,
        bytes: &[u8],
        name: &[u8],
        attributes: &[u8],
        resolved: &mut Resolved,
    ) -> Result<bool, String> {
        match name {
            b"version" => {
                for (name, value) in Attributes(attributes) {
                    match name {
                        b"epoch" => self.epoch = number(value)?,
                        b"ver" => self.version = resolved.span(bytes, value)?,
                        b"rel" => self.release = resolved.span(bytes, value)?,
                        _ => {}
                    }
                }
            }
            b"size" => {
                for (name, value) in Attributes(attributes) {
                    match name {
                        b"package" => self.package_size = number(value)?,
                        b"installed" => self.installed_size = number(value)?,
                        _ => {}
                    }
                }
            }
            b"location" => {
                for (name, value) in Attributes(attributes) {
                    match name {
                        b"href" => self.location = resolved.span(bytes, value)?,
                        b"base" => self.location_base = Some(resolved.span(bytes, value)?),
                        _ => {}
                    }
                }
            }
            b"checksum" => {
                let mut kinds = Attributes(attributes).filter(|(name, _)| *name == b"type");
                let kind = kinds.next().and_then(|(_, value)| std::str::from_utf8(value).ok());
                self.algorithm = kind.and_then(Algorithm::parse);
                return Ok(false);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads elements that are made of text, which begins at `from`.
    fn content(
        &mut self,
        bytes: &[u8],
        name: &[u8],
        (from, is_empty): (usize, bool),
        resolved: &mut Resolved,
    ) -> Result<(), Stop> {
        if is_empty || !matches!(name, b"name" | b"arch" | b"checksum" | b"vendor" | b"file") {
            return Ok(());
        }
        let end = from + memchr::memchr(b'<', &bytes[from..]).ok_or(Stop::Short)?;
        if bytes.get(end + 1) == Some(&b'!') {
            return Err(Stop::Wrong(end, "a comment or CDATA inside a value".to_owned()));
        }
        let span = resolved.span(bytes, &bytes[from..end]).map_err(|cause| Stop::Wrong(from, cause))?;
        match name {
            b"name" => self.name = span,
            b"arch" => self.arch = span,
            b"checksum" => self.checksum = span,
            b"vendor" => self.vendor = span,
            _ => {
                self.files.push(span);
                if self.files.len() > MAX_LIST {
                    return Err(Stop::Wrong(from, format!("a list of more than {MAX_LIST} entries")));
                }
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        bytes: &[u8],
        attributes: &[u8],
        list: Option<RelationKind>,
        resolved: &mut Resolved,
    ) -> Result<(), String> {
        let kind = list.ok_or("a relation in no list of relations")?;
        let mut found = None;
        let mut entry = Entry {
            kind,
            name: Span::default(),
            condition: None,
            epoch: 0,
            version: Span::default(),
            release: Span::default(),
        };
        for (name, value) in Attributes(attributes) {
            match name {
                b"name" => {
                    entry.name = resolved.span(bytes, value)?;
                    found = Some(());
                }
                b"flags" => {
                    let flags = std::str::from_utf8(value).ok().and_then(parse_flags);
                    let wrong = || format!("`{}` as the flags of a relation", String::from_utf8_lossy(value));
                    entry.condition = Some(flags.ok_or_else(wrong)?);
                }
                b"epoch" => entry.epoch = number(value)?,
                b"ver" => entry.version = resolved.span(bytes, value)?,
                b"rel" => entry.release = resolved.span(bytes, value)?,
                _ => {}
            }
        }
        found.ok_or("`entry` without `name`")?;
        self.relations.push(entry);
        if self.relations.len() > MAX_LIST {
            return Err(format!("a list of more than {MAX_LIST} entries"));
        }
        Ok(())
    }

    /// Whether everything is there that a package has to have.
    fn check(&self, bytes: &[u8], resolved: &Resolved, end: usize) -> Result<usize, Stop> {
        let text = |span| resolved.lossy(bytes, span);
        for (value, what) in [
            (self.name, "name"),
            (self.arch, "arch"),
            (self.version, "version"),
            (self.checksum, "checksum"),
            (self.location, "location"),
        ] {
            if text(value).is_empty() {
                return Err(Stop::Wrong(end, format!("a package `{}` without `{what}`", text(self.name))));
            }
        }
        let digits = text(self.checksum);
        if !self.algorithm.is_some_and(|algorithm| algorithm.is_digest(digits)) {
            return Err(Stop::Wrong(end, format!("`{digits}`, which is no checksum of a known kind")));
        }
        let location = text(self.location);
        if !is_location(location) {
            return Err(Stop::Wrong(end, format!("`{location}` as a location")));
        }
        Ok(end)
    }
}

fn kind(name: &[u8]) -> Option<RelationKind> {
    Some(match name {
        b"provides" => RelationKind::Provides,
        b"requires" => RelationKind::Requires,
        b"conflicts" => RelationKind::Conflicts,
        b"obsoletes" => RelationKind::Obsoletes,
        b"recommends" => RelationKind::Recommends,
        b"suggests" => RelationKind::Suggests,
        b"supplements" => RelationKind::Supplements,
        b"enhances" => RelationKind::Enhances,
        _ => return None,
    })
}

/// A count; missing is 0, and some writers give a fraction, which is dropped.
fn number<T: std::str::FromStr + Default>(value: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(value).unwrap_or("?");
    match text.split('.').next().unwrap_or_default() {
        "" => Ok(T::default()),
        whole => whole.parse().map_err(|_| format!("`{text}` where a number should be")),
    }
}
