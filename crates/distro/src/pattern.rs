use std::fmt;

/// A regular expression of the definition, in the syntax of Go's RE2, ready to be used.
///
/// The vocabulary comes from a tool in Go. Its expressions mean here what they mean there: a brace that is no repetition
/// stands for itself, as in `%{version}`, and `\s`, `\w`, `\d` and `\b` know ASCII only.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    regex: regex::Regex,
}

impl Pattern {
    /// Parses an expression in RE2's syntax. The error is what is wrong with it, in a few words.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let regex = regex::RegexBuilder::new(&translate(text)?)
            .size_limit(LARGEST_PATTERN)
            .build()
            .map_err(|error| sentence(&error))?;
        Ok(Pattern { text: text.to_owned(), regex })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What finds it in a text.
    pub fn regex(&self) -> &regex::Regex {
        &self.regex
    }
}

/// Bytes that a compiled expression may take; the largest of Azure Linux's takes a few thousand.
const LARGEST_PATTERN: usize = 4 << 20;

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl serde::Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// The last line of a message of `regex` says what is wrong; those before it draw the expression.
fn sentence(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// The same expression in the syntax of the crate `regex`.
fn translate(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let (taken, written) = if c == '\\' {
            translate_escape(rest, in_class)?
        } else if in_class {
            translate_in_class(rest, c, &mut in_class)
        } else if c == '[' {
            in_class = true;
            // A bracket that comes first in a class stands for itself.
            let open = if rest.starts_with("[^") { "[^" } else { "[" };
            match rest[open.len()..].strip_prefix(']') {
                Some(_) => (open.len() + 1, format!("{open}\\]")),
                None => (open.len(), open.to_owned()),
            }
        } else if c == '{' && !is_repetition(rest) {
            (1, "\\{".to_owned())
        } else {
            (c.len_utf8(), c.to_string())
        };
        out.push_str(&written);
        rest = &rest[taken..];
    }
    Ok(out)
}

/// What stands inside of `[` and `]`: set operations of `regex` are plain characters in RE2.
fn translate_in_class(rest: &str, c: char, in_class: &mut bool) -> (usize, String) {
    if c == ']' {
        *in_class = false;
        return (1, "]".to_owned());
    }
    if rest.starts_with("[:")
        && let Some(end) = rest.find(":]")
    {
        return (end + 2, rest[..end + 2].to_owned());
    }
    match c {
        '[' | '&' | '~' => (1, format!("\\{c}")),
        '-' if rest.starts_with("--") => (1, "\\-".to_owned()),
        _ => (c.len_utf8(), c.to_string()),
    }
}

fn translate_escape(rest: &str, in_class: bool) -> Result<(usize, String), String> {
    let Some(escaped) = rest[1..].chars().next() else { return Err("it ends in a backslash".to_owned()) };
    let length = 1 + escaped.len_utf8();
    let written = match escaped {
        'Q' if !in_class => {
            let quoted = &rest[2..];
            let end = quoted.find("\\E");
            let text = &quoted[..end.unwrap_or(quoted.len())];
            return Ok((2 + text.len() + if end.is_some() { 2 } else { 0 }, regex::escape(text)));
        }
        'C' => return Err("`\\C` is not supported".to_owned()),
        '<' | '>' => escaped.to_string(),
        'b' if !in_class => "(?-u:\\b)".to_owned(),
        'd' => in_brackets("0-9", in_class),
        'D' => "[^0-9]".to_owned(),
        'w' => in_brackets("0-9A-Za-z_", in_class),
        'W' => "[^0-9A-Za-z_]".to_owned(),
        's' => in_brackets("\\t\\n\\f\\r ", in_class),
        'S' => "[^\\t\\n\\f\\r ]".to_owned(),
        _ => rest[..length].to_owned(),
    };
    Ok((length, written))
}

fn in_brackets(members: &str, in_class: bool) -> String {
    if in_class { members.to_owned() } else { format!("[{members}]") }
}

/// Whether a text starts with `{2}`, `{2,}` or `{2,3}`.
fn is_repetition(text: &str) -> bool {
    let Some(end) = text.find('}') else { return false };
    let (least, most) = text[1..end].split_once(',').unwrap_or((&text[1..end], ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_they_mean_in_go() {
        for (pattern, text, found) in [
            (r"%{tarfile_release}", "%{tarfile_release}", Some("%{tarfile_release}")),
            (r"a{2}", "caab", Some("aa")),
            (r"a{2,}b{,3}", "aaab{,3}", Some("aaab{,3}")),
            (r"^%global\s+build_ada\s+1$", "%global  build_ada 1", Some("%global  build_ada 1")),
            (r"\w+", "é", None),
            (r"\s", "\u{a0}", None),
            (r"[\d.]+", "v1.2", Some("1.2")),
            (r"[[]x[]]", "[x]", Some("[x]")),
            (r"[^]]+", "ab]", Some("ab")),
            (r"[a&&b]+", "&a&b", Some("&a&b")),
            (r"\Qa.b\E.", "a.bc", Some("a.bc")),
            (r"\<x\>", "<x>", Some("<x>")),
            (r"(?m)^b$", "a\nb", Some("b")),
            (r"[[:alpha:]]+", "12ab", Some("ab")),
        ] {
            let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(parsed.regex().find(text).map(|found| found.as_str()), found, "{pattern}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_a_few_words() {
        for (pattern, expected) in
            [("(a", "unclosed group"), ("a**[", "unclosed character class"), ("a\\", "it ends in a backslash")]
        {
            assert_eq!(Pattern::parse(pattern).unwrap_err(), expected, "{pattern}");
        }
    }
}
