//! Whatever the text: an answer or an error, never a panic, and soon.

use proptest::prelude::*;
use spec::{Environment, ErrorKind, Limits, Macros, Origin, Target};

fn environment() -> Environment {
    let mut macros = Macros::builtin();
    let text = include_str!("fixtures/base.macros");
    macros.load(text, &Origin::new("base.macros"));
    let mut environment = Environment::new(macros.into(), Target::linux("x86_64"));
    environment.limits =
        Limits { calls: 20_000, output: 1 << 20, lua_instructions: 500_000, lua_memory: 4 << 20, ..Limits::default() };
    environment
}

const PARTS: &[&str] = &[
    "%{",
    "%(",
    "%[",
    "}",
    ")",
    "]",
    "%",
    "%%",
    "\\",
    "\n",
    "\\\n",
    " ",
    "\t",
    "name",
    "%{name}",
    "%name ",
    "%{?",
    "%{!?",
    ":",
    "%define ",
    "%global ",
    "x ",
    "f(a:b) ",
    "%undefine ",
    "%{lua:",
    "print(1)",
    "rpm.expand('%name')",
    "%{expand:",
    "%*",
    "%1",
    "%#",
    "-a",
    "%{-a*}",
    "%if ",
    "%else\n",
    "%endif\n",
    "%elif ",
    "%ifarch x86_64\n",
    "1",
    "0",
    "\"a\"",
    "&&",
    "||",
    "?",
    "<",
    "v\"1\"",
    "(",
    "!",
    "-",
    "Name: a\n",
    "Version: 1\n",
    "Release: 1\n",
    "Summary: s\n",
    "License: l\n",
    "Requires: ",
    "(a or b)",
    ">= 1",
    "BuildArch: noarch\n",
    "Source: u/f\n",
    "%description\n",
    "%package b\n",
    "%prep\n",
    "%setup -q\n",
    "%patch -P1\n",
    "%build\n",
    "%build -a\n",
    "%files\n",
    "%files -n x\n",
    "%changelog\n",
    "* Mon Jun 02 2025 a <b> - 1\n- x\n",
    "%post -p <lua>\n",
    "%triggerin -- a\n",
    "%include x\n",
    "é",
    "\u{1f}",
    "%{quote:a b}",
    "%{gsub:",
    "%{sub ",
    "%(echo ",
    "| cut -c1-",
    "%{S:1}",
    "%{load:x}",
    "%sourcelist\n",
    "%end\n",
];

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(0..PARTS.len(), 0..60)
        .prop_map(|indices| indices.into_iter().map(|index| PARTS[index]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_text_expands_or_fails(text in text()) {
        let _ = spec::expand(&text, &Origin::new("x"), &environment());
    }

    #[test]
    fn any_spec_is_evaluated_or_refused(text in text()) {
        let start = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n";
        for text in [text.clone(), format!("{start}{text}"), format!("{start}%description\nx\n{text}")] {
            let _ = spec::evaluate(&text, &Origin::new("x.spec"), &environment());
        }
    }

    #[test]
    fn any_macro_file_is_read(text in text()) {
        let mut macros = Macros::builtin();
        macros.load(&text, &Origin::new("macros.x"));
    }

    #[test]
    fn evaluation_is_a_function(text in text()) {
        let once = spec::expand(&text, &Origin::new("x"), &environment());
        prop_assert_eq!(once, spec::expand(&text, &Origin::new("x"), &environment()));
    }
}

#[test]
fn bombs_end_in_errors() {
    let environment = environment();
    let doubling: String = (0..60).map(|index| format!("%define b{} %b{index}%b{index}\n", index + 1)).collect();
    for (text, what) in [
        ("%define a %a\n%a".to_owned(), "depth"),
        (format!("%define b0 xxxxxxxx\n{doubling}%b60"), "calls"),
        ("%{lua:while true do end}".to_owned(), "instructions"),
        ("%{lua:while true do pcall(function() while true do end end) end}".to_owned(), "instructions"),
        ("%{lua:local s = 'x' while true do s = s .. s end}".to_owned(), "memory"),
        ("%{rep x 1000000000}".to_owned(), "memory"),
        ("%{lua:local function f() rpm.expand('%{lua:f()}') end f()}".to_owned(), "depth"),
        (format!("%[{}1{}]", "(".repeat(5_000), ")".repeat(5_000)), "depth"),
        (format!("%[{}1]", "-".repeat(5_000)), "depth"),
        ("%{expand:".repeat(200) + &"}".repeat(200), "depth"),
        (format!("%(echo {})", "$(echo ".repeat(100) + &")".repeat(100)), "depth"),
    ] {
        let error = spec::expand(&text, &Origin::new("bomb"), &environment).expect_err(what);
        assert!(!matches!(*error.kind, ErrorKind::UndefinedMacro { .. }), "{what}: {error}");
    }
    let rich = format!("Name: a\nRequires: {}a{}\n", "(".repeat(10_000), ")".repeat(10_000));
    assert!(spec::evaluate(&rich, &Origin::new("bomb"), &environment).is_err());
}
