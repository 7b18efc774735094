//! The Lua interpreter: made once, used by one evaluation after the other.
//!
//! Making one costs more than most specs take, and so does compiling the scripts of macro files, which are the same in every
//! spec. Nothing that a script leaves behind may reach the next evaluation: each begins with a new table of globals, with
//! copies of all libraries in it. What stays is compiled code, which a script cannot change.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use mlua::{Function, HookTriggers, IntoLuaMulti, Lua, LuaOptions, MultiValue, StdLib, Table, Value, VmState};

use super::engine::{Call, Engine};
use super::hash::NameHasher;
use super::lua_loops;

/// Bytes that evaluations may leave behind before an evaluation begins with a collection. Within an evaluation, memory is
/// collected where the limit is reached: most need less than what collecting costs.
const LEFT_BEHIND: usize = 16 << 20;
/// Lua instructions between two looks at the budget.
const INSTRUCTIONS_A_CHECK: u32 = 10_000;
/// Bytes of script text whose code is kept.
const KEPT_SCRIPTS: usize = 4 << 20;

/// The engine at work, for what calls back.
pub(super) type Slot = Rc<RefCell<Weak<Engine>>>;

/// Compiled scripts, by their text.
type Scripts = HashMap<Box<str>, Function, std::hash::BuildHasherDefault<NameHasher>>;

/// Lua, with rpm's functions.
pub(crate) struct Interpreter {
    pub(super) lua: Lua,
    engine: Slot,
    /// Makes a new table of globals, and of what texts can do.
    fresh: Function,
    /// Where [`PRINTERS`] were at the start.
    printers: [usize; 3],
    /// Those of macros and those of files, and their size.
    scripts: [RefCell<(usize, Scripts)>; 2],
    budget: Rc<Budget>,
}

/// The instructions of the present evaluation.
#[derive(Default)]
struct Budget {
    limit: Cell<u64>,
    used: Cell<u64>,
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

/// Texts as long as this are matched with any pattern.
const SHORT: usize = 32;

/// Wraps what matches patterns: a match that might never end is refused.
const PATTERNS: &str = "
    local check, short = ...
    local type = type
    local function wrap(name)
        local match = string[name]
        string[name] = function(text, pattern, ...)
            if type(text) == 'string' and #text > short and type(pattern) == 'string' then check(text, pattern) end
            return match(text, pattern, ...)
        end
    end
    wrap('find') wrap('match') wrap('gmatch') wrap('gsub')";

/// Makes the function that makes globals: two levels of tables are copied, and nothing in them is deeper, `package.loaded`
/// excepted. Functions are shared: no script can change one.
const FRESH: &str = "
    local next, type, setmetatable = next, type, setmetatable
    local known, texts, macros = _G, getmetatable(''), getmetatable(macros)
    local function copy(table)
        local new = {}
        for key, value in next, table do new[key] = value end
        return new
    end
    return function()
        local globals = copy(known)
        for key, value in next, known do
            if type(value) == 'table' then globals[key] = copy(value) end
        end
        globals._G = globals
        globals.macros = setmetatable({}, copy(macros))
        globals.package.loaded = {}
        local of_texts = copy(texts)
        of_texts.__index = globals.string
        return globals, of_texts
    end";

/// The functions that a pure script uses; as long as they are the first ones, its output is always the same.
const PRINTERS: [&str; 3] = ["print", "tostring", "tonumber"];

impl Interpreter {
    pub(super) fn new() -> mlua::Result<Interpreter> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::UTF8 | StdLib::MATH | StdLib::COROUTINE | StdLib::OS;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        lua.load(PRELUDE).exec()?;
        let check = lua.create_function(|_, (text, pattern): (mlua::String, mlua::String)| {
            if super::lua_patterns::ends_soon(&pattern.as_bytes(), text.as_bytes().len()) {
                return Ok(());
            }
            Err(mlua::Error::runtime("the pattern could take too long on a text of this length"))
        })?;
        lua.load(PATTERNS).call::<()>((check, SHORT))?;
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
        let engine = Slot::default();
        super::lua_library::install(&lua, &engine)?;
        for name in ["sources", "patches", "source_nums", "patch_nums"] {
            globals.set(name, lua.create_table()?)?;
        }
        let printers = PRINTERS.map(|name| address(&lua, name));
        let fresh = lua.load(FRESH).call(())?;
        let budget = Rc::<Budget>::default();
        Ok(Interpreter { lua, engine, fresh, printers, scripts: Default::default(), budget })
    }

