//! Files, as far as Lua scripts may see them: those of the environment, and what the scripts themselves write.
//!
//! Writing touches nothing: the text stays in the evaluation, where later scripts can read it. `io.popen` asks the
//! environment's shell.

use mlua::{IntoLuaMulti as _, Lua, Table, UserData, UserDataMethods, Value, Variadic};

use super::lua::{engine_of, run_file};
use super::lua_interpreter::Slot;

/// Where `require` looks, as rpm sets it.
const LIBRARY: &str = "/usr/lib/rpm/lua/";
/// Bytes that the scripts of one evaluation may write.
const WRITTEN: usize = 16 << 20;

pub(super) fn install(lua: &Lua, globals: &Table, engine: &Slot) -> mlua::Result<()> {
    install_posix(lua, globals, engine)?;
    install_io(lua, globals, engine)?;
    install_require(lua, globals, engine)
}

fn read(engine: &Slot, path: &str) -> mlua::Result<Option<std::sync::Arc<str>>> {
    let engine = engine_of(engine)?;
    if let Some(text) = engine.written.borrow().get(path) {
        return Ok(Some(std::sync::Arc::from(text.as_str())));
    }
    Ok(engine.environment.files.read(path))
}

fn missing(path: &str) -> String {
    format!("{path}: No such file or directory")
}

fn install_posix(lua: &Lua, globals: &Table, engine: &Slot) -> mlua::Result<()> {
    let posix: Table = globals.get("posix")?;
    let weak = engine.clone();
    let access = lua.create_function(move |_, (path, mode): (String, Option<String>)| {
        let writes = mode.is_some_and(|mode| mode.contains('w'));
        let known = engine_of(&weak)?.environment.files.exists(&path) && !writes;
        Ok(if known { (Some(0), None, None) } else { (None, Some("No such file or directory"), Some(2)) })
    })?;
    posix.set("access", access)?;
    let weak = engine.clone();
    let stat = lua.create_function(move |lua, (path, field): (String, Option<String>)| {
        let text = read(&weak, &path)?;
        if text.is_none() && !engine_of(&weak)?.environment.files.exists(&path) {
            return (Value::Nil, "No such file or directory", 2).into_lua_multi(lua);
        }
        let facts = lua.create_table()?;
        facts.set("type", if text.is_some() { "regular" } else { "directory" })?;
        facts.set("size", text.map_or(0, |text| text.len()))?;
        match field {
            Some(field) => facts.get::<Value>(field)?.into_lua_multi(lua),
            None => facts.into_lua_multi(lua),
        }
    })?;
    posix.set("stat", stat)?;
    let weak = engine.clone();
    let uname = lua.create_function(move |_, format: Option<String>| {
        let environment = &engine_of(&weak)?.environment;
        let mut text = String::new();
        let mut letters = format.as_deref().unwrap_or("%s %n %r %m").chars();
        while let Some(letter) = letters.next() {
            match (letter, if letter == '%' { letters.next() } else { None }) {
                ('%', Some('s')) => text.push_str("Linux"),
                ('%', Some('n')) => text.push_str("localhost"),
                ('%', Some('m')) => text.push_str(&environment.target.cpu),
                ('%', Some('r')) => text.push_str(&environment.kernel_release),
                ('%', Some('%')) => text.push('%'),
                ('%', _) => return Err(mlua::Error::runtime("`posix.uname` knows %s, %n, %r and %m here")),
                (other, _) => text.push(other),
            }
        }
        Ok(text)
    })?;
    posix.set("uname", uname)?;
    let weak = engine.clone();
    let getenv =
        lua.create_function(move |_, name: String| Ok(engine_of(&weak)?.environment.variables.get(&name).cloned()))?;
    posix.set("getenv", getenv.clone())?;
    globals.get::<Table>("os")?.set("getenv", getenv)
}

fn install_io(lua: &Lua, globals: &Table, engine: &Slot) -> mlua::Result<()> {
    let io: Table = globals.get("io")?;
    let weak = engine.clone();
    let open = lua.create_function(move |_, (path, mode): (String, Option<String>)| {
        let mode = mode.unwrap_or_else(|| "r".to_owned());
        let known = read(&weak, &path)?;
        if mode.starts_with(['w', 'a']) {
            let before = if mode.starts_with('a') { known.as_deref().unwrap_or("").to_owned() } else { String::new() };
            engine_of(&weak)?.written.borrow_mut().insert(path.clone(), before);
            return Ok((Some(OpenFile { text: "".into(), at: 0, written_to: Some((weak.clone(), path)) }), None));
        }
        Ok(match known {
            Some(text) => (Some(OpenFile::reading(text)), None),
            None => (None, Some(missing(&path))),
        })
    })?;
    io.set("open", open.clone())?;
    globals.get::<Table>("rpm")?.set("open", open)?;
    let weak = engine.clone();
    let popen = lua.create_function(move |_, (command, mode): (String, Option<String>)| {
        if mode.is_some_and(|mode| mode.contains('w')) {
            return Err(mlua::Error::runtime("`io.popen` only reads here"));
        }
        let engine = engine_of(&weak)?;
        let environment = &engine.environment;
        let reply = environment.shell.reply(&command, environment.clock);
        reply
            .map(|reply| OpenFile::reading(engine.take_reply(&command, reply).into()))
            .map_err(|problem| mlua::Error::runtime(format!("`{command}` is not run: {problem}")))
    })?;
    io.set("popen", popen)?;
    let weak = engine.clone();
    let input = lua.create_function(move |lua, file: Value| {
        let file = match file {
            Value::String(path) => {
                let path = path.to_string_lossy();
                let text = read(&weak, &path)?.ok_or_else(|| mlua::Error::runtime(missing(&path)))?;
                Value::UserData(lua.create_userdata(OpenFile::reading(text))?)
            }
            Value::Nil => lua.named_registry_value("input")?,
            file => file,
        };
        lua.set_named_registry_value("input", file.clone())?;
        Ok(file)
    })?;
    io.set("input", input)?;
    let read_input = lua.create_function(|lua, what: Option<Value>| {
        let file: mlua::AnyUserData = lua.named_registry_value("input").map_err(|_| no_input())?;
        Ok(file.borrow_mut::<OpenFile>()?.read(what))
    })?;
    io.set("read", read_input)?;
    let weak = engine.clone();
    let lines = lua.create_function(move |lua, path: Option<String>| match path {
        Some(path) => {
            let text = read(&weak, &path)?.ok_or_else(|| mlua::Error::runtime(missing(&path)))?;
            OpenFile::reading(text).into_lines(lua)
        }
        None => {
            let file: mlua::AnyUserData = lua.named_registry_value("input").map_err(|_| no_input())?;
            let file = file.borrow::<OpenFile>()?;
            OpenFile { text: file.text.clone(), at: file.at, written_to: None }.into_lines(lua)
        }
    })?;
    io.set("lines", lines)?;
    // What goes to the terminal in rpm is a message here.
    for name in ["stdout", "stderr"] {
        io.set(name, Terminal { engine: engine.clone() })?;
    }
    let weak = engine.clone();
    let write = lua.create_function(move |_, texts: Variadic<String>| say(&weak, &texts))?;
    io.set("write", write)
}

