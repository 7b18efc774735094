use std::ops::Range;

use super::super::{Failure, Problem};
use super::configure::split;
use super::shape::Shape;
use crate::syntax::Edits;

/// A program that runs checks, and how one is left out of its run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Runner {
    /// `%ctest`, `ctest`: `--exclude-regex`.
    Ctest,
    /// `%pytest`, `pytest`: `--deselect` of `file::test`, `-k` of a name.
    Pytest,
    /// `go test`: `-skip`; `%gocheck`: `-d` of a package's folder.
    Go,
    /// `%cargo_test`, `cargo test`: `--skip` behind `--`.
    Cargo,
    /// `make check`: the script of the check is replaced by one that says "skipped" (77).
    Automake,
}

/// A line of `%check` that runs checks.
struct Run {
    runner: Runner,
    /// Its words, over continued lines.
    words: Vec<Range<usize>>,
    /// Where the words of the program end, before `|` or `&&`.
    end: usize,
    /// Where its line begins.
    start: usize,
    is_go_macro: bool,
}

pub(super) fn skip(shape: &Shape<'_>, name: &str) -> Result<Edits, Failure> {
    if name.is_empty() || name.contains(['\n', '\'', '"', '\\']) {
        return Err(Problem::Shape(format!("`{name}` is not the name of a check")).into());
    }
    let runs = runs(shape);
    if runs.is_empty() {
        let problem = if shape.parts("%check").next().is_none() {
            "there is no `%check` that a check could be left out of"
        } else {
            "nothing in `%check` is known to leave out checks by name: ctest, pytest, go, cargo and automake are"
        };
        return Err(Problem::Shape(problem.to_owned()).into());
    }
    let mut edits = Edits::default();
    let mut stands = None;
    for run in &runs {
        match one(shape, run, name)? {
            Some((at, text)) if at.is_empty() => edits.insert(at.start, text),
            Some((at, text)) => edits.replace(at, text),
            None => stands = Some(shape.seen(run.start)),
        }
    }
    if edits.is_empty() {
        return Err(Failure::new(Problem::Already(format!("check `{name}` is left out already"))).already(stands));
    }
    Ok(edits)
}

/// The change to one run; nothing where the check is left out already.
fn one(shape: &Shape<'_>, run: &Run, name: &str) -> Result<Option<(Range<usize>, String)>, Failure> {
    let text = |range: &Range<usize>| &shape.text[range.clone()];
    let has = |wanted: &str| run.words.iter().any(|word| text(word).trim_matches(['\'', '"']) == wanted);
    let at_end = run.end..run.end;
    match run.runner {
        Runner::Ctest => expression(shape, run, &["-E", "--exclude-regex"], "--exclude-regex", name),
        Runner::Go if run.is_go_macro => {
            if !name.contains('/') {
                let problem = format!("`%gocheck` leaves out folders, and `{name}` is none");
                return Err(Problem::Shape(problem).into());
            }
            Ok((!has(name)).then(|| (at_end, format!(" -d '{name}'"))))
        }
        Runner::Go => expression(shape, run, &["-skip", "--skip"], "-skip", name),
        Runner::Pytest if name.contains("::") || name.contains('/') => {
            let is_there = has(name) || has(&format!("--deselect={name}"));
            Ok((!is_there).then(|| (at_end, format!(" --deselect '{name}'"))))
        }
        Runner::Pytest => by_keyword(shape, run, name),
        Runner::Cargo => {
            if has(name) {
                return Ok(None);
            }
            // `%cargo_test -- ARGUMENTS OF CARGO -- ARGUMENTS OF THE TEST`, `cargo test .. -- ARGUMENTS OF THE TEST`.
            let dashes = run.words.iter().filter(|word| text(word) == "--").count();
            let is_macro = run.words.iter().any(|word| text(word).contains("cargo_test"));
            let missing = if is_macro { 2_usize } else { 1 }.saturating_sub(dashes);
            Ok(Some((at_end, format!("{} --skip '{name}'", " --".repeat(missing)))))
        }
        Runner::Automake => {
            let is_script = name.contains('/') || [".sh", ".test", ".py", ".pl"].iter().any(|end| name.ends_with(end));
            if !is_script || name.starts_with('/') || name.split('/').any(|part| part == "..") {
                let problem = format!(
                    "automake can leave out a check whose script is named by its path, and `{name}` may be a compiled one"
                );
                return Err(Problem::Shape(problem).into());
            }
            let line = format!("printf '#!/bin/sh\\nexit 77\\n' > '{name}'\n");
            let check: String = shape
                .parts("%check")
                .map(|part| &shape.text[shape.view.start_of(part.lines.start)..shape.view.start_of(part.lines.end)])
                .collect();
            Ok((!check.contains(&line)).then_some((run.start..run.start, line)))
        }
    }
}