    /// Begins the evaluation that `engine` does: nothing of the one before is left.
    pub(super) fn begin(&self, engine: &Engine) -> mlua::Result<()> {
        let limits = &engine.environment.limits;
        self.engine.replace(engine.this.clone());
        if self.lua.used_memory() > LEFT_BEHIND {
            self.lua.gc_collect()?;
        }
        self.lua.gc_stop();
        self.lua.set_memory_limit(usize::try_from(limits.lua_memory).unwrap_or(usize::MAX))?;
        self.budget.limit.set(limits.lua_instructions);
        self.budget.used.set(0);
        limit_instructions(&self.lua, &self.budget)?;
        let (globals, of_texts): (Table, Table) = self.fresh.call(())?;
        self.lua.set_named_registry_value("package", globals.get::<Table>("package")?)?;
        self.lua.set_named_registry_value("input", Value::Nil)?;
        self.lua.set_type_metatable::<mlua::String>(Some(of_texts));
        self.lua.set_globals(globals)
    }

    /// Whether no script has put a function of its own in the place of one of Lua's.
    pub(super) fn prints_as_ever(&self) -> bool {
        PRINTERS.iter().zip(self.printers).all(|(name, known)| address(&self.lua, name) == known)
    }

    /// Runs a script of a macro; its results count as printed.
    pub(super) fn run(&self, script: &str, call: Option<&Call>) -> mlua::Result<MultiValue> {
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
        self.call_script("=lua", "opt, arg", script, (options, arguments))
    }

    /// Runs the text of a Lua file, as `require` does it.
    pub(super) fn run_file(&self, text: &str, path: &str, name: &str) -> mlua::Result<Value> {
        self.call_script(&format!("@{path}"), "", text, (name, path))
    }

    /// Calls a script whose code may be known; `names` are the locals that get the arguments.
    fn call_script<R: mlua::FromLuaMulti>(
        &self,
        name: &str,
        names: &str,
        script: &str,
        arguments: impl IntoLuaMulti,
    ) -> mlua::Result<R> {
        // The globals are an argument, so that compiled code can be used again with others. A script that looks at its own
        // arguments would see them.
        if script.contains("...") {
            let head = if names.is_empty() { String::new() } else { format!("local {names} = ...;") };
            let text = format!("{head}{}", lua_loops::shorten(script));
            return self.lua.load(&text).set_name(name).set_mode(mlua::ChunkMode::Text).call(arguments);
        }
        let mut arguments = arguments.into_lua_multi(&self.lua)?;
        arguments.push_front(Value::Table(self.lua.globals()));
        let is_file = usize::from(names.is_empty());
        let known = self.scripts[is_file].borrow().1.get(script).cloned();
        if let Some(function) = known {
            return function.call(arguments);
        }
        let names = if names.is_empty() { "_ENV".to_owned() } else { format!("_ENV, {names}") };
        let text = format!("local {names} = ...;{}", lua_loops::shorten(script));
        let function = self.lua.load(&text).set_name(name).set_mode(mlua::ChunkMode::Text).into_function()?;
        {
            let (bytes, scripts) = &mut *self.scripts[is_file].borrow_mut();
            if *bytes + script.len() > KEPT_SCRIPTS {
                scripts.clear();
                *bytes = 0;
            }
            *bytes += script.len();
            scripts.insert(script.into(), function.clone());
        }
        function.call(arguments)
    }
}

/// Where a global function is; only to be compared.
fn address(lua: &Lua, name: &str) -> usize {
    lua.globals().raw_get::<Value>(name).map_or(0, |value| value.to_pointer() as usize)
}

fn limit_instructions(lua: &Lua, budget: &Rc<Budget>) -> mlua::Result<()> {
    let budget = budget.clone();
    let triggers = HookTriggers::new().every_nth_instruction(INSTRUCTIONS_A_CHECK);
    lua.set_global_hook(triggers, move |lua, _| {
        let limit = budget.limit.get();
        budget.used.set(budget.used.get() + u64::from(INSTRUCTIONS_A_CHECK));
        if budget.used.get() <= limit {
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
