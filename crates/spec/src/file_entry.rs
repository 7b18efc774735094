//! What the lines of `%files` mean.
//!
//! ```text
//! line      = { directive } { path }
//! directive = %attr(mode, user, group) | %defattr(mode, user, group [, directory mode]) | %config[(noreplace, missingok)]
//!           | %verify([not] name ..) | %lang(xx) | %caps(text) | %dir | %ghost | %exclude | %doc | %license | %readme
//!           | %artifact | %missingok | %docdir | %pubkey
//! ```
//!
//! Source: rpm's manual, "%files section" of `docs/manual/spec.md`.

use serde::Serialize;

use crate::answer::FileList;
use crate::{ErrorKind, Position, SpecError};

/// One path of `%files`, with what the directives before it say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileEntry {
    /// A path or shell pattern from the root; for `%doc` and `%license` without a leading slash, from the build's folder.
    pub path: String,
    /// Who may do what; from `%attr`, else from `%defattr`.
    pub attributes: Attributes,
    /// `%dir`: the directory itself, not what is in it.
    pub is_directory: bool,
    /// `%ghost`: owned, but not in the package.
    pub is_ghost: bool,
    /// `%exclude`: taken out of what other lines name.
    pub is_excluded: bool,
    /// `%docdir`: what is below counts as documentation.
    pub is_documentation_directory: bool,
    /// `%missingok`, or in `%config`: may be missing on the machine.
    pub may_be_missing: bool,
    /// `%config`.
    pub config: Option<Config>,
    /// `%doc`, `%license` and so on.
    pub role: Option<Role>,
    /// `%lang(xx)`.
    pub languages: Vec<String>,
    /// `%caps(text)`, as cap_from_text(3) reads it.
    pub capabilities: Option<String>,
    /// `%verify(..)`: the names, and whether these are left out (`not`).
    pub verify: Option<(bool, Vec<String>)>,
    /// The line.
    pub position: Position,
}

/// Mode, owner and group; nothing where the file's own count (`-`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Attributes {
    /// Permission bits of files.
    pub mode: Option<u32>,
    /// Permission bits of directories, from the fourth part of `%defattr`.
    pub directory_mode: Option<u32>,
    /// The owner's name.
    pub user: Option<String>,
    /// The group's name.
    pub group: Option<String>,
}

/// How a configuration file is treated when both the user and the package changed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Config {
    /// The user's stays.
    pub keeps_changed: bool,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// `%doc`
    Doc,
    /// `%license`
    License,
    /// `%readme`
    Readme,
    /// `%artifact`: by-products such as build ids.
    Artifact,
    /// `%pubkey`
    PublicKey,
}

impl FileList {
    /// The paths with their directives, in order; a line may name several paths, and lines without one set defaults.
    ///
    /// # Errors
    /// The first line that makes no sense.
    pub fn entries(&self) -> Result<Vec<FileEntry>, SpecError> {
        let mut defaults = Attributes::default();
        let mut entries = Vec::new();
        for line in &self.lines {
            parse(&line.value, &line.position, &mut defaults, &mut entries).map_err(|problem| {
                SpecError::new(
                    ErrorKind::Section(format!("`%files`: {problem} in `{}`", line.value)),
                    line.position.clone(),
                )
            })?;
        }
        Ok(entries)
    }
}

fn parse(
    line: &str,
    position: &Position,
    defaults: &mut Attributes,
    entries: &mut Vec<FileEntry>,
) -> Result<(), String> {
    let mut entry = FileEntry {
        path: String::new(),
        attributes: defaults.clone(),
        is_directory: false,
        is_ghost: false,
        is_excluded: false,
        is_documentation_directory: false,
        may_be_missing: false,
        config: None,
        role: None,
        languages: Vec::new(),
        capabilities: None,
        verify: None,
        position: position.clone(),
    };
    let mut rest = line.trim();
    let mut paths = Vec::new();
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('%')
            && behind.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            let length = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
            let (name, after) = behind.split_at(length);
            let (argument, after) = match after.trim_start().strip_prefix('(') {
                Some(inner) => {
                    let end = inner.find(')').ok_or_else(|| format!("`%{name}(` is never closed"))?;
                    (Some(inner[..end].trim()), &inner[end + 1..])
                }
                None => (None, after),
            };
            if name == "defattr" {
                *defaults = attributes(argument.ok_or("`%defattr` has no arguments")?, defaults, true)?;
                entry.attributes.clone_from(defaults);
            } else {
                directive(name, argument, &mut entry)?;
            }
            rest = after.trim_start();
        } else {
            let (path, after) = path(rest)?;
            paths.push(path);
            rest = after.trim_start();
        }
    }
    if paths.len() > 1
        && !matches!(entry.role, Some(Role::Doc | Role::License | Role::Readme))
        && entry.config.is_none()
    {
        // rpm takes several paths on a line only for what lies in the build's folder.
        if let Some(second) = paths.get(1) {
            return Err(format!("a second path `{second}` stands"));
        }
    }
    entries.extend(paths.into_iter().map(|path| FileEntry { path, ..entry.clone() }));
    Ok(())
}

