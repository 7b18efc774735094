//! Bytes into lines.

/// A longer line is handed on in pieces, so that a program cannot make us keep all of its output.
const LONGEST_LINE: usize = 64 * 1024;

/// Cuts a stream of bytes into lines without their end; bytes that are not UTF-8 are replaced.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pending: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and calls `each` for every line that they complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.pending.extend_from_slice(&bytes[..end]);
            self.emit(each);
            bytes = &bytes[end + 1..];
        }
        self.pending.extend_from_slice(bytes);
        if self.pending.len() > LONGEST_LINE {
            self.emit(each);
        }
    }

    /// The stream ended: a last line without newline is a line too.
    pub(crate) fn finish(&mut self, each: &mut dyn FnMut(&str)) {
        if !self.pending.is_empty() {
            self.emit(each);
        }
    }

    fn emit(&mut self, each: &mut dyn FnMut(&str)) {
        let line = self.pending.strip_suffix(b"\r").unwrap_or(&self.pending);
        each(&String::from_utf8_lossy(line));
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_any_cut() {
        let text = b"one\r\n\ntwo\xff\nlast";
        for cut in 0..text.len() {
            let (mut lines, mut seen) = (Lines::default(), Vec::new());
            let mut each = |line: &str| seen.push(line.to_owned());
            lines.push(&text[..cut], &mut each);
            lines.push(&text[cut..], &mut each);
            lines.finish(&mut each);
            assert_eq!(seen, ["one", "", "two\u{fffd}", "last"]);
        }
    }
}
