//! Whatever the text: an answer or an error, never a panic, and soon.

use proptest::prelude::*;
use spec::{Environment, Limits, Macros, Origin, Target};

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
        ("%define a %a\n%a".to_owned(), "nested"),
        (format!("%define b0 xxxxxxxx\n{doubling}%b60"), "calls"),
        ("%{lua:while true do end}".to_owned(), "instructions"),
        ("%{lua:while true do pcall(function() while true do end end) end}".to_owned(), "instructions"),
        ("%{lua:local s = 'x' while true do s = s .. s end}".to_owned(), "memory"),
        ("%{rep x 1000000000}".to_owned(), "memory"),
        ("%{lua:function f() rpm.expand('%{lua:f()}') end f()}".to_owned(), "nested"),
        (format!("%[{}1{}]", "(".repeat(5_000), ")".repeat(5_000)), "nested"),
        (format!("%[{}1]", "-".repeat(5_000)), "nested"),
        ("%{expand:".repeat(200) + &"}".repeat(200), "nested"),
        (format!("%(echo {})", "$(echo ".repeat(100) + &")".repeat(100)), "nested"),
        ((0..1_000).map(|index| format!("%global b{index} %{{rep x 100000}}\n")).collect(), "bytes"),
        (format!("%global b %{{rep x 100000}}\n{}", "%{lower:%b}%dnl\n".repeat(1_000)), "bytes"),
        ("%{lua:local t = {} for i = 1, 1e9 do t[i] = {i} end}".to_owned(), "memory"),
        ("%{lua:string.rep('x', 1e9)}".to_owned(), "memory"),
        ("%{lua:collectgarbage('stop') while true do local s = {} end}".to_owned(), "instructions"),
        ("%{lua:for i = 1, 1e9 do rpm.expand('%name') end}".to_owned(), "calls"),
        ("%{lua:local c = coroutine.wrap(function() while true do end end) c()}".to_owned(), "instructions"),
        ("%(for a in 1 2 3 4 5 6 7 8 9; do for b in 1 2 3 4 5 6 7 8 9; do for c in 1 2 3 4 5 6 7 8 9; do for d in 1 2 3 4 5 6 7 8 9; do for e in 1 2 3 4 5 6 7 8 9; do echo; done; done; done; done; done)".to_owned(), "commands"),
        ("%{lua:print(('a'):rep(5000):find(('a*'):rep(12) .. 'b'))}".to_owned(), "too long"),
        (format!("%{{gsub {} {}b x}}", "a".repeat(5_000), "a*".repeat(12)), "too long"),
        ("%(x='eval $x'; eval $x)".to_owned(), "nested"),
    ] {
        let began = std::time::Instant::now();
        let error = spec::expand(&text, &Origin::new("bomb"), &environment).expect_err(what);
        assert!(began.elapsed().as_secs() < 20, "{what}: {:?}", began.elapsed());
        assert!(error.to_string().contains(what), "{what}: {error}");
    }
    let rich = format!("Name: a\nRequires: {}a{}\n", "(".repeat(10_000), ")".repeat(10_000));
    assert!(spec::evaluate(&rich, &Origin::new("bomb"), &environment).is_err());
}

#[test]
fn an_evaluator_forgets_the_spec_before() {
    let environment = environment();
    let origin = Origin::new("x.spec");
    let mut evaluator = spec::Evaluator::default();
    let once = |text: &str| spec::expand(text, &origin, &environment).map_err(|error| error.to_string());
    let asked = [
        "%{lua: print(type(leak))}",
        "%{lua: print(string.format('%d', 7), ('a'):upper(), #'abc', ('7' + 1))}",
        "%{lua: print(type(string.leak), type(('').leak), type(rpm.leak), type(math.leak))}",
        "%{lua: print(tostring(1), rpm.expand('%{?leak}1'), type(macros.leak))}",
        "%{lua: print(type(package.loaded.leak), type(getmetatable('').leak), type(getmetatable(macros).leak))}",
        "%{lua: print(type(_G.leak), _G == _ENV, load('return type(leak)')())}",
        "%{lua: print(#sources, io.read == nil, type(posix.leak), type(os.leak))}",
        "%{lua: local l = {} for k in pairs(_G) do l[#l + 1] = k end table.sort(l) print(table.concat(l, ' '))}",
        "%{lua: for n = 0, 9 do local v = rpm.expand(\"%{?leak\" .. n .. \"}\") if v ~= '' then print(v) end end}",
        "%{lua: print(rpm.expand == rpm.expand, pcall(rpm.execute))}",
    ];
    for text in [
        "%{lua: leak = 1 _G.leak = 2 string.leak = 3 rpm.leak = 4 math.leak = 5 posix.leak = 6 os.leak = 7}",
        "%{lua: package.loaded.leak = {} getmetatable('').leak = 1 getmetatable(macros).leak = 1 rawset(macros, 'leak', 1)}",
        "%{lua: string.format = nil string.upper = function() return 'leak' end getmetatable('').__add = nil}",
        "%{lua: print = nil tostring = nil rpm.expand = function() return 'leak' end getmetatable('').__index = nil}",
        "%{lua: setmetatable(_G, {__index = function() return 'leak' end}) sources[1] = 'leak'}",
        "%{lua: load = nil rpm = nil macros = nil string = nil os = nil table = nil math = nil posix = nil}",
        "%{lua: load('leak = 1')() rpm.define('leak leak') rpm.define('leak3 leak')}",
        "%{lua: coroutine.wrap(function() leak = 1 coroutine.yield() end)() collectgarbage('generational')}",
        "%{lua: while true do end}",
        "%{lua: local t = {} for i = 1, 1e9 do t[i] = {i} end}",
        "%{lua: error('leak')}",
    ] {
        let _ = evaluator.expand(text, &origin, &environment);
        for text in asked {
            let again = evaluator.expand(text, &origin, &environment).map_err(|error| error.to_string());
            assert_eq!(again, once(text), "{text}");
        }
    }
}

#[test]
fn an_evaluator_runs_known_scripts_again() {
    let environment = environment();
    let origin = Origin::new("x.spec");
    let mut evaluator = spec::Evaluator::default();
    // The same text as a macro's script, as a chunk of its own arguments, and with other arguments.
    for (text, expanded) in [
        ("%define f(a:) %{lua: print(opt.a, arg[1])}\n%f -a 1 x", "1\tx"),
        ("%define f(a:) %{lua: print(opt.a, arg[1])}\n%f -a 2 y", "2\ty"),
        ("%{lua: count = (count or 0) + 1 print(count)}%{lua: count = (count or 0) + 1 print(count)}", "12"),
        ("%{lua: count = (count or 0) + 1 print(count)}", "1"),
        ("%{lua: print(select('#', ...))}", "2"),
        ("%{lua: local function f(...) return select('#', ...) end print(f(1, 2, 3))}", "3"),
    ] {
        assert_eq!(evaluator.expand(text, &origin, &environment).as_deref(), Ok(expanded), "{text}");
    }
}
