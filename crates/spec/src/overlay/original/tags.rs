use super::super::{Failure, Problem, Seen, nearest};
use super::insert::{append_to_section, no_section};
use super::view::{View, depth_change};
use super::{number, package_title};
use crate::syntax::Edits;

/// At the end of the preamble or of `%package`, whatever stands there.
pub(super) fn add(view: &View<'_>, package: &str, tag: &str, value: &str) -> Result<Edits, Failure> {
    append_to_section(view, section_of(package), package, &[format!("{tag}: {value}")])
}

/// Behind the last of its family, or of all tags; outside of the conditional that it may be in.
pub(super) fn insert(view: &View<'_>, package: &str, tag: &str, value: &str) -> Result<Edits, Failure> {
    let section = section_of(package);
    let mut end = None;
    let (mut last_of_family, mut last) = (None, None);
    for part in view.parts.iter().filter(|part| part.is(section, package)) {
        end = Some(part.lines.end);
        for index in part.lines.clone() {
            if let super::view::Kind::Tag { name, .. } = view.lines[index].kind {
                last = Some(index);
                if family(name) == family(tag) {
                    last_of_family = Some(index);
                }
            }
        }
    }
    let Some(end) = end else { return Err(no_section(view, section, package)) };
    let Some(behind) = last_of_family.or(last) else { return add(view, package, tag, value) };
    let at = outside_conditional(view, behind, end) + 1;
    let mut edits = Edits::default();
    edits.insert(view.start_of(at), view.inserted(at, &[format!("{tag}: {value}")]));
    Ok(edits)
}

pub(super) fn set(view: &View<'_>, package: &str, tag: &str, value: &str) -> Result<Edits, Failure> {
    if view.tags(package).any(|(_, name, _)| same(name, tag)) {
        update(view, package, tag, value)
    } else {
        add(view, package, tag, value)
    }
}

/// Every line of the tag in the package, in every branch.
pub(super) fn update(view: &View<'_>, package: &str, tag: &str, value: &str) -> Result<Edits, Failure> {
    let line = format!("{tag}: {value}");
    let mut edits = Edits::default();
    let mut found = false;
    for (index, ..) in view.tags(package).filter(|(_, name, _)| same(name, tag)) {
        found = true;
        if view.lines[index].text != line {
            edits.replace(view.text_range(index), line.clone());
        }
    }
    if found { Ok(edits) } else { Err(no_tag(view, package, tag, None)) }
}

pub(super) fn remove(view: &View<'_>, package: &str, tag: &str, value: Option<&str>) -> Result<Edits, Failure> {
    let value = value.filter(|value| !value.is_empty());
    let mut edits = Edits::default();
    for (index, ..) in view.tags(package).filter(|(_, name, stands)| {
        same(name, tag) && value.is_none_or(|value| value.to_lowercase() == stands.to_lowercase())
    }) {
        edits.remove(view.lines[index].span.clone());
    }
    if edits.is_empty() { Err(no_tag(view, package, tag, value).or_gone()) } else { Ok(edits) }
}

/// `Source` of `Source12`; letters count as small ones.
fn family(tag: &str) -> String {
    let lower = tag.to_lowercase();
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.is_empty() { lower } else { stem.to_owned() }
}

fn same(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

fn section_of(package: &str) -> &'static str {
    if package.is_empty() { "" } else { "%package" }
}

/// The line, or the `%endif` that closes the conditionals around it if the section has it.
fn outside_conditional(view: &View<'_>, line: usize, end: usize) -> usize {
    let mut depth: i32 = view.lines[..=line].iter().map(|line| depth_change(line.text)).sum();
    if depth <= 0 {
        return line;
    }
    for index in line + 1..end {
        depth += depth_change(view.lines[index].text);
        if depth <= 0 {
            return index;
        }
    }
    line
}

fn no_tag(view: &View<'_>, package: &str, tag: &str, value: Option<&str>) -> Failure {
    let problem =
        Problem::NoTag { package: package_title(package), tag: tag.to_owned(), value: value.map(ToOwned::to_owned) };
    let here: Vec<(usize, &str)> = view.tags(package).map(|(index, name, _)| (index, name)).collect();
    let same_tag = here.iter().any(|(_, name)| same(name, tag));
    let nearest = match value {
        Some(value) if same_tag => {
            let values = view.tags(package).filter(|(_, name, _)| same(name, tag));
            nearest::line(value, values.map(|(index, ..)| (number(index), view.lines[index].text)))
        }
        // Perhaps another package has it.
        _ => {
            let elsewhere = view.lines.iter().enumerate().find(|(_, line)| match line.kind {
                super::view::Kind::Tag { name, value: stands } => {
                    same(name, tag) && value.is_none_or(|value| same(value, stands))
                }
                _ => false,
            });
            match elsewhere {
                Some((index, line)) => Some(Seen::line(number(index), line.text)),
                None => nearest::name(tag, here.iter().map(|(_, name)| *name)).and_then(|near| {
                    here.iter()
                        .find(|(_, name)| *name == near)
                        .map(|(index, _)| Seen::line(number(*index), view.lines[*index].text))
                }),
            }
        }
    };
    Failure::near(problem, nearest)
}
