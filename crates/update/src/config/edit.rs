//! Changing configuration files: the lines of what changes, and no others.

use std::path::Path;

use crate::config::ini::Ini;
use crate::config::load::read_text;
use crate::config::{ConfigError, Key, Place};

/// Sets options in the section `section` of an ini file's text, which gets the section where it has none. Comments and other
/// lines stay as they are.
///
/// # Errors
/// [`ConfigError::Line`] where the text is no configuration; `file` is for messages.
pub fn set(text: &str, file: &Path, section: &str, options: &[(String, String)]) -> Result<String, ConfigError> {
    Ini::parse(text, file)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (key, value) in options {
        // A value of several lines goes on behind white space.
        let entry = format!("{key}={}", value.replace('\n', "\n    "));
        let found = entries(&lines, section, key);
        // Of a key that is there twice the last counts: it is changed, and the others go.
        match found.last().cloned() {
            Some(last) => {
                lines.splice(last, [entry]);
                for range in found.iter().rev().skip(1) {
                    lines.drain(range.clone());
                }
            }
            None => match end_of(&lines, section) {
                Some(at) => lines.insert(at, entry),
                None => {
                    if lines.last().is_some_and(|line| !line.trim().is_empty()) {
                        lines.push(String::new());
                    }
                    lines.extend([format!("[{section}]"), entry]);
                }
            },
        }
    }
    Ok(joined(&lines))
}

/// Takes options out of the section `section`, and tells how many lines of them there were.
///
/// # Errors
/// As [`set`].
pub fn unset(text: &str, file: &Path, section: &str, keys: &[String]) -> Result<(String, usize), ConfigError> {
    Ini::parse(text, file)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut count = 0;
    for key in keys {
        for range in entries(&lines, section, key).into_iter().rev() {
            lines.drain(range);
            count += 1;
        }
    }
    Ok((joined(&lines), count))
}

/// The names of a file's sections.
///
/// # Errors
/// As [`set`].
pub fn sections(text: &str, file: &Path) -> Result<Vec<String>, ConfigError> {
    Ok(Ini::parse(text, file)?.sections.into_iter().map(|section| section.name).collect())
}

/// Checks that each section of a text describes a repository: an id, options that are known, values of their kind.
///
/// # Errors
/// [`ConfigError::Line`] with the first line that does not.
pub fn check_repositories(text: &str, file: &Path) -> Result<Vec<String>, ConfigError> {
    let ini = Ini::parse(text, file)?;
    for section in &ini.sections {
        let line = |line, problem| ConfigError::Line { file: file.to_owned(), line, problem };
        check_id(&section.name).map_err(|problem| line(section.line, problem))?;
        for entry in &section.entries {
            check_option(&entry.key, &entry.value, Place::Repository).map_err(|problem| line(entry.line, problem))?;
        }
        let addresses = ["baseurl", "mirrorlist", "metalink"];
        let has =
            |entry: &crate::config::ini::Entry| addresses.contains(&entry.key.as_str()) && !entry.value.is_empty();
        if !section.entries.iter().any(has) {
            let problem = format!("`{}` has none of `baseurl`, `mirrorlist` and `metalink`", section.name);
            return Err(line(section.line, problem));
        }
    }
    if ini.sections.is_empty() {
        let problem = "it describes no repository".to_owned();
        return Err(ConfigError::Line { file: file.to_owned(), line: 1, problem });
    }
    Ok(ini.sections.into_iter().map(|section| section.name).collect())
}

/// What is wrong with the id of a repository.
///
/// # Errors
/// A sentence.
pub fn check_id(id: &str) -> Result<(), String> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "-_.:${}".contains(c);
    if id.is_empty() || id == "main" || id.starts_with('.') || !id.chars().all(is_good) {
        return Err(format!("`{id}` cannot be the id of a repository"));
    }
    Ok(())
}

