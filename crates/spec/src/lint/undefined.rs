//! Macros that no file and no line defines, and comments that macros continue behind the comment.

use super::subject::{Subject, is_name};
use super::{Code, Finding};
use crate::syntax::ItemKind;
use crate::{Origin, Position};

/// Macros that are left in tags, in `%files` and as commands of build scripts.
pub(super) fn found(subject: &Subject<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let findings = &mut found;
    let Some(evaluated) = subject.evaluated.filter(|_| !subject.is_open) else { return found };
    for warning in &evaluated.warnings {
        if let Some(name) = warning.undefined_macro()
            && is_certain(subject, name)
        {
            report(subject, name, &warning.position, "stays as it is in the tag", findings);
        }
    }
    for package in &evaluated.packages {
        for line in package.files.iter().flat_map(|files| &files.lines) {
            if let Some(name) = in_file_list(&line.value)
                && is_certain(subject, name)
            {
                report(subject, name, &line.position, "is no path and no directive of `%files`", findings);
            }
        }
    }
    for script in &evaluated.scripts {
        for name in commands(&script.text) {
            if is_certain(subject, name)
                && let Some(position) = in_section(subject, script.name, name)
            {
                report(subject, name, &position, "is no command", findings);
            }
        }
    }
    found
}

/// Whether a name is that of a macro at all, and nothing in sight defines it.
fn is_certain(subject: &Subject<'_>, name: &str) -> bool {
    name.len() > 2
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
        && name.bytes().all(is_name)
        && subject.environment.macros.get(name).is_none()
        && !is_of_rpm(subject, name)
}

/// Whether rpm's own macro file, which a build always has, may define a macro that the given files lack.
fn is_of_rpm(subject: &Subject<'_>, name: &str) -> bool {
    const NAMES: &[&str] = &[
        "autopatch",
        "autosetup",
        "bcond",
        "bcond_with",
        "bcond_without",
        "configure",
        "debug_package",
        "defined",
        "find_lang",
        "make_build",
        "make_install",
        "makeinstall",
        "patches",
        "set_build_flags",
        "setup",
        "patch",
        "sources",
        "undefined",
        "with",
        "without",
        "add_sysuser",
        "ix86",
        "arm32",
        "arm64",
        "power64",
        "sparc",
        "alpha",
    ];
    // With the file, `%autosetup` would be defined.
    subject.environment.macros.get("autosetup").is_none() && (name.starts_with('_') || NAMES.contains(&name))
}

fn report(subject: &Subject<'_>, name: &str, position: &Position, why: &str, findings: &mut Vec<Finding>) {
    let Some(line) = subject.line(position) else { return };
    let at = reference(subject.part(&line), name).map_or_else(
        || {
            let text = subject.part(&line);
            line.start + text.len() - text.trim_start().len()
        },
        |offset| line.start + offset,
    );
    let mut message = format!("macro `%{name}` is defined nowhere and {why}");
    let names = subject.environment.macros.names();
    let nearest = crate::spelling::nearest(name, names.into_iter(), 2);
    if !nearest.is_empty() {
        message.push_str(&format!("; nearest are %{}", nearest.join(", %")));
    }
    if let Some(package) = super::usual_package(name) {
        message.push_str(&format!("; the package `{package}` usually defines it"));
    }
    findings.push(subject.finding(Code::UndefinedMacro, at, message));
}

/// Where a text calls a macro: `%name`, `%{name}`, `%{name:..}`, not behind `?` and not escaped.
fn reference(text: &str, name: &str) -> Option<usize> {
    text.match_indices(name).map(|(at, _)| at).find_map(|at| {
        let bytes = text.as_bytes();
        if bytes.get(at + name.len()).is_some_and(|byte| is_name(*byte)) {
            return None;
        }
        let before = text[..at].strip_suffix('{').unwrap_or(&text[..at]);
        let start = before.strip_suffix('%')?;
        let escapes = start.bytes().rev().take_while(|byte| *byte == b'%').count();
        (escapes % 2 == 0).then_some(start.len())
    })
}

/// A macro that is left in a line of `%files`.
fn in_file_list(line: &str) -> Option<&str> {
    const DIRECTIVES: &[&str] = &[
        "attr",
        "defattr",
        "dir",
        "doc",
        "license",
        "config",
        "ghost",
        "verify",
        "lang",
        "caps",
        "exclude",
        "readme",
        "artifact",
        "docdir",
        "pubkey",
        "missingok",
        "dev",
        "sysusers",
    ];
    let braced = line.find("%{").map(|at| &line[at + 2..]).filter(|rest| !rest.starts_with(['?', '!', '-']));
    let plain = line.strip_prefix('%').filter(|rest| !rest.starts_with(['{', '?', '!', '(', '[', '%']));
    let name = |rest: &'_ str| rest.bytes().take_while(|byte| is_name(*byte)).count();
    if let Some(rest) = braced {
        return Some(&rest[..name(rest)]);
    }
    let rest = plain?;
    Some(&rest[..name(rest)]).filter(|word| !DIRECTIVES.contains(word))
}

