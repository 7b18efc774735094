//! The macros that rpm itself defines.

use std::sync::Arc;

use super::arguments;
use super::define::BodyEnd;
use super::engine::{Engine, Outcome};
use super::expand::Output;
use super::string;
use super::table::{Definition, Level};
use crate::{ErrorKind, Origin, Severity};

/// A macro that rpm itself defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    Patch,
    Source,
    Basename,
    Define,
    Dirname,
    ToLineEnd,
    Dump,
    Echo,
    Error,
    Exists,
    Expand,
    Expression,
    ConfigurationDirectory,
    Getenv,
    Cpus,
    Global,
    Gsub,
    Length,
    Load,
    Lower,
    Lua,
    MacroBody,
    Quote,
    Repeat,
    Reverse,
    RpmVersion,
    Shrink,
    Span,
    Substring,
    Suffix,
    Trace,
    UrlPath,
    ShellEscape,
    Uncompress,
    Undefine,
    Upper,
    Verbose,
    Warn,
    Xdg,
    /// `%__file_lineno`.
    LineNumber,
    /// `%setup`, in `%prep` only.
    SetupSources,
    /// `%patch`, in `%prep` only.
    ApplyPatch,
}

/// How many arguments a built-in macro takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    None,
    Some,
    Either,
}

const TABLE: &[(&str, Builtin, Takes)] = &[
    ("P", Builtin::Patch, Takes::Some),
    ("S", Builtin::Source, Takes::Some),
    ("basename", Builtin::Basename, Takes::Some),
    ("define", Builtin::Define, Takes::Some),
    ("dirname", Builtin::Dirname, Takes::Some),
    ("dnl", Builtin::ToLineEnd, Takes::Some),
    ("dump", Builtin::Dump, Takes::None),
    ("echo", Builtin::Echo, Takes::Some),
    ("error", Builtin::Error, Takes::Some),
    ("exists", Builtin::Exists, Takes::Some),
    ("expand", Builtin::Expand, Takes::Some),
    ("expr", Builtin::Expression, Takes::Some),
    ("getconfdir", Builtin::ConfigurationDirectory, Takes::None),
    ("getenv", Builtin::Getenv, Takes::Some),
    ("getncpus", Builtin::Cpus, Takes::Either),
    ("global", Builtin::Global, Takes::Some),
    ("gsub", Builtin::Gsub, Takes::Some),
    ("len", Builtin::Length, Takes::Some),
    ("load", Builtin::Load, Takes::Some),
    ("lower", Builtin::Lower, Takes::Some),
    ("lua", Builtin::Lua, Takes::Some),
    ("macrobody", Builtin::MacroBody, Takes::Some),
    ("quote", Builtin::Quote, Takes::Some),
    ("rep", Builtin::Repeat, Takes::Some),
    ("reverse", Builtin::Reverse, Takes::Some),
    ("rpmversion", Builtin::RpmVersion, Takes::None),
    ("shrink", Builtin::Shrink, Takes::Some),
    ("span", Builtin::Span, Takes::Some),
    ("sub", Builtin::Substring, Takes::Some),
    ("suffix", Builtin::Suffix, Takes::Some),
    ("trace", Builtin::Trace, Takes::None),
    ("u2p", Builtin::UrlPath, Takes::Some),
    ("shescape", Builtin::ShellEscape, Takes::Some),
    ("uncompress", Builtin::Uncompress, Takes::Some),
    ("undefine", Builtin::Undefine, Takes::Some),
    ("upper", Builtin::Upper, Takes::Some),
    ("url2path", Builtin::UrlPath, Takes::Some),
    ("verbose", Builtin::Verbose, Takes::Either),
    ("warn", Builtin::Warn, Takes::Some),
    ("xdg", Builtin::Xdg, Takes::Some),
];

/// The definitions of all built-in macros.
pub(super) fn definitions() -> impl Iterator<Item = Definition> {
    TABLE
        .iter()
        .map(|(name, builtin, takes)| Definition::builtin(name, *builtin, (*takes != Takes::None).then_some("")))
}

