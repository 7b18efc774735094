//! `%bcond`: every offered choice is asked for, and every question has an offer.

use std::collections::{BTreeSet, HashSet};

use super::subject::{Subject, is_name};
use super::{Code, Finding};
use crate::syntax::ItemKind;

/// The build conditions that a text asks for or names.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// In `%{with name}`, `with_name`, `_without_name` and their like.
    asked: HashSet<String>,
    /// In `with_name` and its like only: what can define the answer.
    named: HashSet<String>,
    /// A name is put together by a macro: it can be any.
    is_open: bool,
}

impl Questions {
    /// Takes in one more text.
    pub(super) fn read(&mut self, text: &str) {
        let bytes = text.as_bytes();
        for (at, _) in text.match_indices("with") {
            let start = bytes[..at].iter().rposition(|byte| !is_name(*byte)).map_or(0, |before| before + 1);
            let length = bytes[at..].iter().take_while(|byte| is_name(**byte)).count();
            let token = &text[at..at + length];
            let behind = &text[at + length..];
            let rest = token.strip_prefix("without").or_else(|| token.strip_prefix("with")).unwrap_or("");
            if let Some(name) = rest.strip_prefix('_') {
                self.is_open |= behind.starts_with(['%', '$']) || name.is_empty();
                self.asked.insert(name.to_owned());
                self.named.insert(name.to_owned());
            } else if rest.is_empty() && at == start {
                let name = behind.trim_start_matches([' ', '\t', ':', '(', '"', '\'']);
                let is_call = text[..at].ends_with(['{', '%']);
                self.is_open |= is_call && name.starts_with('%');
                let end = name.find(|c: char| !is_letter(c)).unwrap_or(name.len());
                self.asked.insert(name[..end].to_owned());
            }
        }
    }
}

/// Whether a letter can be part of a build condition's name.
fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_-+.".contains(letter)
}

/// `has_undefined`: the spec calls macros that are not there, and that may ask for anything.
pub(super) fn check(subject: &Subject<'_>, has_undefined: bool, findings: &mut Vec<Finding>) {
    if subject.is_open {
        return;
    }
    let mut own = Questions::default();
    own.read(&subject.code);
    for (_, body) in &subject.environment.definitions {
        own.read(body);
    }
    let (declared, has_made_names) = declared(subject);
    for (name, at) in &declared {
        if !has_undefined && !own.is_open && !own.asked.contains(name) && !subject.files.asked.contains(name) {
            let message = format!("nothing asks for the build condition `{name}`");
            findings.push(subject.finding(Code::DeadBcond, *at, message));
        }
    }
    if has_made_names {
        return;
    }
    let known: BTreeSet<&str> = declared.iter().map(|(name, _)| name.as_str()).collect();
    let mut seen = BTreeSet::new();
    for (name, at) in asked(subject) {
        let is_offered = known.contains(name)
            || own.named.contains(name)
            || subject.files.named.contains(name)
            || subject.environment.definitions.iter().any(|(defined, _)| defined.ends_with(&format!("with_{name}")));
        if !is_offered && seen.insert(name) {
            let message = format!("nothing declares the build condition `{name}`");
            findings.push(subject.finding(Code::UndeclaredBcond, at, message));
        }
    }
}

/// Names that `%bcond`, `%bcond_with` and `%bcond_without` declare, and where; and whether there are names that macros make.
fn declared(subject: &Subject<'_>) -> (Vec<(String, usize)>, bool) {
    let (mut found, mut has_made_names) = (Vec::new(), false);
    for item in subject.document.items() {
        let section = subject.document.sections()[item.section].name.as_str();
        if matches!(item.kind, ItemKind::Comment) || matches!(section, "changelog" | "description") {
            continue;
        }
        let text = subject.part(&item.span);
        for (at, _) in text.match_indices("bcond") {
            let length = text[at..].bytes().take_while(|byte| is_name(*byte)).count();
            if !text[..at].ends_with(['%', '{', '"', '\''])
                || !matches!(&text[at..at + length], "bcond" | "bcond_with" | "bcond_without")
            {
                // A macro that the spec or another file makes of it.
                has_made_names |= !text[..at].ends_with(['%', '{']) && !matches!(item.kind, ItemKind::Text);
                continue;
            }
            let behind = text[at + length..].trim_start_matches([' ', '\t']);
            let end = behind.find(|c: char| !is_letter(c)).unwrap_or(behind.len());
            if end == 0 || behind[end..].starts_with('%') {
                has_made_names = true;
            } else {
                let start = text[..at].rfind('%').unwrap_or(at);
                found.push((behind[..end].to_owned(), item.span.start + start));
            }
        }
    }
    (found, has_made_names)
}

/// Names in `%{with name}` and `%{without name}`, and where.
fn asked<'s>(subject: &'s Subject<'_>) -> Vec<(&'s str, usize)> {
    let mut found = Vec::new();
    for item in subject.document.items() {
        let is_changelog = subject.document.sections()[item.section].name == "changelog";
        if matches!(item.kind, ItemKind::Comment | ItemKind::Definition(_)) || is_changelog {
            continue;
        }
        let text = subject.part(&item.span);
        for mark in ["%{with ", "%{without "] {
            for (at, _) in text.match_indices(mark) {
                let rest = text[at + mark.len()..].trim_start();
                let name = rest[..rest.find('}').unwrap_or(0)].trim();
                let is_escaped = text[..at].ends_with('%');
                if !name.is_empty() && name.chars().all(is_letter) && !is_escaped {
                    found.push((name, item.span.start + at));
                }
            }
        }
    }
    found
}
