use super::super::{Failure, Problem, nearest};
use super::shape::Shape;
use crate::syntax::{Edits, ItemKind};

/// Sets the default in every place that declares the conditional.
///
/// `%bcond_with NAME` is off and `%bcond_without NAME` on by default; `%bcond NAME EXPRESSION` says it. Each may stand in
/// braces.
pub(super) fn set(shape: &Shape<'_>, name: &str, enabled: bool) -> Result<Edits, Failure> {
    let expression = format!(
        r"^\s*%(?P<open>\{{?)(?P<word>bcond(?:_with(?:out)?)?)[ \t]+(?P<name>{})(?P<rest>[\s}}].*)?$",
        regex::escape(name)
    );
    let Ok(declares) = regex::RegexBuilder::new(&expression).dot_matches_new_line(true).build() else {
        return Err(Problem::NoBcond(name.to_owned()).into());
    };
    let mut edits = Edits::default();
    let mut first = None;
    for item in shape.document.items().iter().filter(|item| item.kind == ItemKind::Text) {
        let text = shape.text[item.span.clone()].trim_end();
        let Some(found) = declares.captures(text) else { continue };
        let (Some(word), Some(named)) = (found.name("word"), found.name("name")) else { continue };
        first.get_or_insert(item.span.start);
        let at = item.span.start;
        if word.as_str() == "bcond" {
            let in_braces = found.name("open").is_some_and(|open| !open.is_empty());
            let end = if in_braces { text.rfind('}').unwrap_or(text.len()) } else { text.len() };
            let wanted = if enabled { "1" } else { "0" };
            let default = text[named.end()..end].trim();
            if default.is_empty() {
                edits.insert(at + named.end(), format!(" {wanted}"));
            } else if default != wanted {
                let start = named.end() + (text[named.end()..end].len() - text[named.end()..end].trim_start().len());
                edits.replace(at + start..at + start + default.len(), wanted);
            }
        } else {
            let wanted = if enabled { "bcond_without" } else { "bcond_with" };
            if word.as_str() != wanted {
                edits.replace(at + word.start()..at + word.end(), wanted);
            }
        }
    }
    match first {
        None => Err(absent(shape, name)),
        Some(at) if edits.is_empty() => {
            let state = if enabled { "on" } else { "off" };
            let problem = Problem::Already(format!("build conditional `{name}` is {state} by default already"));
            Err(Failure::new(problem).already(Some(shape.seen(at))))
        }
        Some(_) => Ok(edits),
    }
}

fn absent(shape: &Shape<'_>, name: &str) -> Failure {
    let declared: Vec<(&str, usize)> = shape
        .document
        .items()
        .iter()
        .filter_map(|item| {
            let text = shape.text[item.span.clone()].trim();
            let rest = text.strip_prefix("%bcond").or_else(|| text.strip_prefix("%{bcond"))?;
            Some((rest.split_ascii_whitespace().nth(usize::from(rest.starts_with('_')))?, item.span.start))
        })
        .collect();
    let near = nearest::name(name, declared.iter().map(|(name, _)| *name))
        .and_then(|near| declared.iter().find(|(name, _)| *name == near))
        .map(|(_, at)| shape.seen(*at));
    // Old specs define `with_x` by hand.
    let near = near.or_else(|| {
        let by_hand = format!("with_{name}");
        let place = shape.document.definitions().find(|definition| shape.text[definition.name.clone()] == by_hand)?;
        Some(shape.seen(place.name.start))
    });
    Failure::near(Problem::NoBcond(name.to_owned()), near)
}
