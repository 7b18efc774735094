//! Running a tree of commands: variables, words, pipes.

use std::collections::BTreeMap;

use super::arithmetic::arithmetic;
use super::machine::Machine;
use super::syntax::{self, Command, Input, Joint, List, Piece, Word, parse_operand};
use super::{commands, pattern};

/// Commands in one run.
const STEPS: u32 = 20_000;
/// Bytes that a run may produce.
const OUTPUT: usize = 1 << 20;

/// Scripts inside scripts: `eval`, `sh -c`, `.`.
const DEPTH: u32 = 10;

pub(super) fn run(script: &List, machine: &Machine<'_>) -> Result<String, String> {
    let mut runner = Runner { variables: BTreeMap::new(), status: 0, steps: 0, depth: 0, machine };
    let mut output = String::new();
    runner.list(script, "", &mut output)?;
    Ok(output)
}

struct Runner<'m> {
    variables: BTreeMap<String, String>,
    status: i32,
    steps: u32,
    depth: u32,
    machine: &'m Machine<'m>,
}

impl Runner<'_> {
    fn list(&mut self, list: &List, input: &str, output: &mut String) -> Result<(), String> {
        for (joint, negated, pipeline) in &list.0 {
            match joint {
                Joint::IfTrue if self.status != 0 => continue,
                Joint::IfFalse if self.status == 0 => continue,
                _ => {}
            }
            let (last, before) = pipeline.split_last().ok_or("an empty pipeline")?;
            let mut piped = input.to_owned();
            for command in before {
                let mut next = String::new();
                // Each side of a pipe has variables of its own.
                let variables = self.variables.clone();
                self.command(command, &piped, &mut next)?;
                self.variables = variables;
                piped = next;
            }
            let variables = (!before.is_empty()).then(|| self.variables.clone());
            self.command(last, &piped, output)?;
            if let Some(variables) = variables {
                self.variables = variables;
            }
            if *negated {
                self.status = i32::from(self.status == 0);
            }
            if output.len() > OUTPUT {
                return Err(format!("it prints more than {OUTPUT} bytes"));
            }
        }
        Ok(())
    }

    fn command(&mut self, command: &Command, input: &str, output: &mut String) -> Result<(), String> {
        self.steps += 1;
        if self.steps > STEPS {
            return Err(format!("it runs more than {STEPS} commands"));
        }
        match command {
            Command::Group(list) => self.list(list, input, output),
            Command::If { branches, otherwise } => {
                for (condition, body) in branches {
                    self.list(condition, input, output)?;
                    if self.status == 0 {
                        return self.list(body, input, output);
                    }
                }
                self.status = 0;
                otherwise.as_ref().map_or(Ok(()), |body| self.list(body, input, output))
            }
            Command::For { name, words, body } => {
                let mut values = Vec::new();
                for word in words {
                    values.extend(self.fields(word)?);
                }
                self.status = 0;
                for value in values {
                    self.variables.insert(name.clone(), value);
                    self.list(body, input, output)?;
                }
                Ok(())
            }
            Command::Case { word, arms } => {
                let value = self.text(word)?;
                self.status = 0;
                for (patterns, body) in arms {
                    for pattern in patterns {
                        if pattern::matches(&self.pattern(pattern)?, &value) {
                            return self.list(body, input, output);
                        }
                    }
                }
                Ok(())
            }
            Command::Simple { assignments, words, silent, input: own_input } => {
                let mut fields = Vec::new();
                for word in words {
                    fields.extend(self.fields(word)?);
                }
                if fields.is_empty() {
                    self.status = 0;
                }
                for (name, word) in assignments {
                    let value = self.text(word)?;
                    // For the command only, in a real shell: the commands here look at no variable.
                    if fields.is_empty() {
                        self.variables.insert(name.clone(), value);
                    }
                }
                let Some((name, arguments)) = fields.split_first() else { return Ok(()) };
                if name == "read" {
                    let (name, line) = (arguments.first().ok_or("`read` names no variable")?, input.lines().next());
                    self.status = i32::from(line.is_none());
                    self.variables.insert(name.clone(), line.unwrap_or("").trim().to_owned());
                    return Ok(());
                }
                let own_input = match own_input {
                    None => None,
                    Some(Input::Text(word)) => Some(self.text(word)? + "\n"),
                    Some(Input::File(word)) => {
                        let path = self.text(word)?;
                        let Some(text) = self.machine.read_named(&path)? else {
                            self.status = 1;
                            return Ok(());
                        };
                        Some(text.to_string())
                    }
                };
                let input = own_input.as_deref().unwrap_or(input);
                if let Some(result) = self.shell_word(name, arguments, input, output) {
                    return result;
                }
                let (text, status) = commands::run(name, arguments, input, self.machine)?;
                self.status = status;
                if !silent {
                    output.push_str(&text);
                }
                Ok(())
            }
        }
    }

    /// What the shell itself does; nothing if `name` is a program.
    fn shell_word(
        &mut self,
        name: &str,
        arguments: &[String],
        input: &str,
        output: &mut String,
    ) -> Option<Result<(), String>> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Some(match (name, &arguments[..]) {
            ("eval", words) => self.script(&words.join(" "), input, output),
            ("sh" | "bash" | "/bin/sh" | "/bin/bash" | "/usr/bin/sh" | "/usr/bin/bash", ["-c", script]) => {
                let variables = self.variables.clone();
                let result = self.script(script, input, output);
                self.variables = variables;
                result
            }
            ("." | "source", [path]) => match self.machine.read_named(path) {
                Ok(Some(text)) => self.script(&text, input, output),
                Ok(None) => {
                    self.status = 1;
                    Ok(())
                }
                Err(problem) => Err(problem),
            },
            // Words of `rpm -q` and its like come from a pipe.
            ("xargs", words) => {
                let words = words.iter().skip_while(|word| **word == "-r").copied();
                let words: Vec<String> = words.chain(input.split_ascii_whitespace()).map(str::to_owned).collect();
                match words.split_first() {
                    Some((name, arguments)) => {
                        commands::run(name, arguments, "", self.machine).map(|(text, status)| {
                            self.status = status;
                            output.push_str(&text);
                        })
                    }
                    None => Err("`xargs` has no command".to_owned()),
                }
            }
            ("export", words) if words.iter().all(|word| !word.contains('=')) => {
                self.status = 0;
                Ok(())
            }
            ("export" | "local" | "set" | "unset", _) => Err(format!("`{name}` is not evaluated")),
            _ => return None,
        })
    }

    /// Runs the text of another script here.
    fn script(&mut self, text: &str, input: &str, output: &mut String) -> Result<(), String> {
        if self.depth >= DEPTH {
            return Err("its scripts are nested too deeply".to_owned());
        }
        self.depth += 1;
        let result = syntax::parse(text).and_then(|list| self.list(&list, input, output));
        self.depth -= 1;
        result
    }

    /// A word's value as one text.
    fn text(&mut self, word: &Word) -> Result<String, String> {
        let mut text = String::new();
        for piece in word {
            text.push_str(&self.piece(piece)?);
        }
        Ok(text)
    }

    /// A word's value as a pattern: what stood in quotes counts as it is.
    fn pattern(&mut self, word: &Word) -> Result<String, String> {
        let mut text = String::new();
        for piece in word {
            let value = self.piece(piece)?;
            let quoted = matches!(piece, Piece::Text(_, true) | Piece::Variable(_, _, true) | Piece::Command(_, true));
            text.push_str(&if quoted { pattern::escape(&value) } else { value });
        }
        Ok(text)
    }

    /// A word's value, split at white space where it was not quoted.
    fn fields(&mut self, word: &Word) -> Result<Vec<String>, String> {
        let mut fields: Vec<String> = Vec::new();
        let mut current: Option<String> = None;
        for piece in word {
            let value = self.piece(piece)?;
            let splits = matches!(piece, Piece::Variable(_, _, false) | Piece::Command(_, false));
            if let Piece::Text(text, false) = piece
                && (text.contains(['*', '?']) || text.starts_with('~'))
            {
                return Err(format!("`{text}` asks for the names of files"));
            }
            if !splits {
                current.get_or_insert_default().push_str(&value);
                continue;
            }
            if value.starts_with(|letter: char| letter.is_ascii_whitespace()) {
                fields.extend(current.take());
            }
            let mut parts = value.split_ascii_whitespace().peekable();
            while let Some(part) = parts.next() {
                current.get_or_insert_default().push_str(part);
                if parts.peek().is_some() || value.ends_with(|letter: char| letter.is_ascii_whitespace()) {
                    fields.extend(current.take());
                }
            }
        }
        fields.extend(current);
        Ok(fields)
    }

    fn piece(&mut self, piece: &Piece) -> Result<String, String> {
        match piece {
            Piece::Text(text, _) => Ok(text.clone()),
            Piece::Command(list, _) => {
                let mut output = String::new();
                let variables = self.variables.clone();
                self.list(list, "", &mut output)?;
                self.variables = variables;
                output.truncate(output.trim_end_matches('\n').len());
                Ok(output)
            }
            Piece::Arithmetic(word) => {
                let text = self.text(word)?;
                let known =
                    |name: &str| self.variables.get(name).and_then(|value| value.trim().parse().ok()).unwrap_or(0);
                arithmetic(&text, &known).map(|value| value.to_string())
            }
            Piece::Variable(name, operation, _) => self.variable(name, operation),
        }
    }

    fn variable(&mut self, name: &str, operation: &str) -> Result<String, String> {
        if name == "?" {
            return Ok(self.status.to_string());
        }
        if let Some(name) = name.strip_prefix('#') {
            return Ok(self.variables.get(name).map_or(0, |value| value.chars().count()).to_string());
        }
        let value = self.variables.get(name).cloned().or_else(|| self.machine.is_bare.then(String::new));
        // A name that nobody set would be the machine's environment.
        let known = value.clone().ok_or_else(|| format!("the variable `{name}` is set nowhere"));
        let mut operand = |text: &str| -> Result<String, String> {
            let word = parse_operand(text)?;
            self.text(&word)
        };
        if operation.is_empty() {
            return known;
        }
        for (mark, wants_set) in [(":-", false), ("-", false), (":+", true), ("+", true)] {
            if let Some(rest) = operation.strip_prefix(mark) {
                let is_set = value.as_ref().is_some_and(|value| !mark.starts_with(':') || !value.is_empty());
                return match (wants_set, is_set) {
                    (false, true) => known,
                    (true, false) => Ok(String::new()),
                    _ => operand(rest),
                };
            }
        }
        let value = known?;
        if let Some(range) = operation.strip_prefix(':') {
            return slice(&value, range);
        }
        for (mark, cut) in [
            ("##", pattern::Cut::LongestStart),
            ("#", pattern::Cut::ShortestStart),
            ("%%", pattern::Cut::LongestEnd),
            ("%", pattern::Cut::ShortestEnd),
        ] {
            if let Some(rest) = operation.strip_prefix(mark) {
                let word = parse_operand(rest)?;
                return Ok(pattern::cut(&value, &self.pattern(&word)?, cut));
            }
        }
        if let Some(rest) = operation.strip_prefix('/') {
            let (everywhere, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
            let (from, to) = rest.split_once('/').unwrap_or((rest, ""));
            let from = parse_operand(from)?;
            let from = self.pattern(&from)?;
            let to = parse_operand(to)?;
            let to = self.text(&to)?;
            return Ok(pattern::replace(&value, &from, &to, everywhere));
        }
        match operation {
            "^^" => Ok(value.to_uppercase()),
            ",," => Ok(value.to_lowercase()),
            _ => Err(format!("`${{{name}{operation}}}` is not evaluated")),
        }
    }
}

/// `${name:from}` and `${name:from:length}`.
fn slice(value: &str, range: &str) -> Result<String, String> {
    let (from, length) = range.split_once(':').map_or((range, None), |(from, length)| (from, Some(length)));
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| format!("`{text}` is no number"));
    let letters: Vec<char> = value.chars().collect();
    let count = i64::try_from(letters.len()).unwrap_or(i64::MAX);
    let from = number(from)?;
    let from = if from < 0 { (count + from).max(0) } else { from.min(count) };
    let to = match length {
        None => count,
        Some(length) => {
            let length = number(length)?;
            if length < 0 { count + length } else { (from + length).min(count) }
        }
    };
    if to < from {
        return Ok(String::new());
    }
    let index = |number: i64| usize::try_from(number).unwrap_or(0);
    Ok(letters[index(from)..index(to)].iter().collect())
}
