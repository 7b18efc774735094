use super::super::{Failure, Problem, Scope, Search, Seen, nearest};
use super::number;
use super::view::{Kind, View, heading, title};
use crate::syntax::Edits;

/// Every match in every line that is no heading. A line whose new text is a heading begins a section for those behind it.
pub(super) fn replace(view: &View<'_>, scope: &Scope, search: &Search, replacement: &str) -> Result<Edits, Failure> {
    let (section, package) = wanted(scope);
    let mut edits = Edits::default();
    let mut is_matched = false;
    let mut place = (String::new(), String::new());
    for line in &view.lines {
        if line.kind == Kind::Heading {
            let part = &view.parts[line.part];
            place = (part.name.clone(), part.package.clone());
            continue;
        }
        if section.is_some_and(|name| name != place.0) || package.is_some_and(|name| name != place.1) {
            continue;
        }
        let mut text = String::new();
        let mut at = 0;
        for found in search.regex.find_iter(line.text) {
            is_matched = true;
            text.push_str(&line.text[at..found.start()]);
            text.push_str(replacement);
            at = found.end();
        }
        text.push_str(&line.text[at..]);
        if text == line.text {
            continue;
        }
        let start = line.span.start;
        for found in search.regex.find_iter(line.text) {
            edits.replace(start + found.start()..start + found.end(), replacement);
        }
        if let Some(begun) = heading(&text) {
            place = begun;
        }
    }
    if edits.is_empty() { Err(no_match(view, scope, search, replacement, is_matched)) } else { Ok(edits) }
}

fn wanted(scope: &Scope) -> (Option<&str>, Option<&str>) {
    let filled = |text: &'_ Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    (
        scope.section.as_deref().filter(|_| filled(&scope.section)),
        scope.package.as_deref().filter(|_| filled(&scope.package)),
    )
}

fn no_match(view: &View<'_>, scope: &Scope, search: &Search, replacement: &str, is_matched: bool) -> Failure {
    let (section, package) = wanted(scope);
    let in_scope = |index: usize| {
        let part = &view.parts[view.lines[index].part];
        section.is_none_or(|name| name == part.name) && package.is_none_or(|name| name == part.package)
    };
    let lines = || view.lines.iter().enumerate();
    let seen = |index: usize| Seen::line(number(index), view.lines[index].text);
    if is_matched {
        let stands = lines()
            .find(|(index, line)| line.kind != Kind::Heading && in_scope(*index) && search.regex.is_match(line.text));
        return Failure::new(Problem::SameText(search.text.clone())).already(stands.map(|(index, _)| seen(index)));
    }
    if let Some((index, _)) =
        lines().find(|(index, line)| line.kind == Kind::Heading && in_scope(*index) && search.regex.is_match(line.text))
    {
        return Failure::near(Problem::OnlyHeadings(search.text.clone()), Some(seen(index)));
    }
    let place = match (section, package) {
        (None, None) => "the spec".to_owned(),
        (None, Some(package)) => format!("the sections of package `{package}`"),
        (Some(section), package) => {
            let exists = view
                .parts
                .iter()
                .any(|part| part.name == section && package.is_none_or(|package| part.package == package));
            if !exists {
                return super::insert::no_section(view, section, package.unwrap_or_default());
            }
            format!("section `{}`", title(section, package.unwrap_or_default()))
        }
    };
    let problem = Problem::NoMatch { expression: search.text.clone(), place };
    // What it would write stands there already, and is more than a few signs.
    let result = replacement.trim();
    let already = (result.len() >= 4 && !result.contains('\n'))
        .then(|| lines().find(|(index, line)| in_scope(*index) && line.text.contains(result)))
        .flatten()
        .map(|(index, _)| seen(index));
    let elsewhere = lines().find(|(index, line)| !in_scope(*index) && search.regex.is_match(line.text));
    let nearest = match elsewhere {
        Some((index, _)) => Some(seen(index)),
        None => {
            let numbered = view.numbered().enumerate().filter(|(index, _)| in_scope(*index)).map(|(_, line)| line);
            nearest::line(&nearest::plain(&search.text), numbered)
        }
    };
    Failure::near(problem, nearest).already(already)
}
