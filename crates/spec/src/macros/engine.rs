use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::arguments::Parsed;
use super::builtin::Builtin;
use super::expand::Output;
use super::hash::NameMap;
use super::lua_interpreter::Interpreter;
use super::memo::{COSTLY, Plan, Trace};
use super::table::{Definition, Level};
use crate::{Environment, ErrorKind, Gap, GapKind, Gaps, Origin, Position, Reply, Severity, SpecError, Warning};

/// What a step of an evaluation comes to.
pub(crate) type Outcome<T = ()> = Result<T, Box<SpecError>>;

/// A parametric call under way: its arguments are macros that only its body sees.
#[derive(Debug)]
struct Frame {
    level: i32,
    name: Arc<str>,
    /// `%**`: every argument between marks.
    all: String,
    call: Rc<Call>,
}

impl Frame {
    /// The text of `%0`, `%1`, `%#`, `%*`, `%**`, `%{-f}` or `%{-f*}`.
    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        let parsed = &self.call.parsed;
        let text = |text: &'_ str| Some(Cow::Owned(text.to_owned()));
        match name {
            "0" => return Some(Cow::Borrowed(&self.name)),
            "**" => return Some(Cow::Borrowed(&self.all)),
            "*" => return text(&parsed.rest.join(" ")),
            "#" => return text(&parsed.rest.len().to_string()),
            _ => {}
        }
        if let Some(option) = name.strip_prefix('-') {
            let mut letters = option.chars();
            let letter = letters.next()?;
            let (_, value) = parsed.options.iter().rfind(|(known, _)| *known == letter)?;
            return match (letters.as_str(), value) {
                ("", Some(value)) => text(&format!("-{letter} {value}")),
                ("", None) => text(&format!("-{letter}")),
                ("*", Some(value)) => Some(Cow::Borrowed(value)),
                _ => None,
            };
        }
        if name.starts_with('0') || !name.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        parsed.rest.get(name.parse::<usize>().ok()?.checked_sub(1)?).map(|word| Cow::Borrowed(word.as_str()))
    }
}

/// Whether a name is one that only parametric calls define.
pub(super) fn is_automatic(name: &str) -> bool {
    name.bytes().next().is_some_and(|first| first.is_ascii_digit() || matches!(first, b'*' | b'#' | b'-'))
}

/// Gaps of one evaluation that are noted; the first ones say why.
const GAPS: usize = 1000;

/// How many times as much as one expansion may produce all of an evaluation may.
const PRODUCED: u64 = 16;

/// One call of a parametric macro: what `%{lua:}` inside it sees as `opt` and `arg`.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) parsed: Parsed,
}

/// A macro environment at work: the shared macros, the definitions made since, and the state of the expansion.
///
/// All methods take `&self`: Lua scripts call back into the engine that runs them. No borrow is held over such a call.
pub(crate) struct Engine {
    /// For what calls back, as Lua's functions do.
    pub(super) this: Weak<Engine>,
    pub(crate) environment: Environment,
    /// Names whose stack differs from the shared one; an empty stack is an undefined name.
    local: RefCell<NameMap<Vec<Arc<Definition>>>>,
    /// Names defined inside parametric calls, to be taken back at their end.
    scoped: RefCell<Vec<(i32, Arc<str>)>>,
    pub(crate) depth: Cell<u32>,
    pub(crate) level: Cell<i32>,
    pub(crate) call: RefCell<Option<Rc<Call>>>,
    /// Parametric calls, the innermost last.
    frames: RefCell<Vec<Frame>>,
    pub(crate) chain: RefCell<Vec<Arc<str>>>,
    position: RefCell<Position>,
    /// How far into the outermost text the expansion is.
    pub(crate) offset: Cell<usize>,
    calls: Cell<u64>,
    /// Bytes that expansions and definitions came to, those inside others included.
    produced: Cell<u64>,
    /// Definitions made and taken back so far.
    changes: Cell<u64>,
    /// What a costly macro looks at, while it is being expanded.
    trace: RefCell<Option<Trace>>,
    pub(crate) warnings: RefCell<Vec<Warning>>,
    /// What the answer lacks or supposes.
    pub(crate) gaps: RefCell<Vec<Gap>>,
    /// Lua, which evaluations one after the other may share.
    pub(super) lua: Rc<OnceCell<Interpreter>>,
    /// A script of this evaluation has run.
    pub(super) lua_begun: Cell<bool>,
    /// How many sources Lua's tables `sources` and `patches` hold.
    pub(super) known_to_lua: Cell<usize>,
    /// What Lua's `print` appends to; the innermost script's is last.
    pub(crate) prints: RefCell<Vec<String>>,
    /// A command that the shell refuses is a warning: the text that is being read changes no answer.
    pub(crate) in_script: Cell<bool>,
    /// An answer in a script supposed something of the machine.
    supposed_in_script: Cell<bool>,
    /// What Lua scripts wrote: such files exist in the evaluation only.
    pub(crate) written: RefCell<std::collections::BTreeMap<String, String>>,
    /// Source files so far: what `%setup` and Lua's `sources` know. Number, path, name, full text.
    pub(crate) sources: RefCell<Vec<KnownSource>>,
}

