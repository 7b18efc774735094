//! Scripts: those that build the package, and those that run on the machine that installs it.

use pkg::{Condition, Evr, Relation};

use super::dependency::{self, Field};
use super::reader::Strip;
use super::section::{BUILD, SCRIPTLETS, TRIGGERS};
use super::words;
use super::{Next, Parser, package};
use crate::answer::{BuildScript, Qualifiers, Scriptlet, Trigger};
use crate::macros::{Builtin, Outcome};
use crate::{ErrorKind, Position};

/// Priority of a file trigger that names none, as in rpm (`RPMTRIGGER_DEFAULT_PRIORITY`).
const PRIORITY: i64 = 1_000_000;

/// A build script and what is added to it.
#[derive(Default)]
pub(super) struct Parts {
    body: Option<String>,
    /// Text and whether it goes before the rest, in order.
    additions: Vec<(String, bool)>,
    position: Option<Position>,
}

impl Parts {
    pub(super) fn has_body(&self) -> bool {
        self.body.is_some()
    }
}

impl Parser {
    /// `%prep`, `%build` and so on, with `-a` or `-p` for what is added.
    pub(super) fn build_script(&mut self, index: usize) -> Outcome<Next> {
        let name = BUILD[index];
        let heading = self.reader.line.trim_end().to_owned();
        let wrong = |problem: &str| ErrorKind::Section(format!("`{heading}`: {problem}"));
        let words = words::split(&heading).map_err(|problem| self.engine.fail(wrong(problem)))?;
        let options = words::Options::read(&words, "ap").map_err(|problem| self.engine.fail(wrong(&problem)))?;
        let (appends, prepends) = (options.has('a'), options.has('p'));
        if appends && prepends {
            return Err(self.engine.fail(wrong("it cannot go both before and behind")));
        }
        let is_addition = appends || prepends;
        if !is_addition && self.scripts.get(&index).is_some_and(Parts::has_body) {
            return Err(self.engine.fail(wrong(&format!("there is a `%{name}` already"))));
        }
        let position = self.reader.position();
        let is_prep = name == "prep";
        if is_prep {
            self.engine.set_builtin("setup", Builtin::SetupSources, Some("-"), 0);
            self.engine.set_builtin("patch", Builtin::ApplyPatch, Some("-"), 0);
        }
        let mut text = String::new();
        let mut obsolete = None;
        let next = self.lines(Strip::Nothing, |line| {
            if is_prep
                && !is_addition
                && line.strip_prefix("%patch").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            {
                obsolete.get_or_insert_with(|| line.trim_end().to_owned());
            }
            text.push_str(line);
        })?;
        if is_prep {
            self.engine.pop("patch");
            self.engine.pop("setup");
        }
        if let Some(line) = obsolete {
            let problem = format!("`{line}`: `%patchN` is no longer rpm's, write `%patch N` or `%patch -P N`");
            return Err(self.engine.fail(ErrorKind::Section(problem)));
        }
        let parts = self.scripts.entry(index).or_default();
        parts.position.get_or_insert(position);
        if is_addition {
            parts.additions.push((text, prepends));
        } else {
            parts.body = Some(text);
        }
        Ok(next)
    }

    pub(super) fn finish_scripts(&mut self) -> Vec<BuildScript> {
        let scripts = std::mem::take(&mut self.scripts);
        let first = self.packages[0].position.clone();
        let finish = |(index, parts): (usize, Parts)| {
            let mut text = parts.body.unwrap_or_default();
            for (addition, goes_before) in parts.additions {
                if goes_before {
                    text.insert_str(0, &addition);
                } else {
                    text.push_str(&addition);
                }
            }
            BuildScript { name: BUILD[index], text, position: parts.position.unwrap_or_else(|| first.clone()) }
        };
        scripts.into_iter().map(finish).collect()
    }

    /// Whether the build may write further packages: a script that makes `*.specpart` files.
    pub(super) fn makes_packages_while_building(&self) -> bool {
        let own = |parts: &Parts| {
            let texts = parts.body.iter().chain(parts.additions.iter().map(|(text, _)| text));
            texts.into_iter().any(|text| text.contains(".specpart") || text.contains("RPM_SPECPARTS_DIR"))
        };
        self.scripts.values().any(own)
    }

    /// `%pre`, `%post` and so on.
    pub(super) fn scriptlet(&mut self, which: usize) -> Outcome<Next> {
        let (name, qualifier) = SCRIPTLETS[which];
        let (options, index) = self.heading("p:n:f:eqP:")?;
        let position = self.reader.position();
        if options.has('P') {
            return Err(self.section_error(&format!("`%{name}` takes no priority: only file triggers do")));
        }
        let program = self.program(options.value('p'))?;
        if self.packages[index].scriptlets.iter().any(|known| known.name == name) {
            let package = self.packages[index].name().to_owned();
            return Err(self.section_error(&format!("package `{package}` has a second `%{name}`")));
        }
        let mut text = String::new();
        let next = self.lines(Strip::Nothing, |line| text.push_str(line))?;
        text.truncate(text.trim_end().len());
        let (expands, formats) = (options.has('e'), options.has('q'));
        self.need_program(index, &program, qualifier, &text, expands || formats, &position)?;
        if program.len() > 1 {
            self.need_feature(index, "ScriptletInterpreterArgs", "4.0.3-1", &position);
        }
        let file = options.value('f').map(str::to_owned);
        self.packages[index].scriptlets.push(Scriptlet { name, program, text, file, expands, formats, position });
        Ok(next)
    }

