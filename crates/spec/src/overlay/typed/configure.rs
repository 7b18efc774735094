use std::ops::Range;

use super::super::view::{depth_change, is_branch};
use super::super::{Failure, Problem};
use super::shape::Shape;
use crate::syntax::Edits;

/// A command that configures: its lines, joined by backslashes over conditionals, and its arguments.
struct Call {
    /// As written.
    command: Range<usize>,
    /// Indices of its lines.
    lines: Range<usize>,
    /// The arguments, each with the index of its line and how many conditionals of the call are open there.
    arguments: Vec<(Range<usize>, usize, i32)>,
}

const COMMANDS: [&str; 12] = [
    "%configure",
    "%cmake",
    "%cmake3",
    "%cmake_kf5",
    "%cmake_kf6",
    "%cmake_qt5",
    "%cmake_qt6",
    "%meson",
    "./configure",
    "../configure",
    "./Configure",
    "./config",
];

pub(super) fn add(shape: &Shape<'_>, command: Option<&str>, argument: &str) -> Result<Edits, Failure> {
    let argument = argument.trim();
    if argument.is_empty() || argument.contains('\n') || split(argument, 0).is_none_or(|words| words.len() != 1) {
        return Err(Problem::Shape(format!("`{argument}` is not one argument of a command")).into());
    }
    let mut edits = Edits::default();
    let mut stands = None;
    for call in calls(shape, command)? {
        let same: Vec<&Range<usize>> = call
            .arguments
            .iter()
            .filter(|(range, ..)| key(&shape.text[range.clone()]) == key(argument))
            .map(|(range, ..)| range)
            .collect();
        if !same.is_empty() {
            for range in same {
                if &shape.text[range.clone()] == argument {
                    stands = Some(shape.seen(range.start));
                } else {
                    edits.replace(range.clone(), argument);
                }
            }
            continue;
        }
        append(shape, &call, argument, &mut edits);
    }
    if edits.is_empty() {
        let problem = Problem::Already(format!("`{argument}` is given already"));
        return Err(Failure::new(problem).already(stands));
    }
    Ok(edits)
}

/// Behind the last argument that no conditional guards: a later argument wins over an earlier one.
fn append(shape: &Shape<'_>, call: &Call, argument: &str, edits: &mut Edits) {
    let last = call.arguments.iter().rev().find(|(_, _, depth)| *depth == 0);
    let (behind, line) = last.map_or((call.command.end, call.lines.start), |(range, line, _)| (range.end, *line));
    let text = shape.view.lines[line].text;
    let is_continued = text.trim_end().ends_with('\\');
    if line == call.lines.start && !is_continued {
        edits.insert(behind, format!(" {argument}"));
        return;
    }
    let like = if line > call.lines.start { line } else { (line + 1).min(call.lines.end - 1) };
    let like = shape.view.lines[like].text;
    let indent = match &like[..like.len() - like.trim_start().len()] {
        "" => "    ",
        indent if like.trim_start().starts_with('%') && depth_change(like) != 0 => indent,
        indent => indent,
    };
    if is_continued {
        edits.insert(shape.view.start_of(line + 1), format!("{indent}{argument} \\\n"));
    } else {
        edits.insert(behind, format!(" \\\n{indent}{argument}"));
    }
}

pub(super) fn remove(shape: &Shape<'_>, command: Option<&str>, argument: &str) -> Result<Edits, Failure> {
    let argument = argument.trim();
    let mut edits = Edits::default();
    let calls = calls(shape, command)?;
    for call in &calls {
        let goes = |range: &Range<usize>| {
            let text = &shape.text[range.clone()];
            text == argument
                || (!argument.contains('=')
                    && text.strip_prefix(argument).is_some_and(|rest| rest.starts_with(['=', ':'])))
        };
        for (range, line, _) in call.arguments.iter().filter(|(range, ..)| goes(range)) {
            let is_alone = call.arguments.iter().filter(|(_, other, _)| other == line).count() == 1;
            if *line == call.lines.start || !is_alone {
                let before = shape.text[..range.start].trim_end_matches([' ', '\t']).len();
                edits.remove(before..range.end);
                continue;
            }
            edits.remove(shape.view.lines[*line].span.clone());
            let is_last = !shape.view.lines[*line].text.trim_end().ends_with('\\');
            if is_last {
                // The line before must not go on into what follows the call.
                let previous = shape.view.text_range(*line - 1);
                let text = &shape.text[previous.clone()];
                let Some(rest) = text.trim_end().strip_suffix('\\') else {
                    let number = shape.line_at(range.start);
                    let problem = format!("line {number} ends the call, and a conditional stands before it");
                    return Err(Problem::Shape(problem).into());
                };
                edits.remove(previous.start + rest.trim_end().len()..previous.end);
            }
        }
    }
    if edits.is_empty() {
        let command = calls.first().map_or_else(String::new, |call| format!("`{}`", &shape.text[call.command.clone()]));
        let given = calls.iter().flat_map(|call| &call.arguments);
        let near = super::super::nearest::line(
            argument,
            given.clone().map(|(range, ..)| (shape.line_at(range.start), &shape.text[range.clone()])),
        );
        let problem = Problem::NoArgument { argument: argument.to_owned(), command };
        return Err(Failure::near(problem, near).or_gone());
    }
    Ok(edits)
}

