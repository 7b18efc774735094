//! A spec as it is written: every byte in its place, nothing evaluated.
//!
//! [`Document::parse`] divides a text into [`Item`]s whose spans lie end to end, so that the text can be written back byte for
//! byte. Changes are made by [`Edits`], which touch the spans that they name and nothing else. This is what overlays and
//! checks of style work on; whether a line counts for a target is a matter of [`crate::evaluate`].
//!
//! ```
//! use spec::syntax::{Document, Edits};
//!
//! let document = Document::parse("Name: a\nVersion:  1.0\n\n%build\nmake\n");
//! let version = document.tags("version").next().unwrap();
//! let mut edits = Edits::default();
//! edits.replace(version.value.clone(), "2.0");
//! assert_eq!(edits.apply(document.text())?, "Name: a\nVersion:  2.0\n\n%build\nmake\n");
//! # Ok::<(), spec::syntax::EditError>(())
//! ```

mod edit;
mod item;

pub use edit::{EditError, Edits};
pub use item::{Definition, Item, ItemKind, Tag};

use std::ops::Range;

use crate::macros::Nesting;

/// A spec's text and its parts.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    items: Vec<Item>,
    sections: Vec<Section>,
}

/// A part of a spec that a heading begins; the first has none and holds the main package's tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// `package`, `build`, `files` and so on, in lower case; empty for the first.
    pub name: String,
    /// What stands behind the name in the heading, as in `-n libfoo -f list`.
    pub arguments: String,
    /// From the heading to the next one.
    pub span: Range<usize>,
    /// Indices of its items, the heading's included.
    pub items: Range<usize>,
    /// The heading's line, counted from 1.
    pub line: u32,
}

impl Section {
    /// The package that the heading names: its name, and whether that is the whole name (`-n`) or only its last part.
    pub fn package(&self) -> Option<(&str, bool)> {
        let mut words = self.arguments.split_ascii_whitespace();
        let mut part = None;
        while let Some(word) = words.next() {
            match word {
                "-n" => return words.next().map(|name| (name, true)),
                "-f" | "-p" | "-l" | "-P" => {
                    words.next();
                }
                "--" => break,
                option if option.starts_with('-') => {}
                name => part = part.or(Some((name, false))),
            }
        }
        part
    }
}

impl Document {
    /// Divides a text. Every text has a division: what makes no sense is [`ItemKind::Text`].
    pub fn parse(text: impl Into<String>) -> Document {
        let text = text.into();
        let (mut items, mut sections) = (Vec::new(), Vec::new());
        sections.push(Section { name: String::new(), arguments: String::new(), span: 0..0, items: 0..0, line: 1 });
        let (mut at, mut line, mut depth) = (0, 1_u32, 0_u32);
        while at < text.len() {
            let (end, lines) = unit(&text, at);
            let holds_tags = sections.last().is_some_and(|section| matches!(section.name.as_str(), "" | "package"));
            let kind = item::classify(&text, at..end, holds_tags);
            if let ItemKind::Heading { name, arguments } = &kind {
                close(&mut sections, at, items.len());
                sections.push(Section {
                    name: name.clone(),
                    arguments: text[arguments.clone()].to_owned(),
                    span: at..at,
                    items: items.len()..items.len(),
                    line,
                });
            }
            let mut own_depth = depth;
            if let ItemKind::Conditional { directive, .. } = &kind {
                match *directive {
                    "endif" => depth = depth.saturating_sub(1),
                    directive if directive.starts_with("if") => depth += 1,
                    _ => {}
                }
                own_depth = own_depth.min(depth);
            } else if lines > 1 && kind == ItemKind::Text {
                // rpm reads continued lines as one and tests each of them: `%if` inside of a command is a conditional.
                for line in text[at..end].lines() {
                    depth = depth.saturating_add_signed(depth_change(line));
                }
            }
            items.push(Item { span: at..end, line, depth: own_depth, section: sections.len() - 1, kind });
            at = end;
            line += lines;
        }
        close(&mut sections, text.len(), items.len());
        Document { text, items, sections }
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parts in order; their spans lie end to end and cover the text.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The sections in order; the first, without a heading, is always there.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The tags of that name, in any package and branch; letter case does not count.
    pub fn tags<'d>(&'d self, name: &'d str) -> impl Iterator<Item = &'d Tag> {
        self.items.iter().filter_map(move |item| match &item.kind {
            ItemKind::Tag(tag) if self.text[tag.name.clone()].eq_ignore_ascii_case(name) => Some(tag),
            _ => None,
        })
    }

    /// Every `%define`, `%global` and `%undefine` that stands on lines of its own.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Definition(definition) => Some(definition),
            _ => None,
        })
    }
}

