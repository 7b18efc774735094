//! Sources and patches that nothing uses.

use super::subject::{Subject, is_name};
use super::{Code, Finding};
use crate::Source;
use crate::syntax::ItemKind;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let Some(evaluated) = subject.evaluated.filter(|_| !subject.is_open) else { return };
    let code = without_tags(subject);
    let mut live: Vec<&str> = evaluated.scripts.iter().map(|script| script.text.as_str()).collect();
    for package in &evaluated.packages {
        live.extend(package.scriptlets.iter().map(|script| script.text.as_str()));
        live.extend(package.triggers.iter().map(|script| script.text.as_str()));
        live.extend(package.files.iter().flat_map(|files| files.lines.iter().map(|line| line.value.as_str())));
    }
    if !uses_all_sources(&code, &live) {
        for source in &evaluated.sources {
            let name = source.file_name.to_ascii_lowercase();
            let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
            // A script that nothing runs is how the packager made another source: it belongs to the source package.
            let is_maker = ends(&[".sh", ".bash"]);
            if is_maker
                || is_used(source, "SOURCE", 'S', &code, &live)
                || unpacks(source, &code)
                || is_told(subject, source)
            {
                continue;
            }
            let is_signature = ends(&[
                ".asc",
                ".sig",
                ".sign",
                ".minisig",
                ".sigstore",
                ".md5",
                ".sha1",
                ".sha256",
                ".sha512",
                ".sha256sum",
                ".sha512sum",
            ]);
            // These find the signature beside the file that they check.
            if is_signature && ["signify ", "minisign "].iter().any(|tool| code.contains(tool)) {
                continue;
            }
            let (code, what) = match is_signature {
                true => (Code::UncheckedSignature, "checks the signature"),
                false => (Code::UnusedSource, "uses the source"),
            };
            push(
                subject,
                source,
                code,
                &format!("nothing {what} `{}` (`Source{}`)", source.file_name, source.number),
                findings,
            );
        }
    }
    if !applies_all_patches(&code) {
        for patch in &evaluated.patches {
            if !is_used(patch, "PATCH", 'P', &code, &live) && !is_applied(patch, &code) && !is_told(subject, patch) {
                let message = format!("nothing applies the patch `{}` (`Patch{}`)", patch.file_name, patch.number);
                push(subject, patch, Code::UnusedPatch, &message, findings);
            }
        }
    }
}

/// A finding at the source's line, unless another file wrote it.
fn push(subject: &Subject<'_>, source: &Source, code: Code, message: &str, findings: &mut Vec<Finding>) {
    if let Some(line) = subject.line(&source.position) {
        let text = subject.part(&line);
        let indent = text.len() - text.trim_start().len();
        findings.push(subject.finding(code, line.start + indent, message));
    }
}

/// The code without the tags that name sources, and without their lists.
fn without_tags(subject: &Subject<'_>) -> String {
    let mut code = String::with_capacity(subject.code.len());
    for item in subject.document.items() {
        let section = subject.document.sections()[item.section].name.as_str();
        let is_list = matches!(section, "sourcelist" | "patchlist" | "changelog");
        let is_source = match &item.kind {
            ItemKind::Tag(tag) => {
                let name = subject.part(&tag.name);
                name.eq_ignore_ascii_case("source") || name.eq_ignore_ascii_case("patch")
            }
            ItemKind::Comment | ItemKind::Blank => true,
            _ => false,
        };
        if !is_list && !is_source {
            code.push_str(subject.part(&item.span));
        }
    }
    // What is included, which stands behind the text's own code.
    let own: usize = subject
        .document
        .items()
        .iter()
        .filter(|item| {
            !matches!(item.kind, ItemKind::Comment | ItemKind::Blank)
                && subject.document.sections()[item.section].name != "changelog"
        })
        .map(|item| item.span.len())
        .sum();
    code.push_str(subject.code.get(own..).unwrap_or(""));
    code
}

