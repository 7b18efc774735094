//! Tags and dependencies that stand twice, and packages that are never built.

use std::collections::BTreeMap;

use super::subject::{Subject, encloses};
use super::{Code, Finding};
use crate::syntax::{ItemKind, Tag};

/// Tags of which a package has one.
const SINGLE: &[&str] = &[
    "name",
    "version",
    "release",
    "epoch",
    "summary",
    "license",
    "sourcelicense",
    "url",
    "bugurl",
    "vcs",
    "group",
    "vendor",
    "packager",
    "distribution",
    "autoreq",
    "autoprov",
    "autoreqprov",
    "buildsystem",
];

/// Tags whose values are dependencies, or lists that are one for the whole spec.
const LISTS: &[&str] = &[
    "requires",
    "provides",
    "conflicts",
    "obsoletes",
    "recommends",
    "suggests",
    "supplements",
    "enhances",
    "orderwithrequires",
    "prereq",
    "buildrequires",
    "buildconflicts",
    "buildprereq",
];

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    // Key: package (by section), tag, qualifier and number, value; each with the items that have it.
    let mut seen: BTreeMap<(usize, String, String, String), Vec<usize>> = BTreeMap::new();
    for (index, item) in subject.document.items().iter().enumerate() {
        let ItemKind::Tag(tag) = &item.kind else { continue };
        let name = subject.part(&tag.name).to_ascii_lowercase();
        let qualifier =
            tag.qualifier.as_ref().map(|range| subject.part(range).to_ascii_lowercase()).unwrap_or_default();
        let number = tag.number.as_ref().map(|range| subject.part(range).to_owned());
        if SINGLE.contains(&name.as_str()) {
            let key = (item.section, name, qualifier, String::new());
            twice(subject, seen.entry(key).or_default(), index, tag, Code::DuplicateTag, None, findings);
        } else if let Some(number) = number.filter(|_| matches!(name.as_str(), "source" | "patch")) {
            let number = number.trim_start_matches('0').to_owned();
            let key = (0, name, number, String::new());
            twice(subject, seen.entry(key).or_default(), index, tag, Code::DuplicateTag, None, findings);
        } else if LISTS.contains(&name.as_str()) {
            let section = if name.starts_with("build") { 0 } else { item.section };
            for value in dependencies(subject.part(&tag.value)) {
                let key = (section, name.clone(), qualifier.clone(), value.clone());
                let items = seen.entry(key).or_default();
                twice(subject, items, index, tag, Code::DuplicateDependency, Some(&value), findings);
            }
        }
    }
    without_files(subject, findings);
}

/// Notes one more of the same, and reports it where an earlier one holds as well.
fn twice(
    subject: &Subject<'_>,
    items: &mut Vec<usize>,
    index: usize,
    tag: &Tag,
    code: Code,
    value: Option<&str>,
    findings: &mut Vec<Finding>,
) {
    let earlier = items.iter().copied().find(|earlier| encloses(&subject.paths[*earlier], &subject.paths[index]));
    items.push(index);
    let Some(earlier) = earlier else { return };
    if value.is_some_and(|value| value.contains('%')) && is_changed_between(subject, earlier, index) {
        return;
    }
    let mut name = subject.part(&tag.name).to_owned();
    name.extend(tag.number.iter().map(|number| subject.part(number)));
    name.extend(tag.qualifier.iter().map(|qualifier| format!("({})", subject.part(qualifier))));
    let line = subject.document.items()[earlier].line;
    let message = match value {
        Some(value) => format!("`{name}: {value}` stands already in line {line}"),
        None => format!("`{name}` stands already in line {line}"),
    };
    findings.push(subject.finding(code, tag.name.start, message));
}

/// Whether macros may mean something else at the second item.
fn is_changed_between(subject: &Subject<'_>, first: usize, second: usize) -> bool {
    subject.document.items()[first..second]
        .iter()
        .any(|item| matches!(item.kind, ItemKind::Definition(_)) || is_call(subject.part(&item.span), &item.kind))
}

fn is_call(text: &str, kind: &ItemKind) -> bool {
    matches!(kind, ItemKind::Text) && text.trim_start().starts_with('%')
}

/// The dependencies of a value, in one spelling. Rich ones, and what macros may divide, are one.
fn dependencies(value: &str) -> Vec<String> {
    let plain: String = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    if plain.starts_with('(') || plain.contains(" (") || plain.contains("%(") || plain.contains("%[") {
        return vec![plain];
    }
    let mut found: Vec<String> = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    let mut words = Vec::new();
    for (at, byte) in plain.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b' ' | b',' if depth == 0 => {
                words.push(&plain[start..at]);
                start = at + 1;
                if byte == b',' {
                    words.push(",");
                }
            }
            _ => {}
        }
    }
    words.push(&plain[start..]);
    let mut joins = false;
    for word in words.into_iter().filter(|word| !word.is_empty()) {
        let is_relation = word.bytes().all(|byte| b"<>=".contains(&byte));
        match found.last_mut().filter(|_| (joins || is_relation) && word != ",") {
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None if word == "," => {}
            None => found.push(word.to_owned()),
        }
        joins = is_relation;
    }
    found.retain(|dependency| !dependency.is_empty());
    found
}

/// Packages that the spec declares and for which no branch has `%files`.
fn without_files(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let Some(evaluated) = subject.evaluated.filter(|evaluated| !evaluated.makes_packages_while_building) else {
        return;
    };
    if subject.is_open {
        return;
    }
    let sections = subject.document.sections();
    for package in evaluated.packages.iter().skip(1).filter(|package| package.files.is_none()) {
        let Some(line) = subject.line(&package.position) else { continue };
        let Some(section) =
            sections.iter().find(|section| section.name == "package" && section.span.start == line.start)
        else {
            continue;
        };
        let arguments = normal(&section.arguments);
        let has_files = subject.code.match_indices("%files").any(|(at, mark)| {
            let rest = &subject.code[at + mark.len()..];
            let heading = normal(&rest[..rest.find('\n').unwrap_or(rest.len())]);
            heading.contains(&arguments) || heading.contains(&package.name) || is_unclear(&heading, &arguments)
        });
        if !has_files {
            let message = format!("the package `{}` has no `%files`", package.name);
            findings.push(subject.finding(Code::PackageWithoutFiles, section.span.start, message));
        }
    }
}

fn normal(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// A heading whose name a macro makes, which `%package` may spell otherwise.
fn is_unclear(heading: &str, arguments: &str) -> bool {
    heading.contains('%') || arguments.contains('%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_divided_into_dependencies() {
        for (value, parts) in [
            ("a b", vec!["a", "b"]),
            ("a >= 1, b", vec!["a >= 1", "b"]),
            ("a >=  %{x y}", vec!["a >= %{x y}"]),
            ("(a or b)", vec!["(a or b)"]),
            ("%{?x:a b} c", vec!["%{?x:a b}", "c"]),
        ] {
            assert_eq!(dependencies(value), parts, "{value}");
        }
    }
}
