//! Errors say what is not so, where, and through which macros.

use spec::{Environment, Macros, Origin, Target, Undefined};

fn environment() -> Environment {
    let mut macros = Macros::builtin();
    macros.load("%dist .t1\n%outer() %{inner %1}\n%inner() %{error:no %1}\n", &Origin::new("macros.t"));
    Environment::new(macros.into(), Target::linux("x86_64"))
}

const START: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n";

#[test]
fn places_and_chains() {
    for (text, message) in [
        ("Name: a\nVersion: %{verson}\n", "x.spec:2: macro `%{verson}` in tag `version` is not defined"),
        ("Name: a\nVersion: %{dits}\n", "x.spec:2: macro `%{dits}` in tag `version` is not defined; nearest are %dist"),
        ("Name: a\nVersion:  x%{outer one}\n", "x.spec:2:12: no one (in %outer, in %inner, in %error)"),
        ("Nmae: a\n", "x.spec:1: unknown tag: `Nmae: a`"),
        ("Name: a b\n", "x.spec:1: tag `name`: it takes a single word, not `a b`"),
        ("Name: a\n%if 1\n", "x.spec:2: `%if` has no `%endif`"),
        ("Name: a\n%endif\n", "x.spec:2: `%endif` has no `%if`"),
        ("Name: a\n%if 1 +\n%endif\n", "x.spec:2: a value is missing at the end in the expression `1 +`"),
        ("Name: a\nSummary: %{lua:\n  error('x')\n}\n", "x.spec:2:10: lua: lua:2: x (in %lua)"),
        (
            "Name: a\nSummary: %{oops\n",
            "x.spec:2: the text ends inside a macro call or continued line that begins here",
        ),
        (
            "Name: a\nVersion: 1\nRelease: 1\nRequires: b >=\n",
            "x.spec:4: `b >=` is not a dependency: a version is missing behind the operator",
        ),
        (
            "Name: a\nSummary: %(uname -r)\n",
            "x.spec:2:10: the shell command `uname -r` is not one that is evaluated here: `uname` may ask the machine",
        ),
    ] {
        let error = spec::evaluate(text, &Origin::new("x.spec"), &environment()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn requirements_have_places() {
    let text = format!(
        "{START}BuildRequires: b\n%define need() BuildRequires: %1\n%need c\n%{{expand:\nBuildRequires: d\n}}\n%description\nx\n"
    );
    let spec = spec::evaluate(&text, &Origin::new("x.spec"), &environment()).unwrap();
    let places: Vec<String> =
        spec.build_requires.iter().map(|located| format!("{} {}", located.value, located.position)).collect();
    assert_eq!(places, ["b x.spec:6", "c x.spec:8", "d x.spec:9"]);
}

#[test]
fn undefined_macros_are_warnings_where_wanted() {
    let text = format!("{START}Requires: b%{{suffix}}\nRequires: %{{?nothing}}c\n%description\nx\n")
        .replace("suffix", "sufix");
    let mut environment = environment();
    assert!(spec::evaluate(&text, &Origin::new("x.spec"), &environment).is_err());
    environment.undefined = Undefined::Warn;
    let spec = spec::evaluate(&text, &Origin::new("x.spec"), &environment).unwrap();
    assert_eq!(spec.packages[0].requires[0].relation.name, "b%{sufix}");
    assert_eq!(spec.warnings.len(), 1);
    assert_eq!(spec.warnings[0].position.to_string(), "x.spec:6");
}

#[test]
fn refused_commands_matter_only_among_tags() {
    let text = format!("{START}%description\nx\n%build\nmake -j%(nproc) all\n%files\n");
    let spec = spec::evaluate(&text, &Origin::new("x.spec"), &environment()).unwrap();
    assert_eq!(spec.scripts[0].text, "make -j all\n");
    assert_eq!(spec.warnings[0].position.to_string(), "x.spec:9");
    assert!(spec::evaluate(&format!("{START}Requires: %(nproc)\n"), &Origin::new("x.spec"), &environment()).is_err());
}
