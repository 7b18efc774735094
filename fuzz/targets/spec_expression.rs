//! `%[..]`, and the same text behind `%if` as the linter reads it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use spec::lint::Linter;
use spec::{Environment, Limits, Macros, Origin, Target};

static SETTING: LazyLock<(Environment, Linter)> = LazyLock::new(|| {
    let mut environment = Environment::new(Macros::builtin().into(), Target::linux("x86_64"));
    environment.limits =
        Limits { calls: 5_000, output: 64 << 10, lua_instructions: 50_000, lua_memory: 2 << 20, ..Limits::default() };
    let linter = Linter::new(&environment.macros);
    (environment, linter)
});

fuzz_target!(|text: &str| {
    let (environment, linter) = &*SETTING;
    let _ = spec::expand(&format!("%[{text}]"), &Origin::new("fuzz"), environment);
    let spec = format!("%if {text}\nName: a\n%elif {text}\nName: b\n%else\nName: c\n%endif\n");
    let _ = linter.lint(&spec, &Origin::new("fuzz.spec"), environment, None);
});
