//! Where macro calls end, byte by byte.

/// A blank within a line.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The end of a line.
pub(crate) fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// White space as C's isspace(3) knows it.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// A byte that a macro's name may hold.
pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The first non-blank at or after `at`.
pub(crate) fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && is_blank(bytes[at]) {
        at += 1;
    }
    at
}

/// The index behind the bracket that closes the one at `at`. A backslash hides the byte behind it.
pub(crate) fn matching(bytes: &[u8], at: usize, close: u8) -> Option<usize> {
    let open = bytes[at];
    let mut depth = 0_u32;
    let mut index = at;
    while index < bytes.len() {
        let byte = bytes[index];
        index += 1;
        if byte == b'\\' {
            index += 1;
        } else if byte == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(index);
            }
        } else if byte == open {
            depth += 1;
        }
    }
    None
}

/// The index behind the macro call whose `%` stands right before `at`, or nothing where its bracket is never closed.
pub(crate) fn macro_end(bytes: &[u8], at: usize) -> Option<usize> {
    let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
    match byte(at) {
        b'(' => return matching(bytes, at, b')'),
        b'{' => return matching(bytes, at, b'}'),
        b'[' => return matching(bytes, at, b']'),
        _ => {}
    }
    let mut index = at;
    while matches!(byte(index), b'?' | b'!') {
        index += 1;
    }
    if byte(index) == b'-' {
        index += 1;
    }
    while is_name(byte(index)) {
        index += 1;
    }
    if byte(index) == b'*' && byte(index + 1) == b'*' {
        index += 2;
    } else if matches!(byte(index), b'*' | b'#') {
        index += 1;
    }
    Some(index)
}

/// Brackets of macro calls that are open at the end of a text, and whether its last line is continued.
///
/// Decides how many lines are read before they are expanded together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nesting {
    braces: u32,
    parentheses: u32,
    squares: u32,
    continued: bool,
}

impl Nesting {
    /// Takes in one more line, its line end included.
    pub(crate) fn scan(&mut self, bytes: &[u8]) {
        if !self.is_open() && memchr::memchr2(b'\\', b'%', bytes).is_none() {
            self.continued &= !bytes.contains(&b'\n');
            return;
        }
        let mut index = 0;
        while index < bytes.len() {
            let next = bytes.get(index + 1).copied();
            match bytes[index] {
                b'\\' => match next {
                    Some(b'\n') => {
                        self.continued = true;
                        index += 1;
                    }
                    Some(_) => index += 1,
                    None => {}
                },
                b'\n' => self.continued = false,
                b'%' => match next {
                    Some(b'{') => {
                        index += 1;
                        self.braces += 1;
                    }
                    Some(b'(') => {
                        index += 1;
                        self.parentheses += 1;
                    }
                    Some(b'[') => {
                        index += 1;
                        self.squares += 1;
                    }
                    Some(b'%') => index += 1,
                    _ => {}
                },
                b'{' if self.braces > 0 => self.braces += 1,
                b'}' => self.braces = self.braces.saturating_sub(1),
                b'(' if self.parentheses > 0 => self.parentheses += 1,
                b')' => self.parentheses = self.parentheses.saturating_sub(1),
                b'[' if self.squares > 0 => self.squares += 1,
                b']' => self.squares = self.squares.saturating_sub(1),
                _ => {}
            }
            index += 1;
        }
    }

    /// Whether brackets are open.
    pub(crate) fn is_open(self) -> bool {
        self.braces > 0 || self.parentheses > 0 || self.squares > 0
    }

    /// Whether another line belongs to the same text.
    pub(crate) fn wants_more(self) -> bool {
        self.continued || self.is_open()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_end_where_rpm_says() {
        for (text, end) in [
            ("{a}b", Some(3)),
            ("{a{b}}c", Some(6)),
            ("{a\\}}", Some(5)),
            ("{a", None),
            ("(x (y) z)!", Some(9)),
            ("?name rest", Some(5)),
            ("!?name", Some(6)),
            ("-f*x", Some(3)),
            ("**x", Some(2)),
            ("#x", Some(1)),
        ] {
            assert_eq!(macro_end(text.as_bytes(), 0), end, "%{text}");
        }
    }

    #[test]
    fn lines_join_while_brackets_are_open() {
        for (text, more) in [
            ("plain\n", false),
            ("%{lua:\n", true),
            ("%define a \\\n", true),
            ("%%{\n", false),
            ("a \\\\\n", false),
            ("%[ 1\n", true),
            ("%{x} {\n", false),
        ] {
            let mut nesting = Nesting::default();
            nesting.scan(text.as_bytes());
            assert_eq!(nesting.wants_more(), more, "{text:?}");
        }
    }
}
