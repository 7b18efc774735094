//! Expansion: text with macro calls in, text without out.

use std::rc::Rc;
use std::sync::Arc;

use super::arguments::{self, QUOTE};
use super::builtin::Builtin;
use super::engine::{Call, Engine, Outcome, is_automatic};
use super::memo::Run;
use super::scan::{self, is_blank};
use super::table::{Body, Definition};
use crate::ErrorKind;

/// Text under construction.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) text: String,
    /// Marks of quoted arguments stay in the text, for whoever splits it.
    pub(crate) keep_quotes: bool,
    /// There are such marks.
    pub(crate) has_quotes: bool,
}

impl Output {
    pub(crate) fn keeping_quotes(keep_quotes: bool) -> Output {
        Output { keep_quotes, ..Output::default() }
    }
}

/// A macro call as it stands in a text.
struct Reference<'t> {
    name: &'t str,
    negated: bool,
    tests_existence: bool,
    /// What stands behind the colon of `%{name:text}`.
    colon_text: Option<(usize, usize)>,
    /// Where arguments end: at the brace of `%{name a b}`, at the line's end of `%name a b`.
    arguments_end: Option<usize>,
    /// Where the name ends.
    name_end: usize,
    /// Where the call ends.
    end: usize,
}

impl Reference<'_> {
    /// Whether something is said to a macro that takes no arguments.
    fn has_argument(&self, source: &str) -> bool {
        let in_braces = self.name_end != self.end;
        self.colon_text.is_some()
            || self.arguments_end.is_some_and(|end| source.as_bytes().get(end) == Some(&b'}') && in_braces)
    }
}

/// Appends an argument's text; marks of quoted ones only where they are wanted.
fn push_argument(name: &str, text: &str, output: &mut Output) {
    if name != "**" || output.keep_quotes {
        output.has_quotes |= name == "**";
        output.text.push_str(text);
    } else {
        output.text.extend(text.split(QUOTE));
    }
}

impl Engine {
    /// Expands `source` to the end of `output`.
    pub(crate) fn expand(&self, source: &str, output: &mut Output) -> Outcome {
        let depth = self.depth.get() + 1;
        let limit = self.environment.limits.depth;
        if depth > limit {
            return Err(self.fail(ErrorKind::Recursion { limit }));
        }
        self.depth.set(depth);
        let start = output.text.len();
        let result = self.expand_calls(source, output, depth == 1);
        self.count_bytes(output.text.len().saturating_sub(start));
        self.depth.set(depth - 1);
        result
    }

