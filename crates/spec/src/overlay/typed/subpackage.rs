use std::collections::BTreeSet;
use std::ops::Range;

use super::super::original::balanced;
use super::super::view::{Part, depth_change, is_branch};
use super::super::{Failure, Problem};
use super::dependency::{DEPENDENCY_TAGS, without};
use super::shape::Shape;
use crate::syntax::{Edits, ItemKind, Section};

/// Removes a subpackage: its sections, what others say of it, and from the build root the files that only it names.
pub(super) fn drop(shape: &Shape<'_>, package: &str) -> Result<Edits, Failure> {
    let sections: Vec<&Section> = shape
        .document
        .sections()
        .iter()
        .filter(|section| section.package().is_some() && shape.is_of(section, Some(package)))
        .collect();
    let Some(first) = sections.first() else {
        return Err(shape.no_package(package).or_gone());
    };
    let name = shape.package_of(first);
    let mut edits = Edits::default();
    let mut gone: Vec<Range<usize>> = Vec::new();
    for section in &sections {
        let part = part_of(shape, section)?;
        let lines = balanced(&shape.view, part)?;
        let range = shape.view.start_of(lines.start)..shape.view.start_of(lines.end);
        edits.remove(range.clone());
        gone.push(range);
    }
    let is_gone = |at: usize| gone.iter().any(|range| range.contains(&at));
    for item in shape.document.items().iter().filter(|item| !is_gone(item.span.start)) {
        match &item.kind {
            ItemKind::Tag(tag)
                if DEPENDENCY_TAGS.iter().any(|known| shape.text[tag.name.clone()].eq_ignore_ascii_case(known)) =>
            {
                edits
                    .extend(without(shape, item, tag, |entry| is_named(shape, &shape.text[entry.name.clone()], &name)));
            }
            ItemKind::Text if names_in_call(shape, &shape.text[item.span.clone()], &name) => {
                edits.remove(item.span.clone());
            }
            _ => {}
        }
    }
    let paths = own_paths(shape, &sections);
    if !paths.is_empty() {
        let (at, text) = removal(shape, &paths, &name)?;
        edits.insert(at, text);
    }
    Ok(edits)
}

fn is_named(shape: &Shape<'_>, word: &str, name: &str) -> bool {
    let word = shape.expand(word);
    word == name
        || word.strip_prefix(name).is_some_and(|rest| rest == "(x86-64)" || rest == "(aarch-64)" || rest == "%_isa")
}

/// `%ldconfig_scriptlets -n libx`: a call that writes sections of the package.
fn names_in_call(shape: &Shape<'_>, text: &str, name: &str) -> bool {
    let text = text.trim();
    if !text.starts_with("%ldconfig_") && !text.starts_with("%{?ldconfig_") && !text.starts_with("%{ldconfig_") {
        return false;
    }
    let mut words = text.trim_end_matches('}').split_ascii_whitespace().skip(1);
    match words.next() {
        Some("-n") => words.next().is_some_and(|word| shape.expand(word) == name),
        Some(word) => format!("{}-{}", shape.base(), shape.expand(word)) == name,
        None => false,
    }
}

fn part_of<'s>(shape: &'s Shape<'_>, section: &Section) -> Result<&'s Part, Failure> {
    shape
        .view
        .parts
        .iter()
        .find(|part| !part.name.is_empty() && part.lines.start + 1 == section.line as usize)
        .ok_or_else(|| Problem::Shape(format!("line {} begins a section inside of a macro call", section.line)).into())
}

/// Paths that only these sections list and that stay in the build root otherwise, where rpm would complain of them.
fn own_paths(shape: &Shape<'_>, dropped: &[&Section]) -> Vec<String> {
    let is_dropped = |section: &Section| dropped.iter().any(|other| other.span == section.span);
    let files = || shape.document.sections().iter().filter(|section| section.name == "files");
    let kept: BTreeSet<String> =
        files().filter(|section| !is_dropped(section)).flat_map(|section| listed(shape, section)).collect();
    let mut seen = BTreeSet::new();
    files()
        .filter(|section| is_dropped(section))
        .flat_map(|section| listed(shape, section))
        .filter(|path| !kept.contains(path) && seen.insert(path.clone()))
        .collect()
}

/// The paths of a `%files` section that are installed files; those of `%doc`, `%license`, `%dir`, `%ghost` and `%exclude` are not,
/// or not only, this package's.
fn listed(shape: &Shape<'_>, section: &Section) -> Vec<String> {
    let mut paths = Vec::new();
    for line in shape.text[section.span.clone()].lines().skip(1) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || depth_change(line) != 0 || is_branch(line) {
            continue;
        }
        let mut rest = line;
        let mut is_installed = true;
        // Directives stand before the path: `%attr(0755,root,root) %config(noreplace) /etc/x`.
        while let Some(word) = rest.strip_prefix('%') {
            let length = word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len());
            if !matches!(
                &word[..length],
                "attr"
                    | "config"
                    | "verify"
                    | "lang"
                    | "caps"
                    | "dir"
                    | "ghost"
                    | "exclude"
                    | "doc"
                    | "license"
                    | "defattr"
                    | "docdir"
                    | "readme"
                    | "missingok"
            ) {
                break;
            }
            is_installed &= !matches!(&word[..length], "dir" | "ghost" | "exclude" | "defattr" | "docdir");
            rest = match word[length..].strip_prefix('(').and_then(|inner| inner.split_once(')')) {
                Some((_, behind)) => behind.trim_start(),
                None => word[length..].trim_start(),
            };
        }
        if is_installed {
            let words = rest.split_ascii_whitespace();
            // A macro that is no folder, as `%{?with_x:..}` or `%find_lang`, cannot be told from here.
            paths.extend(
                words
                    .filter(|word| word.starts_with('/') || word.starts_with("%{_") || word.starts_with("%_"))
                    .map(ToOwned::to_owned),
            );
        }
    }
    paths
}

/// Commands behind the last of `%install` that no conditional guards.
fn removal(shape: &Shape<'_>, paths: &[String], name: &str) -> Result<(usize, String), Failure> {
    let Some(part) = shape.parts("%install").last() else {
        let problem =
            format!("the files of `{name}` stay in the build root: there is no `%install` that could remove them");
        return Err(Problem::Shape(problem).into());
    };
    let depths = shape.depths(part);
    let (mut behind, mut open) = (part.lines.start, 0);
    for (line, _) in part.lines.clone().zip(depths) {
        let text = shape.view.lines[line].text;
        open += depth_change(text);
        if open == 0 && !text.trim().is_empty() && !text.trim_end().ends_with('\\') {
            behind = line;
        }
    }
    let at = behind + 1;
    let lines: Vec<String> = std::iter::once(format!("# {name} is not shipped"))
        .chain(paths.iter().map(|path| format!("rm -rf %{{buildroot}}{path}")))
        .collect();
    Ok((shape.view.start_of(at), shape.view.inserted(at, &lines)))
}
