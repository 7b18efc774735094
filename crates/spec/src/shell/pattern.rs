//! The shell's patterns over texts.

/// Which part of a text a pattern takes away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    ShortestStart,
    LongestStart,
    ShortestEnd,
    LongestEnd,
}

/// A pattern that matches only `text`.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

pub(super) fn matches(pattern: &str, text: &str) -> bool {
    regular(pattern).is_some_and(|regular| regular.is_match(text))
}

/// The pattern as an anchored regular expression.
fn regular(pattern: &str) -> Option<regex::Regex> {
    regex::Regex::new(&format!("^(?s:{})$", body(pattern))).ok()
}

fn body(pattern: &str) -> String {
    let mut body = String::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '*' => body.push_str(".*"),
            '?' => body.push('.'),
            '[' => {
                let rest: String = letters.clone().collect();
                // The bracket's first letter may itself be a closing one.
                let Some(end) = rest.char_indices().skip(1).find(|(_, letter)| *letter == ']').map(|(index, _)| index)
                else {
                    body.push_str("\\[");
                    continue;
                };
                let inner = &rest[..end];
                let (mark, inner) = inner.strip_prefix(['!', '^']).map_or(("", inner), |inner| ("^", inner));
                body.push_str(&format!(
                    "[{mark}{}]",
                    inner.replace('\\', "\\\\").replace('[', "\\[").replace('&', "\\&")
                ));
                for _ in 0..=rest[..end].chars().count() {
                    letters.next();
                }
            }
            '\\' => body.push_str(&regex::escape(&letters.next().map(String::from).unwrap_or_default())),
            other => body.push_str(&regex::escape(&other.to_string())),
        }
    }
    body
}

pub(super) fn cut(text: &str, pattern: &str, cut: Cut) -> String {
    let Some(regular) = regular(pattern) else { return text.to_owned() };
    let places: Vec<usize> = text.char_indices().map(|(index, _)| index).chain([text.len()]).collect();
    let at_start = matches!(cut, Cut::ShortestStart | Cut::LongestStart);
    let found = |place: &&usize| regular.is_match(if at_start { &text[..**place] } else { &text[**place..] });
    let place = match cut {
        Cut::ShortestStart | Cut::LongestEnd => places.iter().find(found),
        Cut::LongestStart | Cut::ShortestEnd => places.iter().rev().find(found),
    };
    match place {
        Some(place) if at_start => text[*place..].to_owned(),
        Some(place) => text[..*place].to_owned(),
        None => text.to_owned(),
    }
}

pub(super) fn replace(text: &str, pattern: &str, with: &str, everywhere: bool) -> String {
    if pattern.is_empty() {
        return text.to_owned();
    }
    let Ok(regular) = regex::Regex::new(&format!("(?s:{})", body(pattern))) else { return text.to_owned() };
    regular.replacen(text, usize::from(!everywhere), regex::NoExpand(with)).into_owned()
}
