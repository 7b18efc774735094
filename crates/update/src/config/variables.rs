//! `$releasever` and its like in configuration values.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::ConfigError;

/// Expansions inside expansions that are followed.
const DEPTH_MAX: usize = 32;

/// What stands for `$name` in values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    /// The variables that a machine of architecture `arch` has without any file.
    pub fn of_machine(arch: &str) -> Variables {
        let mut variables = Variables::default();
        variables.set("arch", arch);
        variables.set("basearch", base_arch(arch));
        variables
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// Sets `releasever`, and `releasever_major` and `releasever_minor` after its first dot.
    pub fn set_release(&mut self, version: &str) {
        let (major, minor) = version.split_once('.').unwrap_or((version, ""));
        self.set("releasever", version);
        self.set("releasever_major", major);
        self.set("releasever_minor", minor);
    }

    /// A variable's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// All by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Reads a folder of variables: a file for each, its first line the value. A folder that is not there has none.
    pub(crate) fn load(&mut self, folder: &Path) -> Result<(), ConfigError> {
        let entries = match fs_err::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| is_name(name)) else {
                continue;
            };
            if fs_err::metadata(&path)?.is_file() {
                let text = crate::config::load::read_text(&path)?;
                self.set(name, text.lines().next().unwrap_or_default().trim());
            }
        }
        Ok(())
    }

    /// `text` with its variables replaced; those that are not known stay as they are, as in dnf.
    ///
    /// `$name`, `${name}`, `${name:-other}` (where the variable is not set or empty) and `${name:+other}` (where it is set).
    /// A backslash before `$`, `}` or `\` takes away its meaning.
    pub fn expand(&self, text: &str) -> String {
        self.expand_at(text, 0)
    }

    fn expand_at(&self, text: &str, depth: usize) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['$', '\\']) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(escaped) = rest.strip_prefix('\\') {
                match escaped.chars().next() {
                    Some(c @ ('$' | '}' | '\\')) => {
                        out.push(c);
                        rest = &escaped[1..];
                    }
                    _ => {
                        out.push('\\');
                        rest = escaped;
                    }
                }
                continue;
            }
            let (replaced, length) = self.one(rest, depth);
            match replaced {
                Some(value) => out.push_str(&value),
                None => out.push_str(&rest[..length]),
            }
            rest = &rest[length..];
        }
        out.push_str(rest);
        out
    }

    /// What stands for the variable at the start of `text`, and how long it is there.
    fn one(&self, text: &str, depth: usize) -> (Option<String>, usize) {
        let name_length = |text: &str| text.find(|c: char| !is_name_char(c)).unwrap_or(text.len());
        let Some(inner) = text.strip_prefix("${") else {
            let length = name_length(&text[1..]);
            return match length {
                0 => (None, 1),
                length => (self.get(&text[1..=length]).map(str::to_owned), 1 + length),
            };
        };
        let name = &inner[..name_length(inner)];
        let after = &inner[name.len()..];
        if name.is_empty() || depth > DEPTH_MAX {
            return (None, 2);
        }
        if after.starts_with('}') {
            return (self.get(name).map(str::to_owned), 2 + name.len() + 1);
        }
        let (word, is_default) = match (after.strip_prefix(":-"), after.strip_prefix(":+")) {
            (Some(word), _) => (word, true),
            (_, Some(word)) => (word, false),
            _ => return (None, 2),
        };
        let Some(end) = closing(word) else { return (None, 2) };
        let length = 2 + name.len() + 2 + end + 1;
        let value = self.get(name).filter(|value| !value.is_empty());
        let word = || self.expand_at(&word[..end], depth + 1);
        let replaced = match (is_default, value) {
            (true, Some(value)) => value.to_owned(),
            (true, None) | (false, Some(_)) => word(),
            (false, None) => String::new(),
        };
        (Some(replaced), length)
    }

    /// The first variable in `text` that is not known.
    pub(crate) fn unknown<'a>(&self, text: &'a str) -> Option<&'a str> {
        let mut parts = text.split('$');
        parts.next();
        parts.find_map(|part| {
            let part = part.strip_prefix('{').unwrap_or(part);
            let name = &part[..part.find(|c: char| !is_name_char(c)).unwrap_or(part.len())];
            (!name.is_empty() && self.get(name).is_none()).then_some(name)
        })
    }
}

/// Where the brace that ends a word is; inner `${..}` and escaped braces do not count.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut bytes) = (0, text.bytes().enumerate());
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'$' if text[at..].starts_with("${") => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_name_char)
}

/// The family of an architecture, which is what repositories are made for. Source: libdnf5, `arch.cpp`.
pub(crate) fn base_arch(arch: &str) -> &str {
    match arch {
        "i386" | "i486" | "i586" | "i686" | "athlon" | "geode" => "i386",
        "x86_64" | "amd64" | "ia32e" | "x86_64_v2" | "x86_64_v3" | "x86_64_v4" => "x86_64",
        "armv7l" | "armv7hl" | "armv7hnl" | "armv8hl" => "armhfp",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let mut variables = Variables::of_machine("x86_64");
        variables.set_release("4.1");
        variables.set("empty", "");
        for (text, expanded) in [
            ("http://h/$releasever/$basearch/", "http://h/4.1/x86_64/"),
            ("${releasever_major}x${releasever_minor}", "4x1"),
            ("$unknown ${unknown} $", "$unknown ${unknown} $"),
            ("${unknown:-a$arch} ${arch:-b} ${empty:-c}", "ax86_64 x86_64 c"),
            ("[${arch:+yes}] [${empty:+yes}]", "[yes] []"),
            (r"\$arch \\ \x ${x:-a\}b}", r"$arch \ \x a}b"),
            ("${x:-${y:-$arch}}!", "x86_64!"),
            ("${arch", "${arch"),
        ] {
            assert_eq!(variables.expand(text), expanded, "{text}");
        }
        assert_eq!(variables.unknown("a/$arch/$what/"), Some("what"));
    }
}
