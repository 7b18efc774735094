//! Shell patterns over paths.

/// Whether `pattern` with `*`, `?`, `[..]` and `{a,b}` matches `path`; `*` and `?` stop at slashes.
pub(crate) fn matches_path(pattern: &str, path: &str) -> bool {
    alternatives(pattern, 0).iter().any(|pattern| matches(pattern.as_bytes(), path.as_bytes()))
}

/// The patterns that braces stand for; at most a few hundred.
fn alternatives(pattern: &str, depth: u32) -> Vec<String> {
    let Some(open) = pattern.find('{').filter(|_| depth < 8) else { return vec![pattern.to_owned()] };
    let (mut level, mut parts, mut from) = (0, Vec::new(), open + 1);
    for (offset, byte) in pattern.bytes().enumerate().skip(open) {
        match byte {
            b'{' => level += 1,
            b'}' => level -= 1,
            b',' if level == 1 => {
                parts.push(&pattern[from..offset]);
                from = offset + 1;
            }
            _ => {}
        }
        if level == 0 {
            parts.push(&pattern[from..offset]);
            let rest = &pattern[offset + 1..];
            let expanded =
                parts.iter().flat_map(|part| alternatives(&format!("{}{part}{rest}", &pattern[..open]), depth + 1));
            return expanded.take(500).collect();
        }
    }
    vec![pattern.to_owned()]
}

fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (mut at, mut in_path) = (0, 0);
    // Where to go on after the last star when something does not fit.
    let mut star: Option<(usize, usize)> = None;
    while in_path < path.len() {
        let step = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, in_path));
                at += 1;
                continue;
            }
            Some(b'?') => (path[in_path] != b'/').then_some(at + 1),
            Some(b'[') => class(pattern, at, path[in_path]),
            Some(b'\\') if at + 1 < pattern.len() => (pattern[at + 1] == path[in_path]).then_some(at + 2),
            Some(byte) => (*byte == path[in_path]).then_some(at + 1),
            None => None,
        };
        if let Some(next) = step {
            at = next;
            in_path += 1;
            continue;
        }
        match star {
            Some((behind, from)) if path[from] != b'/' => {
                star = Some((behind, from + 1));
                (at, in_path) = (behind, from + 1);
            }
            _ => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Matches `[..]` at `at`; returns the index behind it.
fn class(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    let negated = matches!(pattern.get(at + 1), Some(b'!' | b'^'));
    let first = at + 1 + usize::from(negated);
    let close = pattern.iter().skip(first + 1).position(|byte| *byte == b']').map(|offset| first + 1 + offset);
    let Some(close) = close else { return (byte == b'[').then_some(at + 1) };
    let mut found = false;
    let mut index = first;
    while index < close {
        if index + 2 < close && pattern[index + 1] == b'-' {
            found |= (pattern[index]..=pattern[index + 2]).contains(&byte);
            index += 3;
        } else {
            found |= pattern[index] == byte;
            index += 1;
        }
    }
    (found != negated && byte != b'/').then_some(close + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("/a/*.lua", "/a/b.lua", true),
            ("/a/*.lua", "/a/b/c.lua", false),
            ("/a/{b,c}.x", "/a/c.x", true),
            ("/a/[b-d]?", "/a/cz", true),
            ("/a/[!b]", "/a/b", false),
            ("*", "", true),
            ("/a*b*c", "/aXbYbZc", true),
        ] {
            assert_eq!(matches_path(pattern, path), expected, "{pattern} {path}");
        }
    }
}
