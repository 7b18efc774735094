//! Lua inside macros: `%{lua: ..}`, with rpm's own functions and nothing of the machine.
//!
//! Scripts see `rpm.*`, `macros`, `print`, `opt`, `arg`, `sources`, `patches`, Lua's text, table, math and utf8 libraries, a
//! clock that stands still, and the files of the environment. Whatever would start a process, write a file or ask the machine
//! is refused with an error that says so.
//!
//! Source: rpm's manual, `docs/manual/lua.md`.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use mlua::{HookTriggers, IntoLuaMulti, Lua, LuaOptions, MultiValue, StdLib, Table, Value, Variadic, VmState};

use super::engine::{Call, Engine, Outcome};
use super::lua_loops;
use super::table::Level;
use crate::{ErrorKind, SpecError};

/// Per cent of the memory in use at which the next collection begins: ten times what the last one left.
const GC_PAUSE: std::ffi::c_int = 1_000;

/// Lua instructions between two looks at the budget.
const INSTRUCTIONS_A_CHECK: u32 = 10_000;

/// The interpreter of one evaluation: what one script leaves behind, the next one finds, as in rpm.
pub(crate) struct LuaState {
    lua: Lua,
    /// How many of the engine's sources the tables `sources` and `patches` hold.
    known_sources: Cell<usize>,
    /// Where [`PRINTERS`] were at the start.
    printers: [usize; 3],
}

/// An error of the engine on its way through Lua.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
struct Passed(Box<SpecError>);

fn pass<T>(result: Outcome<T>) -> mlua::Result<T> {
    result.map_err(|error| mlua::Error::external(Passed(error)))
}

/// The functions that a script may not use, by their table.
const REFUSED: &[(&str, &[&str])] = &[
    ("rpm", &["execute", "spawn", "interactive", "register", "unregister", "call", "redirect2null"]),
    (
        "posix",
        &[
            "chdir",
            "chmod",
            "chown",
            "ctermid",
            "errno",
            "exec",
            "fork",
            "getcwd",
            "getgroup",
            "getlogin",
            "getpasswd",
            "getprocessid",
            "kill",
            "link",
            "mkdir",
            "mkfifo",
            "mkstemp",
            "pathconf",
            "putenv",
            "readlink",
            "rmdir",
            "setgid",
            "setuid",
            "sleep",
            "symlink",
            "sysconf",
            "times",
            "ttyname",
            "umask",
            "unlink",
            "utime",
            "wait",
            "setenv",
            "unsetenv",
        ],
    ),
    ("os", &["execute", "exit", "remove", "rename", "tmpname"]),
    ("io", &["tmpfile", "output"]),
];

/// Takes away what reads files or byte code; what is left is Lua's own.
const PRELUDE: &str =
    "local l=load;load=function(c,n,m,...) return l(c,n,'t',...) end;dofile=nil;loadfile=nil;string.dump=nil";

/// The functions that a pure script uses; as long as they are the first ones, its output is always the same.
const PRINTERS: [&str; 3] = ["print", "tostring", "tonumber"];

impl Engine {
    /// `%{lua:script}`.
    pub(super) fn lua_macro(&self, script: &str, output: &mut super::expand::Output) -> Outcome {
        let memos = &self.environment.macros.memos;
        let is_pure = super::memo::is_pure_script(script) && self.lua.get().is_none_or(LuaState::prints_as_ever);
        if !is_pure {
            self.mark_impure();
        } else if let Some(printed) = memos.printed(script) {
            output.text.push_str(&printed);
            return Ok(());
        }
        let call = self.call.borrow().clone();
        let printed = self.run_lua(script, call.as_deref())?;
        if is_pure {
            memos.remember_printed(script, &printed);
        }
        output.text.push_str(&printed);
        Ok(())
    }

    /// Runs a script; what it prints and returns is its text.
    fn run_lua(&self, script: &str, call: Option<&Call>) -> Outcome<String> {
        let state = self.lua_state()?;
        self.lua_result(state.sync_sources(self))?;
        self.prints.borrow_mut().push(String::new());
        let result = state.run(script, call);
        let result = result.map(|returned| {
            if !returned.is_empty() {
                self.print(&returned);
            }
        });
        let printed = self.prints.borrow_mut().pop().unwrap_or_default();
        self.lua_result(result).map(|()| printed)
    }

    /// One of Lua's `string` functions; only its first result counts.
    pub(super) fn lua_string_function(&self, name: &str, arguments: &[String]) -> Outcome<String> {
        let state = self.lua_state()?;
        let result = state.lua.globals().get::<Table>("string").and_then(|library| {
            let function: mlua::Function = library.get(name)?;
            function.call::<MultiValue>(arguments.iter().map(String::as_str).collect::<Variadic<&str>>())
        });
        let values = self.lua_result(result)?;
        Ok(values.front().map(lua_text).unwrap_or_default())
    }