/// A source or patch as the macros of `%prep` need it.
#[derive(Clone, Debug)]
pub(crate) struct KnownSource {
    pub(crate) is_patch: bool,
    pub(crate) number: u32,
    pub(crate) path: String,
    pub(crate) name: String,
}

impl Engine {
    pub(crate) fn new(environment: &Environment, origin: &Origin, lua: &Rc<OnceCell<Interpreter>>) -> Rc<Engine> {
        let engine = Rc::new_cyclic(|this| Engine {
            this: this.clone(),
            environment: environment.clone(),
            local: RefCell::default(),
            scoped: RefCell::default(),
            depth: Cell::new(0),
            level: Cell::new(0),
            call: RefCell::default(),
            frames: RefCell::default(),
            chain: RefCell::default(),
            position: RefCell::new(Position::line(origin.clone(), 0)),
            offset: Cell::new(0),
            calls: Cell::new(0),
            produced: Cell::new(0),
            changes: Cell::new(0),
            trace: RefCell::default(),
            warnings: RefCell::default(),
            gaps: RefCell::default(),
            lua: lua.clone(),
            lua_begun: Cell::new(false),
            known_to_lua: Cell::new(0),
            prints: RefCell::default(),
            in_script: Cell::new(false),
            supposed_in_script: Cell::new(false),
            written: RefCell::default(),
            sources: RefCell::default(),
        });
        let target = &environment.target;
        engine.push(Definition::literal("_target_cpu", &target.cpu, Level::CONFIGURATION));
        engine.push(Definition::literal("_target_os", &target.os, Level::CONFIGURATION));
        for (name, body) in &environment.definitions {
            engine.push(Definition::text(name, body, Level::COMMAND_LINE));
        }
        engine
    }

    // ---- definitions ----

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Definition>> {
        if is_automatic(name) {
            return self.find_automatic(name);
        }
        if let Some(stack) = self.local.borrow().get(name) {
            self.mark_impure();
            return stack.last().cloned();
        }
        if let Some(trace) = self.trace.borrow_mut().as_mut() {
            trace.names.insert(Arc::from(name));
        }
        self.environment.macros.table.get(name)?.last().cloned()
    }

    /// What a parametric call under way defines; that of an outer one is found, too.
    fn find_automatic(&self, name: &str) -> Option<Arc<Definition>> {
        self.mark_impure();
        let frames = self.frames.borrow();
        let (level, text) = frames.iter().rev().find_map(|frame| Some((frame.level, frame.text(name)?)))?;
        let definition = Definition::literal(name, &*text, level);
        Some(Arc::new(Definition { automatic: true, quoted: name == "**", ..definition }))
    }