impl Builtin {
    /// Takes its arguments without expanding them.
    pub(super) fn is_raw(self) -> bool {
        matches!(self, Builtin::Define | Builtin::Global | Builtin::ToLineEnd | Builtin::Lua | Builtin::Verbose)
    }

    fn takes(self) -> Takes {
        TABLE.iter().find(|(_, builtin, _)| *builtin == self).map_or(Takes::Either, |(_, _, takes)| *takes)
    }
}

impl Engine {
    /// Runs a built-in macro. `consumed` is there for a free-field call such as `%define x y`, whose one argument is all the
    /// text behind it.
    pub(super) fn run_builtin(
        &self,
        builtin: Builtin,
        found: &Arc<Definition>,
        arguments: &[String],
        output: &mut Output,
        consumed: Option<&mut usize>,
    ) -> Outcome {
        let wrong = |problem: &str| {
            Err(self.fail(ErrorKind::Argument { name: found.name.to_string(), problem: problem.to_owned() }))
        };
        match builtin.takes() {
            Takes::Some if arguments.is_empty() => return wrong("an argument is missing"),
            Takes::None if !arguments.is_empty() => return wrong("it takes no argument"),
            _ => {}
        }
        let first = arguments.first().map_or("", String::as_str);
        match builtin {
            Builtin::Define | Builtin::Global => {
                let mut text = first.to_owned();
                if let Some(body) = arguments.get(1) {
                    text = format!("{text} {body}");
                }
                let body_end = if consumed.is_some() { BodyEnd::Line } else { BodyEnd::Text };
                let global = builtin == Builtin::Global;
                let level = if global { Level::GLOBAL } else { self.level.get() };
                let end = self.define(&text, level, global, !global, body_end)?;
                if let Some(consumed) = consumed {
                    *consumed = end;
                }
            }
            Builtin::ToLineEnd => {
                if let Some(consumed) = consumed {
                    *consumed = first.find(['\n', '\r']).map_or(first.len(), |end| end + 1);
                }
            }
            Builtin::Undefine => self.undefine(first)?,
            Builtin::Expand => self.expand(first, output)?,
            Builtin::Source | Builtin::Patch => {
                let prefix = if builtin == Builtin::Source { "SOURCE" } else { "PATCH" };
                self.expand(&format!("%{prefix}{first}"), output)?;
            }
            Builtin::Uncompress => {
                if !first.is_empty() {
                    self.expand("%__rpmuncompress ", output)?;
                    output.text.push_str(first);
                }
            }
            Builtin::Verbose => {
                if consumed.is_some() || arguments.is_empty() {
                    output.text.push('0');
                }
            }
            Builtin::Lua => self.lua_macro(first, output)?,
            Builtin::Expression => output.text.push_str(&self.expression_text(first, false)?),
            Builtin::MacroBody if !first.is_empty() => match self.find(first) {
                Some(found) => output.text.push_str(found.body_text()),
                None => return wrong(&format!("there is no macro `{first}`")),
            },
            Builtin::Load => {
                let origin = Origin::new(first);
                let Some(text) = self.environment.files.read(first) else {
                    return Err(self.fail(ErrorKind::NoFile(first.to_owned())));
                };
                if !self.load(&text, &origin)? {
                    return wrong(&format!("`{first}` has definitions that make no sense"));
                }
            }
            Builtin::Echo => self.say(Severity::Message, first.to_owned()),
            Builtin::Warn => self.warn(first),
            Builtin::Error => return Err(self.fail(ErrorKind::Raised(first.to_owned()))),
            Builtin::Dump => {
                self.say(Severity::Message, format!("{} macros are defined", self.environment.macros.table.len()));
            }
            Builtin::Quote => {
                self.mark_impure();
                if output.keep_quotes {
                    output.text.push_str(&arguments::join_quoted(arguments));
                    output.has_quotes = true;
                } else {
                    output.text.push_str(&arguments.join(" "));
                }
            }
            Builtin::Cpus => self.cpus(first, output)?,
            Builtin::Xdg => self.xdg(first, output)?,
            Builtin::SetupSources => self.setup_sources(arguments, output)?,
            Builtin::ApplyPatch => self.apply_patches(arguments, output)?,
            Builtin::LineNumber => {
                self.mark_impure();
                output.text.push_str(&self.position().line.to_string());
            }
            _ => self.run_text_builtin(builtin, arguments, output)?,
        }
        Ok(())
    }