    /// `lua:name(..)` in an expression. Nothing counts as empty, true as 1.
    pub(super) fn call_lua_function(&self, name: &str, arguments: &[Result<String, i32>]) -> Outcome<String> {
        let state = self.lua_state()?;
        let mut values = Vec::new();
        for argument in arguments {
            values.push(match argument {
                Ok(text) => Value::String(self.lua_result(state.lua.create_string(text))?),
                Err(number) => Value::Integer(i64::from(*number)),
            });
        }
        self.prints.borrow_mut().push(String::new());
        let chunk = format!("return ({name})(...)");
        let result = state.lua.load(&chunk).set_name(name).call::<Value>(Variadic::from_iter(values));
        self.prints.borrow_mut().pop();
        Ok(match self.lua_result(result)? {
            Value::Nil | Value::Boolean(false) => String::new(),
            Value::Boolean(true) => "1".to_owned(),
            value => lua_text(&value),
        })
    }

    /// Forgets the tables of sources: a spec is read anew.
    pub(crate) fn forget_lua_sources(&self) {
        if let Some(state) = self.lua.get() {
            state.known_sources.set(0);
            for name in ["sources", "patches", "source_nums", "patch_nums"] {
                if let Ok(table) = state.lua.create_table() {
                    let _ = state.lua.globals().set(name, table);
                }
            }
        }
    }

    /// Whether `script` is Lua at all: `%pre -p <lua>`.
    pub(crate) fn check_lua(&self, script: &str) -> Outcome {
        let state = self.lua_state()?;
        let result = state.lua.load(script).set_mode(mlua::ChunkMode::Text).into_function().map(|_| ());
        self.lua_result(result)
    }

    fn print(&self, values: &MultiValue) {
        let line = values.iter().map(lua_text).collect::<Vec<_>>().join("\t");
        if let Some(buffer) = self.prints.borrow_mut().last_mut() {
            buffer.push_str(&line);
        }
    }

    fn lua_state(&self) -> Outcome<&LuaState> {
        if self.lua.get().is_none() {
            let state = self.lua_result(LuaState::new(&self.this))?;
            // Nothing else can have set it: making a state runs no macro.
            let _ = self.lua.set(state);
        }
        match self.lua.get() {
            Some(state) => Ok(state),
            None => Err(self.fail(ErrorKind::Lua("the interpreter did not start".to_owned()))),
        }
    }

    fn lua_result<T>(&self, result: mlua::Result<T>) -> Outcome<T> {
        result.map_err(|error| match passed(&error) {
            Some(error) => error,
            None => self.fail(ErrorKind::Lua(short_message(&error))),
        })
    }
}

/// The engine's own error inside a Lua error, if that is what began it.
fn passed(error: &mlua::Error) -> Option<Box<SpecError>> {
    error.downcast_ref::<Passed>().map(|passed| passed.0.clone())
}

/// Lua's message without the trace of C functions behind it.
fn short_message(error: &mlua::Error) -> String {
    let text = match error {
        mlua::Error::CallbackError { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    let line = text.lines().next().unwrap_or("").trim_end_matches(':');
    line.strip_prefix("runtime error: ").or_else(|| line.strip_prefix("syntax error: ")).unwrap_or(line).to_owned()
}

fn lua_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string_lossy(),
        other => other.to_string().unwrap_or_default(),
    }
}