fn directive(name: &str, argument: Option<&str>, entry: &mut FileEntry) -> Result<(), String> {
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| c == ',' || c.is_ascii_whitespace())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let needed = || argument.ok_or_else(|| format!("`%{name}` has no arguments"));
    match name {
        "attr" => entry.attributes = attributes(needed()?, &entry.attributes, false)?,
        "config" => {
            let mut config = Config::default();
            for word in words(argument.unwrap_or("")) {
                match word.as_str() {
                    "noreplace" => config.keeps_changed = true,
                    "missingok" => entry.may_be_missing = true,
                    other => return Err(format!("`%config` knows no `{other}`")),
                }
            }
            entry.config = Some(config);
        }
        "verify" => {
            const NAMES: [&str; 13] = [
                "md5",
                "filedigest",
                "size",
                "link",
                "user",
                "owner",
                "group",
                "mtime",
                "mode",
                "rdev",
                "caps",
                "symlink",
                "maj",
            ];
            let mut names = words(needed()?);
            let negated = names.first().is_some_and(|word| word == "not");
            names.retain(|word| word != "not");
            if let Some(odd) = names.iter().find(|word| !NAMES.contains(&word.as_str())) {
                return Err(format!("`%verify` knows no `{odd}`"));
            }
            entry.verify = Some((negated, names));
        }
        "lang" => entry.languages.extend(words(needed()?)),
        "caps" => entry.capabilities = Some(needed()?.to_owned()),
        "dir" => entry.is_directory = true,
        "ghost" => entry.is_ghost = true,
        "exclude" => entry.is_excluded = true,
        "docdir" => entry.is_documentation_directory = true,
        "missingok" => entry.may_be_missing = true,
        "doc" => entry.role = Some(Role::Doc),
        "license" => entry.role = Some(Role::License),
        "readme" => entry.role = Some(Role::Readme),
        "artifact" => entry.role = Some(Role::Artifact),
        "pubkey" => entry.role = Some(Role::PublicKey),
        other => return Err(format!("`%{other}` is no directive")),
    }
    Ok(())
}

fn attributes(text: &str, before: &Attributes, has_directories: bool) -> Result<Attributes, String> {
    let parts: Vec<&str> =
        text.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|part| !part.is_empty()).collect();
    let most = if has_directories { 4 } else { 3 };
    if parts.is_empty() || parts.len() > most {
        return Err(format!("`({text})` should be mode, user and group"));
    }
    let mode = |part: Option<&&str>| match part.copied() {
        None | Some("-") => Ok(None),
        Some(digits) => match u32::from_str_radix(digits, 8) {
            Ok(mode) if mode <= 0o7777 => Ok(Some(mode)),
            _ => Err(format!("`{digits}` is no mode")),
        },
    };
    let name = |part: Option<&&str>| part.copied().filter(|name| *name != "-").map(str::to_owned);
    Ok(Attributes {
        mode: mode(parts.first())?,
        directory_mode: if has_directories { mode(parts.get(3))? } else { before.directory_mode },
        user: name(parts.get(1)),
        group: name(parts.get(2)),
    })
}

/// The path at the beginning of a text: in quotes, or to the next white space that no backslash hides.
fn path(text: &str) -> Result<(String, &str), String> {
    if let Some(inner) = text.strip_prefix('"') {
        let end = inner.find('"').ok_or("a `\"` is never closed")?;
        return Ok((inner[..end].to_owned(), &inner[end + 1..]));
    }
    let mut end = text.len();
    let mut hidden = false;
    for (index, letter) in text.char_indices() {
        if letter.is_ascii_whitespace() && !hidden {
            end = index;
            break;
        }
        hidden = letter == '\\' && !hidden;
    }
    Ok((text[..end].to_owned(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Located, Origin};

    fn entries(lines: &[&str]) -> Result<Vec<FileEntry>, SpecError> {
        let position = Position::line(Origin::new("x.spec"), 1);
        let lines =
            lines.iter().map(|line| Located { value: (*line).to_owned(), position: position.clone() }).collect();
        FileList { lines, lists: Vec::new(), position: position.clone() }.entries()
    }

    #[test]
    fn directives() {
        let found = entries(&[
            "%defattr(-,root,root,0755)",
            "%attr(4755, -, wheel) /usr/bin/su",
            "%config(noreplace missingok) %verify(not md5 size mtime) /etc/a",
            "%dir %ghost /run/a",
            "%doc README \"two words\" NEWS",
            "%lang(de) %caps(cap_net_raw=p) /usr/bin/p*",
            "%exclude /usr/share/x",
            "/usr/bin/{a,b}",
        ])
        .unwrap();
        assert_eq!(found.len(), 9);
        assert_eq!(found[0].attributes.mode, Some(0o4755));
        assert_eq!((found[0].attributes.user.as_deref(), found[0].attributes.group.as_deref()), (None, Some("wheel")));
        assert_eq!(found[0].attributes.directory_mode, Some(0o755));
        assert!(found[1].config.unwrap().keeps_changed && found[1].may_be_missing);
        assert_eq!(found[1].verify.as_ref().unwrap().1, ["md5", "size", "mtime"]);
        assert!(found[2].is_directory && found[2].is_ghost);
        assert_eq!(found[4].path, "two words");
        assert_eq!(found[5].role, Some(Role::Doc));
        assert_eq!(found[6].capabilities.as_deref(), Some("cap_net_raw=p"));
        assert!(found[7].is_excluded);
        assert_eq!(found[8].attributes.user.as_deref(), Some("root"));
    }

    #[test]
    fn what_makes_no_sense() {
        for line in [
            "%nothing /a",
            "%attr(9999,a,b) /a",
            "%attr(1,2,3,4) /a",
            "%config(x) /a",
            "%attr(0755 /a",
            "/a /b",
            "\"/a",
        ] {
            assert!(entries(&[line]).is_err(), "{line}");
        }
    }
}
