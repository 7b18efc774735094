use std::ops::Range;

use super::super::{Failure, Problem};
use super::shape::Shape;
use crate::syntax::{Edits, Item, ItemKind, Tag};

/// Tags whose values are relations to packages.
pub const DEPENDENCY_TAGS: [&str; 11] = [
    "BuildRequires",
    "BuildConflicts",
    "Requires",
    "Provides",
    "Conflicts",
    "Obsoletes",
    "Recommends",
    "Suggests",
    "Supplements",
    "Enhances",
    "OrderWithRequires",
];

/// One relation in a tag's value. Ranges are bytes of the spec.
pub(super) struct Entry {
    pub(super) span: Range<usize>,
    pub(super) name: Range<usize>,
    /// Operator and version.
    pub(super) bound: Option<Range<usize>>,
}

/// Adds a relation behind the last of its tag that no conditional guards, as a line of its own.
pub(super) fn add(shape: &Shape<'_>, package: Option<&str>, tag: &str, value: &str) -> Result<Edits, Failure> {
    let value = value.trim();
    let wanted = match entries(value, 0).as_slice() {
        [one] if one.span == (0..value.len()) => (value[one.name.clone()].to_owned(), one.bound.clone()),
        _ => return Err(Problem::Shape(format!("`{value}` is not one dependency")).into()),
    };
    let mut edits = Edits::default();
    let mut stands = None;
    for section in shape.tag_sections(package)? {
        let base = shape.base_depth(section);
        let mut behind: Option<&Item> = None;
        let mut is_same_tag = false;
        let mut is_there = false;
        for item in shape.items(section).iter().filter(|item| item.depth == base) {
            let ItemKind::Tag(found) = &item.kind else {
                // Behind the heading, if the section has no tag at all.
                if behind.is_none() && matches!(item.kind, ItemKind::Heading { .. }) {
                    behind = Some(item);
                }
                continue;
            };
            let same = is_tag(shape, found, tag);
            if same || !is_same_tag {
                behind = Some(item);
                is_same_tag |= same;
            }
            if !same {
                continue;
            }
            for entry in entries(&shape.text[found.value.clone()], found.value.start) {
                if shape.expand(&shape.text[entry.name.clone()]) != shape.expand(&wanted.0) {
                    continue;
                }
                let bound = |range: Option<&Range<usize>>, text: &str| {
                    range.map_or_else(String::new, |range| spaced(&shape.expand(&text[range.clone()])))
                };
                if bound(entry.bound.as_ref(), shape.text) != bound(wanted.1.as_ref(), value) {
                    let line = shape.line_at(entry.span.start);
                    let text = &shape.text[entry.span.clone()];
                    let problem = format!("line {line} already has `{text}`, with another bound");
                    return Err(Failure::near(Problem::Shape(problem), Some(shape.seen(entry.span.start))));
                }
                stands = Some(shape.seen(entry.span.start));
                is_there = true;
            }
        }
        if is_there {
            continue;
        }
        let (at, space) = match behind {
            Some(item) => {
                let space = match &item.kind {
                    ItemKind::Tag(found) => space_behind_colon(shape, item, found),
                    _ => " ",
                };
                (item.span.end, space)
            }
            None => (shape.document.sections()[section].span.end, " "),
        };
        let start = if at > 0 && !shape.text[..at].ends_with('\n') { "\n" } else { "" };
        edits.insert(at, format!("{start}{tag}:{space}{value}\n"));
    }
    if edits.is_empty() {
        let problem = Problem::Already(format!("{} has `{tag}: {value}` already", title(package)));
        return Err(Failure::new(problem).already(stands));
    }
    Ok(edits)
}

/// Removes a relation in every branch; a line that has no other goes.
pub(super) fn remove(shape: &Shape<'_>, package: Option<&str>, tag: &str, name: &str) -> Result<Edits, Failure> {
    let mut edits = Edits::default();
    for section in shape.tag_sections(package)? {
        for item in shape.items(section) {
            if let ItemKind::Tag(found) = &item.kind
                && is_tag(shape, found, tag)
            {
                edits.extend(without(shape, item, found, |entry| {
                    shape.expand(&shape.text[entry.name.clone()]) == shape.expand(name)
                }));
            }
        }
    }
    if edits.is_empty() {
        return Err(absent(shape, package, tag, name).or_gone());
    }
    Ok(edits)
}

