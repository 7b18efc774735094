//! The original kinds of overlays: what they mean, what they say when they do not fit, and that a component is changed as a whole.

use spec::overlay::{Change, Folder, Operation, Overlay, OverlayError, Problem, Scope, Search, apply};

const SPEC: &str = "\
Name: a
Version:   1
BuildRequires: gcc
%if 0%{?fedora}
Source3: x
%endif
Patch2: two.patch
%global flavour {x}
%description
Text.
%if %{with devel}
%package devel
Summary: D
%description devel
D.
%endif
%build
make
%check
make check
%if 1
%files
/a
%if %{with devel}
%files devel
/b
%endif
%endif
%post -n libx
true
";

fn on(spec: &str, operation: Operation) -> Result<String, OverlayError> {
    apply(&Folder::new("a.spec", spec), &[Overlay::new(operation)]).map(|applied| applied.folder.spec)
}

/// The lines that one text has and the other has not, with their signs.
fn difference(operation: Operation) -> String {
    let folder = Folder::new("a.spec", SPEC);
    let applied = apply(&folder, &[Overlay::new(operation)]).unwrap_or_else(|error| panic!("{error}"));
    let (old, new): (Vec<&str>, Vec<&str>) = (SPEC.lines().collect(), applied.folder.spec.lines().collect());
    let mut out = Vec::new();
    for hunk in applied.provenance.hunks(SPEC, &applied.folder.spec) {
        assert_eq!(hunk.overlays, [0]);
        let behind = hunk.upstream.start.checked_sub(1).map_or("", |line| old[line]);
        out.push(format!("@{behind}"));
        out.extend(old[hunk.upstream].iter().map(|line| format!("-{line}")));
        out.extend(new[hunk.rendered].iter().map(|line| format!("+{line}")));
    }
    out.join("|")
}