impl LuaState {
    fn new(engine: &Weak<Engine>) -> mlua::Result<LuaState> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::UTF8 | StdLib::MATH | StdLib::COROUTINE | StdLib::OS;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        let limits = engine.upgrade().map(|engine| engine.environment.limits).unwrap_or_default();
        lua.set_memory_limit(usize::try_from(limits.lua_memory).unwrap_or(usize::MAX))?;
        // States live for one spec: collecting early costs more than the memory that it frees.
        lua.gc_inc(GC_PAUSE, 0, 0);
        limit_instructions(&lua, limits.lua_instructions)?;
        lua.load(PRELUDE).exec()?;
        let globals = lua.globals();
        for (table, _) in REFUSED {
            if globals.get::<Value>(*table)?.is_nil() {
                globals.set(*table, lua.create_table()?)?;
            }
        }
        for (table, names) in REFUSED {
            let library: Table = globals.get(*table)?;
            for name in *names {
                let message = format!("`{table}.{name}` is refused: macros may not act on the machine");
                library.set(*name, lua.create_function(move |_, ()| Err::<(), _>(mlua::Error::runtime(&message)))?)?;
            }
        }
        super::lua_library::install(&lua, engine)?;
        for name in ["sources", "patches", "source_nums", "patch_nums"] {
            globals.set(name, lua.create_table()?)?;
        }
        let weak = engine.clone();
        let print = lua.create_function(move |_, values: MultiValue| {
            engine_of(&weak)?.print(&values);
            Ok(())
        })?;
        globals.set("print", print)?;
        let printers = PRINTERS.map(|name| address(&lua, name));
        Ok(LuaState { lua, known_sources: Cell::new(0), printers })
    }

    /// Whether no script has put a function of its own in the place of one of Lua's.
    fn prints_as_ever(&self) -> bool {
        PRINTERS.iter().zip(self.printers).all(|(name, known)| address(&self.lua, name) == known)
    }

    fn run(&self, script: &str, call: Option<&Call>) -> mlua::Result<MultiValue> {
        let options = self.lua.create_table()?;
        let arguments = self.lua.create_table()?;
        if let Some(call) = call {
            for (letter, value) in &call.parsed.options {
                options.set(letter.to_string(), value.as_deref().unwrap_or(""))?;
            }
            for argument in &call.parsed.rest {
                arguments.push(argument.as_str())?;
            }
        }
        let chunk = format!("local opt, arg = ...;{}", lua_loops::shorten(script));
        self.lua.load(&chunk).set_name("=lua").set_mode(mlua::ChunkMode::Text).call((options, arguments))
    }

    /// Adds sources and patches that the spec has named since.
    fn sync_sources(&self, engine: &Engine) -> mlua::Result<()> {
        let sources = engine.sources.borrow();
        let globals = self.lua.globals();
        for source in &sources[self.known_sources.get().min(sources.len())..] {
            let (paths, numbers) = if source.is_patch { ("patches", "patch_nums") } else { ("sources", "source_nums") };
            globals.get::<Table>(paths)?.push(source.path.as_str())?;
            globals.get::<Table>(numbers)?.push(source.number)?;
        }
        self.known_sources.set(sources.len());
        Ok(())
    }
}

/// Where a global function is; only to be compared.
fn address(lua: &Lua, name: &str) -> usize {
    lua.globals().raw_get::<Value>(name).map_or(0, |value| value.to_pointer() as usize)
}

fn limit_instructions(lua: &Lua, limit: u64) -> mlua::Result<()> {
    let used = Rc::new(Cell::new(0_u64));
    let triggers = HookTriggers::new().every_nth_instruction(INSTRUCTIONS_A_CHECK);
    lua.set_global_hook(triggers, move |lua, _| {
        used.set(used.get() + u64::from(INSTRUCTIONS_A_CHECK));
        if used.get() <= limit {
            return Ok(VmState::Continue);
        }
        // From here on every instruction fails: a script that catches the error gets no further.
        let over = HookTriggers::new().every_nth_instruction(1);
        lua.set_global_hook(over, move |_, _| {
            Err::<VmState, _>(mlua::Error::runtime(format!("more than {limit} instructions")))
        })?;
        Err(mlua::Error::runtime(format!("more than {limit} instructions")))
    })
}

pub(super) fn engine_of(weak: &Weak<Engine>) -> mlua::Result<Rc<Engine>> {
    weak.upgrade().ok_or_else(|| mlua::Error::runtime("the evaluation is over"))
}

/// `macros.name`: the macro's text, or a function for a parametric one. `macros.name = body` defines it, nil takes it back.
pub(super) fn macros_table(lua: &Lua, engine: &Weak<Engine>) -> mlua::Result<Table> {
    let metatable = lua.create_table()?;
    let weak = engine.clone();
    let index = lua.create_function(move |lua, (_, name): (Table, String)| {
        let engine = engine_of(&weak)?;
        let Some(found) = engine.find(&name) else { return Ok(Value::Nil) };
        if found.options.is_none() {
            let text = pass(engine.expand_text(&format!("%{{{name}}}")))?;
            return Ok(Value::String(lua.create_string(text)?));
        }
        let weak = weak.clone();
        let call = lua.create_function(move |_, argument: Value| call_macro(&*engine_of(&weak)?, &name, &argument))?;
        Ok(Value::Function(call))
    })?;
    metatable.set("__index", index)?;
    let weak = engine.clone();
    let new_index = lua.create_function(move |_, (_, name, body): (Table, String, Option<String>)| {
        let engine = engine_of(&weak)?;
        pass(match body {
            Some(body) => engine.define_plain(&format!("{name} {body}"), Level::GLOBAL),
            None => engine.undefine(&name),
        })
    })?;
    metatable.set("__newindex", new_index)?;
    let table = lua.create_table()?;
    table.set_metatable(Some(metatable))?;
    Ok(table)
}

