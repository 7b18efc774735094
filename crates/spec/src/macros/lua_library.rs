//! The functions that rpm adds to Lua, as far as they are pure.

use mlua::{Lua, MetaMethod, MultiValue, Table, UserData, UserDataMethods, Value, Variadic};

use super::arguments;
use super::lua::{define, engine_of, expand, load, macros_table, numbered_macros, undefine};
use super::lua_files;
use super::lua_interpreter::Slot;
use super::lua_loops::NUMBERED;

pub(super) fn install(lua: &Lua, engine: &Slot) -> mlua::Result<()> {
    let globals = lua.globals();
    globals.set("macros", macros_table(lua, engine)?)?;
    install_rpm(lua, &globals.get("rpm")?, engine)?;
    globals.set(NUMBERED, numbered_macros(lua, engine)?)?;
    lua_files::install(lua, &globals, engine)?;
    let slot = engine.clone();
    let print = lua.create_function(move |_, values: MultiValue| {
        engine_of(&slot)?.print(&values);
        Ok(())
    })?;
    globals.set("print", print)?;
    install_clock(lua, &globals.get("os")?, engine)
}

fn install_rpm(lua: &Lua, rpm: &Table, engine: &Slot) -> mlua::Result<()> {
    let weak = engine.clone();
    rpm.set("expand", lua.create_function(move |_, text: mlua::String| expand(&weak, &text))?)?;
    let weak = engine.clone();
    rpm.set("define", lua.create_function(move |_, text: String| define(&weak, &text))?)?;
    let weak = engine.clone();
    rpm.set("undefine", lua.create_function(move |_, name: String| undefine(&weak, &name))?)?;
    let weak = engine.clone();
    rpm.set("load", lua.create_function(move |_, path: String| load(&weak, &path))?)?;
    let weak = engine.clone();
    let is_defined = lua.create_function(move |_, name: String| {
        let found = engine_of(&weak)?.find(&name);
        Ok((found.is_some(), found.is_some_and(|found| found.options.is_some())))
    })?;
    rpm.set("isdefined", is_defined)?;
    let weak = engine.clone();
    let glob = lua.create_function(move |_, (pattern, flags): (String, Option<String>)| {
        let mut paths = engine_of(&weak)?.environment.files.glob(&pattern);
        if paths.is_empty() && flags.is_some_and(|flags| flags.contains('c')) {
            paths.push(pattern);
        }
        Ok(paths)
    })?;
    rpm.set("glob", glob)?;
    let compare = lua.create_function(|_, (left, right): (String, String)| {
        Ok(Version::parse(&left)?.compare(&Version::parse(&right)?) as i64)
    })?;
    rpm.set("vercmp", compare)?;
    rpm.set("ver", lua.create_function(|_, parts: Variadic<Option<String>>| Version::new(&parts))?)?;
    rpm.set("splitargs", lua.create_function(|_, text: String| Ok(arguments::split_words(&text)))?)?;
    rpm.set("unsplitargs", lua.create_function(|_, words: Vec<String>| Ok(arguments::join_quoted(&words)))?)?;
    let encode = lua.create_function(|_, (bytes, width): (mlua::String, Option<i64>)| {
        Ok(crate::base64::encode(&bytes.as_bytes(), width.unwrap_or(-1)))
    })?;
    rpm.set("b64encode", encode)?;
    let decode = lua.create_function(|lua, text: String| match crate::base64::decode(&text) {
        Some(bytes) => lua.create_string(bytes).map(Value::String),
        None => Ok(Value::Nil),
    })?;
    rpm.set("b64decode", decode)
}

