//! Lua inside macros: `%{lua: ..}`, with rpm's own functions and nothing of the machine.
//!
//! Scripts see `rpm.*`, `macros`, `print`, `opt`, `arg`, `sources`, `patches`, Lua's text, table, math and utf8 libraries, a
//! clock that stands still, and the files of the environment. Whatever would start a process, write a file or ask the machine
//! is refused with an error that says so.
//!
//! Source: rpm's manual, `docs/manual/lua.md`.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Table, Value, Variadic};

use super::engine::{Call, Engine, Outcome};
use super::lua_interpreter::{Interpreter, Slot};
use super::table::Level;
use crate::{ErrorKind, SpecError};

/// An error of the engine on its way through Lua.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
struct Passed(Box<SpecError>);

fn pass<T>(result: Outcome<T>) -> mlua::Result<T> {
    result.map_err(|error| mlua::Error::external(Passed(error)))
}

impl Engine {
    /// `%{lua:script}`.
    pub(super) fn lua_macro(&self, script: &str, output: &mut super::expand::Output) -> Outcome {
        let memos = &self.environment.macros.memos;
        let is_pure = super::memo::is_pure_script(script) && self.begun_lua().is_none_or(Interpreter::prints_as_ever);
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

    /// The numbered names that a script prints, if that is known; while an expansion is traced, it is not.
    pub(super) fn known_run(&self, script: &str) -> Option<super::memo::Run> {
        if self.is_traced() || !self.begun_lua().is_none_or(Interpreter::prints_as_ever) {
            return None;
        }
        let run = self.environment.macros.memos.printed_run(script)?;
        // As costly as it is written, so that what is remembered does not depend on what ran before.
        self.count_calls(u64::from(run.to - run.from));
        Some(run)
    }

    /// Runs a script; what it prints and returns is its text.
    fn run_lua(&self, script: &str, call: Option<&Call>) -> Outcome<String> {
        let state = self.lua_state()?;
        self.lua_result(self.sync_lua_sources(&state.lua))?;
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
        if let Some(state) = self.begun_lua() {
            self.known_to_lua.set(0);
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

    pub(super) fn print(&self, values: &MultiValue) {
        if let Some(buffer) = self.prints.borrow_mut().last_mut() {
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    buffer.push('\t');
                }
                match value {
                    Value::String(text) => buffer.push_str(&String::from_utf8_lossy(&text.as_bytes())),
                    other => buffer.push_str(&lua_text(other)),
                }
            }
        }
    }

    /// Adds sources and patches that the spec has named since.
    fn sync_lua_sources(&self, lua: &Lua) -> mlua::Result<()> {
        let sources = self.sources.borrow();
        let known = self.known_to_lua.replace(sources.len());
        let globals = lua.globals();
        for source in &sources[known.min(sources.len())..] {
            let (paths, numbers) = if source.is_patch { ("patches", "patch_nums") } else { ("sources", "source_nums") };
            globals.get::<Table>(paths)?.push(source.path.as_str())?;
            globals.get::<Table>(numbers)?.push(source.number)?;
        }
        Ok(())
    }

    /// The interpreter, if a script of this evaluation has run.
    pub(super) fn begun_lua(&self) -> Option<&Interpreter> {
        self.lua.get().filter(|_| self.lua_begun.get())
    }

    fn lua_state(&self) -> Outcome<&Interpreter> {
        if self.lua.get().is_none() {
            let state = self.lua_result(Interpreter::new())?;
            // Nothing else can have set it: making a state runs no macro.
            let _ = self.lua.set(state);
        }
        let Some(state) = self.lua.get() else {
            return Err(self.fail(ErrorKind::Lua("the interpreter did not start".to_owned())));
        };
        if !self.lua_begun.get() {
            self.lua_result(state.begin(self))?;
            self.lua_begun.set(true);
        }
        Ok(state)
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

/// Runs a Lua file of the environment.
pub(super) fn run_file(engine: &Slot, text: &str, path: &str, name: &str) -> mlua::Result<Value> {
    match engine_of(engine)?.begun_lua() {
        Some(interpreter) => interpreter.run_file(text, path, name),
        None => Err(mlua::Error::runtime("the evaluation is over")),
    }
}

pub(super) fn engine_of(weak: &Slot) -> mlua::Result<Rc<Engine>> {
    weak.borrow().upgrade().ok_or_else(|| mlua::Error::runtime("the evaluation is over"))
}

/// `macros.name`: the macro's text, or a function for a parametric one. `macros.name = body` defines it, nil takes it back.
pub(super) fn macros_table(lua: &Lua, engine: &Slot) -> mlua::Result<Table> {
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
pub(super) fn numbered_macros(lua: &Lua, engine: &Slot) -> mlua::Result<mlua::Function> {
    let weak = engine.clone();
    let expand: mlua::Function = lua.globals().get::<Table>("rpm")?.get("expand")?;
    let expand = expand.to_pointer() as usize;
    lua.create_function(move |lua, (head, from, to): (Value, u32, u32)| {
        let rpm = lua.globals().get::<Value>("rpm")?;
        let present = rpm.as_table().and_then(|rpm| rpm.get::<Value>("expand").ok());
        let head = match head {
            Value::String(head) => head.to_str().ok().map(|head| head.to_owned()).filter(|head| is_plain(head)),
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

/// Whether a name with this beginning is never the argument of a parametric call.
fn is_plain(head: &str) -> bool {
    !head.is_empty() && !super::engine::is_automatic(head)
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
pub(super) fn expand(engine: &Slot, text: &mlua::String) -> mlua::Result<String> {
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

pub(super) fn define(engine: &Slot, text: &str) -> mlua::Result<()> {
    pass(engine_of(engine)?.define_plain(text, Level::GLOBAL))
}

pub(super) fn undefine(engine: &Slot, name: &str) -> mlua::Result<()> {
    pass(engine_of(engine)?.undefine(name))
}

pub(super) fn load(engine: &Slot, path: &str) -> mlua::Result<i64> {
    let engine = engine_of(engine)?;
    let Some(text) = engine.environment.files.read(path) else { return Ok(-1) };
    pass(engine.load(&text, &crate::Origin::new(path))).map(|sound| i64::from(!sound))
}