fn no_input() -> mlua::Error {
    mlua::Error::runtime("there is no standard input: `io.input` must name a file")
}

fn say(engine: &Slot, texts: &[String]) -> mlua::Result<()> {
    engine_of(engine)?.say(crate::Severity::Message, texts.concat());
    Ok(())
}

fn install_require(lua: &Lua, globals: &Table, engine: &Slot) -> mlua::Result<()> {
    let package = lua.create_table()?;
    package.set("loaded", lua.create_table()?)?;
    package.set("path", format!("{LIBRARY}?.lua"))?;
    globals.set("package", package)?;
    let weak = engine.clone();
    let require = lua.create_function(move |lua, name: String| {
        let package: Table = lua.named_registry_value("package")?;
        let loaded: Table = package.get("loaded")?;
        let known: Value = loaded.get(name.as_str())?;
        if !known.is_nil() {
            return Ok(known);
        }
        let patterns: String = package.get("path")?;
        let mut found = None;
        for pattern in patterns.split(';') {
            let path = pattern.replace('?', &name.replace('.', "/"));
            if let Some(text) = read(&weak, &path)? {
                found = Some((path, text));
                break;
            }
        }
        let Some((path, text)) = found else {
            return Err(mlua::Error::runtime(format!(
                "module `{name}` is not in the environment (looked in {patterns})"
            )));
        };
        let value = run_file(&weak, &text, &path, &name)?;
        let value = if value.is_nil() { Value::Boolean(true) } else { value };
        loaded.set(name, value.clone())?;
        Ok(value)
    })?;
    globals.set("require", require)
}

struct Terminal {
    engine: Slot,
}

impl UserData for Terminal {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("write", |_, terminal, texts: Variadic<String>| say(&terminal.engine, &texts));
        methods.add_method("flush", |_, _, ()| Ok(()));
    }
}

/// A file that a script reads, or writes into the evaluation.
struct OpenFile {
    text: std::sync::Arc<str>,
    at: usize,
    written_to: Option<(Slot, String)>,
}

impl OpenFile {
    fn reading(text: std::sync::Arc<str>) -> OpenFile {
        OpenFile { text, at: 0, written_to: None }
    }

    fn write(&self, texts: &[String]) -> mlua::Result<()> {
        let Some((engine, path)) = &self.written_to else {
            return Err(mlua::Error::runtime("the file is open for reading"));
        };
        let engine = engine_of(engine)?;
        let mut written = engine.written.borrow_mut();
        let total: usize = written.values().map(String::len).sum();
        if total > WRITTEN {
            return Err(mlua::Error::runtime(format!("scripts write more than {WRITTEN} bytes")));
        }
        written.entry(path.clone()).or_default().push_str(&texts.concat());
        Ok(())
    }

    fn line(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        self.at += end;
        Some(rest[..end].trim_end_matches('\n').to_owned())
    }

    fn read(&mut self, what: Option<Value>) -> Option<String> {
        let everything = match what {
            Some(Value::String(format)) => format.to_string_lossy().trim_start_matches('*').starts_with('a'),
            Some(Value::Integer(count)) => {
                let rest = self.text.get(self.at..)?;
                let mut end = rest.len().min(usize::try_from(count).unwrap_or(0));
                while !rest.is_char_boundary(end) {
                    end += 1;
                }
                self.at += end;
                return (!rest.is_empty()).then(|| rest[..end].to_owned());
            }
            _ => false,
        };
        if everything {
            let rest = self.text[self.at..].to_owned();
            self.at = self.text.len();
            return Some(rest);
        }
        self.line()
    }

    fn into_lines(mut self, lua: &Lua) -> mlua::Result<mlua::Function> {
        lua.create_function_mut(move |_, ()| Ok(self.line()))
    }
}

impl UserData for OpenFile {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method_mut("read", |_, file, what: Option<Value>| Ok(file.read(what)));
        methods.add_method("write", |_, file, texts: Variadic<String>| file.write(&texts));
        methods.add_method_mut("lines", |lua, file, ()| {
            OpenFile { text: file.text.clone(), at: file.at, written_to: None }.into_lines(lua)
        });
        methods.add_method("flush", |_, _, ()| Ok(0));
        methods.add_method("close", |_, _, ()| Ok(0));
    }
}