/// A clock that stands still, in UTC.
fn install_clock(lua: &Lua, os: &Table, engine: &Slot) -> mlua::Result<()> {
    let real_date: mlua::Function = os.get("date")?;
    let weak = engine.clone();
    let date = lua.create_function(move |_, (format, time): (Option<String>, Option<i64>)| {
        let format = format.unwrap_or_else(|| "%c".to_owned());
        let now = i64::try_from(engine_of(&weak)?.environment.clock.0).unwrap_or(0);
        real_date.call::<Value>((format!("!{}", format.trim_start_matches('!')), time.unwrap_or(now)))
    })?;
    os.set("date", date)?;
    let weak = engine.clone();
    let time = lua.create_function(move |_, date: Option<Table>| {
        let Some(date) = date else { return Ok(i64::try_from(engine_of(&weak)?.environment.clock.0).unwrap_or(0)) };
        let field = |name: &str, default: i64| date.get::<Option<i64>>(name).map(|value| value.unwrap_or(default));
        let days = crate::calendar::days_from_civil(date.get("year")?, date.get("month")?, date.get("day")?);
        Ok(days * 86_400 + field("hour", 12)? * 3_600 + field("min", 0)? * 60 + field("sec", 0)?)
    })?;
    os.set("time", time)?;
    // The locale is always C: asking for it or for another name of it is fine.
    let locale = lua.create_function(|_, (name, _): (Option<String>, Value)| {
        let same = name.is_none_or(|name| matches!(name.as_str(), "" | "C" | "POSIX" | "C.utf8" | "C.UTF-8"));
        Ok(same.then_some("C"))
    })?;
    os.set("setlocale", locale)?;
    os.set("clock", lua.create_function(|_, ()| Ok(0))?)
}

/// rpm's version object.
struct Version {
    epoch: Option<String>,
    version: String,
    release: Option<String>,
}

impl Version {
    fn parse(text: &str) -> mlua::Result<Version> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (epoch, rest) = match text[digits..].strip_prefix(':') {
            Some(rest) => (Some(text[..digits].to_owned()), rest),
            None => (None, text),
        };
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release.to_owned())),
            None => (rest, None),
        };
        if version.is_empty() {
            return Err(mlua::Error::runtime(format!("`{text}` is no version")));
        }
        Ok(Version { epoch, version: version.to_owned(), release })
    }

    fn new(parts: &[Option<String>]) -> mlua::Result<Version> {
        match parts {
            [Some(text)] => Version::parse(text),
            [epoch, Some(version), release] => {
                Ok(Version { epoch: epoch.clone(), version: version.clone(), release: release.clone() })
            }
            _ => Err(mlua::Error::runtime("rpm.ver takes a version or epoch, version and release")),
        }
    }

    fn compare(&self, other: &Version) -> std::cmp::Ordering {
        let epoch = |version: &Version| {
            version.epoch.clone().filter(|epoch| !epoch.is_empty()).unwrap_or_else(|| "0".to_owned())
        };
        let release = |version: &Version| version.release.clone();
        pkg::vercmp(&epoch(self), &epoch(other)).then_with(|| pkg::vercmp(&self.version, &other.version)).then_with(
            || match (release(self), release(other)) {
                (Some(left), Some(right)) => pkg::vercmp(&left, &right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            },
        )
    }
}

impl UserData for Version {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Index, |_, version, key: String| match key.as_str() {
            "e" => Ok(version.epoch.clone()),
            "v" => Ok(Some(version.version.clone())),
            "r" => Ok(version.release.clone()),
            other => Err(mlua::Error::runtime(format!("a version has no field `{other}`"))),
        });
        methods.add_meta_method(MetaMethod::ToString, |_, version, ()| {
            let epoch = version.epoch.as_ref().map(|epoch| format!("{epoch}:")).unwrap_or_default();
            let release = version.release.as_ref().map(|release| format!("-{release}")).unwrap_or_default();
            Ok(format!("{epoch}{}{release}", version.version))
        });
        methods.add_meta_function(MetaMethod::Eq, |_, (left, right): (VersionRef, VersionRef)| {
            Ok(left.borrow::<Version>()?.compare(&*right.borrow::<Version>()?).is_eq())
        });
        methods.add_meta_function(MetaMethod::Lt, |_, (left, right): (VersionRef, VersionRef)| {
            Ok(left.borrow::<Version>()?.compare(&*right.borrow::<Version>()?).is_lt())
        });
        methods.add_meta_function(MetaMethod::Le, |_, (left, right): (VersionRef, VersionRef)| {
            Ok(left.borrow::<Version>()?.compare(&*right.borrow::<Version>()?).is_le())
        });
    }
}

type VersionRef = mlua::AnyUserData;
