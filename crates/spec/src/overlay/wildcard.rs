//! Wildcards of file names, as Go's `doublestar` has them.

use regex::bytes::Regex;

/// A wildcard: `*` and `?` stay within a part of a path, `**` crosses parts, `[a-z]`, `[^a]` or `[!a]`, `{a,b}`, `\` escapes.
pub(super) struct Wildcard(Option<Regex>);

impl Wildcard {
    /// A wildcard that makes no sense matches nothing.
    pub(super) fn new(pattern: &str) -> Wildcard {
        Wildcard(translate(pattern).and_then(|expression| {
            regex::bytes::RegexBuilder::new(&expression).dot_matches_new_line(true).size_limit(1 << 20).build().ok()
        }))
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(path.as_bytes()))
    }
}

fn translate(pattern: &str) -> Option<String> {
    let mut out = String::from("^");
    let mut rest = pattern;
    let mut depth = 0_u32;
    while let Some(letter) = rest.chars().next() {
        let at_part = rest.len() == pattern.len() || pattern[..pattern.len() - rest.len()].ends_with('/');
        let mut taken = letter.len_utf8();
        match letter {
            // Whole parts, also none.
            '*' if at_part && rest.starts_with("**/") => {
                out.push_str("(?:[^/]+/)*");
                taken = 3;
            }
            '*' if at_part && rest == "**" => {
                out.push_str(".*");
                taken = 2;
            }
            '*' => {
                out.push_str("[^/]*");
                taken = rest.len() - rest.trim_start_matches('*').len();
            }
            '?' => out.push_str("[^/]"),
            '[' => {
                let (negated, body) = match rest[1..].strip_prefix(['^', '!']) {
                    Some(body) => ("^", body),
                    None => ("", &rest[1..]),
                };
                let close = body.char_indices().skip(1).find(|(_, letter)| *letter == ']')?.0;
                let members: String = body[..close]
                    .chars()
                    .map(|member| match member {
                        '[' | ']' | '&' | '~' | '^' => format!("\\{member}"),
                        _ => member.to_string(),
                    })
                    .collect();
                // A class never stands for the sign between parts.
                let negated_members = if negated.is_empty() { members } else { format!("{members}/") };
                out.push_str(&format!("[{negated}{negated_members}]"));
                taken = rest.len() - body.len() + close + 1;
            }
            '{' => {
                depth += 1;
                out.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                out.push(')');
            }
            ',' if depth > 0 => out.push('|'),
            '\\' => {
                let escaped = rest[1..].chars().next()?;
                out.push_str(&regex::escape(&escaped.to_string()));
                taken += escaped.len_utf8();
            }
            _ => out.push_str(&regex::escape(&letter.to_string())),
        }
        rest = &rest[taken..];
    }
    out.push('$');
    (depth == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_of_doublestar() {
        for (pattern, path, expected) in [
            ("*.patch", "a.patch", true),
            ("*.patch", "x/a.patch", false),
            ("**/*.patch", "a.patch", true),
            ("**/*.patch", "x/y/a.patch", true),
            ("x/**", "x/y/z", true),
            ("CVE-[0-9]*.patch", "CVE-2026-1.patch", true),
            ("[!a]b", "cb", true),
            ("[!a]b", "ab", false),
            ("[^a]b", "/b", false),
            ("{a,b*}.c", "bb.c", true),
            ("%{name}-x", "%name-x", true),
            (r"\*", "*", true),
            ("a.c", "abc", false),
            ("[", "[", false),
            ("", "", true),
        ] {
            assert_eq!(Wildcard::new(pattern).matches(path), expected, "{pattern} {path}");
        }
    }
}