    /// Hands the text of an automatic macro of the innermost call to `take`; false if it has none of that name.
    pub(super) fn with_automatic(&self, name: &str, take: impl FnOnce(&str)) -> bool {
        self.mark_impure();
        let frames = self.frames.borrow();
        let Some(text) = frames.last().and_then(|frame| frame.text(name)) else { return false };
        take(&text);
        true
    }

    /// Begins a parametric call whose arguments are known.
    pub(super) fn push_frame(&self, name: &Arc<str>, all: String, call: &Rc<Call>) {
        self.mark_impure();
        self.count_bytes(all.len());
        let frame = Frame { level: self.level.get(), name: name.clone(), all, call: call.clone() };
        self.frames.borrow_mut().push(frame);
    }

    /// Notes that the present expansion is more than a look at shared macros.
    pub(super) fn mark_impure(&self) {
        if let Some(trace) = self.trace.borrow_mut().as_mut() {
            trace.is_pure = false;
        }
    }

    /// Expands a macro without arguments, or recalls what it expands to.
    pub(super) fn expand_remembered(&self, found: &Arc<Definition>, body: &str, output: &mut Output) -> Outcome {
        let memos = &self.environment.macros.memos;
        if found.level != Level::FILES || self.local.borrow().contains_key(&found.name) {
            return self.expand(body, output);
        }
        let start = output.text.len();
        match memos.plan(&found.name) {
            Plan::Recall(memo) if memo.holds(found, self.local.borrow().keys()) => {
                output.text.push_str(&memo.text);
                if let Some(trace) = self.trace.borrow_mut().as_mut() {
                    trace.names.extend(memo.names().cloned());
                }
                Ok(())
            }
            // A script that ran before may have changed what Lua's functions mean.
            Plan::Trace if self.trace.borrow().is_none() && !self.lua_begun.get() => {
                self.trace.replace(Some(Trace::new()));
                let result = self.expand(body, output);
                if let Some(trace) = self.trace.take().filter(|_| result.is_ok()) {
                    memos.remember(found, &output.text[start..], trace);
                }
                result
            }
            Plan::Expand => {
                let before = self.calls.get();
                let result = self.expand(body, output);
                if self.calls.get() - before > COSTLY && self.trace.borrow().is_none() {
                    memos.note_cost(&found.name);
                }
                result
            }
            _ => self.expand(body, output),
        }
    }

