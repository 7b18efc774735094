//! Errors of specs as people and programs see them.

use serde_json::{Value, json};
use spec::{ErrorKind, Position, SpecError};

use super::inputs::SpecFile;

/// A spec that has no answer.
pub(super) struct Problem {
    /// The whole message: what, where, through which macros, and advice.
    pub(super) text: String,
    /// The same in parts.
    pub(super) json: Value,
}

impl Problem {
    /// Of a file that cannot be read.
    pub(super) fn unreadable(spec: &SpecFile, error: &std::io::Error) -> Problem {
        let text = error.to_string();
        Problem { json: json!({ "spec": spec.name(), "message": text }), text }
    }

    /// Of an evaluation. `text` is the spec's.
    pub(super) fn of(name: &str, text: &str, error: &SpecError) -> Problem {
        let position = refined(error, name, text);
        let mut message = format!("{}\n  --> {position}", error.kind);
        let line = (position.origin.as_str() == name)
            .then(|| text.lines().nth((position.line as usize).saturating_sub(1)))
            .flatten();
        if let Some(line) = line.filter(|_| position.line > 0) {
            let (shown, column) = excerpt(line, position.column as usize);
            let number = position.line.to_string();
            message.push_str(&format!("\n  {number} | {shown}"));
            if column > 0 {
                message.push_str(&format!("\n  {:width$} | {:>column$}", "", "^", width = number.len()));
            }
        }
        if !error.chain.is_empty() {
            message.push_str(&format!("\n  through  {}", chain(&error.chain)));
        }
        let hint = hint(&error.kind);
        if let Some(hint) = &hint {
            message.push_str(&format!("\nhint: {hint}"));
        }
        let mut json = json!({
            "spec": name,
            "message": error.kind.to_string(),
            "file": position.origin.as_str(),
            "line": position.line,
            "column": position.column,
            "chain": error.chain,
        });
        if let ErrorKind::UndefinedMacro { name, nearest, .. } = &*error.kind {
            json["macro"] = json!(name);
            json["nearest"] = json!(nearest);
            json["usual_package"] = json!(spec::lint::usual_package(name));
        }
        if let ErrorKind::UnknownTag { line, .. } = &*error.kind
            && line.starts_with('%')
        {
            json["macro"] = json!(called(line));
            json["usual_package"] = json!(spec::lint::usual_package(called(line)));
        }
        if let Some(hint) = hint {
            json["hint"] = json!(hint);
        }
        Problem { text: message, json }
    }
}

/// The macros that led to a place; what calls itself again and again is said once.
fn chain(names: &[String]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut index = 0;
    while let Some(name) = names.get(index) {
        let times = names[index..].iter().take_while(|next| *next == name).count();
        parts.push(if times > 1 { format!("{name} ({times} times)") } else { name.clone() });
        index += times;
    }
    parts.join(", ")
}

/// The error's place, with a column wherever there is a line: the macro that is meant, or the first letter.
fn refined(error: &SpecError, name: &str, text: &str) -> Position {
    let mut position = error.position.clone();
    if position.column > 0 || position.line == 0 || position.origin.as_str() != name {
        return position;
    }
    let Some(line) = text.lines().nth(position.line as usize - 1) else { return position };
    let word = match &*error.kind {
        ErrorKind::UndefinedMacro { name, .. } => {
            line.find(&format!("%{{{name}")).or_else(|| line.find(&format!("%{name}")))
        }
        ErrorKind::Dependency { text, .. } => line.find(text.as_str()),
        _ => None,
    };
    let column = word.unwrap_or(line.len() - line.trim_start().len()) + 1;
    position.column = u32::try_from(column).unwrap_or(0);
    position
}

/// At most about a terminal's width of a line around a column, and the column in what is left.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    const WIDTH: usize = 100;
    let letters: Vec<char> = line.replace('\t', " ").chars().collect();
    let before = line.get(..column.saturating_sub(1)).map_or(column.saturating_sub(1), |text| text.chars().count());
    let start = if before + 20 > WIDTH { before - WIDTH / 2 } else { 0 };
    let shown: String = letters.iter().skip(start).take(WIDTH).collect();
    (shown, if column == 0 { 0 } else { before - start + 1 })
}

/// The macro that a line begins with.
fn called(line: &str) -> &str {
    let name = line.trim_start_matches(['%', '{']);
    &name[..name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len())]
}

fn hint(kind: &ErrorKind) -> Option<String> {
    Some(match kind {
        ErrorKind::UndefinedMacro { name, .. } => match spec::lint::usual_package(name) {
            Some(package) => format!(
                "the package `{package}` usually defines `%{name}`: name its macro file with `--macros`, or its tree with `--macros-from`"
            ),
            None => format!("name the file that defines it with `--macros`, or say `--define '{name} VALUE'`"),
        },
        ErrorKind::Shell { .. } => {
            "where you trust the spec, `--run-shell-commands` lets this machine's shell answer".to_owned()
        }
        ErrorKind::NoFile(_) => {
            "specs see the files in their own folder (or `--source-dir`) and those that come with `--macros`".to_owned()
        }
        ErrorKind::UnknownTag { line, .. } if line.starts_with('%') => {
            let name = called(line);
            match spec::lint::usual_package(name) {
                Some(package) => format!(
                    "`%{name}` is defined nowhere; the package `{package}` usually does: name its macro file with `--macros`"
                ),
                None => format!("`%{name}` is defined nowhere: name its macro file with `--macros`"),
            }
        }
        ErrorKind::UnknownTag { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let line = format!("{}X{}", "a".repeat(300), "b".repeat(300));
        let (shown, column) = excerpt(&line, 301);
        assert_eq!(shown.chars().nth(column - 1), Some('X'));
        assert!(shown.len() <= 100);
        assert_eq!(excerpt("é%{x}", 3), ("é%{x}".to_owned(), 2));
    }
}
