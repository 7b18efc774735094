//! Scriptlets in Lua, `-p <lua>`: run in this process, where they see the tree and nothing of this machine.
//!
//! They find Lua's own libraries and rpm's `posix` and `rpm` (`docs/manual/lua.md`), whose functions act on the tree;
//! programs that they start run in the sandbox like other scriptlets. What would need a process of their own (fork, exec)
//! or rpm's macros is refused with a sentence. The clock is the transaction's.

mod calls;

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Function, Lua, LuaOptions, MultiValue, StdLib, Value, Variadic};

use crate::InstallError;
use crate::site::Site;
use calls::{Answer, Calls, Refusal};

/// A scriptlet to be run.
pub(crate) struct Call<'a> {
    pub(crate) body: &'a str,
    pub(crate) arguments: &'a [u32],
    /// What `rpm.next_file()` gives: the files that set a trigger off.
    pub(crate) paths: &'a [String],
}

/// The libraries, written in Lua over one function that acts.
const PRELUDE: &str = include_str!("prelude.lua");
/// Bytes that a scriptlet may take.
const MEMORY_MAX: usize = 256 << 20;
/// Instructions after which a scriptlet is taken to hang: some seconds.
const INSTRUCTIONS_MAX: u64 = 2_000_000_000;
const INSTRUCTIONS_STEP: u32 = 1_000_000;

/// Runs a scriptlet; gives how it failed, if it did. What it had done before stays, as with rpm.
pub(crate) fn run(
    call: &Call<'_>,
    site: &mut Site<'_, '_>,
    lines: &mut dyn FnMut(&str),
) -> Result<Option<String>, InstallError> {
    let calls = RefCell::new(Calls::new(site));
    let outcome = interpret(call, &calls);
    let mut calls = calls.into_inner();
    calls.said.lines().for_each(lines);
    // What is wrong with us is no failure of the scriptlet.
    match (calls.broken.take(), outcome) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(None),
        (None, Err(error)) => Ok(Some(sentence(&error))),
    }
}

fn interpret(call: &Call<'_>, calls: &RefCell<Calls<'_, '_, '_>>) -> mlua::Result<()> {
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::UTF8 | StdLib::COROUTINE | StdLib::OS;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    lua.set_memory_limit(MEMORY_MAX)?;
    let left = Rc::new(std::cell::Cell::new(INSTRUCTIONS_MAX));
    let triggers = mlua::HookTriggers::new().every_nth_instruction(INSTRUCTIONS_STEP);
    lua.set_hook(triggers, move |_, _| {
        left.set(left.get().saturating_sub(u64::from(INSTRUCTIONS_STEP)));
        if left.get() == 0 {
            return Err(mlua::Error::runtime("it ran for too long"));
        }
        Ok(mlua::VmState::Continue)
    })?;
    let globals = lua.globals();
    let (text_load, os): (Function, mlua::Table) = (globals.get("load")?, globals.get("os")?);
    let date: Function = os.get("date")?;
    let arguments = lua.create_table()?;
    arguments.set(1, "<lua>")?;
    for (index, argument) in call.arguments.iter().enumerate() {
        arguments.set(index + 2, *argument)?;
    }
    globals.set("arg", arguments)?;
    let at = calls.borrow().at();
    let mut paths = call.paths.iter();
    lua.scope(|scope| {
        let native = scope.create_function_mut(|lua, (operation, words): (String, Variadic<Value>)| {
            let mut calls = calls.borrow_mut();
            answer(lua, calls.perform(&operation, &words))
        })?;
        let next_path =
            scope.create_function_mut(move |_, ()| Ok(paths.next().map(String::as_str).map(str::to_owned)))?;
        let prelude = lua.load(PRELUDE).set_name("=prelude");
        let flush_all: Function = prelude.call((native, text_load, date, next_path, at))?;
        let done = lua.load(call.body).set_name("=scriptlet").set_mode(mlua::ChunkMode::Text).exec();
        flush_all.call::<()>(())?;
        done
    })
}

/// `true` and the values, or `false`, a sentence and the number of the error, as Lua's own functions give them.
fn answer(lua: &Lua, result: Result<Answer, Refusal>) -> mlua::Result<MultiValue> {
    let mut values = MultiValue::new();
    match result {
        Ok(given) => {
            values.push_back(Value::Boolean(true));
            values.push_back(value(lua, given)?);
        }
        Err(Refusal { sentence, number }) => {
            values.push_back(Value::Boolean(false));
            values.push_back(Value::String(lua.create_string(sentence)?));
            values.push_back(Value::Integer(number));
        }
    }
    Ok(values)
}

fn value(lua: &Lua, answer: Answer) -> mlua::Result<Value> {
    Ok(match answer {
        Answer::True => Value::Boolean(true),
        Answer::Whole(number) => Value::Integer(number),
        Answer::Number(number) => Value::Number(number as f64),
        Answer::Bytes(bytes) => Value::String(lua.create_string(bytes)?),
        Answer::List(words) => Value::Table(lua.create_sequence_from(words)?),
        Answer::Fields(fields) => {
            let table = lua.create_table()?;
            for (name, field) in fields {
                table.set(name, value(lua, field)?)?;
            }
            Value::Table(table)
        }
    })
}

/// The error's first line, without Lua's own stack.
fn sentence(error: &mlua::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or("").trim();
    line.strip_prefix("runtime error: ").or(line.strip_prefix("syntax error: ")).unwrap_or(line).to_owned()
}
