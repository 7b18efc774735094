//! Any spec gives an answer or an error, within the limits, and the same one again; the linter says something about it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use spec::lint::Linter;
use spec::{Environment, Limits, Macros, Origin, Target, Undefined};

/// Bytes of expanded text.
const OUTPUT: u64 = 256 << 10;

static SETTING: LazyLock<(Environment, Linter)> = LazyLock::new(|| {
    let mut macros = Macros::builtin();
    macros.load(include_str!("../../crates/spec/tests/fixtures/base.macros"), &Origin::new("base.macros"));
    let linter = Linter::new(&macros);
    let mut environment = Environment::new(macros.into(), Target::linux("x86_64"));
    environment.undefined = Undefined::Warn;
    environment.limits =
        Limits { calls: 20_000, output: OUTPUT, lua_instructions: 200_000, lua_memory: 4 << 20, ..Limits::default() };
    (environment, linter)
});

/// What every spec needs, so that short inputs get further than the preamble.
const START: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n";

fuzz_target!(|text: &str| {
    let (environment, linter) = &*SETTING;
    let origin = Origin::new("fuzz.spec");
    let whole = if text.contains("Name:") { text.to_owned() } else { format!("{START}{text}") };
    let evaluated = spec::evaluate(&whole, &origin, environment);
    if let Ok(spec) = &evaluated {
        // What was read last may still pass the limit.
        assert!(spec.expanded.len() as u64 <= 2 * OUTPUT + whole.len() as u64);
        for package in &spec.packages {
            let _ = package.files.as_ref().map(spec::FileList::entries);
        }
    }
    for finding in linter.lint(&whole, &origin, environment, evaluated.as_ref().ok()) {
        assert!(finding.position.line > 0 && finding.position.column > 0);
    }
});