/// An option that takes one expression: a name is one more alternative of it.
fn expression(
    shape: &Shape<'_>,
    run: &Run,
    spellings: &[&str],
    option: &str,
    name: &str,
) -> Result<Option<(Range<usize>, String)>, Failure> {
    let wanted = format!("^{}$", regex::escape(name));
    let given = run.words.iter().enumerate().find_map(|(index, word)| {
        let text = &shape.text[word.clone()];
        if spellings.contains(&text) {
            return run.words.get(index + 1).cloned();
        }
        spellings.iter().find_map(|spelling| {
            let value = text.strip_prefix(spelling)?.strip_prefix('=')?;
            Some(word.end - value.len()..word.end)
        })
    });
    let Some(given) = given else { return Ok(Some((run.end..run.end, format!(" {option} '{wanted}'")))) };
    let text = &shape.text[given.clone()];
    let bare = text.trim_matches(['\'', '"']);
    if bare.replace("\\$", "$").split('|').any(|one| one == wanted || one == name) {
        return Ok(None);
    }
    if bare.contains(['\'', '"']) || bare.contains("$(") {
        let problem =
            format!("line {} has an expression that more cannot be added to: `{text}`", shape.line_at(given.start));
        return Err(Problem::Shape(problem).into());
    }
    let quote = if text.starts_with('"') { '"' } else { '\'' };
    // In quotation marks of the double kind a dollar is the shell's, unless it ends the expression.
    let wanted = if quote == '"' { wanted.replace('$', "\\$") } else { wanted };
    Ok(Some((given, format!("{quote}{bare}|{wanted}{quote}"))))
}

/// pytest's `-k`: the last one counts, so that a name joins the one that is there.
fn by_keyword(shape: &Shape<'_>, run: &Run, name: &str) -> Result<Option<(Range<usize>, String)>, Failure> {
    let given =
        run.words.iter().position(|word| &shape.text[word.clone()] == "-k").and_then(|at| run.words.get(at + 1));
    let Some(given) = given else { return Ok(Some((run.end..run.end, format!(" -k 'not {name}'")))) };
    let text = &shape.text[given.clone()];
    let quoted = text.len() >= 2
        && (text.starts_with('\'') && text.ends_with('\'') || text.starts_with('"') && text.ends_with('"'));
    if !quoted {
        let line = shape.line_at(given.start);
        let problem =
            format!("line {line} has `-k {text}`, and more can be added only to what stands in quotation marks");
        return Err(Problem::Shape(problem).into());
    }
    let (quote, bare) = (&text[..1], &text[1..text.len() - 1]);
    let wanted = format!("not {name}");
    if bare.split(" and ").any(|one| one.trim().trim_matches(['(', ')']) == wanted) {
        return Ok(None);
    }
    let bare = if bare.contains(" or ") && !(bare.starts_with('(') && bare.ends_with(')')) {
        format!("({bare})")
    } else {
        bare.to_owned()
    };
    Ok(Some((given.clone(), format!("{quote}{bare} and {wanted}{quote}"))))
}

fn runs(shape: &Shape<'_>) -> Vec<Run> {
    let mut found = Vec::new();
    for part in shape.parts("%check") {
        let mut line = part.lines.start + 1;
        while line < part.lines.end {
            let start = shape.view.lines[line].span.start;
            let mut words = Vec::new();
            let mut is_whole = true;
            loop {
                let text = shape.view.lines[line].text;
                match split(text, shape.view.lines[line].span.start) {
                    Some(more) => words.extend(more),
                    None => is_whole = false,
                }
                line += 1;
                if !text.trim_end().ends_with('\\') || line >= part.lines.end {
                    break;
                }
            }
            if is_whole && !shape.text[start..].trim_start().starts_with('#') {
                found.extend(run(shape, words, start));
            }
        }
    }
    found
}

fn run(shape: &Shape<'_>, mut words: Vec<Range<usize>>, start: usize) -> Option<Run> {
    let text = |word: &Range<usize>| &shape.text[word.clone()];
    let ends = |word: &str| {
        matches!(word, "&&" | "||" | ";" | "|" | "&" | ":") || word.starts_with(['>', '<']) || word.starts_with("2>")
    };
    let cut = words.iter().position(|word| ends(text(word)));
    words.truncate(cut.unwrap_or(words.len()));
    let end = words.last()?.end;
    let plain: Vec<String> = words.iter().map(|word| text(word).replace("%{", "%").replace(['}', '?'], "")).collect();
    let pair = |left: &str, right: &str| plain.windows(2).any(|two| two[0] == left && two[1] == right);
    let any = |names: &[&str]| plain.iter().any(|word| names.contains(&word.as_str()));
    let is_go_macro = any(&["%gocheck", "%gocheck2", "%gotest"]) && !any(&["%gotest"]);
    let runner = if any(&["%ctest", "ctest", "%ctest3"]) {
        Runner::Ctest
    } else if any(&["%pytest", "pytest", "py.test", "pytest-3"]) || pair("-m", "pytest") {
        Runner::Pytest
    } else if is_go_macro || any(&["%gotest"]) || pair("go", "test") {
        Runner::Go
    } else if any(&["%cargo_test"]) || pair("cargo", "test") {
        Runner::Cargo
    } else if any(&["make", "%make_build", "%__make", "%make"]) && any(&["check", "test"]) {
        Runner::Automake
    } else {
        return None;
    };
    Some(Run { runner, words, end, start, is_go_macro })
}