    fn expand_calls(&self, source: &str, output: &mut Output, outermost: bool) -> Outcome {
        let bytes = source.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let Some(percent) = memchr::memchr(b'%', &bytes[at..]) else {
                output.text.push_str(&source[at..]);
                break;
            };
            output.text.push_str(&source[at..at + percent]);
            at += percent + 1;
            match bytes.get(at) {
                None => {
                    output.text.push('%');
                    break;
                }
                Some(b'%') => {
                    output.text.push('%');
                    at += 1;
                    continue;
                }
                Some(_) => {}
            }
            if outermost {
                self.offset.set(at - 1);
            }
            at = self.expand_call(source, at, output)?;
            let limit = self.environment.limits.output;
            if output.text.len() as u64 > limit {
                return Err(self.fail(ErrorKind::Limit { what: "bytes of expanded text", limit }));
            }
        }
        Ok(())
    }

    /// Expands the call whose `%` stands right before `at`; returns where the text goes on.
    fn expand_call(&self, source: &str, at: usize, output: &mut Output) -> Outcome<usize> {
        let bytes = source.as_bytes();
        let Some(end) = scan::macro_end(bytes, at) else {
            return Err(self.fail(ErrorKind::Unterminated {
                open: char::from(bytes[at]),
                text: super::string::excerpt(&source[at..]),
            }));
        };
        self.count_call()?;
        match bytes[at] {
            b'(' => {
                self.expand_shell(&source[at + 1..end - 1], output)?;
                return Ok(end);
            }
            b'[' => {
                let value = self.expression_text(&source[at + 1..end - 1], true)?;
                output.text.push_str(&value);
                return Ok(end);
            }
            _ => {}
        }
        let (reference, behind_marks) = read_reference(source, at, end);
        if reference.name.is_empty() {
            output.text.push('%');
            return Ok(behind_marks);
        }
        if is_automatic(reference.name) {
            return self.expand_automatic(source, &reference, behind_marks, output);
        }
        let found = self.find(reference.name).filter(|found| !found.automatic || self.level.get() <= found.level);

        if reference.tests_existence {
            if found.is_some() != reference.negated {
                match (reference.colon_text, found) {
                    (Some((from, to)), _) if from < to => self.expand(&source[from..to], output)?,
                    (_, Some(found)) => self.expand_macro(&found, None, output, None)?,
                    _ => {}
                }
            }
            return Ok(reference.end);
        }
        let Some(found) = found else {
            output.text.push('%');
            return Ok(behind_marks);
        };
        self.expand_found(source, &reference, &found, output)
    }

    /// Expands a call of `%1`, `%{-f}` and their like.
    fn expand_automatic(
        &self,
        source: &str,
        reference: &Reference<'_>,
        behind_marks: usize,
        output: &mut Output,
    ) -> Outcome<usize> {
        let name = reference.name;
        if reference.tests_existence || name.starts_with('-') {
            let has_text = reference.colon_text.is_some_and(|(from, to)| from < to);
            let is_there = self.with_automatic(name, |text| {
                if !reference.negated && !has_text {
                    push_argument(name, text, output);
                }
            });
            if is_there != reference.negated
                && let Some((from, to)) = reference.colon_text.filter(|_| has_text)
            {
                self.expand(&source[from..to], output)?;
            }
            return Ok(reference.end);
        }
        if !self.with_automatic(name, |text| push_argument(name, text, output)) {
            output.text.push('%');
            return Ok(behind_marks);
        }
        if reference.has_argument(source) {
            self.warn(format!("`%{name}` takes no argument, yet is given one"));
        }
        Ok(reference.end)
    }

    fn expand_found(
        &self,
        source: &str,
        reference: &Reference<'_>,
        found: &Arc<Definition>,
        output: &mut Output,
    ) -> Outcome<usize> {
        let bytes = source.as_bytes();
        let in_braces = reference.name_end != reference.end;
        if found.options.is_none() && !found.is_builtin() {
            if reference.has_argument(source) {
                self.warn(format!("`%{}` takes no argument, yet is given one", found.name));
            }
            self.expand_macro(found, None, output, None)?;
            return Ok(reference.end);
        }
        if !in_braces && found.is_free_field() {
            let rest = &source[reference.end..];
            let mut consumed = 0;
            self.expand_macro(found, Some(&[rest.to_owned()]), output, Some(&mut consumed))?;
            return Ok(reference.end + consumed);
        }
        let mut end = reference.end;
        let mut arguments = Vec::new();
        if let Some((from, to)) = reference.colon_text {
            if matches!(found.body, Body::Builtin(Builtin::Expand))
                && self.expand_run(found, &source[from..to], output)?
            {
                return Ok(behind_arguments(bytes, to));
            }
            if found.is_raw() {
                arguments.push(source[from..to].to_owned());
            } else {
                let mut text = Output::keeping_quotes(output.keep_quotes);
                self.expand(&source[from..to], &mut text)?;
                arguments.push(text.text);
            }
            end = behind_arguments(bytes, to);
        } else if let Some(to) = reference.arguments_end.filter(|_| found.options.is_some() || in_braces) {
            let text = &source[reference.name_end..to];
            if found.is_raw() {
                arguments.push(text.to_owned());
            } else {
                let mut expanded = Output::keeping_quotes(true);
                self.expand(text, &mut expanded)?;
                arguments = arguments::split_words(&expanded.text);
            }
            end = behind_arguments(bytes, to);
        }
        self.expand_macro(found, Some(&arguments), output, None)?;
        Ok(end)
    }

    /// `%{expand:%{lua:script}}` where the script is known to print thousands of numbered names: only the defined ones count.
    fn expand_run(&self, found: &Arc<Definition>, text: &str, output: &mut Output) -> Outcome<bool> {
        let script = text.strip_prefix("%{lua:").and_then(|rest| rest.strip_suffix('}'));
        let Some(run) = script.and_then(|script| self.known_run(script)) else { return Ok(false) };
        self.chain.borrow_mut().push(found.name.clone());
        let result = self.expand_defined(&run, output);
        self.chain.borrow_mut().pop();
        result.map(|()| true)
    }

    fn expand_defined(&self, run: &Run, output: &mut Output) -> Outcome {
        let (mut next, mut changes) = (run.from, self.changes());
        let mut numbers = self.numbered(&run.head, next, run.to).into_iter();
        while let Some(number) = numbers.next() {
            self.expand(&format!("%{{?{}{number}}}", run.head), output)?;
            next = number + 1;
            if self.changes() != changes {
                changes = self.changes();
                numbers = self.numbered(&run.head, next, run.to).into_iter();
            }
        }
        Ok(())
    }

    /// Expands one macro. `arguments` is nothing where the call has no place for any; `consumed` is given to free-field
    /// macros such as `%define`, which say how much of the text behind them they take.
    pub(crate) fn expand_macro(
        &self,
        found: &Arc<Definition>,
        arguments: Option<&[String]>,
        output: &mut Output,
        consumed: Option<&mut usize>,
    ) -> Outcome {
        self.chain.borrow_mut().push(found.name.clone());
        let start = output.text.len();
        let result = match &found.body {
            Body::Builtin(builtin) => self.run_builtin(*builtin, found, arguments.unwrap_or(&[]), output, consumed),
            Body::Text(text) if found.literal => {
                output.text.push_str(text);
                Ok(())
            }
            Body::Text(text) if text.is_empty() => Ok(()),
            Body::Text(text) => self.expand_body(found, text, arguments, output),
        };
        if result.is_ok() && found.quoted {
            if output.keep_quotes {
                output.has_quotes = true;
            } else if output.text[start..].contains(QUOTE) {
                let plain = output.text[start..].replace(QUOTE, "");
                output.text.truncate(start);
                output.text.push_str(&plain);
            }
        }
        self.chain.borrow_mut().pop();
        result
    }

    fn expand_body(
        &self,
        found: &Arc<Definition>,
        body: &Arc<str>,
        arguments: Option<&[String]>,
        output: &mut Output,
    ) -> Outcome {
        let start = output.text.len();
        let result = match arguments {
            Some(arguments) => {
                let level = self.level.get();
                let outer = self.call.borrow().clone();
                let begun = self.begin_scope(found, arguments);
                let result = begun.and_then(|()| self.expand_quoted(found, body, output));
                self.end_scope();
                self.call.replace(outer);
                debug_assert_eq!(self.level.get(), level, "scopes nest");
                result
            }
            None if !found.quoted && !found.once => self.expand_remembered(found, body, output),
            None => self.expand_quoted(found, body, output),
        };
        if result.is_ok() && found.once {
            let mut fixed = Definition::clone(found);
            fixed.once = false;
            fixed.literal = true;
            fixed.body = Body::Text(Arc::from(&output.text[start..]));
            self.push(fixed);
        }
        result
    }

    fn expand_quoted(&self, found: &Definition, text: &str, output: &mut Output) -> Outcome {
        if !(found.quoted && output.keep_quotes) {
            return self.expand(text, output);
        }
        // Inside quotes, marks of inner macros would end the word: they are dropped there.
        for (index, part) in text.split(QUOTE).enumerate() {
            if index > 0 {
                output.text.push(QUOTE);
            }
            output.keep_quotes = index % 2 == 0;
            if !part.is_empty() {
                self.expand(part, output)?;
            }
        }
        output.keep_quotes = true;
        Ok(())
    }

    /// Begins a parametric call: `%0`, `%**`, options, `%#`, `%1` and so on, `%*`.
    fn begin_scope(&self, found: &Definition, arguments: &[String]) -> Outcome {
        self.level.set(self.level.get() + 1);
        let options = found.options.as_deref().unwrap_or("");
        let parsed = arguments::getopt(options, arguments).map_err(|option| {
            self.fail(ErrorKind::UnknownOption { name: found.name.to_string(), option, options: options.to_owned() })
        })?;
        let call = Rc::new(Call { parsed });
        self.push_frame(&found.name, arguments::join_quoted(arguments), &call);
        self.call.replace(Some(call));
        Ok(())
    }

    fn expand_shell(&self, command: &str, output: &mut Output) -> Outcome {
        let mut expanded = Output::default();
        self.expand(command, &mut expanded)?;
        self.mark_impure();
        let answer = match self.environment.shell.reply(&expanded.text, self.environment.clock) {
            Ok(reply) => self.take_reply(&expanded.text, reply),
            Err(problem) => {
                let kind = ErrorKind::Shell { command: super::string::excerpt(&expanded.text), problem };
                if !self.in_script.get() {
                    return self.skip(self.fail(kind));
                }
                self.warn(format!("{kind}; it counts as printing nothing"));
                return Ok(());
            }
        };
        output.text.push_str(answer.trim_end_matches(['\n', '\r']));
        Ok(())
    }
}

