//! Answers that are not whole say so, and say why.

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::{Environment, Evaluated, GapKind, Gaps, Macros, NativeShell, Origin, Target, Undefined};

const HEAD: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n";
const TAIL: &str = "%description\nd\n%files\n";

fn lenient() -> Environment {
    let mut environment = Environment::new(Macros::builtin().into(), Target::linux("x86_64"));
    environment.shell = Arc::new(NativeShell::of_bare_root(Arc::new(BTreeMap::<String, Arc<str>>::new())));
    environment.undefined = Undefined::Warn;
    environment.gaps = Gaps::Note;
    environment
}

fn evaluate(text: &str, environment: &Environment) -> Evaluated {
    spec::evaluate(text, &Origin::new("a.spec"), environment).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn requires(found: &Evaluated) -> Vec<String> {
    found.packages[0].requires.iter().map(|need| need.relation.to_string()).collect()
}

#[test]
fn a_whole_answer_has_no_gaps() {
    let found = evaluate(&format!("{HEAD}Requires: b >= %(echo 1.2 | cut -d. -f1)\n{TAIL}"), &lenient());
    assert_eq!(found.gaps, []);
    assert_eq!(requires(&found), ["b >= 1"]);
}

#[test]
fn gaps_are_noted_with_their_kind_and_place_and_the_rest_stays() {
    for (lines, kind, place, text, needs) in [
        (
            "Requires: ghc = %(ghc --numeric-version)\n",
            GapKind::Machine,
            "a.spec:6",
            "there is no program `ghc`",
            vec!["ghc", "z"],
        ),
        (
            "Requires: x%(rpm -q y | sed 's/.*//')\n",
            GapKind::Machine,
            "a.spec:6",
            "no package is installed",
            vec!["x", "z"],
        ),
        ("Requires: x%(cat /etc/none)\n", GapKind::Machine, "a.spec:6", "there is no file `/etc/none`", vec!["x", "z"]),
        (
            "%global v %(uname -m)\nRequires: x%{?v}\n",
            GapKind::Machine,
            "a.spec:6",
            "`uname` asks the machine",
            vec!["x", "z"],
        ),
        ("%gometa -f\n", GapKind::Macro, "a.spec:6", "`%gometa` is defined nowhere", vec!["z"]),
        ("Requires: x >= %{nowhere}\n", GapKind::Macro, "a.spec:6", "`%{nowhere}`", vec!["x >= %{nowhere}", "z"]),
        ("Requires: b, x >=\n", GapKind::Refused, "a.spec:6", "a version is missing", vec!["b", "x", "z"]),
        ("Requires: b # why\n", GapKind::Refused, "a.spec:6", "begins with neither", vec!["b", "z"]),
        ("ExclusiveArch:\n", GapKind::Refused, "a.spec:6", "it is empty", vec!["z"]),
        ("%if %{nowhere}\nRequires: x\n%endif\n", GapKind::Refused, "a.spec:6", "in the expression", vec!["z"]),
        ("%{error:no}\n", GapKind::Refused, "a.spec:6:1", "no", vec!["z"]),
        ("%if %{lua:error('x')}\nRequires: x\n%endif\n", GapKind::Refused, "a.spec:6:5", "x", vec!["z"]),
        ("%include /none\n", GapKind::Machine, "a.spec:6", "/none", vec!["z"]),
    ] {
        let text_of = format!("{HEAD}{lines}Requires: z\n{TAIL}");
        let found = evaluate(&text_of, &lenient());
        let Some(gap) = found.gaps.iter().find(|gap| gap.text.contains(text)) else {
            panic!("{lines}: {:?}", found.gaps);
        };
        assert_eq!((gap.kind, gap.position.to_string().as_str()), (kind, place), "{lines}");
        assert_eq!(requires(&found), needs, "{lines}");
        // Who does not ask for it gets an error, or the same answer with the same supposition.
        let strict = Environment { gaps: Gaps::Refuse, ..lenient() };
        match spec::evaluate(&text_of, &Origin::new("a.spec"), &strict) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(_) => assert!(matches!(kind, GapKind::Machine | GapKind::Macro), "{lines}"),
        }
    }
}