/// Macros that stand where a shell expects a command: first in a line that is in no here-document and no quotes.
fn commands(script: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    let mut lines = script.lines();
    let (mut quote, mut continues) = (None, false);
    while let Some(line) = lines.next() {
        let word = line.trim_start();
        if quote.is_none()
            && !continues
            && let Some(rest) = word.strip_prefix('%')
        {
            let rest = rest.strip_prefix('{').unwrap_or(rest);
            let name = &rest[..rest.bytes().take_while(|byte| is_name(*byte)).count()];
            if !name.is_empty() && !found.contains(&name) {
                found.push(name);
            }
        }
        continues = line.ends_with('\\');
        if word.starts_with('#') && quote.is_none() {
            continue;
        }
        quotes(line, &mut quote);
        if quote.is_none()
            && let Some((end, may_indent)) = here_document(line)
        {
            for inner in lines.by_ref() {
                let inner = if may_indent { inner.trim_start_matches('\t') } else { inner };
                if inner == end {
                    break;
                }
            }
        }
    }
    found
}

/// Follows quotes over a line.
fn quotes(line: &str, quote: &mut Option<char>) {
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (*quote, letter) {
            (Some('\''), '\'') => *quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                letters.next();
            }
            (Some(open), _) if open == letter => *quote = None,
            (None, '\'' | '"') => *quote = Some(letter),
            _ => {}
        }
    }
}

/// The line that ends a here-document which a line begins, and whether tabs may stand before it.
fn here_document(line: &str) -> Option<(String, bool)> {
    let (_, rest) = line.split_once("<<")?;
    if rest.starts_with('<') {
        return None;
    }
    let (rest, may_indent) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
    let rest = rest.trim_start();
    let end = rest.find(|c: char| c.is_whitespace() || ";|&>)".contains(c)).unwrap_or(rest.len());
    let word: String = rest[..end].chars().filter(|letter| !"'\"\\".contains(*letter)).collect();
    (!word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit())).then_some((word, may_indent))
}

/// Where the section calls the macro itself.
fn in_section(subject: &Subject<'_>, section: &str, name: &str) -> Option<Position> {
    for item in subject.document.items() {
        if subject.document.sections()[item.section].name != section || matches!(item.kind, ItemKind::Comment) {
            continue;
        }
        if let Some(offset) = reference(subject.part(&item.span), name) {
            return Some(subject.position(item.span.start + offset));
        }
    }
    None
}

/// Comments that macro files turn into several lines.
pub(super) fn comments(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for (index, item) in subject.document.items().iter().enumerate() {
        let text = subject.part(&item.span);
        let section = subject.document.sections()[item.section].name.as_str();
        if !matches!(item.kind, ItemKind::Comment)
            || !text.trim_start().starts_with('#')
            || !text.contains('%')
            || section == "changelog"
            || !subject.paths[index].is_empty()
        {
            continue;
        }
        let Ok(expanded) = crate::expand(text.trim_end(), &Origin::new("comment"), subject.environment) else {
            continue;
        };
        let below =
            expanded.lines().skip(1).find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        if let Some(line) = below
            && !text.trim_end().contains('\n')
        {
            let line: String = line.trim().chars().take(60).collect();
            let message = format!("the macros of this comment become several lines, of which `{line}` is no comment");
            findings.push(subject.finding(Code::CommentExpands, subject.start(item), message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_where_a_shell_finds_them() {
        let script = "%one -x\n  %{two}\nmake \\\n%three\ncat > x <<EOF\n%four\nEOF\necho '\n%five\n'\n%six\n# %seven 'x\n%1\n%eight";
        assert_eq!(commands(script), ["one", "two", "six", "1", "eight"]);
        assert_eq!(commands("cat <<-'END' | x\n%a\n\tEND\n%b\n"), ["b"]);
        assert_eq!(commands("echo it\\'s\n%b\n"), ["b"]);
    }

    #[test]
    fn escaped_calls_are_none() {
        for (text, at) in
            [("a %{x}", Some(2)), ("%%{x}", None), ("%%%x", Some(2)), ("%{?x}", None), ("%{xy} %x", Some(6))]
        {
            assert_eq!(reference(text, "x"), at, "{text}");
        }
    }
}
