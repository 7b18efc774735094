use std::path::{Path, PathBuf};

/// Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for one.
///
/// The stars also stand for slashes: patterns name capabilities such as `libc.so.6*` and paths below a directory.
pub fn matches(pattern: &str, text: &str) -> bool {
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
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
