//! Patterns as fnmatch(3) reads them: `*`, `?`, `[abc]`, `[!a-z]`, and `{one,two}` as dnf's shells leave them.

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: Vec<char>,
    plain: Option<String>,
    ignore_case: bool,
}

impl Glob {
    /// A pattern that heeds case.
    pub fn new(pattern: &str) -> Glob {
        let plain = (!is_pattern(pattern)).then(|| pattern.to_owned());
        Glob { text: pattern.chars().collect(), plain, ignore_case: false }
    }

    /// The same in any case.
    #[must_use]
    pub fn ignoring_case(mut self) -> Glob {
        self.ignore_case = true;
        self.text = self.text.iter().flat_map(|c| c.to_lowercase()).collect();
        self
    }

    /// The text, where the pattern matches that text only.
    pub fn plain(&self) -> Option<&str> {
        self.plain.as_deref().filter(|_| !self.ignore_case)
    }

    /// Whether all of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        if let Some(plain) = self.plain() {
            return plain == text;
        }
        let text: Vec<char> =
            if self.ignore_case { text.chars().flat_map(char::to_lowercase).collect() } else { text.chars().collect() };
        matches(&self.text, &text)
    }
}

/// Whether `text` has a pattern's characters.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Goes back to the last star only, which is enough and bounds the work to the product of both lengths.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
                continue;
            }
            Some('?') => Some(at + 1),
            Some('[') => class(pattern, at, text[seen]),
            Some('\\') if at + 1 < pattern.len() => (pattern[at + 1] == text[seen]).then_some(at + 2),
            Some(c) => (*c == text[seen]).then_some(at + 1),
            None => None,
        };
        match (step, star) {
            (Some(next), _) => (at, seen) = (next, seen + 1),
            (None, Some((back, from))) => {
                star = Some((back, from + 1));
                (at, seen) = (back + 1, from + 1);
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// Matches `c` against the class that starts at `at`; gives the place behind it. A bracket that is not closed is itself.
fn class(pattern: &[char], at: usize, c: char) -> Option<usize> {
    let negated = matches!(pattern.get(at + 1), Some('!' | '^'));
    let start = at + 1 + usize::from(negated);
    let Some(end) = (start + 1..pattern.len()).find(|end| pattern[*end] == ']') else {
        return (c == '[').then_some(at + 1);
    };
    let (mut found, mut index) = (false, start);
    while index < end {
        if index + 2 < end && pattern[index + 1] == '-' {
            found |= (pattern[index]..=pattern[index + 2]).contains(&c);
            index += 3;
        } else {
            found |= pattern[index] == c;
            index += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, text, matches) in [
            ("bash", "bash", true),
            ("bash", "bash2", false),
            ("b*h", "bash", true),
            ("*lib*so*", "xlibyso", true),
            ("*a*b", "aab a", false),
            ("py?hon", "python", true),
            ("[a-c]x[!0-9]", "bxy", true),
            ("[a-c]x[!0-9]", "bx7", false),
            ("a[", "a[", true),
            (r"a\*", "a*", true),
            ("*", "", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), matches, "{pattern} {text}");
        }
        assert!(Glob::new("BASH*").ignoring_case().matches("bash-completion"));
        assert!(!matches(&['a'; 0], &['a']));
    }
}