    /// The built-in macros that only make text of text.
    fn run_text_builtin(&self, builtin: Builtin, arguments: &[String], output: &mut Output) -> Outcome {
        let first = arguments.first().map_or("", String::as_str);
        let second = arguments.get(1).map(String::as_str);
        let number = |text: Option<&str>| text.map(|text| text.trim().parse::<i64>());
        let text = &mut output.text;
        match builtin {
            Builtin::Basename => text.push_str(string::basename(first)),
            Builtin::Dirname => text.push_str(string::dirname(first)),
            Builtin::Suffix => text.push_str(first.rsplit_once('.').map_or("", |(_, suffix)| suffix)),
            Builtin::Shrink => text.push_str(&string::shrink(first)),
            Builtin::UrlPath => {
                let path = string::url_path(first);
                text.push_str(if path.is_empty() { "/" } else { path });
            }
            Builtin::Getenv => text.push_str(self.environment.variables.get(first).map_or("", String::as_str)),
            Builtin::ConfigurationDirectory => text.push_str("/usr/lib/rpm"),
            Builtin::Exists => text.push(if self.environment.files.exists(first) { '1' } else { '0' }),
            Builtin::RpmVersion => text.push_str(&self.environment.rpm_version),
            Builtin::Span => text.push_str(first),
            Builtin::ShellEscape => {
                let quoted: Vec<String> =
                    arguments.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
                text.push_str(&quoted.join(" "));
            }
            Builtin::Length => text.push_str(&first.len().to_string()),
            Builtin::Lower => text.push_str(&first.to_ascii_lowercase()),
            Builtin::Upper => text.push_str(&first.to_ascii_uppercase()),
            Builtin::Reverse if first.is_ascii() => text.extend(first.chars().rev()),
            Builtin::Substring => match (number(second), number(arguments.get(2).map(String::as_str))) {
                (Some(Ok(from)), None) => text.push_str(&string::substring(first, from, -1)),
                (Some(Ok(from)), Some(Ok(to))) => text.push_str(&string::substring(first, from, to)),
                _ => text.push_str(&self.lua_string_function("sub", arguments)?),
            },
            Builtin::Gsub => text.push_str(&self.lua_string_function("gsub", arguments)?),
            Builtin::Repeat => text.push_str(&self.lua_string_function("rep", arguments)?),
            Builtin::Reverse => text.push_str(&self.lua_string_function("reverse", arguments)?),
            _ => {}
        }
        Ok(())
    }

    /// `%{getncpus}`: as many as the environment says; memory is not counted, as it is the machine's own.
    fn cpus(&self, kind: &str, output: &mut Output) -> Outcome {
        if !matches!(kind, "" | "total" | "proc" | "thread") {
            let problem = format!("`{kind}` is none of total, proc, thread");
            return Err(self.fail(ErrorKind::Argument { name: "getncpus".to_owned(), problem }));
        }
        output.text.push_str(&self.environment.cpus.max(1).to_string());
        Ok(())
    }

    fn xdg(&self, kind: &str, output: &mut Output) -> Outcome {
        let (variable, below_home) = match kind {
            "cache" => ("XDG_CACHE_HOME", ".cache"),
            "config" => ("XDG_CONFIG_HOME", ".config"),
            "data" => ("XDG_DATA_HOME", ".local/share"),
            "state" => ("XDG_STATE_HOME", ".local/state"),
            other => {
                let problem = format!("`{other}` is none of cache, config, data, state");
                return Err(self.fail(ErrorKind::Argument { name: "xdg".to_owned(), problem }));
            }
        };
        let variables = &self.environment.variables;
        match variables.get(variable).filter(|value| !value.is_empty()) {
            Some(value) => output.text.push_str(value),
            None => {
                let home = variables.get("HOME").map_or("", String::as_str);
                output.text.push_str(&format!("{home}/{below_home}"));
            }
        }
        Ok(())
    }
}
