use std::ops::Range;

use super::super::{Failure, Problem, nearest};
use super::shape::Shape;
use crate::syntax::{Document, Edits, ItemKind};

/// Where a macro is defined.
struct Place {
    /// What defines it, with its line end where it stands on lines of its own.
    span: Range<usize>,
    body: Range<usize>,
    /// It stands inside of a call, as in `%{!?x: %global x 1}`.
    is_inside: bool,
}

pub(super) fn set(shape: &Shape<'_>, name: &str, value: &str) -> Result<Edits, Failure> {
    let value = value.trim();
    check(name, value)?;
    let found = places(shape, name);
    if found.is_empty() {
        return Err(absent(shape, name));
    }
    let mut edits = Edits::default();
    for place in &found {
        if place.is_inside && value.contains(['\n', '{', '}']) {
            let line = shape.line_at(place.span.start);
            let problem =
                format!("line {line} defines `{name}` inside of another call, where `{value}` would change its end");
            return Err(Problem::Shape(problem).into());
        }
        if &shape.text[place.body.clone()] != value {
            edits.replace(place.body.clone(), value);
        }
    }
    if edits.is_empty() {
        let seen = shape.seen(found[0].span.start);
        return Err(Failure::new(Problem::Already(format!("`{name}` is `{value}` already"))).already(Some(seen)));
    }
    Ok(edits)
}

pub(super) fn delete(shape: &Shape<'_>, name: &str) -> Result<Edits, Failure> {
    let found = places(shape, name);
    if found.is_empty() {
        return Err(absent(shape, name).or_gone());
    }
    let mut edits = Edits::default();
    for place in found {
        if !place.is_inside {
            edits.remove(place.span);
            continue;
        }
        // `%{!?x: %global x 1}` goes as a whole where nothing else stands in its lines.
        let item = shape.item_at(place.span.start).map(|item| item.span.clone());
        let text = item.clone().map_or("", |span| shape.text[span].trim());
        let before = shape.text[item.as_ref().map_or(0, |item| item.start)..place.span.start].trim();
        let is_alone = text.starts_with("%{")
            && text.ends_with('}')
            && (before.starts_with("%{!?") || before.starts_with("%{?"))
            && before.ends_with(':')
            && shape.text[place.body.end..].starts_with('}')
            && item.as_ref().is_some_and(|item| shape.text[place.body.end + 1..item.end].trim().is_empty());
        match item {
            Some(item) if is_alone => edits.remove(item),
            _ => {
                let line = shape.line_at(place.span.start);
                let problem = format!("line {line} defines `{name}` together with other things");
                return Err(Problem::Shape(problem).into());
            }
        }
    }
    Ok(edits)
}

/// A body that would not be read back as it is written must not be written.
fn check(name: &str, value: &str) -> Result<(), Failure> {
    let wrong = |problem: &str| Err(Problem::Shape(problem.to_owned()).into());
    if value.is_empty() {
        return wrong("a macro needs a body; an empty one is written `%{nil}`");
    }
    // What stays open would take in what follows.
    let document = Document::parse(format!("%global {name} {value}\n}}\n)\n"));
    let reads_back = match document.items() {
        [item, _, _] => match &item.kind {
            ItemKind::Definition(definition) => {
                &document.text()[definition.body.clone()] == value && &document.text()[definition.name.clone()] == name
            }
            _ => false,
        },
        _ => false,
    };
    if reads_back {
        Ok(())
    } else {
        wrong("this value is not one macro's body: its lines or brackets do not hold together")
    }
}

fn places(shape: &Shape<'_>, name: &str) -> Vec<Place> {
    let mut found = Vec::new();
    // A name can only have letters that mean themselves.
    let Ok(inside) =
        regex::Regex::new(&format!(r"%(?:global|define)[ \t]+{}(?:\([^)\n]*\))?[ \t]+", regex::escape(name)))
    else {
        return found;
    };
    for item in shape.document.items() {
        let section = shape.document.sections()[item.section].name.as_str();
        match &item.kind {
            ItemKind::Definition(definition)
                if definition.directive != "undefine" && &shape.text[definition.name.clone()] == name =>
            {
                found.push(Place { span: item.span.clone(), body: definition.body.clone(), is_inside: false });
            }
            ItemKind::Text if !matches!(section, "changelog" | "description") => {
                for start in inside.find_iter(&shape.text[item.span.clone()]) {
                    let body = item.span.start + start.end();
                    let end = body + end_of_body(&shape.text[body..item.span.end]);
                    let end = body + shape.text[body..end].trim_end().len();
                    let span = item.span.start + start.start()..end;
                    found.push(Place { span, body: body..end, is_inside: true });
                }
            }
            _ => {}
        }
    }
    found
}

/// The bracket that closes what stands around, or the line's end.
fn end_of_body(text: &str) -> usize {
    let mut depth = 0_u32;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => return at,
            '}' => depth -= 1,
            '\n' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn absent(shape: &Shape<'_>, name: &str) -> Failure {
    let names = shape.document.definitions().map(|definition| &shape.text[definition.name.clone()]);
    let near = nearest::name(name, names).and_then(|near| {
        let place = shape.document.definitions().find(|definition| shape.text[definition.name.clone()] == near)?;
        Some(shape.seen(place.name.start))
    });
    Failure::near(Problem::NoMacro(name.to_owned()), near)
}