/// The changes that take some relations out of a tag.
pub(super) fn without(shape: &Shape<'_>, item: &Item, tag: &Tag, goes: impl Fn(&Entry) -> bool) -> Edits {
    let mut edits = Edits::default();
    let all = entries(&shape.text[tag.value.clone()], tag.value.start);
    let kept: Vec<&Entry> = all.iter().filter(|entry| !goes(entry)).collect();
    if kept.len() == all.len() {
        return edits;
    }
    if kept.is_empty() {
        edits.remove(item.span.clone());
        return edits;
    }
    // What stood before a relation that stays, stays: a comma or white space; what stood before one that goes, goes with it.
    let mut is_first = true;
    for (index, entry) in all.iter().enumerate() {
        let from = if index == 0 { entry.span.start } else { all[index - 1].span.end };
        if goes(entry) {
            edits.remove(from..entry.span.end);
        } else {
            if is_first && from < entry.span.start {
                edits.remove(from..entry.span.start);
            }
            is_first = false;
        }
    }
    edits
}

pub(super) fn rebound(
    shape: &Shape<'_>,
    package: Option<&str>,
    tag: &str,
    name: &str,
    bound: Option<&str>,
) -> Result<Edits, Failure> {
    let bound = bound.map(str::trim);
    if let Some(bound) = bound {
        let mut words = bound.split_ascii_whitespace();
        if !(words.next().is_some_and(is_operator) && words.next().is_some() && words.next().is_none()) {
            return Err(Problem::Shape(format!("`{bound}` is not a bound, as `>= 1.2` is")).into());
        }
    }
    let mut edits = Edits::default();
    let mut stands = None;
    for section in shape.tag_sections(package)? {
        for item in shape.items(section) {
            let ItemKind::Tag(found) = &item.kind else { continue };
            if !is_tag(shape, found, tag) {
                continue;
            }
            for entry in entries(&shape.text[found.value.clone()], found.value.start) {
                if shape.expand(&shape.text[entry.name.clone()]) != shape.expand(name) {
                    continue;
                }
                stands.get_or_insert(entry.span.start);
                match (&entry.bound, bound) {
                    (Some(old), Some(new)) if spaced(&shape.text[old.clone()]) != spaced(new) => {
                        edits.replace(old.clone(), new);
                    }
                    (Some(old), None) => edits.remove(entry.name.end..old.end),
                    (None, Some(new)) => edits.insert(entry.name.end, format!(" {new}")),
                    _ => {}
                }
            }
        }
    }
    match stands {
        None => Err(absent(shape, package, tag, name)),
        Some(at) if edits.is_empty() => {
            let what = bound.map_or_else(|| "without a bound".to_owned(), |bound| format!("`{bound}`"));
            let problem = Problem::Already(format!("`{tag}: {name}` of {} is {what} already", title(package)));
            Err(Failure::new(problem).already(Some(shape.seen(at))))
        }
        Some(_) => Ok(edits),
    }
}

/// The relations of a value. A relation in parentheses is one, whatever is in it.
pub(super) fn entries(value: &str, offset: usize) -> Vec<Entry> {
    let words = words(value);
    let mut found: Vec<Entry> = Vec::new();
    let mut index = 0;
    while let Some(word) = words.get(index) {
        let mut end = word.end;
        let mut bound = None;
        if let (Some(operator), Some(version)) = (words.get(index + 1), words.get(index + 2))
            && is_operator(&value[operator.clone()])
        {
            end = version.end;
            bound = Some(offset + operator.start..offset + version.end);
            index += 2;
        }
        index += 1;
        found.push(Entry {
            span: offset + word.start..offset + end,
            name: offset + word.start..offset + word.end,
            bound,
        });
    }
    found
}

