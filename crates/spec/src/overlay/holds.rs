//! Whether the effect of an overlay can be seen in a folder, without what was there before.

use super::view::{Kind, View, title};
use super::{Folder, Operation, Scope, Search, wildcard::Wildcard};

/// Looks for an operation's effect in a folder that may have been changed by it, and by others since.
///
/// # Errors
/// What is missing, in a few words.
pub fn holds(operation: &Operation, folder: &Folder) -> Result<(), String> {
    let view = View::new(&folder.spec);
    let name = |package: &Option<String>| package.clone().unwrap_or_default();
    match operation {
        Operation::AddTag { package, tag, value }
        | Operation::InsertTag { package, tag, value }
        | Operation::SetTag { package, tag, value }
        | Operation::UpdateTag { package, tag, value } => {
            let is_there = view
                .tags(&name(package))
                .any(|(_, name, stands)| name.eq_ignore_ascii_case(tag) && stands == value.trim());
            let other = view.tags(&name(package)).find(|(_, name, _)| name.eq_ignore_ascii_case(tag));
            need(is_there, || match other {
                Some((line, ..)) => format!("the tag is `{}`", view.lines[line].text),
                None => format!("there is no tag `{tag}`"),
            })
        }
        Operation::RemoveTag { package, tag, value } => {
            let stands = view.tags(&name(package)).find(|(_, name, stands)| {
                name.eq_ignore_ascii_case(tag)
                    && value
                        .as_ref()
                        .is_none_or(|value| value.is_empty() || value.to_lowercase() == stands.to_lowercase())
            });
            need(stands.is_none(), || format!("there is still a tag `{tag}`"))
        }
        Operation::PrependLines { scope, lines } | Operation::AppendLines { scope, lines } => {
            // Lines may themselves be several.
            let wanted: Vec<&str> = lines.iter().flat_map(|line| line.split('\n')).collect();
            let there: Vec<&str> = match scope.section.as_deref() {
                // What is appended to the spec, or begins a section, is behind headings of its own.
                None | Some("") => view.lines.iter().map(|line| line.text).collect(),
                Some(section) => {
                    let Some(start) = view.parts.iter().position(|part| part.is(section, &name(&scope.package))) else {
                        return Err(format!("there is no section `{}`", title(section, &name(&scope.package))));
                    };
                    view.lines[view.parts[start].lines.start..].iter().map(|line| line.text).collect()
                }
            };
            let is_there = wanted.is_empty() || there.windows(wanted.len()).any(|window| window == wanted.as_slice());
            need(is_there, || "the lines are not there".to_owned())
        }
        Operation::SearchReplace { scope, search, replacement } => replaced(&view, scope, search, replacement),
        Operation::RemoveSection { section, package } => {
            let stands = view.parts.iter().any(|part| part.is(section, &name(package)));
            need(!stands, || format!("there is still a section `{}`", title(section, &name(package))))
        }
        Operation::RemoveSubpackage { package } => {
            let stands = view.parts.iter().any(|part| part.package == *package);
            need(!stands, || format!("there are still sections of `{package}`"))
        }
        Operation::AddPatch { file_name, .. } | Operation::ApplyPatch { file_name, .. } => {
            let is_named = view.lines.iter().any(|line| match line.kind {
                Kind::Tag { name, value } => name.to_lowercase().starts_with("patch") && value == file_name,
                kind => {
                    kind == Kind::Raw && view.parts[line.part].name == "%patchlist" && line.text.trim() == file_name
                }
            });
            need(is_named, || "no tag names the patch".to_owned())?;
            need(folder.files.contains_key(file_name), || "the patch is not beside the spec".to_owned())
        }
        Operation::RemovePatch { pattern } | Operation::RemoveFile { pattern } => {
            let wildcard = Wildcard::new(pattern);
            let stands = folder.files.keys().find(|name| wildcard.matches(name));
            need(stands.is_none(), || format!("there is still a file `{}`", stands.map_or("", String::as_str)))
        }
        Operation::PrependFileLines { pattern, lines } => {
            let text = lines.join("\n");
            let wildcard = Wildcard::new(pattern);
            let is_there = folder
                .files
                .iter()
                .any(|(name, content)| wildcard.matches(name) && content.starts_with(text.as_bytes()));
            need(is_there, || "no such file begins with the lines".to_owned())
        }
        Operation::SearchReplaceInFile { pattern, search, replacement } => {
            let wildcard = Wildcard::new(pattern);
            let mut files = folder.files.iter().filter(|(name, _)| wildcard.matches(name)).peekable();
            need(files.peek().is_some(), || format!("no file beside the spec matches `{pattern}`"))?;
            let is_there = files.any(|(_, content)| {
                let text = String::from_utf8_lossy(content);
                if replacement.is_empty() { !search.regex.is_match(&text) } else { text.contains(replacement.as_str()) }
            });
            need(is_there, || "the replacement is in none of the files".to_owned())
        }
        Operation::AddFile { file_name, content } => match folder.files.get(file_name) {
            None => Err("the file is not beside the spec".to_owned()),
            Some(stands) => need(stands == content, || "the file has other content".to_owned()),
        },
        Operation::RenameFile { new_name, .. } => {
            let is_there = folder.files.keys().any(|name| name.rsplit('/').next() == Some(new_name));
            need(is_there, || format!("there is no file `{new_name}`"))
        }
        // A typed kind whose wish is fulfilled says so.
        typed => match super::typed::edits(typed, &folder.spec) {
            Ok(edits) if edits.is_empty() => Ok(()),
            Ok(_) => Err("it would still change the spec".to_owned()),
            Err(failure) if failure.already.is_some() => Ok(()),
            Err(failure) => Err(failure.to_string()),
        },
    }
}

