use std::path::{Path, PathBuf};

/// How many patterns the braces of one pattern may stand for; what is over is not looked at.
const ALTERNATIVES: usize = 256;

/// Whether `text` matches `pattern`, in which `*` stands for any characters, `?` for one, and `{a,b}` for `a` or `b`.
///
/// The stars also stand for slashes: patterns name capabilities such as `libc.so.6*` and paths below a directory.
/// Braces that do not close stand for themselves.
pub fn matches(pattern: &str, text: &str) -> bool {
    // Most patterns differ from most texts before their first special character.
    let literal = &pattern[..pattern.find(['*', '?', '{']).unwrap_or(pattern.len())];
    if !text.starts_with(literal) {
        return false;
    }
    if !pattern.contains('{') {
        return matches_plain(pattern, text);
    }
    let mut open = vec![pattern.to_owned()];
    let mut seen = 0;
    while let Some(pattern) = open.pop() {
        seen += 1;
        match split_braces(&pattern) {
            Some((before, choices, after)) if seen + open.len() + choices.len() <= ALTERNATIVES => {
                open.extend(choices.iter().rev().map(|choice| format!("{before}{choice}{after}")));
            }
            _ if matches_plain(&pattern, text) => return true,
            _ => {}
        }
    }
    false
}

/// What is before the first innermost pair of braces, the choices between them, and what is after.
fn split_braces(pattern: &str) -> Option<(&str, Vec<&str>, &str)> {
    let close = pattern.find('}')?;
    let open = pattern[..close].rfind('{')?;
    Some((&pattern[..open], pattern[open + 1..close].split(',').collect(), &pattern[close + 1..]))
}

fn matches_plain(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[from] => {
                at += 1;
                from += 1;
            }
            _ => match star {
                // Let the last star take one character more.
                Some((star_at, taken)) => {
                    at = star_at + 1;
                    from = taken + 1;
                    star = Some((star_at, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// The files below `directory` that match `pattern`, sorted. A star stands for characters of one name.
pub(crate) fn expand(directory: &Path, pattern: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut found = vec![directory.to_owned()];
    for name in pattern.split('/').filter(|name| !name.is_empty()) {
        let mut next = Vec::new();
        for place in found {
            if !name.contains(['*', '?']) {
                next.push(place.join(name));
            } else if place.is_dir() {
                for entry in fs_err::read_dir(&place)? {
                    let entry = entry?;
                    if entry.file_name().to_str().is_some_and(|entry| !entry.starts_with('.') && matches(name, entry)) {
                        next.push(entry.path());
                    }
                }
            }
        }
        found = next;
    }
    found.retain(|path| path.exists());
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("libc.so.6*", "libc.so.6(GLIBC_2.38)(64bit)", true),
            ("libc.so.6*", "libcap.so.6", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*.so.?", "libz.so.1", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("", "a", false),
            ("/lib/{a,b}.rules", "/lib/b.rules", true),
            ("/lib/{a,b}.rules", "/lib/c.rules", false),
            ("/lib/{a,b{1,2}}*", "/lib/b2-late.rules", true),
            ("/lib/{a,b{1,2}}*", "/lib/b3", false),
            ("{,x}y", "y", true),
            ("a{b", "a{b", true),
            ("a}b", "a}b", true),
            ("a{b", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_braces_end() {
        let pattern = "{a,b}".repeat(64);
        assert!(!matches(&pattern, &"c".repeat(64)));
    }
}