    /// `%triggerin`, `%filetriggerin` and so on.
    pub(super) fn trigger(&mut self, which: usize) -> Outcome<Next> {
        let name = TRIGGERS[which].1;
        let line = self.reader.line.clone();
        let Some((heading, conditions)) = split_conditions(&line) else {
            return Err(self.section_error("a trigger needs ` -- ` and what sets it off"));
        };
        let (heading, conditions) = (heading.to_owned(), conditions.trim().to_owned());
        if conditions.is_empty() {
            return Err(self.section_error("a trigger names nothing that sets it off"));
        }
        self.reader.line = heading;
        let (options, index) = self.heading("p:n:f:eqP:")?;
        let position = self.reader.position();
        let program = self.program(options.value('p'))?;
        let priority = match options.value('P') {
            None => PRIORITY,
            Some(number) => {
                number.parse().map_err(|_| self.section_error(&format!("the priority `{number}` is no number")))?
            }
        };
        let mut text = String::new();
        let next = self.lines(Strip::Nothing, |line| text.push_str(line))?;
        text.truncate(text.trim_end().len());
        self.need_program(index, &program, "", &text, options.has('e') || options.has('q'), &position)?;
        if program.len() > 1 {
            return Err(self.section_error("a trigger's interpreter takes no arguments"));
        }
        let field = if name.contains("file") { Field::Paths } else { Field::Plain };
        let conditions = dependency::parse(&conditions, field).map_err(|kind| self.engine.fail(kind))?;
        let program = program.into_iter().next().unwrap_or_default();
        self.packages[index].triggers.push(Trigger { name, program, text, conditions, priority, position });
        Ok(next)
    }

    fn section_error(&self, problem: &str) -> Box<crate::SpecError> {
        self.engine.fail(ErrorKind::Section(problem.to_owned()))
    }

    /// The interpreter that `-p` names, and its arguments.
    fn program(&self, option: Option<&str>) -> Outcome<Vec<String>> {
        let Some(program) = option else { return Ok(vec!["/bin/sh".to_owned()]) };
        if program.starts_with('<') {
            if !program.ends_with('>') {
                return Err(self.section_error(&format!("the internal interpreter `{program}` must end with `>`")));
            }
        } else if !program.starts_with('/') {
            return Err(self.section_error(&format!("the interpreter `{program}` must begin with `/`")));
        }
        let words = words::split(program).map_err(|problem| self.section_error(problem))?;
        match words.first().map(String::as_str) {
            None => Err(self.section_error("the interpreter has no name")),
            Some(internal) if internal.starts_with('<') && internal != "<lua>" => {
                Err(self.section_error(&format!("there is no internal interpreter `{internal}`")))
            }
            Some(_) => Ok(words),
        }
    }

    /// What the package requires for a script to run.
    fn need_program(
        &mut self,
        index: usize,
        program: &[String],
        qualifier: &str,
        text: &str,
        changes: bool,
        position: &Position,
    ) -> Outcome {
        if program[0] == "<lua>" {
            self.engine.check_lua(text)?;
            self.need_feature(index, "BuiltinLuaScripts", "4.2.2-1", position);
        } else {
            let interpreter = Qualifiers::named("interp").unwrap_or_default();
            let qualifiers = interpreter.with(Qualifiers::named(qualifier).unwrap_or_default());
            let list = &mut self.packages[index].lists.requires;
            package::add(list, Relation::any(&program[0]), qualifiers, position);
        }
        if changes {
            self.need_feature(index, "ScriptletExpansion", "4.9.0-1", position);
        }
        Ok(())
    }

    /// `rpmlib(feature) <= version`: what the rpm that installs the package must be able to do.
    fn need_feature(&mut self, index: usize, feature: &str, version: &str, position: &Position) {
        let (version, release) = version.split_once('-').unwrap_or((version, ""));
        let evr = Evr::new(0, version, release);
        let relation = Relation::new(format!("rpmlib({feature})"), Condition::LessOrEqual, evr);
        let qualifiers = Qualifiers::named("rpmlib").unwrap_or_default();
        package::add(&mut self.packages[index].lists.requires, relation, qualifiers, position);
    }
}

/// Divides a trigger's heading at ` -- `.
fn split_conditions(line: &str) -> Option<(&str, &str)> {
    let bytes = line.as_bytes();
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let mut from = 1;
    while let Some(offset) = line.get(from..)?.find("--") {
        let at = from + offset;
        if blank(bytes.get(at - 1)) && blank(bytes.get(at + 2)) {
            return Some((&line[..at], &line[at + 2..]));
        }
        from = at + 2;
    }
    None
}
