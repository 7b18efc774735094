use std::collections::BTreeMap;

use super::super::view::{Part, View, depth_change};
use super::super::{Failure, Problem, Seen, nearest};
use crate::syntax::{Document, Item, ItemKind, Section};

/// A spec as the typed kinds see it: its parts, its lines, and what its own macros stand for where that can be told at sight.
pub(super) struct Shape<'t> {
    pub(super) text: &'t str,
    pub(super) document: Document,
    pub(super) view: View<'t>,
    macros: BTreeMap<String, String>,
}

/// Macros that stand in macros, at most.
const DEEPEST: u32 = 8;

impl<'t> Shape<'t> {
    pub(super) fn new(text: &'t str) -> Shape<'t> {
        let document = Document::parse(text);
        let mut macros = BTreeMap::new();
        for definition in document.definitions().filter(|definition| definition.options.is_none()) {
            let (name, body) = (&text[definition.name.clone()], &text[definition.body.clone()]);
            if definition.directive != "undefine" && !body.contains('\n') {
                macros.entry(name.to_owned()).or_insert_with(|| body.to_owned());
            }
        }
        for tag in ["name", "version"] {
            if let Some(found) = document.tags(tag).next() {
                macros.insert(tag.to_owned(), text[found.value.clone()].to_owned());
            }
        }
        Shape { text, view: View::new(text), document, macros }
    }

    /// A text with the spec's own macros in place; `%{?x}` of an unknown macro is empty, and what else is unknown stays.
    pub(super) fn expand(&self, text: &str) -> String {
        self.expand_at(text, 0)
    }

    fn expand_at(&self, text: &str, depth: u32) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let (name, length, is_conditional) = reference(rest);
            if length == 0 {
                out.push('%');
                rest = &rest[1..];
                continue;
            }
            match self.macros.get(name) {
                Some(body) if depth < DEEPEST && out.len() < 4096 => out.push_str(&self.expand_at(body, depth + 1)),
                None if is_conditional => {}
                _ => out.push_str(&rest[..length]),
            }
            rest = &rest[length..];
        }
        out.push_str(rest);
        out
    }

    /// The source package's name.
    pub(super) fn base(&self) -> String {
        self.expand("%{name}")
    }

    /// The whole name of the package that a section belongs to.
    pub(super) fn package_of(&self, section: &Section) -> String {
        match section.package() {
            None => self.base(),
            Some((name, true)) => self.expand(name),
            Some((name, false)) => format!("{}-{}", self.base(), self.expand(name)),
        }
    }

    /// Whether a section belongs to the package that somebody calls so: by its whole name, or as the heading has it.
    pub(super) fn is_of(&self, section: &Section, package: Option<&str>) -> bool {
        match (package, section.package()) {
            (None, named) => named.is_none(),
            (Some(wanted), named) => {
                named.is_some_and(|(name, _)| name == wanted) || self.package_of(section) == self.expand(wanted)
            }
        }
    }

    /// The sections with the tags of a package: the preamble, or each `%package` of it.
    pub(super) fn tag_sections(&self, package: Option<&str>) -> Result<Vec<usize>, Failure> {
        let sections = self.document.sections().iter().enumerate();
        let found: Vec<usize> = sections
            .filter(|(_, section)| matches!(section.name.as_str(), "" | "package") && self.is_of(section, package))
            .map(|(index, _)| index)
            .collect();
        if found.is_empty() { Err(self.no_package(package.unwrap_or_default())) } else { Ok(found) }
    }

    pub(super) fn no_package(&self, package: &str) -> Failure {
        let names: Vec<(String, u32)> = self
            .document
            .sections()
            .iter()
            .filter(|section| section.package().is_some())
            .flat_map(|section| {
                let written = section.package().map_or("", |(name, _)| name).to_owned();
                [(self.package_of(section), section.line), (written, section.line)]
            })
            .collect();
        let near = nearest::name(package, names.iter().map(|(name, _)| name.as_str()));
        let seen = near.and_then(|near| {
            let (name, line) = names.iter().find(|(name, _)| *name == near)?;
            Some(Seen::line(*line, name))
        });
        Failure::near(Problem::NoPackage(package.to_owned()), seen)
    }

    /// The items of a section.
    pub(super) fn items(&self, section: usize) -> &[Item] {
        &self.document.items()[self.document.sections()[section].items.clone()]
    }

    /// Conditionals that are open around a whole section.
    pub(super) fn base_depth(&self, section: usize) -> u32 {
        match self.items(section).first() {
            Some(item) if matches!(item.kind, ItemKind::Heading { .. }) => item.depth,
            _ => 0,
        }
    }

    /// The item that has the byte at `at`.
    pub(super) fn item_at(&self, at: usize) -> Option<&Item> {
        let items = self.document.items();
        items.get(items.partition_point(|item| item.span.end <= at))
    }

    /// The line that begins at or before a byte, counted from 1.
    pub(super) fn line_at(&self, at: usize) -> u32 {
        let index = self.view.lines.partition_point(|line| line.span.end <= at);
        u32::try_from(index).map_or(u32::MAX, |index| index.saturating_add(1))
    }

    /// What stands in the line with the byte at `at`.
    pub(super) fn seen(&self, at: usize) -> Seen {
        let line = self.line_at(at);
        let text = self.view.lines.get(line as usize - 1).map_or("", |line| line.text);
        Seen::line(line, text)
    }

    /// The line that is spelled most like `wanted`.
    pub(super) fn nearest(&self, wanted: &str) -> Option<Seen> {
        nearest::line(wanted, self.view.numbered())
    }

    /// The parts with that heading, in any package.
    pub(super) fn parts(&self, name: &str) -> impl Iterator<Item = &Part> {
        self.view.parts.iter().filter(move |part| part.name.eq_ignore_ascii_case(name))
    }

    /// How many conditionals are open at each line of a part, beyond those that are open at its heading.
    pub(super) fn depths(&self, part: &Part) -> Vec<i32> {
        let mut depth = 0;
        part.lines
            .clone()
            .map(|line| {
                let change = depth_change(self.view.lines[line].text);
                let own = depth.min(depth + change);
                depth += change;
                own
            })
            .collect()
    }
}

/// A macro's name at the start of a text that begins with `%`, the length of the call, and whether it is `%{?name}`. Calls with
/// arguments are none.
fn reference(text: &str) -> (&str, usize, bool) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let body = &text[1..];
    if let Some(inner) = body.strip_prefix('{') {
        let Some(end) = inner.find('}') else { return ("", 0, false) };
        let (name, is_conditional) = match inner[..end].strip_prefix('?') {
            Some(name) => (name, true),
            None => (&inner[..end], false),
        };
        let is_plain = !name.is_empty() && name.chars().all(is_name);
        return if is_plain { (name, end + 3, is_conditional) } else { ("", 0, false) };
    }
    let (name, marks) = match body.strip_prefix('?') {
        Some(name) => (name, 2),
        None => (body, 1),
    };
    let length = name.find(|c| !is_name(c)).unwrap_or(name.len());
    if length == 0 { ("", 0, false) } else { (&name[..length], length + marks, marks == 2) }
}
