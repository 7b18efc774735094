//! The syntax of `dnf.conf` and `*.repo` files.
//!
//! ```text
//! # a comment; `;` starts one too, both only in the first column
//! [section]
//! key = value
//!     a line that starts with white space goes on with the value above
//! ```
//!
//! Source: libdnf5's `IniParser`: a key before the first section, a line without `=`, and a continuation of nothing are
//! errors; an empty line ends a value.

use std::path::Path;

use crate::config::ConfigError;

/// A file's sections in their order; one that is named twice is there once, with the keys of both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ini {
    pub(crate) sections: Vec<Section>,
}

/// `[name]` and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: String,
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) entries: Vec<Entry>,
}

/// `key = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// The lines of the value, joined by line feeds.
    pub(crate) value: String,
    /// The key's line, counted from 1.
    pub(crate) line: usize,
}

/// A configuration file is not larger than this; a value that is a mirror list by mistake is then an error, not a wait.
pub(crate) const BYTES_MAX: u64 = 4 << 20;

impl Ini {
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Ini, ConfigError> {
        let mut ini = Ini::default();
        // The section and, where one may go on, the entry that the next line belongs to.
        let (mut section, mut open): (Option<usize>, bool) = (None, false);
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |problem: String| ConfigError::Line { file: file.to_owned(), line: number, problem };
            if line.starts_with(['#', ';']) {
                continue;
            }
            if line.trim().is_empty() {
                open = false;
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let name = rest.split_once(']').map(|(name, _)| name.trim());
                let name = name.filter(|name| !name.is_empty());
                let name = name.ok_or_else(|| wrong("a section is written `[name]`".to_owned()))?;
                section = Some(ini.section(name, number));
                open = false;
                continue;
            }
            let Some(entries) = section.map(|index| &mut ini.sections[index].entries) else {
                return Err(wrong(format!("`{}` stands before the first `[section]`", line.trim())));
            };
            if line.starts_with([' ', '\t']) {
                match entries.last_mut().filter(|_| open) {
                    Some(entry) => {
                        entry.value.push('\n');
                        entry.value.push_str(line.trim());
                    }
                    None => return Err(wrong("it starts with white space but continues no value".to_owned())),
                }
                continue;
            }
            let (key, value) = line.split_once('=').ok_or_else(|| wrong(format!("`{}` has no `=`", line.trim())))?;
            if key.trim().is_empty() {
                return Err(wrong("there is no key before `=`".to_owned()));
            }
            entries.push(Entry { key: key.trim().to_owned(), value: value.trim().to_owned(), line: number });
            open = true;
        }
        Ok(ini)
    }

    fn section(&mut self, name: &str, line: usize) -> usize {
        if let Some(index) = self.sections.iter().position(|section| section.name == name) {
            return index;
        }
        self.sections.push(Section { name: name.to_owned(), line, entries: Vec::new() });
        self.sections.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Ini, String> {
        Ini::parse(text, Path::new("a.repo")).map_err(|error| error.to_string())
    }

    #[test]
    fn values_go_on_over_lines() {
        let ini = parse(
            "# c\n[a]\nbaseurl = http://one\n\thttp://two\n# between\n  http://three\nname= x = y\n\n[b]\nk=\n[a]\nk=1\n",
        );
        let ini = ini.unwrap();
        let a = &ini.sections[0];
        assert_eq!((a.name.as_str(), a.line, ini.sections.len()), ("a", 2, 2));
        assert_eq!(a.entries[0].value, "http://one\nhttp://two\nhttp://three");
        assert_eq!((a.entries[1].value.as_str(), a.entries[1].line), ("x = y", 7));
        assert_eq!((a.entries[2].key.as_str(), a.entries[2].line), ("k", 12));
    }

    #[test]
    fn mistakes_have_a_line() {
        for (text, message) in [
            ("a=1\n", "`a.repo`:1: `a=1` stands before the first `[section]`"),
            ("[a]\nb\n", "`a.repo`:2: `b` has no `=`"),
            ("[a]\nb=1\n\n c\n", "`a.repo`:4: it starts with white space but continues no value"),
            ("[a\n", "`a.repo`:1: a section is written `[name]`"),
            ("[a]\n=1\n", "`a.repo`:2: there is no key before `=`"),
        ] {
            assert_eq!(parse(text).unwrap_err(), message, "{text:?}");
        }
    }
}
