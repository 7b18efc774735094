use super::super::view::{Kind, depth_change};
use super::super::{Failure, Problem};
use super::shape::Shape;
use crate::syntax::Edits;

/// Names a patch, and applies it where `%prep` applies each by its number.
pub(super) fn apply(shape: &Shape<'_>, file_name: &str, fixes: &[String]) -> Result<Edits, Failure> {
    let view = &shape.view;
    let mut last = -1_i64;
    let (mut last_patch, mut last_source, mut last_tag) = (None, None, None);
    for (index, line) in view.lines.iter().enumerate() {
        match line.kind {
            Kind::Tag { name, value } => {
                let lower = name.to_lowercase();
                last_tag = Some(index).filter(|_| view.parts[line.part].name.is_empty()).or(last_tag);
                if lower.starts_with("source") {
                    last_source = Some(index);
                }
                if let Some(number) = lower.strip_prefix("patch")
                    && (number.is_empty() || number.bytes().all(|byte| byte.is_ascii_digit()))
                {
                    check_name(shape, index, value, file_name)?;
                    last_patch = Some(index);
                    // Without a number it is one more than the one before.
                    last = if number.is_empty() {
                        last + 1
                    } else {
                        number.parse::<u32>().map_or(last, i64::from).max(last)
                    };
                }
            }
            Kind::Raw if view.parts[line.part].name == "%patchlist" && !line.text.trim().is_empty() => {
                check_name(shape, index, line.text.trim(), file_name)?;
                last += 1;
            }
            _ => {}
        }
    }
    let number = last + 1;
    let mut edits = Edits::default();
    let list = view.parts.iter().find(|part| part.name == "%patchlist");
    if let Some(list) = list {
        let at = behind_last(shape, list.lines.clone());
        edits.insert(view.start_of(at), view.inserted(at, &[file_name.to_owned()]));
    } else {
        let Some(like) = last_patch.or(last_source).or(last_tag) else {
            return Err(Problem::Shape("the preamble has no tag that a patch could follow".to_owned()).into());
        };
        let at = outside(shape, like) + 1;
        let line = view.lines[like].text;
        let space = line.split_once(':').map_or(" ", |(_, rest)| &rest[..rest.len() - rest.trim_start().len()]);
        let space = if space.is_empty() { " " } else { space };
        let mut lines = Vec::new();
        if !fixes.is_empty() {
            lines.push(format!("# fixes {}", fixes.join(", ")));
        }
        lines.push(format!("Patch{number}:{space}{file_name}"));
        edits.insert(view.start_of(at), view.inserted(at, &lines));
    }
    application(shape, number, &mut edits)?;
    Ok(edits)
}

fn check_name(shape: &Shape<'_>, line: usize, value: &str, file_name: &str) -> Result<(), Failure> {
    let value = shape.expand(value);
    let stands = value.rsplit('/').next().unwrap_or_default();
    if stands != file_name {
        return Ok(());
    }
    let seen = shape.seen(shape.view.lines[line].span.start);
    Err(Failure::new(Problem::Already(format!("the spec has a patch `{file_name}` already"))).already(Some(seen)))
}

/// What `%prep` needs: nothing where it applies all patches, a line where it names them.
fn application(shape: &Shape<'_>, number: i64, edits: &mut Edits) -> Result<(), Failure> {
    let view = &shape.view;
    let (mut applies_all, mut last_patch, mut last_setup, mut has_prep) = (false, None, None, false);
    for part in shape.parts("%prep") {
        has_prep = true;
        for index in part.lines.clone().skip(1) {
            let line = view.lines[index].text.trim();
            if line.starts_with('#') {
                continue;
            }
            let word = line.split_ascii_whitespace().next().unwrap_or_default();
            let has = |option: &str| line.split_ascii_whitespace().any(|word| word == option);
            match word.trim_start_matches("%{").trim_start_matches('%').trim_end_matches('}') {
                "autosetup" | "forgeautosetup" => applies_all |= !has("-N"),
                "autopatch" => {
                    let is_whole = !line.contains(" -m")
                        && !line.contains(" -M")
                        && line.split_ascii_whitespace().skip(1).all(|word| word.starts_with('-'));
                    applies_all |= is_whole;
                }
                "goprep" => applies_all |= has("-A"),
                "setup" | "forgesetup" => last_setup = Some(index),
                name if name.starts_with("patch") && name[5..].bytes().all(|byte| byte.is_ascii_digit()) => {
                    last_patch = Some(index);
                }
                _ => {}
            }
            if word == "%autosetup" || word == "%{autosetup}" {
                last_setup = Some(index);
            }
            applies_all |= line.contains("%{patches}") || line.contains("%patches");
        }
    }
    let builds_itself = shape.document.tags("buildsystem").next().is_some();
    if applies_all || (!has_prep && builds_itself) {
        return Ok(());
    }
    let Some(behind) = last_patch.or(last_setup) else {
        let problem =
            "`%prep` has no `%autosetup`, `%autopatch`, `%patch` or `%setup` behind which a patch could be applied";
        return Err(Problem::Shape(problem.to_owned()).into());
    };
    // As many leading folders are cut off as for the patch before.
    let strip = last_patch
        .and_then(|line| {
            view.lines[line].text.split_ascii_whitespace().find(|word| word.starts_with("-p") && word.len() > 2)
        })
        .unwrap_or("-p1");
    let at = outside(shape, behind) + 1;
    edits.insert(view.start_of(at), view.inserted(at, &[format!("%patch -P {number} {strip}")]));
    Ok(())
}

/// The line, or the `%endif` that closes the conditionals around it.
pub(super) fn outside(shape: &Shape<'_>, line: usize) -> usize {
    let lines = &shape.view.lines;
    let part = &shape.view.parts[lines[line].part];
    let mut depth: i32 =
        part.lines.clone().take_while(|index| *index <= line).map(|index| depth_change(lines[index].text)).sum();
    let mut at = line;
    while depth > 0 && at + 1 < part.lines.end {
        at += 1;
        depth += depth_change(lines[at].text);
    }
    if depth > 0 { line } else { at }
}

/// Behind the last line of a part that has something and no conditional around it.
fn behind_last(shape: &Shape<'_>, lines: std::ops::Range<usize>) -> usize {
    let (mut behind, mut open) = (lines.start, 0);
    for line in lines {
        let text = shape.view.lines[line].text;
        open += depth_change(text);
        if open == 0 && !text.trim().is_empty() {
            behind = line;
        }
    }
    behind + 1
}