/// What is wrong with an option: nobody knows it, it is not one of that place, or its value is of another kind.
///
/// # Errors
/// A sentence.
pub fn check_option(name: &str, value: &str, place: Place) -> Result<(), String> {
    if super::option::WITHOUT_EFFECT.contains(&name) {
        return Ok(());
    }
    let key = Key::find(name).ok_or_else(|| format!("nobody knows the option `{name}`"))?;
    if key.place() != place && key.place() != Place::Both {
        let other = if place == Place::Main { "a repository" } else { "`[main]`" };
        return Err(format!("`{name}` is an option of {other}"));
    }
    if !value.is_empty() && !key.kind().accepts(value) {
        return Err(format!("`{name}` is {}, not `{value}`", key.kind().shape()));
    }
    let is_address = matches!(key, Key::BaseUrl | Key::MirrorList | Key::Metalink | Key::GpgKey);
    let is_one = |word: &String| word.contains("://") || word.starts_with('/') || word.starts_with('$');
    match super::value::list(value).into_iter().find(|word| is_address && !is_one(word)) {
        Some(word) => Err(format!("`{name}` is an address, as `https://..` or `file:///..`, not `{word}`")),
        None => Ok(()),
    }
}

/// A file's text; empty where there is no file.
///
/// # Errors
/// [`ConfigError::Io`], or [`ConfigError::Line`] where it is no text.
pub fn read(file: &Path) -> Result<String, ConfigError> {
    if file.exists() { read_text(file) } else { Ok(String::new()) }
}

/// Writes a file so that there is the old one or the new one, whatever happens. Who may read it stays as it was.
///
/// # Errors
/// The message names the file.
pub fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let before = fs_err::metadata(file).ok().map(|meta| meta.permissions());
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let new = file.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        let mut out = fs_err::File::create(&new)?;
        std::io::Write::write_all(&mut out, text.as_bytes())?;
        if let Some(permissions) = before {
            fs_err::set_permissions(&new, permissions)?;
        }
        out.sync_all()?;
        fs_err::rename(&new, file)
    })();
    if written.is_err() {
        let _ = fs_err::remove_file(&new);
    }
    written
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The section that a line starts.
fn header(line: &str) -> Option<&str> {
    Some(line.strip_prefix('[')?.split_once(']')?.0.trim())
}

/// The lines of a key of a section, each with those that go on with its value.
fn entries(lines: &[String], section: &str, key: &str) -> Vec<std::ops::Range<usize>> {
    let (mut found, mut inside): (Vec<std::ops::Range<usize>>, bool) = (Vec::new(), false);
    let mut open = false;
    for (index, line) in lines.iter().enumerate() {
        if let Some(name) = header(line) {
            (inside, open) = (name == section, false);
        } else if line.starts_with([' ', '\t']) && !line.trim().is_empty() {
            if let Some(last) = found.last_mut().filter(|_| open) {
                last.end = index + 1;
            }
        } else if line.starts_with(['#', ';']) {
            // A comment between the lines of a value ends nothing.
        } else {
            open = inside && line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
            if open {
                found.push(index..index + 1);
            }
        }
    }
    found
}