/// `NUMBERED(head, from, to)`: an iterator over the numbers behind `head` that name a macro. Never fewer than there are; all of
/// them once a script has changed what `rpm.expand` means.
pub(super) fn numbered_macros(lua: &Lua, engine: &Weak<Engine>) -> mlua::Result<mlua::Function> {
    let weak = engine.clone();
    let expand: mlua::Function = lua.globals().get::<Table>("rpm")?.get("expand")?;
    let expand = expand.to_pointer() as usize;
    lua.create_function(move |lua, (head, from, to): (Value, u32, u32)| {
        let rpm = lua.globals().get::<Value>("rpm")?;
        let present = rpm.as_table().and_then(|rpm| rpm.get::<Value>("expand").ok());
        let head = match head {
            Value::String(head) => head.to_str().ok().map(|head| head.to_owned()),
            _ => None,
        };
        // A head that is no text, or another function: the loop meets every number, as it is written.
        let head = head.filter(|_| present.is_some_and(|present| present.to_pointer() as usize == expand));
        let weak = weak.clone();
        let mut next = from;
        let mut known: Option<(u64, std::vec::IntoIter<u32>)> = None;
        lua.create_function_mut(move |_, ()| {
            if next > to {
                return Ok(None);
            }
            let Some(head) = &head else {
                next += 1;
                return Ok(Some(next - 1));
            };
            let engine = engine_of(&weak)?;
            let changes = engine.changes();
            if known.as_ref().is_none_or(|(at, _)| *at != changes) {
                known = Some((changes, engine.numbered(head, next, to).into_iter()));
            }
            let number = known.as_mut().and_then(|(_, numbers)| numbers.next());
            next = number.unwrap_or(to).saturating_add(1);
            Ok(number)
        })
    })
}

fn call_macro(engine: &Engine, name: &str, argument: &Value) -> mlua::Result<String> {
    match argument {
        Value::Table(table) => {
            let mut words = Vec::new();
            for value in table.sequence_values::<Value>() {
                match value? {
                    value @ (Value::String(_) | Value::Integer(_) | Value::Number(_)) => words.push(lua_text(&value)),
                    other => {
                        return Err(mlua::Error::runtime(format!(
                            "a {} cannot be a macro's argument",
                            other.type_name()
                        )));
                    }
                }
            }
            pass(engine.expand_named(name, &words))
        }
        Value::String(_) | Value::Integer(_) | Value::Number(_) => {
            pass(engine.expand_text(&format!("%{{{name} {}}}", lua_text(argument))))
        }
        _ => Err(mlua::Error::runtime("a text or a table of arguments is expected")),
    }
}

/// `rpm.expand`. Scripts ask for thousands of names that nobody defined: `%{?name}` is answered at once.
pub(super) fn expand(engine: &Weak<Engine>, text: &mlua::String) -> mlua::Result<String> {
    let engine = engine_of(engine)?;
    let bytes = text.as_bytes();
    let name = bytes.strip_prefix(b"%{?").and_then(|rest| rest.strip_suffix(b"}"));
    if let Some(name) = name.and_then(|name| std::str::from_utf8(name).ok())
        && name.bytes().all(super::scan::is_name)
        && !engine.is_defined(name)
    {
        return Ok(String::new());
    }
    pass(engine.expand_text(&String::from_utf8_lossy(&bytes)))
}

pub(super) fn define(engine: &Weak<Engine>, text: &str) -> mlua::Result<()> {
    pass(engine_of(engine)?.define_plain(text, Level::GLOBAL))
}

pub(super) fn undefine(engine: &Weak<Engine>, name: &str) -> mlua::Result<()> {
    pass(engine_of(engine)?.undefine(name))
}

pub(super) fn load(engine: &Weak<Engine>, path: &str) -> mlua::Result<i64> {
    let engine = engine_of(engine)?;
    let Some(text) = engine.environment.files.read(path) else { return Ok(-1) };
    pass(engine.load(&text, &crate::Origin::new(path))).map(|sound| i64::from(!sound))
}

/// Runs the text of a Lua file, as `require` does it.
pub(super) fn run_file(lua: &Lua, text: &str, name: &str, argument: impl IntoLuaMulti) -> mlua::Result<Value> {
    lua.load(&*lua_loops::shorten(text)).set_name(format!("@{name}")).set_mode(mlua::ChunkMode::Text).call(argument)
}