/// Whether the spec goes through all sources, or through the folder that holds them.
fn uses_all_sources(code: &str, live: &[&str]) -> bool {
    let loops = [
        "sources",
        "SOURCE%",
        "%{S:%",
        "%{S: %",
        "{SOURCE$",
        "SOURCE${",
        "SOURCE0:",
        "SOURCE'..",
        "SOURCE\"..",
        "S:\"..",
        "S:'..",
    ];
    loops.iter().any(|mark| code.contains(mark))
        || names_folder(code, "%{_sourcedir}")
        || names_folder(code, "%_sourcedir")
        || names_folder(code, "RPM_SOURCE_DIR")
        || names_folder(code, "${RPM_SOURCE_DIR}")
        || live.iter().any(|text| names_folder(text, "RPM_SOURCE_DIR"))
}

/// Whether a folder is named without a plain file in it.
fn names_folder(text: &str, folder: &str) -> bool {
    text.match_indices(folder).any(|(at, _)| {
        let rest = text[at + folder.len()..].trim_start_matches(['}', '"', '\'']);
        let Some(file) = rest.strip_prefix('/') else { return true };
        let word = &file[..file.find(|c: char| c.is_whitespace() || "\"';)".contains(c)).unwrap_or(file.len())];
        word.is_empty() || word.contains(['*', '?', '$', '[', '{', '`', '%'])
    })
}

fn applies_all_patches(code: &str) -> bool {
    let marks = [
        "%{patches",
        "%patches",
        "PATCH%",
        "%{P:%",
        "-P%",
        "-P %",
        "PATCH$",
        "PATCH0:",
        "patches)",
        "patches[",
        "patch_nums",
        "PATCH'..",
        "PATCH\"..",
        "P:\"..",
    ];
    marks.iter().any(|mark| code.contains(mark))
        || code.contains("_sourcedir")
        || code.contains("RPM_SOURCE_DIR")
        || calls(code, "autosetup").any(|arguments| !has_option(arguments, 'N'))
        || calls(code, "autopatch")
            .any(|arguments| !(has_option(arguments, 'm') || has_option(arguments, 'M') || has_number(arguments)))
        || ["git_am", "forgeautosetup", "gitam"].iter().any(|name| code.contains(name))
        || code.contains("BuildSystem")
        || code.contains("buildsystem")
}

/// The rests of lines behind calls of a macro.
fn calls<'c>(code: &'c str, name: &'c str) -> impl Iterator<Item = &'c str> {
    code.match_indices(name).filter_map(move |(at, _)| {
        let rest = &code[at + name.len()..];
        let before = code[..at].trim_end_matches(['?', '!']);
        let is_call = (before.ends_with('%') || before.ends_with("%{")) && !rest.bytes().next().is_some_and(is_name);
        is_call.then(|| rest[..rest.find('\n').unwrap_or(rest.len())].trim_start_matches(['{']))
    })
}

fn has_option(arguments: &str, letter: char) -> bool {
    arguments.split_ascii_whitespace().any(|word| {
        word.strip_prefix('-')
            .is_some_and(|letters| letters.contains(letter) && (letters.len() <= 3 || letters.starts_with(letter)))
    })
}

fn has_number(arguments: &str) -> bool {
    arguments.split_ascii_whitespace().any(|word| word.trim_end_matches('}').parse::<u32>().is_ok())
}

/// Whether the spec refers to a source by its number, or a script names the file.
fn is_used(source: &Source, macro_name: &str, short: char, code: &str, live: &[&str]) -> bool {
    let number = source.number;
    let mut marks =
        vec![format!("{macro_name}{number}"), format!("{macro_name}URL{number}"), format!("%{{{short}:{number}}}")];
    marks.push(format!("{macro_name}0{number}"));
    if number == 0 {
        marks.extend([
            format!("%{{{macro_name}}}"),
            format!("%{{{macro_name}:"),
            format!("%{macro_name}\n"),
            format!("%{macro_name} "),
        ]);
    }
    let by_number = marks.iter().any(|mark| {
        code.match_indices(mark.as_str())
            .any(|(at, _)| code.as_bytes().get(at + mark.len()).is_none_or(|byte| !byte.is_ascii_digit()))
    });
    by_number || code.contains(&source.file_name) || live.iter().any(|text| text.contains(&source.file_name))
}

