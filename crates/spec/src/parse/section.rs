//! The sections of a spec and the package that a heading names.

use super::Parser;
use super::words::{self, Options};
use crate::ErrorKind;
use crate::macros::Outcome;

/// What a section is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Package,
    /// `%prep` and its like: an index into [`BUILD`].
    Build(usize),
    /// `%pre` and its like: an index into [`SCRIPTLETS`].
    Scriptlet(usize),
    /// `%triggerin` and its like: an index into [`TRIGGERS`].
    Trigger(usize),
    Files,
    Changelog,
    Description,
    Policies,
    PatchList,
    SourceList,
    /// `%end`: what follows belongs to no section.
    End,
}

/// Build scripts in the order in which they run.
pub(super) const BUILD: [&str; 7] = ["prep", "conf", "generate_buildrequires", "build", "install", "check", "clean"];

/// Scriptlets and the qualifier that their interpreter's requirement gets.
pub(super) const SCRIPTLETS: [(&str, &str); 9] = [
    ("pre", "pre"),
    ("post", "post"),
    ("preun", "preun"),
    ("postun", "postun"),
    ("pretrans", "pretrans"),
    ("posttrans", "posttrans"),
    ("preuntrans", "preuntrans"),
    ("postuntrans", "postuntrans"),
    ("verifyscript", "verify"),
];

/// Triggers; the second word is the name that counts.
pub(super) const TRIGGERS: [(&str, &str); 13] = [
    ("triggerpostun", "triggerpostun"),
    ("triggerprein", "triggerprein"),
    ("triggerun", "triggerun"),
    ("triggerin", "triggerin"),
    ("trigger", "triggerin"),
    ("filetriggerin", "filetriggerin"),
    ("filetrigger", "filetriggerin"),
    ("filetriggerun", "filetriggerun"),
    ("filetriggerpostun", "filetriggerpostun"),
    ("transfiletriggerin", "transfiletriggerin"),
    ("transfiletrigger", "transfiletriggerin"),
    ("transfiletriggerun", "transfiletriggerun"),
    ("transfiletriggerpostun", "transfiletriggerpostun"),
];

impl Section {
    /// The section that a line begins; letter case does not count.
    pub(super) fn of(line: &str) -> Option<Section> {
        let word = line.strip_prefix('%')?;
        let end = word.find(|c: char| c.is_ascii_whitespace() || c == '\u{b}').unwrap_or(word.len());
        let word = &word[..end];
        // Most lines that begin with `%` are macros in lower case.
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_') {
            return None;
        }
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        let plain = [
            ("package", Section::Package),
            ("files", Section::Files),
            ("changelog", Section::Changelog),
            ("description", Section::Description),
            ("sepolicy", Section::Policies),
            ("patchlist", Section::PatchList),
            ("sourcelist", Section::SourceList),
            ("end", Section::End),
        ];
        if let Some((_, section)) = plain.iter().find(|(name, _)| is(name)) {
            return Some(*section);
        }
        if let Some(index) = BUILD.iter().position(|name| is(name)) {
            return Some(Section::Build(index));
        }
        if let Some(index) = SCRIPTLETS.iter().position(|(name, _)| is(name)) {
            return Some(Section::Scriptlet(index));
        }
        TRIGGERS.iter().position(|(name, _)| is(name)).map(Section::Trigger)
    }
}

impl Parser {
    /// Reads a heading such as `%files -n name -f list`; returns its options and the package that it names.
    pub(super) fn heading(&mut self, known: &str) -> Outcome<(Options, usize)> {
        let line = self.reader.line.trim_end().to_owned();
        let wrong = |problem: &str| ErrorKind::Section(format!("`{line}`: {problem}"));
        let words = words::split(&line).map_err(|problem| self.engine.fail(wrong(problem)))?;
        let options = Options::read(&words, known).map_err(|problem| self.engine.fail(wrong(&problem)))?;
        let mut names = options.names.iter();
        let (name, is_whole) = match options.value('n') {
            Some(name) => (Some(name), true),
            None => (names.next().map(String::as_str), false),
        };
        if names.next().is_some() {
            return Err(self.engine.fail(wrong("it names more than one package")));
        }
        let Some(name) = name else { return Ok((options, 0)) };
        let full = if is_whole { name.to_owned() } else { format!("{}-{name}", self.packages[0].name()) };
        match self.packages.iter().position(|package| package.name() == full) {
            Some(index) => Ok((options, index)),
            None => Err(self.engine.fail(wrong(&format!("there is no package `{full}`")))),
        }
    }
}