    pub(crate) fn is_defined(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub(crate) fn push(&self, definition: Definition) {
        self.count_bytes(definition.body_text().len());
        if definition.level > Level::GLOBAL {
            self.scoped.borrow_mut().push((definition.level, definition.name.clone()));
        }
        self.with_stack(&definition.name.clone(), |stack| stack.push(Arc::new(definition)));
    }

    /// Takes back the newest definition of `name`; the one before it counts again.
    pub(crate) fn pop(&self, name: &str) {
        if self.is_defined(name) {
            self.with_stack(&Arc::from(name), |stack| {
                stack.pop();
            });
        }
    }

    fn with_stack(&self, name: &Arc<str>, change: impl FnOnce(&mut Vec<Arc<Definition>>)) {
        self.mark_impure();
        self.changes.set(self.changes.get() + 1);
        let mut local = self.local.borrow_mut();
        let stack = local
            .entry(name.clone())
            .or_insert_with(|| self.environment.macros.table.get(name).cloned().unwrap_or_default());
        change(stack);
    }

    /// Defines a macro that holds `body` as it is.
    pub(crate) fn set(&self, name: &str, body: &str, level: i32) {
        self.push(Definition::text(name, body, level));
    }

    /// Defines a macro whose body is not expanded again.
    pub(crate) fn set_literal(&self, name: &str, body: &str, level: i32) {
        self.push(Definition::literal(name, body, level));
    }

    /// Defines a macro that the engine answers itself.
    pub(crate) fn set_builtin(&self, name: &str, builtin: Builtin, options: Option<&str>, level: i32) {
        self.push(Definition { level, ..Definition::builtin(name, builtin, options) });
    }

    /// Ends the innermost parametric call: what was defined in it is forgotten.
    pub(crate) fn end_scope(&self) {
        let level = self.level.get();
        self.frames.borrow_mut().pop_if(|frame| frame.level >= level);
        if self.scoped.borrow().is_empty() {
            self.level.set(level - 1);
            return;
        }
        let mut ended = Vec::new();
        {
            let mut scoped = self.scoped.borrow_mut();
            while scoped.last().is_some_and(|(at, _)| *at >= level) {
                ended.extend(scoped.pop());
            }
        }
        for (_, name) in ended {
            self.with_stack(&name, |stack| {
                while stack.last().is_some_and(|definition| definition.level >= level) {
                    stack.pop();
                }
            });
        }
        self.level.set(level - 1);
    }

    /// A number that changes whenever a definition is made or taken back.
    pub(super) fn changes(&self) -> u64 {
        self.changes.get()
    }

    /// The numbers from `from` to `to` that make a macro's name behind `head`, sorted.
    pub(super) fn numbered(&self, head: &str, from: u32, to: u32) -> Vec<u32> {
        let number = |name: &Arc<str>| {
            let digits = name.strip_prefix(head)?;
            let plain = digits == "0" || (digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.starts_with('0'));
            digits.parse().ok().filter(|number| plain && (from..=to).contains(number))
        };
        let local = self.local.borrow();
        let mut numbers: Vec<u32> = self.environment.macros.numbered().iter().filter_map(number).collect();
        numbers.extend(local.keys().filter_map(number));
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Defined names that are spelled like `name`, the nearest first.
    pub(crate) fn nearest(&self, name: &str) -> Vec<String> {
        let local = self.local.borrow();
        let names = local
            .iter()
            .filter(|(_, stack)| !stack.is_empty())
            .map(|(name, _)| &**name)
            .chain(self.environment.macros.table.keys().map(|name| &**name));
        crate::spelling::nearest(name, names, 3)
    }

    // ---- expansion from outside ----

    /// Expands `text` as rpm's `rpmExpandMacros` does: a new output, no surrounding call.
    pub(crate) fn expand_text(&self, text: &str) -> Outcome<String> {
        if !text.as_bytes().contains(&b'%') {
            return Ok(text.to_owned());
        }
        let call = self.call.take();
        let mut output = Output::default();
        output.text.reserve(text.len());
        let result = self.expand(text, &mut output);
        self.call.replace(call);
        result.map(|()| output.text)
    }

    /// Expands the macro `name` with arguments that are taken as they are.
    pub(crate) fn expand_named(&self, name: &str, arguments: &[String]) -> Outcome<String> {
        let Some(found) = self.find(name) else { return Ok(String::new()) };
        let depth = self.depth.get() + 1;
        let limit = self.environment.limits.depth;
        if depth > limit {
            return Err(self.fail(ErrorKind::Recursion { limit }));
        }
        self.count_call()?;
        self.depth.set(depth);
        let call = self.call.take();
        let mut output = Output::default();
        let arguments = found.options.is_some().then_some(arguments);
        let result = self.expand_macro(&found, arguments, &mut output, None);
        self.call.replace(call);
        self.depth.set(depth - 1);
        result.map(|()| output.text)
    }

    /// Expands a number as rpm's `rpmExpandNumeric`: what is none counts as 0.
    pub(crate) fn expand_number(&self, text: &str) -> Outcome<i64> {
        let value = self.expand_text(text)?;
        Ok(match value.as_bytes().first() {
            Some(b'Y' | b'y') => 1,
            _ => super::string::c_integer(&value).unwrap_or(0),
        })
    }

    // ---- bookkeeping ----

    /// Counts one macro call.
    pub(crate) fn count_call(&self) -> Outcome {
        let calls = self.calls.get() + 1;
        self.calls.set(calls);
        let limit = self.environment.limits.calls;
        if calls > limit {
            return Err(self.fail(ErrorKind::Limit { what: "macro calls", limit }));
        }
        let limit = self.environment.limits.output.saturating_mul(PRODUCED);
        if self.produced.get() > limit {
            return Err(self.fail(ErrorKind::Limit { what: "bytes of text from macros", limit }));
        }
        Ok(())
    }

    /// Counts macro calls that were saved.
    pub(super) fn count_calls(&self, calls: u64) {
        self.calls.set(self.calls.get().saturating_add(calls));
    }

    /// Whether it is noted what the present expansion looks at.
    pub(super) fn is_traced(&self) -> bool {
        self.trace.borrow().is_some()
    }

    /// Counts text that macros made, so that neither time nor memory has no bound.
    pub(super) fn count_bytes(&self, bytes: usize) {
        self.produced.set(self.produced.get().saturating_add(bytes as u64));
    }

    pub(crate) fn set_position(&self, position: Position) {
        self.position.replace(position);
    }

    pub(crate) fn position(&self) -> Position {
        self.position.borrow().clone()
    }

    /// An error at the present place.
    pub(crate) fn fail(&self, kind: ErrorKind) -> Box<SpecError> {
        let mut error = SpecError::new(kind, self.position());
        error.chain = self.chain_text();
        Box::new(error)
    }

    pub(crate) fn warn(&self, text: impl Into<String>) {
        self.say(Severity::Warning, text.into());
    }

    pub(crate) fn say(&self, severity: Severity, text: String) {
        self.mark_impure();
        let warning = Warning { text, severity, position: self.position(), chain: self.chain_text() };
        let mut warnings = self.warnings.borrow_mut();
        // A loop of warnings is no reason to fill the memory.
        if warnings.len() < 10_000 {
            warnings.push(warning);
        }
    }

    // ---- answers that are not whole ----

    /// Goes on without what failed, and notes it, where the environment wants that and the answer can stand without it.
    pub(crate) fn skip(&self, error: Box<SpecError>) -> Outcome {
        match Gap::of(&error) {
            Some(mut gap) if self.environment.gaps == Gaps::Note => {
                // What fails in a script behind an answer that supposes something may fail for that reason.
                if gap.kind == GapKind::Refused && self.in_script.get() && self.supposed_in_script.get() {
                    gap.kind = GapKind::Machine;
                }
                self.note_gap(gap);
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// As [`Engine::skip`], for what failed in a line: nothing of the calls that were under way stays.
    pub(crate) fn skip_line(&self, error: Box<SpecError>) -> Outcome {
        self.skip(error)?;
        while self.level.get() > 0 {
            self.end_scope();
        }
        self.depth.set(0);
        self.call.replace(None);
        self.frames.borrow_mut().clear();
        self.chain.borrow_mut().clear();
        self.prints.borrow_mut().clear();
        self.trace.replace(None);
        Ok(())
    }

    /// Notes what the answer lacks or supposes at the present place.
    pub(crate) fn gap(&self, kind: GapKind, text: String) {
        self.note_gap(Gap { kind, text, position: self.position(), chain: self.chain_text() });
    }

    fn note_gap(&self, gap: Gap) {
        self.mark_impure();
        let mut gaps = self.gaps.borrow_mut();
        if gaps.len() < GAPS && !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }

    /// A command's output; what it supposes counts among tags only.
    pub(super) fn take_reply(&self, command: &str, reply: Reply) -> String {
        if let Some(supposed) = reply.supposed {
            if self.in_script.get() {
                self.supposed_in_script.set(true);
                return reply.output;
            }
            let command = super::string::excerpt(command.trim());
            self.gap(GapKind::Machine, format!("`%({command})` asks the machine; answered as if {supposed}"));
        }
        reply.output
    }

    fn chain_text(&self) -> Vec<String> {
        self.chain.borrow().iter().map(|name| format!("%{name}")).collect()
    }
}