/// `%setup` without `-T` unpacks the first source; `-a` and `-b` name others. In dead branches that counts, too.
fn unpacks(source: &Source, code: &str) -> bool {
    let number = source.number;
    [
        "setup",
        "autosetup",
        "forgesetup",
        "forgeautosetup",
        "gosetup",
        "goprep",
        "fontsetup",
        "cargo_prep",
        "pgmodule_prep",
    ]
    .iter()
    .flat_map(|name| calls(code, name))
    .any(|arguments| {
        let arguments = arguments.trim_end_matches('}');
        let first = number == 0 && !has_option(arguments, 'T');
        // Inside of `%{?x:-a1}`, too.
        let named = ["-a", "-b"].iter().any(|mark| {
            arguments.match_indices(mark).any(|(at, _)| {
                let rest = arguments[at + mark.len()..].trim_start();
                let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
                rest.starts_with('%') || digits == number.to_string()
            })
        });
        first || named
    })
}

/// Whether `%patch` names a patch, or `%autopatch` a range with it.
fn is_applied(patch: &Source, code: &str) -> bool {
    let number = patch.number;
    let own = number.to_string();
    let by_patch = code.match_indices("patch").any(|(at, _)| {
        let before = code[..at].trim_end_matches(['?', '!']);
        if !(before.ends_with('%') || before.ends_with("%{")) {
            return false;
        }
        let rest = &code[at + "patch".len()..];
        let line = rest[..rest.find('\n').unwrap_or(rest.len())].replace(['{', '}', ':'], " ");
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        // `%patch7`, `%patch -P7`, `%patch -P 7`, `%patch 7`; without a number the first.
        let is_zero = |word: &str| {
            word.trim_start_matches('0') == own
                || (number == 0 && !word.is_empty() && word.bytes().all(|byte| byte == b'0'))
        };
        let joined = line.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
        let digits = &line[..line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len())];
        (joined && is_zero(digits))
            || words.iter().any(|word| is_zero(word.trim_start_matches("-P")) || word.contains('%'))
            || (number == 0
                && !joined
                && !words.iter().any(|word| word.starts_with("-P") || word.parse::<u32>().is_ok()))
    });
    by_patch
        || calls(code, "autopatch").any(|arguments| {
            let bound = |letter: char| -> Option<Option<u32>> {
                let words: Vec<&str> = arguments.split_ascii_whitespace().collect();
                let index = words.iter().position(|word| word.starts_with(&format!("-{letter}")))?;
                let value = words[index].trim_start_matches('-').trim_start_matches(letter);
                let value = if value.is_empty() { words.get(index + 1).copied().unwrap_or("") } else { value };
                Some(value.trim_end_matches('}').parse().ok())
            };
            let (least, most) = (bound('m'), bound('M'));
            let is_unclear = least == Some(None) || most == Some(None);
            let inside =
                least.flatten().is_none_or(|least| number >= least) && most.flatten().is_none_or(|most| number <= most);
            let named =
                arguments.split_ascii_whitespace().any(|word| word.trim_end_matches('}') == own || word.contains('%'));
            let has_range = least.is_some() || most.is_some();
            is_unclear || named || (has_range && inside)
        })
}

/// Whether a comment speaks of the file, or one stands right above it: its author knows that no step uses it.
fn is_told(subject: &Subject<'_>, source: &Source) -> bool {
    let stem = source.file_name.split(['.']).next().unwrap_or("");
    let items = subject.document.items();
    let mut above = false;
    for item in items {
        if item.line == source.position.line {
            return above;
        }
        above = false;
        if matches!(item.kind, ItemKind::Comment) {
            let text = subject.part(&item.span);
            above = !text.trim().trim_start_matches('#').trim().is_empty();
            if text.contains(&source.file_name) || (stem.len() > 4 && text.contains(stem)) {
                return true;
            }
        }
    }
    let comments = items.iter().filter(|item| matches!(item.kind, ItemKind::Comment));
    comments.map(|item| subject.part(&item.span)).any(|text| text.contains(&source.file_name))
}
