use std::io;
use std::path::{Path, PathBuf};

/// What a machine wrote to its serial console, as a file that grows.
pub(crate) struct Serial {
    path: PathBuf,
    /// Bytes of the file that are of an earlier start of the machine.
    from: usize,
    shown: usize,
}

impl Serial {
    pub(crate) fn new(path: PathBuf) -> Serial {
        Serial { path, from: 0, shown: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Passes over all that was written so far: the machine starts again.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        self.from = fs_err::read(&self.path)?.len();
        self.shown = 0;
        Ok(())
    }

    /// All that was written so far, as plain text; empty when the file is not there yet.
    pub(crate) fn read(&self) -> io::Result<String> {
        match fs_err::read(&self.path) {
            Ok(bytes) => Ok(plain(bytes.get(self.from..).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    /// The whole lines that came since the last call.
    pub(crate) fn new_lines(&mut self) -> io::Result<Vec<String>> {
        let text = self.read()?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let new = text.get(self.shown..whole).unwrap_or("");
        let lines = new.lines().map(str::to_owned).collect();
        self.shown = whole.max(self.shown);
        Ok(lines)
    }
}

/// Text without the sequences that move a terminal's cursor or colour its letters (ECMA-48), and without returns.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                // Control sequence: ends with a letter or one of @ [ \ ] ^ _ ` { | } ~.
                Some('[') => while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
                // Command of the operating system: ends with BEL or ST.
                Some(']' | 'P') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\r' | '\u{0}' => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_reads_as_plain_text() {
        let bytes = b"\x1b[2J\x1b[01;01H[\x1b[0;32m  OK  \x1b[0m] Started\r\n\x1b]3008;start=1\x1b\\login: ";
        assert_eq!(plain(bytes), "[  OK  ] Started\nlogin: ");
    }
}
