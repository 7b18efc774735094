use std::ops::Range;

use super::super::{Failure, Problem, Seen, nearest};
use super::insert::no_section;
use super::number;
use super::view::{Part, View, depth_change, is_blank_or_comment, is_branch};
use crate::syntax::Edits;

pub(super) fn remove_section(view: &View<'_>, section: &str, package: &str) -> Result<Edits, Failure> {
    let found: Vec<&Part> =
        view.parts.iter().filter(|part| !part.name.is_empty() && part.is(section, package)).collect();
    if found.is_empty() {
        return Err(no_section(view, section, package).or_gone());
    }
    remove(view, &found)
}

pub(super) fn remove_subpackage(view: &View<'_>, package: &str) -> Result<Edits, Failure> {
    let found: Vec<&Part> = view.parts.iter().filter(|part| !package.is_empty() && part.package == package).collect();
    if found.is_empty() {
        let named = || view.parts.iter().filter(|part| !part.package.is_empty());
        // `-n NAME` and its short form differ: the one may end in the other.
        let near = named()
            .find(|part| part.package.ends_with(package) || package.ends_with(part.package.as_str()))
            .or_else(|| {
                let name = nearest::name(package, named().map(|part| part.package.as_str()))?;
                named().find(|part| part.package == name)
            });
        let seen = near.map(|part| Seen::line(number(part.lines.start), view.lines[part.lines.start].text));
        return Err(Failure::near(Problem::NoPackage(package.to_owned()), seen).or_gone());
    }
    remove(view, &found)
}

fn remove(view: &View<'_>, parts: &[&Part]) -> Result<Edits, Failure> {
    let mut edits = Edits::default();
    for part in parts {
        let lines = balanced(view, part)?;
        edits.remove(view.start_of(lines.start)..view.start_of(lines.end));
    }
    Ok(edits)
}

/// The lines of a section that can go without leaving half a conditional: a closing `%endif` behind it, or an `%if` that begins
/// what comes next, stay.
pub(in super::super) fn balanced(view: &View<'_>, part: &Part) -> Result<Range<usize>, Failure> {
    let (start, end) = (part.lines.start, part.lines.end);
    let pairs = pairs(view)?;
    let straddles = || Failure::new(Problem::Straddles { section: part.title(), line: number(start) });
    let has_content = |from: usize| {
        (from..end).any(|line| {
            let text = view.lines[line].text;
            !is_blank_or_comment(text) && depth_change(text) == 0
        })
    };
    let mut trimmed = end;
    for &(opens, closes) in &pairs {
        let (opens_inside, closes_inside) = ((start..end).contains(&opens), (start..end).contains(&closes));
        if opens_inside == closes_inside {
            continue;
        }
        if opens_inside && has_content(opens + 1) {
            return Err(straddles());
        }
        trimmed = trimmed.min(if opens_inside { opens } else { closes });
    }
    for line in start..end {
        if !is_branch(view.lines[line].text) {
            continue;
        }
        // Inner conditionals close first, so that the first one around the line is its own.
        let own = pairs.iter().find(|(opens, closes)| *opens <= line && *closes >= line);
        if own.is_some_and(|(opens, closes)| *opens < start || *closes >= end) {
            return Err(straddles());
        }
    }
    if trimmed < end && has_content(trimmed) {
        return Err(straddles());
    }
    Ok(start..trimmed)
}

/// Lines that open and close conditionals, in the order in which they close.
fn pairs(view: &View<'_>) -> Result<Vec<(usize, usize)>, Failure> {
    let (mut open, mut pairs) = (Vec::new(), Vec::new());
    for (index, line) in view.lines.iter().enumerate() {
        match depth_change(line.text) {
            1 => open.push(index),
            -1 => match open.pop() {
                Some(opens) => pairs.push((opens, index)),
                None => return Err(Problem::Unbalanced(number(index)).into()),
            },
            _ => {}
        }
    }
    match open.first() {
        Some(first) => Err(Problem::Unbalanced(number(*first)).into()),
        None => Ok(pairs),
    }
}