fn failure(operation: Operation) -> String {
    on(SPEC, operation).expect_err("it must not fit").to_string()
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn package(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

fn scope(section: &str, name: &str) -> Scope {
    Scope { section: package(section), package: package(name) }
}

fn replace(section: &str, name: &str, regex: &str, with: &str) -> Operation {
    let search = Search::new(regex).expect("an expression");
    Operation::SearchReplace { scope: scope(section, name), search, replacement: text(with) }
}

fn tag(name: &str, tag: &str, value: &str, make: fn(Option<String>, String, String) -> Operation) -> Operation {
    make(package(name), text(tag), text(value))
}

fn add(package: Option<String>, tag: String, value: String) -> Operation {
    Operation::AddTag { package, tag, value }
}

fn insert(package: Option<String>, tag: String, value: String) -> Operation {
    Operation::InsertTag { package, tag, value }
}

fn set(package: Option<String>, tag: String, value: String) -> Operation {
    Operation::SetTag { package, tag, value }
}

fn update(package: Option<String>, tag: String, value: String) -> Operation {
    Operation::UpdateTag { package, tag, value }
}

fn remove(package: Option<String>, tag: String, value: String) -> Operation {
    Operation::RemoveTag { package, tag, value: (!value.is_empty()).then_some(value) }
}

#[test]
fn tags() {
    for (operation, expected) in [
        // There is one already: that does not count.
        (tag("", "BuildRequires", "gcc", add), "@%global flavour {x}|+BuildRequires: gcc"),
        // The end of the section is behind its `%description`'s heading, not before the next conditional.
        (tag("devel", "Requires", "x", add), "@Summary: D|+Requires: x"),
        (tag("", "Source9999", "m", insert), "@%endif|+Source9999: m"),
        (tag("", "patch", "m", insert), "@Patch2: two.patch|+patch: m"),
        (tag("", "Url", "u", insert), "@Patch2: two.patch|+Url: u"),
        (tag("", "VERSION", "2", set), "@Name: a|-Version:   1|+VERSION: 2"),
        (tag("", "Epoch", "2", set), "@%global flavour {x}|+Epoch: 2"),
        (tag("devel", "summary", "E", update), "@%package devel|-Summary: D|+summary: E"),
        (tag("", "buildrequires", "GCC", remove), "@Version:   1|-BuildRequires: gcc"),
        (tag("", "Source3", "", remove), "@%if 0%{?fedora}|-Source3: x"),
    ] {
        assert_eq!(difference(operation.clone()), expected, "{operation:?}");
    }
    // Every line of the tag gets the value, in whatever branch.
    let branches = "Name: a\n%if 1\nRelease: 1\n%else\nRelease: 2\n%endif\n";
    let updated = on(branches, tag("", "Release", "3", update)).expect("fits");
    assert_eq!(updated, "Name: a\n%if 1\nRelease: 3\n%else\nRelease: 3\n%endif\n");
    // A trap of the original: what guards the next section guards the new tag too.
    let guarded = "Name: a\n%if 1\n%package x\nSummary: x\n%endif\n";
    assert_eq!(
        on(guarded, tag("", "A", "b", add)).expect("fits"),
        "Name: a\n%if 1\nA: b\n%package x\nSummary: x\n%endif\n"
    );
    // A last line without an end gets one.
    assert_eq!(on("Name: a", tag("", "A", "b", add)).expect("fits"), "Name: a\nA: b\n");
    for (operation, expected) in [
        (tag("", "Verison", "2", update), "the main package has no tag `Verison`; nearest is line 2: `Version:   1`"),
        (tag("", "Summary", "2", update), "the main package has no tag `Summary`; nearest is line 13: `Summary: D`"),
        (
            tag("", "BuildRequires", "gccc", remove),
            "the main package has no tag `BuildRequires` with the value `gccc`; nearest is line 3: `BuildRequires: gcc`",
        ),
        (tag("", "Obsoletes", "", remove), "the main package has no tag `Obsoletes`; already so"),
        (tag("libx", "A", "b", add), "there is no section `%package libx`; nearest is line 12: `%package devel`"),
        (tag("libx", "A", "b", insert), "there is no section `%package libx`; nearest is line 12: `%package devel`"),
    ] {
        let message = failure(operation);
        assert!(message.ends_with(expected), "{message}\n{expected}");
    }
}

#[test]
fn lines_and_expressions() {
    let lines = |make: fn(Scope, Vec<String>) -> Operation, section: &str, name: &str| {
        make(scope(section, name), vec![text("one"), text("two")])
    };
    let prepend = |scope, lines| Operation::PrependLines { scope, lines };
    let append = |scope, lines| Operation::AppendLines { scope, lines };
    for (operation, expected) in [
        (lines(prepend, "", ""), "@|+one|+two"),
        (lines(prepend, "%build", ""), "@%build|+one|+two"),
        (lines(append, "", ""), "@true|+one|+two"),
        (lines(append, "%build", ""), "@make|+one|+two"),
        // Before the next heading, behind the `%if` that guards it.
        (lines(append, "%files", ""), "@%if %{with devel}|+one|+two"),
        (lines(append, "%description", "devel"), "@%endif|+one|+two"),
        (replace("", "", "make", "ninja $1"), "@%build|-make|+ninja $1|@%check|-make check|+ninja $1 check"),
        (replace("%check", "", "^make.*", "true"), "@%check|-make check|+true"),
        (replace("", "devel", "^D", "E"), "@%description devel|-D.|+E."),
        (replace("", "", r"\{x\}", ""), "@Patch2: two.patch|-%global flavour {x}|+%global flavour "),
    ] {
        assert_eq!(difference(operation.clone()), expected, "{operation:?}");
    }
    // A line that becomes a heading is one for the lines behind it.
    let headings = on("%build\nmake\nx\n%install\nx\n", replace("%build", "", "make|x", "%check")).expect("fits");
    assert_eq!(headings, "%build\n%check\nx\n%install\nx\n");
    for (operation, expected) in [
        (
            replace("", "", "%files devel", "x"),
            "matches only headings of sections, and those are not searched; nearest is line 25: `%files devel`",
        ),
        (
            replace("", "", r"^%global\s+flavor \{x\}", "%global flavour {y}"),
            "matches nothing in the spec; nearest is line 8: `%global flavour {x}`",
        ),
        (replace("", "", "BuildRequires: clang", "BuildRequires: gcc"), "already so in line 3: `BuildRequires: gcc`"),
        (
            replace("", "", "gcc", "gcc"),
            "the replacement for `gcc` is what stands there already; already so in line 3: `BuildRequires: gcc`",
        ),
        (
            replace("%build", "", "gcc", "x"),
            "matches nothing in section `%build`; nearest is line 3: `BuildRequires: gcc`",
        ),
        (replace("%biuld", "", "gcc", "x"), "there is no section `%biuld`; nearest is line 17: `%build`"),
        (lines(append, "%Files", ""), "there is no section `%Files`; nearest is line 22: `%files`"),
    ] {
        let message = failure(operation);
        assert!(message.ends_with(expected), "{message}\n{expected}");
    }
}

#[test]
fn sections_keep_conditionals_whole() {
    let section =
        |section: &str, name: &str| Operation::RemoveSection { section: text(section), package: package(name) };
    let subpackage = |name: &str| Operation::RemoveSubpackage { package: text(name) };
    for (operation, expected) in [
        // What opens for the next section, and what closes behind the last, stays.
        (section("%check", ""), "@make|-%check|-make check"),
        (section("%files", ""), "@%if 1|-%files|-/a"),
        (
            subpackage("devel"),
            "@%if %{with devel}|-%package devel|-Summary: D|-%description devel|-D.|@%if %{with devel}|-%files devel|-/b",
        ),
        (subpackage("libx"), "@%endif|-%post -n libx|-true"),
    ] {
        assert_eq!(difference(operation.clone()), expected, "{operation:?}");
    }
    let straddles = "%build\n%if 1\nmake\n%install\nx\n%endif\n%check\n%if 1\na\n%else\n%files\n%endif\n";
    for name in ["%build", "%check"] {
        let error = on(straddles, section(name, "")).expect_err("it must not fit");
        assert!(matches!(error.failure.problem, Problem::Straddles { .. }), "{error}");
    }
    let error = on("%build\n%if 1\n", section("%build", "")).expect_err("it must not fit");
    assert_eq!(error.failure.problem, Problem::Unbalanced(2));
    for (operation, expected) in [
        (subpackage("a-devel"), "no section belongs to a package `a-devel`; nearest is line 12: `%package devel`"),
        (subpackage("zzz"), "no section belongs to a package `zzz`; already so"),
        (section("%changelog", ""), "there is no section `%changelog`; already so"),
        (section("%files", "libx"), "there is no section `%files libx`; nearest is line 25: `%files devel`"),
    ] {
        let message = failure(operation);
        assert!(message.ends_with(expected), "{message}\n{expected}");
    }
}

fn folder() -> Folder {
    let mut folder = Folder::new("a.spec", SPEC);
    for (name, content) in [("two.patch", "2"), ("x/y.txt", "one\ntwo\n"), ("y.txt", "one\n"), (".git/y.txt", "one")] {
        folder.files.insert(text(name), content.as_bytes().to_vec());
    }
    folder
}

#[test]
fn files_and_patches() {
    let file = |name: &str| Operation::AddFile { file_name: text(name), content: b"new".to_vec() };
    let patch = |name: &str| Operation::AddPatch { package: None, file_name: text(name), content: b"new".to_vec() };
    let search = |pattern: &str, regex: &str, with: &str| Operation::SearchReplaceInFile {
        pattern: text(pattern),
        search: Search::new(regex).expect("an expression"),
        replacement: text(with),
    };
    let rename = |pattern: &str, to: &str| Operation::RenameFile { pattern: text(pattern), new_name: text(to) };
    let gone = |pattern: &str| Operation::RemoveFile { pattern: text(pattern) };
    let unpatch = |pattern: &str| Operation::RemovePatch { pattern: text(pattern) };
    let prepend = |pattern: &str| Operation::PrependFileLines { pattern: text(pattern), lines: vec![text("zero")] };
    let run = |operation: Operation| apply(&folder(), &[Overlay::new(operation)]);
    let after = |operation: Operation, name: &str| {
        let applied = run(operation).unwrap_or_else(|error| panic!("{error}"));
        applied.folder.files.get(name).map(|content| String::from_utf8_lossy(content).into_owned())
    };
    for (operation, name, expected) in [
        (file("b"), "b", Some("new")),
        (patch("b.patch"), "b.patch", Some("new")),
        (search("**/y.txt", "(?m)^one$", "1"), "x/y.txt", Some("1\ntwo\n")),
        (search("**/y.txt", "(?m)^one$", "1"), "y.txt", Some("1\n")),
        (search("**/y.txt", "one", "1"), ".git/y.txt", Some("one")),
        (search("*/y.txt", r"one\n", ""), "x/y.txt", Some("two\n")),
        (rename("x/*", "z"), "x/z", Some("one\ntwo\n")),
        (gone("*.txt"), "y.txt", None),
        (gone("*.txt"), "x/y.txt", Some("one\ntwo\n")),
        (unpatch("t*.patch"), "two.patch", None),
        (prepend("y.txt"), "y.txt", Some("zero\none\n")),
    ] {
        assert_eq!(after(operation.clone(), name).as_deref(), expected, "{operation:?}");
    }
    assert!(run(patch("b.patch")).expect("fits").folder.spec.contains("%global flavour {x}\nPatch3: b.patch\n"));
    assert!(!run(unpatch("two.patch")).expect("fits").folder.spec.contains("Patch2"));
    let list = on("Name: a\n%patchlist\none.patch\n\n%description\n", patch("b.patch")).expect("fits");
    assert_eq!(list, "Name: a\n%patchlist\none.patch\n\nb.patch\n%description\n");
    let bare = on("Patch: a\nPatch: b\nPatch0: c\n", patch("d")).expect("fits");
    assert_eq!(bare, "Patch: a\nPatch: b\nPatch0: c\nPatch2: d\n");
    for (operation, expected) in [
        (file("y.txt"), "there is a file `y.txt` already"),
        (patch("two.patch"), "there is a file `two.patch` already"),
        (file("../b"), "`../b` is not the path of a file in the component's folder"),
        (file("/b"), "`/b` is not the path of a file in the component's folder"),
        (file("b.spec"), "`b.spec` is a spec, and other kinds change specs"),
        (rename("**/*.txt", "z"), "`**/*.txt` matches 2 files, and one is to be renamed"),
        (rename("y.txt", "two.patch"), "there is a file `two.patch` already"),
        (rename("y.txt", "../z"), "`../z` is not the path of a file in the component's folder"),
        (gone("*.tar"), "no file beside the spec matches `*.tar`; already so"),
        (gone("y.tx"), "no file beside the spec matches `y.tx`; nearest is `y.txt`"),
        (gone("*.spec"), "no file beside the spec matches `*.spec`; already so"),
        (search("*.txt", "three", "2"), "the expression `three` matches nothing in `y.txt`"),
        (search("x/*.txt", "three", "two\n"), "matches nothing in `x/y.txt`"),
        (unpatch("tow.patch"), "no patch of the spec matches `tow.patch`; nearest is line 7: `Patch2: two.patch`"),
    ] {
        let message = run(operation).expect_err("it must not fit").to_string();
        assert!(message.ends_with(expected), "{message}\n{expected}");
    }
}

#[test]
fn a_component_is_changed_as_a_whole() {
    let before = folder();
    let good = Overlay::new(tag("", "Version", "2", update));
    // The spec's part of this one fits, its file is there already.
    let patch = Operation::AddPatch { package: None, file_name: text("two.patch"), content: Vec::new() };
    for bad in [replace("", "", "nowhere", ""), patch] {
        let error = apply(&before, &[good.clone(), Overlay::new(bad)]).expect_err("it must not fit");
        assert_eq!(error.overlay, 1);
        assert_eq!(before, folder());
    }
    // What is optional is left out, and the others are made.
    let mut optional = Overlay::new(replace("", "", "nowhere", ""));
    optional.is_optional = true;
    let applied = apply(&before, &[optional, good]).expect("fits");
    assert!(applied.steps[0].skipped.is_some() && !applied.steps[0].changes_anything());
    assert!(applied.folder.spec.contains("Version: 2\n"));
    // What cannot be done is no matter of option.
    let mut unsafe_name = Overlay::new(Operation::AddFile { file_name: text("../x"), content: Vec::new() });
    unsafe_name.is_optional = true;
    assert!(apply(&before, &[unsafe_name]).is_err());
    // Lines are upstream's, whatever was put before them.
    let header = Overlay::new(Operation::PrependLines { scope: Scope::default(), lines: vec![text("#"), text("#")] });
    let bad = Overlay::new(replace("", "", "BuildRequires: gcd", ""));
    let error = apply(&before, &[header, bad]).expect_err("it must not fit");
    assert_eq!(error.failure.nearest.map(|seen| seen.line), Some(3));
    // Who changes nothing is seen to.
    let same = apply(&before, &[Overlay::new(tag("", "Name", "a", update))]).expect("fits");
    assert_eq!(same.steps[0].changes, []);
}

#[test]
fn each_change_has_its_author() {
    let before = folder();
    let overlays = [
        Overlay::new(tag("", "Version", "2", update)),
        Overlay::new(replace("", "", "^make", "ninja")),
        Overlay::new(tag("", "Version", "3", update)),
        Overlay::new(Operation::RemoveSection { section: text("%check"), package: None }),
    ];
    let applied = apply(&before, &overlays).expect("fits");
    let hunks = applied.provenance.hunks(SPEC, &applied.folder.spec);
    let found: Vec<(usize, Vec<usize>)> =
        hunks.iter().map(|hunk| (hunk.upstream.start + 1, hunk.overlays.clone())).collect();
    // Version was written by two, and of `%check` first a word and then all was taken.
    assert_eq!(found, [(2, vec![0, 2]), (18, vec![1, 3])]);
    assert_eq!(applied.files()["a.spec"], [0, 1, 2, 3]);
    assert!(matches!(&applied.steps[0].changes[..], [Change::Edited { spans, .. }] if spans.len() == 1));
}