#[test]
fn sections_that_cannot_be_read_are_left_out() {
    let text = format!(
        "{HEAD}{TAIL}/a\n%files -n other\n/b\n%prep\n%setup -a 1\n%patch 3\n%package devel\nSummary: d\nRequires: c\n%files devel\n"
    );
    let found = evaluate(&text, &lenient());
    let texts: Vec<String> = found.gaps.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 4, "{texts:#?}");
    for (text, part) in texts.iter().zip(["a.spec:10", "there is no source 1", "there is no patch 3", "`%description`"])
    {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(
        found.binaries().map(|nevra| nevra.to_string()).collect::<Vec<_>>(),
        ["a-1-1.x86_64", "a-devel-1-1.x86_64"]
    );
    assert_eq!(found.packages[0].files.as_ref().map(|files| files.lines.len()), Some(1));
}

#[test]
fn what_scripts_ask_is_no_gap() {
    let found = evaluate(&format!("{HEAD}{TAIL}%build\nmake -j%(nproc) X=%(ghc --version)\n"), &lenient());
    assert_eq!(found.gaps, [], "what a spec provides and needs does not depend on it");
}

#[test]
fn answers_that_were_told_are_whole_also_inside_of_other_commands() {
    let mut environment = lenient();
    let files = Arc::new(BTreeMap::<String, Arc<str>>::new());
    environment.shell = Arc::new(NativeShell::of_bare_root(files).with_answer("ghc --numeric-version", "9.8.4\n"));
    let lines =
        "Requires: a = %(ghc --numeric-version)\nRequires: b = %(v=`ghc --numeric-version`; echo $v | cut -d. -f1)\n";
    let found = evaluate(&format!("{HEAD}{lines}{TAIL}"), &environment);
    assert_eq!(found.gaps, []);
    assert_eq!(requires(&found), ["a = 9.8.4", "b = 9"]);
}

#[test]
fn what_is_without_bound_or_name_stays_an_error() {
    for text in [
        "%define a %{a}\nName: %{a}\n".to_owned(),
        "Name: a\nRelease: 1\n%description\n".to_owned(),
        format!("{HEAD}%if 1\n{TAIL}"),
        format!("{HEAD}Requires: %{{\n{TAIL}"),
    ] {
        assert!(spec::evaluate(&text, &Origin::new("a.spec"), &lenient()).is_err(), "{text}");
    }
}

#[test]
fn a_line_that_fails_leaves_nothing_of_its_calls_behind() {
    let text = format!(
        "%define f() %{{lua:print(rpm.expand('%1')); error('x')}}\n%define g() %{{f %1}}\n{HEAD}%{{g 1}}\nRequires: b%{{?1}}\n{TAIL}"
    );
    let found = evaluate(&text, &lenient());
    assert_eq!(requires(&found), ["b"]);
    assert_eq!(found.gaps.len(), 1, "{:?}", found.gaps);
    assert!(found.gaps[0].chain.contains(&"%g".to_owned()), "{:?}", found.gaps);
}

#[test]
fn a_spec_without_a_name_is_called_as_its_file() {
    let found = evaluate("%fontpkg\nVersion: 1\nRelease: 2\nSource: %{name}.tar\n%description\nd\n", &lenient());
    assert_eq!(found.source.to_string(), "a-1-2.src");
    let kinds: Vec<GapKind> = found.gaps.iter().map(|gap| gap.kind).collect();
    assert!(kinds.contains(&GapKind::Macro) && kinds.contains(&GapKind::Refused), "{:?}", found.gaps);
}

#[test]
fn what_fails_in_a_script_behind_a_supposition_may_fail_for_it() {
    let lines = "%build\n%global v %(ghc --numeric-version)\n%if v\"%{v}\" < v\"9\"\n%endif\n";
    let found = evaluate(&format!("{HEAD}{TAIL}{lines}"), &lenient());
    assert!(!found.gaps.is_empty() && found.gaps.iter().all(|gap| gap.kind == GapKind::Machine), "{:?}", found.gaps);
}