/// What an argument sets: two of one key cannot both be meant.
fn key(argument: &str) -> (&'static str, &str) {
    let name = |text: &'_ str| text.find(['=', ':']).unwrap_or(text.len());
    for (kind, prefixes) in [("enable", ["--enable-", "--disable-"]), ("with", ["--with-", "--without-"])] {
        for prefix in prefixes {
            if let Some(rest) = argument.strip_prefix(prefix) {
                return (kind, &rest[..name(rest)]);
            }
        }
    }
    if let Some(rest) = argument.strip_prefix("-D") {
        return ("-D", &rest[..name(rest)]);
    }
    match argument.split_once('=') {
        Some((option, _)) if option.starts_with("--") => ("", option),
        _ => ("", argument),
    }
}

fn calls(shape: &Shape<'_>, command: Option<&str>) -> Result<Vec<Call>, Failure> {
    let mut found = Vec::new();
    for part in ["%conf", "%build"].into_iter().flat_map(|name| shape.parts(name)) {
        let mut line = part.lines.start + 1;
        while line < part.lines.end {
            match call(shape, line, part.lines.end, command)? {
                Some(call) => {
                    line = call.lines.end;
                    found.push(call);
                }
                None => line += 1,
            }
        }
    }
    if found.is_empty() {
        let wanted = command.unwrap_or("%configure, %cmake or %meson");
        return Err(Failure::near(
            Problem::NoCommand(wanted.to_owned()),
            shape.nearest(command.unwrap_or("%configure")),
        ));
    }
    Ok(found)
}

fn call(shape: &Shape<'_>, first: usize, end: usize, command: Option<&str>) -> Result<Option<Call>, Failure> {
    let line = &shape.view.lines[first];
    if line.text.trim_start().starts_with('#') || depth_change(line.text) != 0 {
        return Ok(None);
    }
    let Some(words) = split(line.text, line.span.start) else { return Ok(None) };
    // Assignments may stand before a command.
    let Some(at) = words.iter().position(|word| !is_assignment(&shape.text[word.clone()])) else { return Ok(None) };
    let name = shape.text[words[at].clone()].replace("%{", "%").replace('}', "");
    let is_wanted = match command {
        Some(command) => name == command.replace("%{", "%").replace('}', ""),
        None => COMMANDS.contains(&name.as_str()),
    };
    if !is_wanted {
        return Ok(None);
    }
    let mut call = Call { command: words[at].clone(), lines: first..first + 1, arguments: Vec::new() };
    let mut depth = 0;
    let mut is_over = take(shape, &mut call, &words[at + 1..], first, 0);
    let mut goes_on = line.text.trim_end().ends_with('\\');
    let mut next = first + 1;
    while goes_on && next < end {
        let line = &shape.view.lines[next];
        let change = depth_change(line.text);
        if change != 0 || is_branch(line.text) {
            depth += change;
            next += 1;
            call.lines.end = next;
            continue;
        }
        let Some(words) = split(line.text, line.span.start) else {
            let number = shape.line_at(line.span.start);
            let problem =
                format!("line {number}, a part of the call of `{name}`, ends inside of a bracket or quotation mark");
            return Err(Problem::Shape(problem).into());
        };
        if !is_over {
            is_over = take(shape, &mut call, &words, next, depth);
        }
        goes_on = line.text.trim_end().ends_with('\\');
        next += 1;
        call.lines.end = next;
    }
    Ok(Some(call))
}

/// Takes words as arguments up to a sign that ends the command; says whether there was one.
fn take(shape: &Shape<'_>, call: &mut Call, words: &[Range<usize>], line: usize, depth: i32) -> bool {
    for word in words {
        let text = &shape.text[word.clone()];
        if matches!(text, "&&" | "||" | ";" | "|" | "&") || text.starts_with(['>', '<']) || text.starts_with("2>") {
            return true;
        }
        call.arguments.push((word.clone(), line, depth));
    }
    false
}

fn is_assignment(word: &str) -> bool {
    word == "export"
        || word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

/// The words of a line, without a backslash at its end; nothing where a bracket or quotation mark stays open.
pub(super) fn split(line: &str, offset: usize) -> Option<Vec<Range<usize>>> {
    let trimmed = line.trim_end();
    let line = trimmed.strip_suffix('\\').unwrap_or(trimmed);
    let (mut words, mut start) = (Vec::new(), None);
    let (mut depth, mut quote, mut is_escaped) = (0_u32, None, false);
    for (at, letter) in line.char_indices() {
        let splits = depth == 0 && quote.is_none() && letter.is_ascii_whitespace() && !is_escaped;
        match (quote, letter) {
            _ if is_escaped => is_escaped = false,
            (_, '\\') if quote != Some('\'') => is_escaped = true,
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(letter),
            (_, '{' | '(') => depth += 1,
            (_, '}' | ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (start, splits) {
            (None, false) => start = Some(at),
            (Some(from), true) => {
                words.push(offset + from..offset + at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| offset + from..offset + line.len()));
    (depth == 0 && quote.is_none()).then_some(words)
}
