use std::ops::Range;

use crate::parse::{is_tag, section_name};

/// A piece of a spec: one line, or several that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it stands, its line end included.
    pub span: Range<usize>,
    /// Its first line, counted from 1.
    pub line: u32,
    /// Conditionals that are open around it.
    pub depth: u32,
    /// Index of its section.
    pub section: usize,
    /// What it is.
    pub kind: ItemKind,
}

/// What an [`Item`] is. Ranges are bytes of the whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// White space.
    Blank,
    /// A line that begins with `#`, or `%dnl`.
    Comment,
    /// `Name: value`, in the main package's part or behind `%package`.
    Tag(Tag),
    /// `%build`, `%files -n name`: begins a section.
    Heading {
        /// In lower case, without `%`.
        name: String,
        /// Behind the name.
        arguments: Range<usize>,
    },
    /// `%if`, `%else`, `%endif` and their like.
    Conditional {
        /// Without `%`.
        directive: &'static str,
        /// Behind the directive.
        argument: Range<usize>,
    },
    /// `%define`, `%global`, `%undefine`.
    Definition(Definition),
    /// Everything else: scripts, file lists, descriptions, macro calls.
    Text,
}

/// A tag's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The name without number, as in `Source`.
    pub name: Range<usize>,
    /// A source's or patch's number.
    pub number: Option<Range<usize>>,
    /// In parentheses: a language, or qualifiers of a requirement.
    pub qualifier: Option<Range<usize>>,
    /// Behind the colon, without white space around it; may be empty.
    pub value: Range<usize>,
}

/// A macro definition's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// `define`, `global` or `undefine`.
    pub directive: &'static str,
    /// The macro.
    pub name: Range<usize>,
    /// In parentheses, as in getopt(3).
    pub options: Option<Range<usize>>,
    /// The body as written, without white space around it.
    pub body: Range<usize>,
}

impl Item {
    /// All ranges that the kind names.
    pub fn ranges(&self) -> Vec<Range<usize>> {
        match &self.kind {
            ItemKind::Tag(tag) => {
                [Some(tag.name.clone()), tag.number.clone(), tag.qualifier.clone(), Some(tag.value.clone())]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            ItemKind::Heading { arguments, .. } => vec![arguments.clone()],
            ItemKind::Conditional { argument, .. } => vec![argument.clone()],
            ItemKind::Definition(definition) => {
                [Some(definition.name.clone()), definition.options.clone(), Some(definition.body.clone())]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            ItemKind::Blank | ItemKind::Comment | ItemKind::Text => Vec::new(),
        }
    }
}

const CONDITIONALS: [&str; 10] =
    ["if", "ifarch", "ifnarch", "ifos", "ifnos", "elif", "elifarch", "elifos", "else", "endif"];

pub(super) fn classify(text: &str, span: Range<usize>, holds_tags: bool) -> ItemKind {
    let start = trim(text, span.clone());
    let line = &text[start.clone()];
    if line.is_empty() {
        return ItemKind::Blank;
    }
    if line.starts_with('#') || line == "%dnl" || line.starts_with("%dnl ") {
        return ItemKind::Comment;
    }
    if let Some(rest) = line.strip_prefix('%') {
        let word = &rest[..rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len())];
        let behind = trim(text, start.start + 1 + word.len()..start.end);
        if let Some(directive) = CONDITIONALS.iter().find(|directive| **directive == word) {
            return ItemKind::Conditional { directive, argument: behind };
        }
        if let Some(directive) = ["define", "global", "undefine"].into_iter().find(|directive| *directive == word)
            && let Some(definition) = definition(text, directive, behind.clone())
        {
            return ItemKind::Definition(definition);
        }
        // rpm sees a heading only at the very beginning of a line.
        if start.start == span.start
            && let Some(name) = section_name(&text[span.clone()])
        {
            return ItemKind::Heading { name, arguments: behind };
        }
        return ItemKind::Text;
    }
    if holds_tags && let Some(tag) = tag(text, start) {
        return ItemKind::Tag(tag);
    }
    ItemKind::Text
}

/// A range without white space at its ends.
fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..(start + part.trim().len())
}

fn tag(text: &str, span: Range<usize>) -> Option<Tag> {
    let line = &text[span.clone()];
    let length = line.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(line.len());
    if !is_tag(&line[..length]) {
        return None;
    }
    let colon = line.find(':')?;
    let between = trim(text, span.start + length..span.start + colon);
    let middle = &text[between.clone()];
    let (mut number, mut qualifier) = (None, None);
    if middle.starts_with('(') && middle.ends_with(')') && middle.len() >= 2 {
        qualifier = Some(trim(text, between.start + 1..between.end - 1));
    } else if !middle.is_empty() {
        if !middle.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        number = Some(between);
    }
    Some(Tag {
        name: span.start..span.start + length,
        number,
        qualifier,
        value: trim(text, span.start + colon + 1..span.end),
    })
}

fn definition(text: &str, directive: &'static str, span: Range<usize>) -> Option<Definition> {
    let line = &text[span.clone()];
    let length = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(line.len());
    if length == 0 {
        return None;
    }
    let mut at = span.start + length;
    let mut options = None;
    if text[at..span.end].starts_with('(') {
        let end = at + text[at..span.end].find(')')?;
        options = Some(at + 1..end);
        at = end + 1;
    }
    Some(Definition { directive, name: span.start..span.start + length, options, body: trim(text, at..span.end) })
}
