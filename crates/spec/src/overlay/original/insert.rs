use super::super::{Failure, Problem, Scope, Seen, nearest};
use super::number;
use super::view::{Part, View, title};
use crate::syntax::Edits;

/// Lines at the top of the spec, or behind the headings of a section. Without a section, `package` is not looked at.
pub(super) fn prepend(view: &View<'_>, scope: &Scope, lines: &[String]) -> Result<Edits, Failure> {
    let mut edits = Edits::default();
    match scope.section.as_deref().filter(|section| !section.is_empty()) {
        None => edits.insert(0, view.inserted(0, lines)),
        Some(section) => {
            for part in parts(view, section, scope.package.as_deref().unwrap_or_default())? {
                let behind = part.lines.start + 1;
                edits.insert(view.start_of(behind), view.inserted(behind, lines));
            }
        }
    }
    Ok(edits)
}

/// Lines at the end of the spec, or before what follows a section.
pub(super) fn append(view: &View<'_>, scope: &Scope, lines: &[String]) -> Result<Edits, Failure> {
    match scope.section.as_deref().filter(|section| !section.is_empty()) {
        None => {
            let mut edits = Edits::default();
            edits.insert(view.text.len(), view.inserted(view.lines.len(), lines));
            Ok(edits)
        }
        Some(section) => append_to_section(view, section, scope.package.as_deref().unwrap_or_default(), lines),
    }
}

pub(super) fn append_to_section(
    view: &View<'_>,
    section: &str,
    package: &str,
    lines: &[String],
) -> Result<Edits, Failure> {
    let mut edits = Edits::default();
    for part in parts(view, section, package)? {
        edits.insert(view.start_of(part.lines.end), view.inserted(part.lines.end, lines));
    }
    Ok(edits)
}

/// The sections of that name and package, one at least.
fn parts<'v>(view: &'v View<'_>, section: &str, package: &str) -> Result<Vec<&'v Part>, Failure> {
    let found: Vec<&Part> = view.parts.iter().filter(|part| part.is(section, package)).collect();
    if found.is_empty() { Err(no_section(view, section, package)) } else { Ok(found) }
}

pub(super) fn no_section(view: &View<'_>, section: &str, package: &str) -> Failure {
    let wanted = title(section, package);
    let headings = view
        .parts
        .iter()
        .filter(|part| !part.name.is_empty())
        .map(|part| (number(part.lines.start), view.lines[part.lines.start].text));
    // A section that is there for another package, or in other letters, comes nearer than any that is only spelled alike.
    let same = view.parts.iter().find(|part| !part.name.is_empty() && part.title().eq_ignore_ascii_case(&wanted));
    let seen = match same {
        Some(part) => Some(Seen::line(number(part.lines.start), view.lines[part.lines.start].text)),
        None => nearest::line(&wanted, headings),
    };
    Failure::near(Problem::NoSection(wanted), seen)
}
