use std::ops::Range;

use super::bcond::Questions;
use super::{Code, Finding};
use crate::macros::Nesting;
use crate::syntax::{Document, Item, ItemKind};
use crate::{Environment, Evaluated, Origin, Position};

/// The spec that is looked at, in the forms that the checks need.
pub(super) struct Subject<'a> {
    pub(super) document: Document,
    pub(super) environment: &'a Environment,
    pub(super) evaluated: Option<&'a Evaluated>,
    /// What the macro files ask for.
    pub(super) files: &'a Questions,
    origin: &'a Origin,
    /// Where each line begins.
    starts: Vec<usize>,
    /// The text without comments and without the changelog: what rpm works with. Included files are put behind it.
    pub(super) code: String,
    /// A file that the spec includes cannot be seen: it may use and define anything.
    pub(super) is_open: bool,
    /// Every conditional, in order.
    pub(super) conditionals: Vec<Conditional>,
    /// For each item the branches that it stands in, outermost first: the conditional's index and the branch's number in it.
    pub(super) paths: Vec<Vec<(usize, u32)>>,
}

/// `%if`, `%else`, `%endif` and their like.
pub(super) struct Conditional {
    /// Without `%`.
    pub(super) directive: &'static str,
    /// What stands behind it.
    pub(super) argument: Range<usize>,
    /// Its `%`.
    pub(super) start: usize,
    pub(super) line: u32,
    /// The item that it is, or that it stands in.
    pub(super) item: usize,
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        text: &str,
        origin: &'a Origin,
        environment: &'a Environment,
        evaluated: Option<&'a Evaluated>,
        files: &'a Questions,
    ) -> Subject<'a> {
        let document = Document::parse(text);
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut code = String::with_capacity(text.len());
        for item in document.items() {
            let is_changelog = document.sections()[item.section].name == "changelog";
            if !matches!(item.kind, ItemKind::Comment | ItemKind::Blank) && !is_changelog {
                code.push_str(&text[item.span.clone()]);
            }
        }
        let conditionals = conditionals(&document);
        let paths = paths(&conditionals, document.items().len());
        let mut subject = Subject {
            document,
            environment,
            evaluated,
            files,
            origin,
            starts,
            code,
            is_open: false,
            conditionals,
            paths,
        };
        subject.include();
        subject
    }

    /// Puts the texts of `%include` and `%{load:}` behind the code.
    fn include(&mut self) {
        let mut texts = Vec::new();
        for mark in ["%include", "%{load:"] {
            for (at, _) in self.code.match_indices(mark) {
                let rest = &self.code[at + mark.len()..];
                let name = rest.trim_start().split(['\n', '}', ' ', '\t']).next().unwrap_or("");
                let file = self.included(name);
                self.is_open |= file.is_none();
                texts.extend(file);
            }
        }
        for text in texts {
            self.code.push('\n');
            self.code.push_str(&text);
        }
    }

    fn included(&self, name: &str) -> Option<String> {
        let inner = name.trim_start_matches(['%', '{']);
        let number = inner.strip_prefix("SOURCE").or_else(|| inner.strip_prefix("S:"));
        let source = number.and_then(|number| number.parse::<u32>().ok()).and_then(|number| {
            self.evaluated?.sources.iter().find(|source| source.number == number).map(|source| &source.file_name)
        });
        let path = match source {
            Some(name) => format!("%{{_sourcedir}}/{name}"),
            None if name.contains("%{S") || name.contains("%S") => return None,
            None => name.to_owned(),
        };
        let path = crate::expand(&path, self.origin, self.environment).ok()?;
        self.environment.files.read(&path).map(|text| text.to_string())
    }

    pub(super) fn text(&self) -> &str {
        self.document.text()
    }

    /// A part of the text.
    pub(super) fn part(&self, range: &Range<usize>) -> &str {
        &self.document.text()[range.clone()]
    }

    /// The line and column of a byte.
    pub(super) fn position(&self, at: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= at);
        let column = at - self.starts.get(line - 1).copied().unwrap_or(0) + 1;
        Position {
            origin: self.origin.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }

    /// Where a line begins and ends, if it is one of the spec.
    pub(super) fn line(&self, position: &Position) -> Option<Range<usize>> {
        if position.origin != *self.origin {
            return None;
        }
        let index = (position.line as usize).checked_sub(1)?;
        let start = *self.starts.get(index)?;
        Some(start..self.starts.get(index + 1).copied().unwrap_or(self.text().len()))
    }

    pub(super) fn finding(&self, code: Code, at: usize, message: impl Into<String>) -> Finding {
        Finding { code, position: self.position(at), message: message.into() }
    }

    /// The first byte of an item that is no white space.
    pub(super) fn start(&self, item: &Item) -> usize {
        let part = self.part(&item.span);
        item.span.start + (part.len() - part.trim_start().len())
    }
}