/// Where a further option of a section goes: behind its last line that says something.
fn end_of(lines: &[String], section: &str) -> Option<usize> {
    let (mut at, mut inside) = (None, false);
    for (index, line) in lines.iter().enumerate() {
        match header(line) {
            Some(name) => inside = name == section,
            None if line.trim().is_empty() => continue,
            None => {}
        }
        if inside {
            at = Some(index + 1);
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# mine\n[main]\n# why\nbest = 0\nkeepcache=1\n\n[base]\nbaseurl = http://one\n  http://two\nenabled=1\n";

    fn pairs(options: &[(&str, &str)]) -> Vec<(String, String)> {
        options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_changes_changes() {
        let file = Path::new("a.conf");
        let out = set(TEXT, file, "main", &pairs(&[("best", "1"), ("assumeyes", "0")])).unwrap();
        let expected = TEXT.replace("best = 0", "best=1").replace("keepcache=1\n", "keepcache=1\nassumeyes=0\n");
        assert_eq!(out, expected);
        let out = set(TEXT, file, "base", &pairs(&[("baseurl", "http://three")])).unwrap();
        assert_eq!(out, TEXT.replace("baseurl = http://one\n  http://two", "baseurl=http://three"));
        let out = set(TEXT, file, "new", &pairs(&[("enabled", "0")])).unwrap();
        assert_eq!(out, format!("{TEXT}\n[new]\nenabled=0\n"));
        assert_eq!(set("", file, "new", &pairs(&[("enabled", "0")])).unwrap(), "[new]\nenabled=0\n");
        let (out, count) = unset(TEXT, file, "base", &["baseurl".to_owned(), "gpgkey".to_owned()]).unwrap();
        assert_eq!((out, count), (TEXT.replace("baseurl = http://one\n  http://two\n", ""), 1));
    }

    #[test]
    fn nonsense_is_refused_with_its_line() {
        let file = Path::new("a.repo");
        let message = |text: &str| check_repositories(text, file).unwrap_err().to_string();
        for (text, expected) in [
            ("[a]\nbaseurl=http://x\nenabled=perhaps\n", "`a.repo`:3: `enabled` is `1 yes true on`"),
            ("[a]\nbaseurl=http://x\ncolour=blue\n", "`a.repo`:3: nobody knows the option `colour`"),
            ("[a]\nbaseurl=nowhere\n", "`a.repo`:2: `baseurl` is an address"),
            ("[a b]\nbaseurl=http://x\n", "`a.repo`:1: `a b` cannot be the id"),
            ("[a]\nname=x\n", "`a.repo`:1: `a` has none of `baseurl`"),
            ("<html>\n", "`a.repo`:1: `<html>` stands before"),
            ("", "`a.repo`:1: it describes no repository"),
        ] {
            assert!(message(text).starts_with(expected), "{}", message(text));
        }
        assert!(set("x", file, "a", &[]).unwrap_err().to_string().starts_with("`a.repo`:1:"));
        assert!(check_option("reposdir", "/x", Place::Repository).unwrap_err().contains("of `[main]`"));
        assert_eq!(check_repositories("[a]\nbaseurl=http://x\n[b]\nmetalink=https://m\n", file).unwrap(), ["a", "b"]);
    }

    #[test]
    fn files_are_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.repo");
        write(&file, "one").unwrap();
        write(&file, "two").unwrap();
        assert_eq!(read(&file).unwrap(), "two");
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(read(&folder.path().join("none")).unwrap(), "");
        assert!(write(&folder.path().join("none/a.repo"), "x").is_err());
    }

    #[test]
    fn whatever_the_text_is_what_is_written_can_be_read() {
        let file = Path::new("a.repo");
        let parts =
            ["[a]", "[fuzzed]", "\n", "=", " ", "\t", "#", ";", "enabled", "enabled=1\n", "[", "]", "x", "é", "\r\n"];
        let mut chance = 0x0dd_b17e5_u64;
        let mut below = |bound: usize| {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            (chance >> 11) as usize % bound
        };
        let mut count = 0;
        for _ in 0..4000 {
            let start = if below(2) == 0 { "[a]\nname=x\n" } else { "" };
            let length = 1 + below(12);
            let text = format!("{start}{}", (0..length).map(|_| parts[below(parts.len())]).collect::<String>());
            let _ = check_repositories(&text, file);
            let Ok(changed) = set(&text, file, "fuzzed", &pairs(&[("enabled", "0")])) else { continue };
            let again = Ini::parse(&changed, file).unwrap();
            let section = again.sections.iter().find(|section| section.name == "fuzzed").unwrap();
            let last = section.entries.iter().rfind(|entry| entry.key == "enabled").unwrap();
            assert_eq!(last.value, "0", "{text:?} became {changed:?}");
            let (without, lines) = unset(&changed, file, "fuzzed", &["enabled".to_owned()]).unwrap();
            assert!(lines > 0 && Ini::parse(&without, file).is_ok(), "{text:?} became {without:?}");
            count += 1;
        }
        assert!(count > 500, "{count}");
    }
}