impl Definition {
    /// Takes its arguments without expanding them.
    fn is_raw(&self) -> bool {
        matches!(&self.body, Body::Builtin(builtin) if builtin.is_raw())
    }

    /// Takes the text behind it as far as it likes: `%define`, `%global`, `%dnl`.
    fn is_free_field(&self) -> bool {
        self.is_raw()
    }
}

/// Where the text goes on behind arguments that end at `end`: behind the brace, or at the line's end.
fn behind_arguments(bytes: &[u8], end: usize) -> usize {
    match bytes.get(end) {
        None => end,
        Some(b'\n') if end == 0 || bytes[end - 1] != b'\\' => end,
        Some(_) => end + 1,
    }
}

/// Reads the call whose `%` stands before `at` and that ends at `end`. The second value is where the text goes on if the
/// call stays as it is.
fn read_reference(source: &str, at: usize, end: usize) -> (Reference<'_>, usize) {
    let bytes = source.as_bytes();
    let braced = bytes[at] == b'{';
    let mut from = if braced { at + 1 } else { at };
    let (mut negated, mut tests_existence) = (false, false);
    while let Some(mark @ (b'?' | b'!')) = bytes.get(from) {
        if *mark == b'!' {
            negated = !negated;
        } else {
            tests_existence = true;
        }
        from += 1;
    }
    let mut colon_text = None;
    let mut arguments_end = None;
    let name_end;
    if braced {
        let mut index = from;
        while index < bytes.len() && !matches!(bytes[index], b' ' | b':' | b'}') {
            index += 1;
        }
        name_end = index;
        match bytes.get(index) {
            Some(b':') => colon_text = Some((index + 1, (end - 1).max(index + 1))),
            Some(b' ') => arguments_end = Some(end - 1),
            _ => {}
        }
    } else {
        name_end = end.max(from);
        if bytes.get(end).is_some_and(|byte| is_blank(*byte)) {
            arguments_end = Some(memchr::memchr(b'\n', &bytes[end..]).map_or(bytes.len(), |offset| end + offset));
        }
    }
    let reference = Reference {
        name: source.get(from..name_end).unwrap_or(""),
        negated,
        tests_existence,
        colon_text,
        arguments_end,
        name_end,
        end,
    };
    (reference, if braced { at } else { from })
}