/// How a line changes the number of conditionals that are open.
fn depth_change(line: &str) -> i32 {
    match line.trim_start().split(|c: char| c.is_ascii_whitespace()).next() {
        Some("%if" | "%ifarch" | "%ifnarch" | "%ifos" | "%ifnos") => 1,
        Some("%endif") => -1,
        _ => 0,
    }
}

fn close(sections: &mut [Section], at: usize, items: usize) {
    if let Some(last) = sections.last_mut() {
        last.span.end = at;
        last.items.end = items;
    }
}

/// The end of the lines that belong together from `at` on, and how many they are. What is never closed ends with its line.
fn unit(text: &str, at: usize) -> (usize, u32) {
    let mut nesting = Nesting::default();
    let (mut end, mut lines, mut first_end) = (at, 0, None);
    while end < text.len() {
        let rest = &text[end..];
        let length = rest.find('\n').map_or(rest.len(), |offset| offset + 1);
        nesting.scan(&rest.as_bytes()[..length]);
        end += length;
        lines += 1;
        first_end.get_or_insert(end);
        if !nesting.wants_more() {
            return (end, lines);
        }
    }
    (first_end.unwrap_or(end), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPEC: &str = "# comment\n%global commit abc\nName:  x\nSource1(x): y\n%if 0%{?fedora}\nRequires(post): a >= 1\n%endif\n\n\
        %package -n libx\nSummary: %{lua:\n  print('x')\n}\n%define f(n:) \\\n  body\n%description -n libx\nName: not a tag\n\
        %files -f list devel\n%license COPYING\n";

    #[test]
    fn parts_of_a_spec() {
        let document = Document::parse(SPEC);
        let names: Vec<&str> = document.sections().iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["", "package", "description", "files"]);
        assert_eq!(document.sections()[1].package(), Some(("libx", true)));
        assert_eq!(document.sections()[3].package(), Some(("devel", false)));
        assert_eq!(document.tags("NAME").count(), 1);
        let requires = document.tags("requires").next().unwrap();
        assert_eq!(&document.text()[requires.value.clone()], "a >= 1");
        assert_eq!(requires.qualifier.clone().map(|range| &document.text()[range]), Some("post"));
        let summary = document.tags("summary").next().unwrap();
        assert_eq!(&document.text()[summary.value.clone()], "%{lua:\n  print('x')\n}");
        let definitions: Vec<(&str, &str)> = document
            .definitions()
            .map(|definition| (definition.directive, &document.text()[definition.name.clone()]))
            .collect();
        assert_eq!(definitions, [("global", "commit"), ("define", "f")]);
        let inside = document.items().iter().find(|item| item.depth == 1).unwrap();
        assert_eq!(inside.line, 6);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[ -~\n\t]{0,200}", cuts in proptest::collection::vec(0_usize..SPEC.len(), 0..4)) {
            let mut mixed = text;
            for cut in cuts {
                mixed.push_str(&SPEC[cut..]);
            }
            let document = Document::parse(mixed.clone());
            let whole: String = document.items().iter().map(|item| &mixed[item.span.clone()]).collect();
            prop_assert_eq!(&whole, &mixed);
            let sections: String = document.sections().iter().map(|section| &mixed[section.span.clone()]).collect();
            prop_assert_eq!(&sections, &mixed);
            for item in document.items() {
                for range in item.ranges() {
                    prop_assert!(range.start >= item.span.start && range.end <= item.span.end);
                    prop_assert!(mixed.get(range).is_some());
                }
            }
        }
    }
}