fn replaced(view: &View<'_>, scope: &Scope, search: &Search, replacement: &str) -> Result<(), String> {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (section, package) = (filled(&scope.section), filled(&scope.package));
    let lines: Vec<&str> = view
        .lines
        .iter()
        .filter(|line| {
            let part = &view.parts[line.part];
            section.as_ref().is_none_or(|name| *name == part.name)
                && package.as_ref().is_none_or(|name| *name == part.package)
        })
        .map(|line| line.text)
        .collect();
    if replacement.is_empty() {
        let stands = lines.iter().find(|line| search.regex.is_match(line));
        return need(stands.is_none(), || format!("it still matches `{}`", stands.map_or("", |line| line.trim())));
    }
    // A replacement may have several lines, and may begin sections of its own.
    let is_there = if replacement.contains('\n') {
        view.text.contains(replacement)
    } else {
        lines.iter().any(|line| line.contains(replacement))
    };
    let matches = lines.iter().find(|line| search.regex.is_match(line) && !line.contains(replacement));
    need(is_there, || match matches {
        Some(line) => format!("it still matches `{}`", line.trim()),
        None => "neither what is replaced nor the replacement is there".to_owned(),
    })
}

fn need(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(otherwise()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overlay::{Overlay, apply};

    /// Seen behind it, not seen before it.
    #[test]
    fn effects_are_seen() {
        let mut folder = Folder::new(
            "a.spec",
            "Name: a\nUrl: u\nPatch0: p.patch\n%build\nmake\n%check\nx\n%package d\nSummary: d\n%files\n%files d\n",
        );
        for (name, content) in [("p.patch", "p"), ("f.txt", "one\n")] {
            folder.files.insert(name.to_owned(), content.as_bytes().to_vec());
        }
        let text = |text: &str| text.to_owned();
        let search = |regex: &str| Search::new(regex).unwrap();
        let build = Scope { section: Some(text("%build")), package: None };
        for operation in [
            Operation::AddTag { package: None, tag: text("Requires"), value: text("x") },
            Operation::UpdateTag { package: None, tag: text("Url"), value: text("v") },
            Operation::RemoveTag { package: None, tag: text("Url"), value: None },
            Operation::PrependLines { scope: build.clone(), lines: vec![text("one"), text("two")] },
            Operation::AppendLines { scope: Scope::default(), lines: vec![text("%post\ntrue")] },
            Operation::SearchReplace {
                scope: build.clone(),
                search: search("make"),
                replacement: text("ninja\n%install"),
            },
            Operation::SearchReplace { scope: build, search: search("make"), replacement: String::new() },
            Operation::RemoveSection { section: text("%check"), package: None },
            Operation::RemoveSubpackage { package: text("d") },
            Operation::AddPatch { package: None, file_name: text("q.patch"), content: vec![1] },
            Operation::RemovePatch { pattern: text("p*.patch") },
            Operation::PrependFileLines { pattern: text("*.txt"), lines: vec![text("zero")] },
            Operation::SearchReplaceInFile { pattern: text("f.*"), search: search("one"), replacement: text("1") },
            Operation::AddFile { file_name: text("g"), content: vec![1] },
            Operation::RemoveFile { pattern: text("f.txt") },
            Operation::RenameFile { pattern: text("f.txt"), new_name: text("g.txt") },
            Operation::AddDependency { package: None, tag: text("Requires"), value: text("x") },
            Operation::DropSubpackage { package: text("d") },
        ] {
            assert!(holds(&operation, &folder).is_err(), "{operation:?}");
            let applied = apply(&folder, &[Overlay::new(operation.clone())]).unwrap();
            assert_eq!(holds(&operation, &applied.folder), Ok(()), "{operation:?}");
        }
    }
}