/// Whether `outer` holds wherever `inner` does.
pub(super) fn encloses(outer: &[(usize, u32)], inner: &[(usize, u32)]) -> bool {
    inner.starts_with(outer)
}

/// The conditionals of a text: items of their own, and lines of commands that are continued over them.
fn conditionals(document: &Document) -> Vec<Conditional> {
    let mut found = Vec::new();
    for (index, item) in document.items().iter().enumerate() {
        let text = &document.text()[item.span.clone()];
        match &item.kind {
            ItemKind::Conditional { directive, argument } => found.push(Conditional {
                directive,
                argument: argument.clone(),
                start: item.span.start + (text.len() - text.trim_start().len()),
                line: item.line,
                item: index,
            }),
            // rpm tests each line of a continued command; not those inside a macro call.
            ItemKind::Text | ItemKind::Comment if text.trim_end().contains('\n') => {
                let (mut at, mut nesting) = (item.span.start, Nesting::default());
                for (number, line) in text.split_inclusive('\n').enumerate() {
                    let start = at + (line.len() - line.trim_start().len());
                    let is_outside = !nesting.is_open();
                    nesting.scan(line.as_bytes());
                    at += line.len();
                    let word = line.trim_start().split(|c: char| c.is_ascii_whitespace() || c == '\\').next();
                    let word = word.and_then(|word| word.strip_prefix('%')).unwrap_or("");
                    let Some(directive) = DIRECTIVES.iter().copied().find(|directive| *directive == word) else {
                        continue;
                    };
                    if number > 0 && is_outside {
                        let end = at - (line.len() - line.trim_end_matches(['\n', '\\', ' ']).len());
                        found.push(Conditional {
                            directive,
                            argument: (start + 1 + directive.len()).min(end)..end,
                            start,
                            line: item.line + u32::try_from(number).unwrap_or(0),
                            item: index,
                        });
                    }
                }
            }
            _ => {}
        }
    }
    found
}

const DIRECTIVES: [&str; 10] =
    ["if", "ifarch", "ifnarch", "ifos", "ifnos", "elif", "elifarch", "elifos", "else", "endif"];

fn paths(conditionals: &[Conditional], items: usize) -> Vec<Vec<(usize, u32)>> {
    let mut path: Vec<(usize, u32)> = Vec::new();
    let mut paths = Vec::with_capacity(items);
    let mut conditionals = conditionals.iter().enumerate().peekable();
    for item in 0..items {
        while let Some((index, conditional)) = conditionals.next_if(|(_, conditional)| conditional.item == item) {
            match conditional.directive {
                "endif" => {
                    path.pop();
                }
                directive if directive.starts_with("if") => path.push((index, 0)),
                _ => {
                    if let Some(last) = path.last_mut() {
                        last.1 += 1;
                    }
                }
            }
        }
        paths.push(path.clone());
    }
    paths
}

/// Whether a byte can be part of a macro's name.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
