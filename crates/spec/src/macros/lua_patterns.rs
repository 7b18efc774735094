//! How long a Lua pattern may take.
//!
//! Lua matches by trying: a pattern such as `a*a*a*a*b` takes time that grows with a power of the text's length, inside one
//! call that no instruction count interrupts. So long texts are matched only with patterns whose tries have a bound.

/// Tries that a match may need at most: some seconds.
const TRIES: f64 = 3e10;

/// The letters that a part of a pattern can stand for.
#[derive(Clone, Copy)]
struct Set([u64; 4]);

impl Set {
    const NONE: Set = Set([0; 4]);
    const ANY: Set = Set([u64::MAX; 4]);

    fn insert(&mut self, letter: u8) {
        self.0[usize::from(letter >> 6)] |= 1 << (letter & 63);
    }

    fn meets(self, other: Set) -> bool {
        self.0.iter().zip(other.0).any(|(own, other)| own & other != 0)
    }

    fn inverted(self) -> Set {
        Set(self.0.map(|bits| !bits))
    }

    fn join(self, other: Set) -> Set {
        let mut joined = self;
        joined.0.iter_mut().zip(other.0).for_each(|(own, other)| *own |= other);
        joined
    }

    fn of(holds: impl Fn(u8) -> bool) -> Set {
        let mut set = Set::NONE;
        (0..=u8::MAX).filter(|letter| holds(*letter)).for_each(|letter| set.insert(letter));
        set
    }

    /// `%a`, `%d` and so on; another letter behind `%` stands for itself.
    fn class(name: u8) -> Set {
        let set = match name.to_ascii_lowercase() {
            b'a' => Set::of(|letter| letter.is_ascii_alphabetic()),
            b'c' => Set::of(|letter| letter.is_ascii_control()),
            b'd' => Set::of(|letter| letter.is_ascii_digit()),
            b'g' => Set::of(|letter| letter.is_ascii_graphic()),
            b'l' => Set::of(|letter| letter.is_ascii_lowercase()),
            b'p' => Set::of(|letter| letter.is_ascii_punctuation()),
            b's' => Set::of(super::scan::is_space),
            b'u' => Set::of(|letter| letter.is_ascii_uppercase()),
            b'w' => Set::of(|letter| letter.is_ascii_alphanumeric()),
            b'x' => Set::of(|letter| letter.is_ascii_hexdigit()),
            _ => return Set::of(|letter| letter == name),
        };
        if name.is_ascii_uppercase() { set.inverted() } else { set }
    }
}

/// A part of a pattern that stands for letters.
struct Part {
    set: Set,
    /// It may stand for many.
    repeats: bool,
    /// It may stand for none.
    optional: bool,
}

/// Whether matching `pattern` against a text of `length` bytes ends soon. What is no pattern does.
pub(super) fn ends_soon(pattern: &[u8], length: usize) -> bool {
    let anchored = pattern.first() == Some(&b'^');
    let (parts, has_end) = parts(&pattern[usize::from(anchored)..]);
    let mut power = i32::from(!anchored);
    for (index, part) in parts.iter().enumerate().filter(|(_, part)| part.repeats) {
        let behind = &parts[index + 1..];
        // With nothing behind it, the first try is the last.
        if behind.is_empty() {
            power += i32::from(has_end);
            continue;
        }
        let mut next = Set::NONE;
        for part in behind {
            next = next.join(part.set);
            if !part.optional {
                break;
            }
        }
        power += i32::from(part.set.meets(next));
    }
    (length as f64).powi(power) <= TRIES
}

/// The parts of a pattern without its anchor, and whether it ends with `$`.
fn parts(pattern: &[u8]) -> (Vec<Part>, bool) {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(letter) = pattern.get(at) {
        at += 1;
        let set = match letter {
            b'(' | b')' => continue,
            b'$' if at == pattern.len() => return (parts, true),
            b'.' => Set::ANY,
            b'[' => read_set(pattern, &mut at),
            b'%' => {
                let name = pattern.get(at).copied().unwrap_or(0);
                at += 1;
                match name {
                    // Pairs of brackets and what was found before may hold any letters.
                    b'b' => {
                        at += 2;
                        Set::ANY
                    }
                    b'f' => {
                        at += 1;
                        read_set(pattern, &mut at);
                        parts.push(Part { set: Set::ANY, repeats: false, optional: true });
                        continue;
                    }
                    digit if digit.is_ascii_digit() => {
                        parts.push(Part { set: Set::ANY, repeats: false, optional: true });
                        continue;
                    }
                    name => Set::class(name),
                }
            }
            letter => Set::of(|other| other == *letter),
        };
        let mark = pattern.get(at).copied().unwrap_or(0);
        let repeats = matches!(mark, b'*' | b'+' | b'-');
        at += usize::from(repeats || mark == b'?');
        parts.push(Part { set, repeats, optional: matches!(mark, b'*' | b'-' | b'?') });
    }
    (parts, false)
}

/// Reads a set behind its `[`.
fn read_set(pattern: &[u8], at: &mut usize) -> Set {
    let inverted = pattern.get(*at) == Some(&b'^');
    *at += usize::from(inverted);
    let mut set = Set::NONE;
    let mut is_first = true;
    while let Some(letter) = pattern.get(*at).copied() {
        *at += 1;
        match letter {
            b']' if !is_first => break,
            b'%' => {
                set = set.join(Set::class(pattern.get(*at).copied().unwrap_or(0)));
                *at += 1;
            }
            first if pattern.get(*at) == Some(&b'-') && pattern.get(*at + 1).is_some_and(|last| *last != b']') => {
                let last = pattern[*at + 1];
                set = set.join(Set::of(|letter| (first..=last).contains(&letter)));
                *at += 2;
            }
            letter => set.insert(letter),
        }
        is_first = false;
    }
    if inverted { set.inverted() } else { set }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_end_soon() {
        for (pattern, length, soon) in [
            ("^[^:]+://[^/]+/[^/]+/([^/?#]+)", 1_000_000, true),
            ("^(%s*).*", 100_000, true),
            (" +\n", 100_000, true),
            ("\n( *)[-*][  ]+", 100_000, true),
            ("[^\n]*\n", 100_000, true),
            ("%s*[^%s]*\n?", 100_000, true),
            ("(%d+)%.(%d+)%.(%d+)", 100_000, true),
            ("^(.-)%-(.-)$", 10_000, true),
            ("[]^-a]*x", 100_000, true),
            ("a*a*a*a*a*b", 100, true),
            ("a*a*a*a*a*b", 1_000, false),
            (".-.-.-.-x", 1_000, false),
            ("%w*%d*%a*%x*%l*$", 1_000, false),
            ("[a-z]+[%d_]*[a-f]+[%w]+%f[%s]", 1_000, false),
            ("(.*)(.*)(.*)%1", 5_000, false),
            ("%", 1_000, true),
            ("[", 1_000, true),
            ("%b", 1_000, true),
        ] {
            assert_eq!(ends_soon(pattern.as_bytes(), length), soon, "{pattern} against {length} bytes");
        }
    }
}
