use super::super::{Failure, Problem, nearest, wildcard::Wildcard};
use super::insert::append_to_section;
use super::view::{Kind, View};
use super::{number, tags};
use crate::syntax::Edits;

/// In `%patchlist` where there is one, otherwise as the next number.
pub(super) fn add(view: &View<'_>, package: &str, file_name: &str) -> Result<Edits, Failure> {
    if view.parts.iter().any(|part| part.name == "%patchlist") {
        return append_to_section(view, "%patchlist", "", &[file_name.to_owned()]);
    }
    tags::add(view, package, &format!("Patch{}", highest(view) + 1), file_name)
}

/// The highest number of a patch; patches without one count from 0; -1 where there are none.
fn highest(view: &View<'_>) -> i64 {
    let mut numbered = -1;
    let mut unnumbered = 0;
    for line in &view.lines {
        let Kind::Tag { name, .. } = line.kind else { continue };
        match patch_number(name) {
            Some(Some(number)) => numbered = numbered.max(number),
            Some(None) => unnumbered += 1,
            None => {}
        }
    }
    numbered.max(unnumbered - 1)
}

/// The number of a `Patch` tag, if it is one, and if it has one.
fn patch_number(tag: &str) -> Option<Option<i64>> {
    let lower = tag.to_lowercase();
    let number = lower.strip_prefix("patch")?;
    if number.is_empty() { Some(None) } else { number.parse::<u32>().ok().map(|number| Some(i64::from(number))) }
}

/// Tags and lines of `%patchlist` whose value matches. Unlike the original's, this also sees `Patch:` without a number: there
/// the file would go and its tag stay, and no such spec can be built.
pub(super) fn remove(view: &View<'_>, pattern: &str) -> Result<Edits, Failure> {
    let wildcard = Wildcard::new(pattern);
    let mut edits = Edits::default();
    for line in &view.lines {
        let is_named = match line.kind {
            Kind::Tag { name, value } => patch_number(name).is_some() && wildcard.matches(value),
            Kind::Raw if view.parts[line.part].name == "%patchlist" => {
                let entry = line.text.trim();
                !entry.is_empty() && wildcard.matches(entry)
            }
            _ => false,
        };
        if is_named {
            edits.remove(line.span.clone());
        }
    }
    if !edits.is_empty() {
        return Ok(edits);
    }
    let named = view.lines.iter().enumerate().filter(|(_, line)| match line.kind {
        Kind::Tag { name, .. } => patch_number(name).is_some(),
        kind => kind == Kind::Raw && view.parts[line.part].name == "%patchlist",
    });
    let near = nearest::line(pattern, named.map(|(index, line)| (number(index), line.text)));
    Err(Failure::near(Problem::NoPatch(pattern.to_owned()), near).or_gone())
}
