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

/// One step of a glob for names.
enum Token {
    Star,
    Any,
    Letter(char),
    Class { is_negated: bool, members: Vec<char> },
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Token::Star => false,
            Token::Any => true,
            Token::Letter(letter) => *letter == c,
            Token::Class { is_negated, members } => is_member(members, c) != *is_negated,
        }
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest: &[char] = &pattern.chars().collect::<Vec<char>>();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        tokens.push(match first {
            '*' => Token::Star,
            '?' => Token::Any,
            '\\' if !others.is_empty() => {
                rest = &others[1..];
                Token::Letter(others[0])
            }
            // A bracket that comes first in a class stands for itself.
            '[' => {
                let is_negated = matches!(others.first(), Some('!' | '^'));
                let members = &others[usize::from(is_negated)..];
                match members.iter().skip(1).position(|end| *end == ']') {
                    Some(end) => {
                        rest = &members[end + 2..];
                        Token::Class { is_negated, members: members[..=end].to_vec() }
                    }
                    None => Token::Letter('['),
                }
            }
            letter => Token::Letter(*letter),
        });
    }
    tokens
}

fn is_member(members: &[char], c: char) -> bool {
    let mut at = 0;
    while let Some(first) = members.get(at) {
        match members.get(at + 1..at + 3) {
            Some(['-', last]) if (*first..=*last).contains(&c) => return true,
            Some(['-', _]) => at += 3,
            _ if *first == c => return true,
            _ => at += 1,
        }
    }
    false
}

/// Whether a name of a path matches a part of a glob: `*`, `?`, `[a-z]`, `[!a]`, and a backslash before what is literal.
pub(crate) fn name_matches(pattern: &str, name: &str) -> bool {
    let (tokens, name): (Vec<Token>, Vec<char>) = (tokens(pattern), name.chars().collect());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match tokens.get(at) {
            Some(Token::Star) => {
                star = Some((at, from));
                at += 1;
            }
            Some(token) if token.takes(name[from]) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    at = star_at + 1;
                    from = taken + 1;
                    star = Some((star_at, taken + 1));
                }
                None => return false,
            },
        }
    }
    tokens[at..].iter().all(|token| matches!(token, Token::Star))
}

/// Whether a path matches a glob of the same shape, part by part; `**` stands for any folders or none.
pub(crate) fn path_matches(glob: &Path, path: &Path) -> bool {
    fn parts(path: &Path) -> Vec<String> {
        path.to_string_lossy().split('/').map(str::to_owned).collect()
    }
    let (glob, path) = (parts(glob), parts(path));
    // `reached[n]`: the glob so far matches the first n parts of the path.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for part in &glob {
        let mut next = vec![false; path.len() + 1];
        for at in 0..=path.len() {
            if part == "**" {
                next[at] = reached[at] || (at > 0 && next[at - 1]);
            } else if at > 0 {
                next[at] = reached[at - 1] && name_matches(part, &path[at - 1]);
            }
        }
        reached = next;
    }
    reached[path.len()]
}

/// Whether a text is a pattern rather than the name of one file.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// The alternatives of `{a,b}`, each written out; bounded, as braces multiply.
fn alternatives(pattern: &str) -> Vec<String> {
    const MOST: usize = 1024;
    let Some(open) = pattern.find('{') else { return vec![pattern.to_owned()] };
    let Some(close) = pattern[open..].find('}').map(|close| open + close) else { return vec![pattern.to_owned()] };
    let mut all = Vec::new();
    for choice in pattern[open + 1..close].split(',') {
        all.extend(alternatives(&format!("{}{choice}{}", &pattern[..open], &pattern[close + 1..])));
        if all.len() > MOST {
            break;
        }
    }
    all.truncate(MOST);
    all
}

/// The paths that match `pattern`, which is taken from `directory`, sorted.
///
/// A star stands for characters of one name, `**` for any folders or none; `{a,b}` is one of both. Hidden names match only
/// what starts with a dot.
pub(crate) fn expand(directory: &Path, pattern: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for pattern in alternatives(pattern) {
        let mut places = vec![if pattern.starts_with('/') { PathBuf::from("/") } else { directory.to_owned() }];
        for name in pattern.split('/').filter(|name| !name.is_empty()) {
            places = step(places, name)?;
        }
        found.append(&mut places);
    }
    found.retain(|path| path.exists());
    found.sort();
    found.dedup();
    Ok(found)
}

fn step(places: Vec<PathBuf>, name: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut next = Vec::new();
    for place in places {
        if name == "**" {
            let mut folders = Vec::from_iter(Some(place).filter(|place| place.is_dir()));
            while let Some(folder) = folders.pop() {
                for entry in fs_err::read_dir(&folder)? {
                    let entry = entry?;
                    let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
                    if !is_hidden && entry.file_type()?.is_dir() {
                        folders.push(entry.path());
                    }
                }
                next.push(folder);
            }
        } else if !is_pattern(name) {
            next.push(match name {
                ".." if place.file_name().is_some() => place.parent().unwrap_or(&place).to_owned(),
                "." => place,
                _ => place.join(name),
            });
        } else if place.is_dir() {
            for entry in fs_err::read_dir(&place)? {
                let entry = entry?;
                let is_meant = entry.file_name().to_str().is_some_and(|entry| {
                    (!entry.starts_with('.') || name.starts_with('.')) && name_matches(name, entry)
                });
                if is_meant {
                    next.push(entry.path());
                }
            }
        }
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_parts_of_globs() {
        for (pattern, name, expected) in [
            ("*.comp.toml", "a.comp.toml", true),
            ("*.comp.toml", "comp.toml", false),
            ("a?[0-9].spec", "ab7.spec", true),
            ("[!a]b", "ab", false),
            ("[!a]b", "cb", true),
            ("[]a]", "]", true),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
            ("a[b", "a[b", true),
        ] {
            assert_eq!(name_matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn paths_match_globs_part_by_part() {
        for (glob, path, expected) in [
            ("/a/build/**", "/a/build/x/y.spec", true),
            ("/a/build/**", "/a/builds/y.spec", false),
            ("/a/**/y.spec", "/a/y.spec", true),
            ("/a/*/y.spec", "/a/b/c/y.spec", false),
        ] {
            assert_eq!(path_matches(Path::new(glob), Path::new(path)), expected, "{glob} {path}");
        }
    }

    #[test]
    fn files_globs_find_files_below_folders() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/a.toml", "a/b/c/c.toml", "b/x.txt", ".git/d.toml", "e.toml"] {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "").unwrap();
        }
        for (pattern, expected) in [
            ("**/*.toml", vec!["a/a.toml", "a/b/c/c.toml", "e.toml"]),
            ("*.toml", vec!["e.toml"]),
            ("{a,b}/*", vec!["a/a.toml", "a/b", "b/x.txt"]),
            ("a/../e.toml", vec!["e.toml"]),
            ("none/*.toml", vec![]),
            ("none.toml", vec![]),
        ] {
            let found = expand(folder.path(), pattern).unwrap();
            let shown: Vec<&str> =
                found.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
            assert_eq!(shown, expected, "{pattern}");
        }
    }

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