/// Words between white space and commas; brackets keep together what is in them.
fn words(value: &str) -> Vec<Range<usize>> {
    let (mut found, mut start, mut depth) = (Vec::new(), None, 0_u32);
    for (at, letter) in value.char_indices() {
        match letter {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let splits = depth == 0 && (letter == ',' || letter == '\\' || letter.is_ascii_whitespace());
        match (start, splits) {
            (None, false) => start = Some(at),
            (Some(from), true) => {
                found.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    found.extend(start.map(|from| from..value.len()));
    found
}

fn is_operator(word: &str) -> bool {
    matches!(word, "<" | "<=" | "=" | "==" | ">=" | ">" | "=<" | "=>")
}

fn spaced(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a tag is the one that somebody calls `Requires(post)`.
pub(super) fn is_tag(shape: &Shape<'_>, found: &Tag, wanted: &str) -> bool {
    let (name, qualifier) = match wanted.split_once('(') {
        Some((name, qualifier)) => (name.trim(), qualifier.trim_end().trim_end_matches(')')),
        None => (wanted.trim(), ""),
    };
    let stands = found.qualifier.clone().map_or("", |range| &shape.text[range]);
    let plain =
        |text: &str| text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_lowercase).collect::<Vec<_>>();
    shape.text[found.name.clone()].eq_ignore_ascii_case(name) && plain(stands) == plain(qualifier)
}

/// White space between the colon and the value, so that a new line stands in the same column.
fn space_behind_colon<'s>(shape: &'s Shape<'_>, item: &Item, tag: &Tag) -> &'s str {
    let from = [Some(&tag.name), tag.number.as_ref(), tag.qualifier.as_ref()]
        .into_iter()
        .flatten()
        .map(|range| range.end)
        .max();
    let before = &shape.text[from.unwrap_or(item.span.start)..tag.value.start];
    let space = before.find(':').map_or("", |colon| &before[colon + 1..]);
    if space.is_empty() || space.contains('\n') { " " } else { space }
}

fn title(package: Option<&str>) -> String {
    package.map_or_else(|| "the main package".to_owned(), |name| format!("package `{name}`"))
}

fn absent(shape: &Shape<'_>, package: Option<&str>, tag: &str, name: &str) -> Failure {
    let problem = Problem::NoDependency { package: title(package), tag: tag.to_owned(), name: name.to_owned() };
    // Another package, another tag or a condition inside of the line may have it; a name that is only like it comes later.
    let elsewhere = shape.document.items().iter().find(|item| {
        let ItemKind::Tag(found) = &item.kind else { return false };
        DEPENDENCY_TAGS.iter().any(|known| shape.text[found.name.clone()].eq_ignore_ascii_case(known))
            && entries(&shape.text[found.value.clone()], found.value.start).iter().any(|entry| {
                let text = shape.expand(&shape.text[entry.span.clone()]);
                shape.expand(&shape.text[entry.name.clone()]) == name || (text.starts_with('(') && text.contains(name))
            })
    });
    let inline = || {
        shape.document.items().iter().find(|item| {
            let text = &shape.text[item.span.clone()];
            item.kind == ItemKind::Text && text.contains(&format!("{tag}:")) && text.contains(name)
        })
    };
    let near = elsewhere.or_else(inline).map(|item| shape.seen(item.span.start));
    let near = near.or_else(|| {
        let names: Vec<(String, usize)> = shape
            .document
            .items()
            .iter()
            .filter_map(|item| match &item.kind {
                ItemKind::Tag(found) if is_tag(shape, found, tag) => Some(found),
                _ => None,
            })
            .flat_map(|found| entries(&shape.text[found.value.clone()], found.value.start))
            .map(|entry| (shape.expand(&shape.text[entry.name.clone()]), entry.span.start))
            .collect();
        let near = super::super::nearest::name(name, names.iter().map(|(name, _)| name.as_str()))?;
        names.iter().find(|(name, _)| *name == near).map(|(_, at)| shape.seen(*at))
    });
    Failure::near(problem, near)
}
