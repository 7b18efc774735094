//! The typed kinds of overlays: each row is a spec, a change, and the lines that differ behind it or what is wrong.

use proptest::prelude::*;
use spec::overlay::{Change, Folder, Operation, Overlay, Scope, Search, apply};

/// `-old|+new` of each hunk, or the message.
fn run(spec: &str, operation: Operation) -> String {
    let folder = Folder::new("a.spec", spec);
    match apply(&folder, &[Overlay::new(operation)]) {
        Err(error) => error.failure.to_string(),
        Ok(applied) => {
            let rendered = applied.folder.spec;
            let (old, new): (Vec<&str>, Vec<&str>) = (spec.lines().collect(), rendered.lines().collect());
            let hunks = applied.provenance.hunks(spec, &rendered);
            let lines = hunks.into_iter().flat_map(|hunk| {
                let removed = old[hunk.upstream].iter().map(|line| format!("-{line}"));
                removed.chain(new[hunk.rendered].iter().map(|line| format!("+{line}"))).collect::<Vec<_>>()
            });
            lines.collect::<Vec<_>>().join("|")
        }
    }
}

/// The change is made once; made again, it says that it is so already.
fn check(spec: &str, operation: &Operation, expected: &str) {
    assert_eq!(run(spec, operation.clone()), expected, "{operation:?} on\n{spec}");
    if let Ok(once) = apply(&Folder::new("a.spec", spec), &[Overlay::new(operation.clone())]) {
        let error = apply(&once.folder, &[Overlay::new(operation.clone())])
            .expect_err(&format!("twice: {operation:?} on\n{}", once.folder.spec));
        let is_so = error.failure.already.is_some() || error.failure.problem.to_string().contains("already");
        assert!(is_so || error.failure.problem.is_absence(), "{error}");
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn macros() {
    let set = |name: &str, value: &str| Operation::SetMacro { name: text(name), value: text(value) };
    let delete = |name: &str| Operation::DeleteMacro { name: text(name) };
    let spec = "%global build_ada 1\n%define  long a \\\n  b\n%if 1\n  %global x 1\n%else\n%define x 2\n%endif\n\
                %{!?y: %global y %{nil}}\n%{?z:%global w 1} # more\n%undefine x\nName: a\n%description\n%global x 3\n";
    for (operation, expected) in [
        (set("build_ada", "0"), "-%global build_ada 1|+%global build_ada 0"),
        (set("long", "c"), "-%define  long a \\|-  b|+%define  long c"),
        (set("long", "c \\\n d"), "-%define  long a \\|-  b|+%define  long c \\|+ d"),
        (set("x", "7"), "-  %global x 1|+  %global x 7|-%define x 2|+%define x 7|-%global x 3|+%global x 7"),
        (set("y", "7"), "-%{!?y: %global y %{nil}}|+%{!?y: %global y 7}"),
        (set("y", "%{x}"), "line 9 defines `y` inside of another call, where `%{x}` would change its end"),
        (set("build_ada", "1"), "`build_ada` is `1` already; already so in line 1: `%global build_ada 1`"),
        (set("build_ado", "1"), "no `%global` or `%define` of `build_ado`; nearest is line 1: `%global build_ada 1`"),
        (set("x", "1\nName: b"), "this value is not one macro's body: its lines or brackets do not hold together"),
        (set("x", "%{a"), "this value is not one macro's body: its lines or brackets do not hold together"),
        (set("x", ""), "a macro needs a body; an empty one is written `%{nil}`"),
        (delete("long"), "-%define  long a \\|-  b"),
        (delete("y"), "-%{!?y: %global y %{nil}}"),
        (delete("w"), "line 10 defines `w` together with other things"),
        (delete("quite_other"), "no `%global` or `%define` of `quite_other`; already so"),
    ] {
        check(spec, &operation, expected);
    }
}

#[test]
fn build_conditionals() {
    let set = |name: &str, enabled: bool| Operation::SetBcond { name: text(name), enabled };
    let spec = "%bcond_with a\n %bcond_without b # why\n%bcond c 0\n%bcond d %{with a} && \\\n  1\n%{bcond_with e}\n\
                %{bcond f 1}\n%global with_g 1\n# %bcond_with b\n%if 1\n%bcond_with h\n%else\n%bcond_without h\n%endif\n";
    for (operation, expected) in [
        (set("a", true), "-%bcond_with a|+%bcond_without a"),
        (set("b", false), "- %bcond_without b # why|+ %bcond_with b # why"),
        (set("c", true), "-%bcond c 0|+%bcond c 1"),
        (set("d", false), "-%bcond d %{with a} && \\|-  1|+%bcond d 0"),
        (set("e", true), "-%{bcond_with e}|+%{bcond_without e}"),
        (set("f", false), "-%{bcond f 1}|+%{bcond f 0}"),
        (set("h", true), "-%bcond_with h|+%bcond_without h"),
        (set("a", false), "build conditional `a` is off by default already; already so in line 1: `%bcond_with a`"),
        (
            set("g", true),
            "no `%bcond`, `%bcond_with` or `%bcond_without` of `g`; nearest is line 8: `%global with_g 1`",
        ),
    ] {
        check(spec, &operation, expected);
    }
}

#[test]
fn dependencies() {
    let add = |package: &str, tag: &str, value: &str| Operation::AddDependency {
        package: (!package.is_empty()).then(|| text(package)),
        tag: text(tag),
        value: text(value),
    };
    let remove = |package: &str, tag: &str, name: &str| Operation::RemoveDependency {
        package: (!package.is_empty()).then(|| text(package)),
        tag: text(tag),
        name: text(name),
    };
    let rebound = |name: &str, bound: &str| Operation::ReboundDependency {
        package: None,
        tag: text("BuildRequires"),
        name: text(name),
        bound: (!bound.is_empty()).then(|| text(bound)),
    };
    let spec = "%global lib libz\nName: a\nVersion: 2\nBuildRequires:  gcc, make >= 4 , %{lib}-devel\nRequires(post): x\n\
                %if 1\nBuildRequires: only-here\n%endif\nBuildRequires: (b if c), pkgconfig(d) = %{version}\n%{?q:BuildRequires: inline}\n\
                %package devel\nSummary: s\nRequires: %{name}%{?_isa} = %{version}\n%description\n%package -n other\nSummary: o\n";
    for (operation, expected) in [
        (add("", "BuildRequires", "new >= 1"), "+BuildRequires: new >= 1"),
        (add("", "Recommends", "new"), "+Recommends: new"),
        (add("devel", "Requires", "new"), "+Requires: new"),
        (add("a-devel", "Requires(pre)", "new"), "+Requires(pre): new"),
        (add("other", "Requires", "new"), "+Requires: new"),
        (
            add("", "BuildRequires", "make >= 4"),
            "the main package has `BuildRequires: make >= 4` already; already so in line 4: `BuildRequires:  gcc, make >= 4 , %{lib}-devel`",
        ),
        (
            add("", "BuildRequires", "make"),
            "line 4 already has `make >= 4`, with another bound; nearest is line 4: `BuildRequires:  gcc, make >= 4 , %{lib}-devel`",
        ),
        (add("", "BuildRequires", "a b"), "`a b` is not one dependency"),
        (add("dvel", "Requires", "x"), "no section belongs to a package `dvel`; nearest is line 11: `devel`"),
        // Behind those that no conditional guards, whatever branch has one.
        (add("", "BuildRequires", "only-here"), "+BuildRequires: only-here"),
        (
            remove("", "BuildRequires", "gcc"),
            "-BuildRequires:  gcc, make >= 4 , %{lib}-devel|+BuildRequires:  make >= 4 , %{lib}-devel",
        ),
        (
            remove("", "BuildRequires", "make"),
            "-BuildRequires:  gcc, make >= 4 , %{lib}-devel|+BuildRequires:  gcc , %{lib}-devel",
        ),
        (
            remove("", "BuildRequires", "libz-devel"),
            "-BuildRequires:  gcc, make >= 4 , %{lib}-devel|+BuildRequires:  gcc, make >= 4",
        ),
        (remove("", "BuildRequires", "only-here"), "-BuildRequires: only-here"),
        (
            remove("", "buildrequires", "(b if c)"),
            "-BuildRequires: (b if c), pkgconfig(d) = %{version}|+BuildRequires: pkgconfig(d) = %{version}",
        ),
        (remove("", "Requires(post)", "x"), "-Requires(post): x"),
        (remove("devel", "Requires", "a"), "-Requires: %{name}%{?_isa} = %{version}"),
        (remove("", "Requires", "x"), "the main package has no `Requires: x`; nearest is line 5: `Requires(post): x`"),
        (
            remove("", "BuildRequires", "inline"),
            "the main package has no `BuildRequires: inline`; nearest is line 10: `%{?q:BuildRequires: inline}`",
        ),
        (
            remove("", "BuildRequires", "c"),
            "the main package has no `BuildRequires: c`; nearest is line 9: `BuildRequires: (b if c), pkgconfig(d) = %{version}`",
        ),
        (remove("", "BuildRequires", "zzzzzz"), "the main package has no `BuildRequires: zzzzzz`; already so"),
        (
            rebound("make", "<= 5"),
            "-BuildRequires:  gcc, make >= 4 , %{lib}-devel|+BuildRequires:  gcc, make <= 5 , %{lib}-devel",
        ),
        (
            rebound("make", ""),
            "-BuildRequires:  gcc, make >= 4 , %{lib}-devel|+BuildRequires:  gcc, make , %{lib}-devel",
        ),
        (
            rebound("gcc", "= 1"),
            "-BuildRequires:  gcc, make >= 4 , %{lib}-devel|+BuildRequires:  gcc = 1, make >= 4 , %{lib}-devel",
        ),
        (
            rebound("pkgconfig(d)", "> 1"),
            "-BuildRequires: (b if c), pkgconfig(d) = %{version}|+BuildRequires: (b if c), pkgconfig(d) > 1",
        ),
        (
            rebound("make", ">= 4"),
            "`BuildRequires: make` of the main package is `>= 4` already; already so in line 4: `BuildRequires:  gcc, make >= 4 , %{lib}-devel`",
        ),
        (rebound("make", "4"), "`4` is not a bound, as `>= 1.2` is"),
    ] {
        check(spec, &operation, expected);
    }
}

#[test]
fn configure_arguments() {
    let add = |command: &str, value: &str| Operation::AddConfigureArgument {
        command: (!command.is_empty()).then(|| text(command)),
        value: text(value),
    };
    let remove = |command: &str, value: &str| Operation::RemoveConfigureArgument {
        command: (!command.is_empty()).then(|| text(command)),
        value: text(value),
    };
    let spec = "%configure --not-here\n%build\n# %configure --comment\nexport CFLAGS=\"-O2 -g\"\n%configure --enable-a --with-b=1\nmake\n";
    let long = "%build\nCC=gcc %configure \\\n    --enable-a \\\n%if %{with c}\n    --with-c \\\n%else\n    --without-c \\\n%endif\n    \
                --disable-static\nmake\n";
    let guarded = "%build\n%cmake -DA=1 \\\n  %{?x:-DB=2} \\\n%if 1\n  -DC=3\n%endif\n%cmake_build\n";
    let meson = "%build\n%meson -Da=b \"-Dc=d e\" && true\n";
    for (spec, operation, expected) in [
        (
            spec,
            add("", "--enable-new"),
            "-%configure --enable-a --with-b=1|+%configure --enable-a --with-b=1 --enable-new",
        ),
        (spec, add("", "--disable-a"), "-%configure --enable-a --with-b=1|+%configure --disable-a --with-b=1"),
        (spec, add("", "--without-b"), "-%configure --enable-a --with-b=1|+%configure --enable-a --without-b"),
        (
            spec,
            add("%{configure}", "--enable-a"),
            "`--enable-a` is given already; already so in line 5: `%configure --enable-a --with-b=1`",
        ),
        (spec, add("", "--a --b"), "`--a --b` is not one argument of a command"),
        (
            spec,
            add("%meson", "-Da=b"),
            "nothing in `%build` or `%conf` calls `%meson`; nearest is line 1: `%configure --not-here`",
        ),
        (spec, remove("", "--with-b"), "-%configure --enable-a --with-b=1|+%configure --enable-a"),
        (spec, remove("", "--with-q"), "no argument `--with-q` of `%configure`; nearest is line 5: `--with-b=1`"),
        (long, add("", "--new"), "-    --disable-static|+    --disable-static \\|+    --new"),
        (long, add("", "--with-c=2"), "-    --with-c \\|+    --with-c=2 \\|-    --without-c \\|+    --with-c=2 \\"),
        (long, remove("", "--enable-a"), "-    --enable-a \\"),
        (long, remove("", "--disable-static"), "line 9 ends the call, and a conditional stands before it"),
        (guarded, add("", "-DD=4"), "+  -DD=4 \\"),
        (guarded, add("", "-DA:STRING=4"), "-%cmake -DA=1 \\|+%cmake -DA:STRING=4 \\"),
        (guarded, remove("", "-DA"), "-%cmake -DA=1 \\|+%cmake \\"),
        (meson, add("", "-De=f"), "-%meson -Da=b \"-Dc=d e\" && true|+%meson -Da=b \"-Dc=d e\" -De=f && true"),
    ] {
        check(spec, &operation, expected);
    }
    let last = "%build\n%configure \\\n  --a \\\n  --b\nmake\n";
    check(last, &remove("", "--b"), "-  --a \\|-  --b|+  --a");
}

#[test]
fn subpackages() {
    let drop = |name: &str| Operation::DropSubpackage { package: text(name) };
    let spec = "Name: a\nRequires: %{name}-devel%{?_isa} = 1, b\n%package devel\nSummary: d\n%package -n libx\nSummary: x\n\
                Requires: a-devel\n%description devel\nd\n%install\nmake\n%if 1\nx\n%endif\n\n%ldconfig_scriptlets devel\n%post devel\ntrue\n\
                %files\n/shared\n%files devel\n%doc README\n%dir /usr/x\n/shared\n%attr(0755,root,root) %{_bindir}/tool\n%config(noreplace) /etc/x\n\
                %files -n libx\n/x\n";
    let expected = "-Requires: %{name}-devel%{?_isa} = 1, b|-%package devel|-Summary: d|+Requires: b|-Requires: a-devel|\
                    -%description devel|-d|-|-%ldconfig_scriptlets devel|-%post devel|-true|-%files devel|-%doc README|-%dir /usr/x|-/shared|\
                    -%attr(0755,root,root) %{_bindir}/tool|-%config(noreplace) /etc/x";
    for name in ["devel", "a-devel"] {
        let found = run(spec, drop(name));
        let (added, rest): (Vec<&str>, Vec<&str>) =
            found.split('|').partition(|line| line.starts_with("+rm") || line.starts_with("+#"));
        assert_eq!(
            added,
            ["+# a-devel is not shipped", "+rm -rf %{buildroot}%{_bindir}/tool", "+rm -rf %{buildroot}/etc/x"]
        );
        let rest: Vec<&str> = rest.into_iter().filter(|line| *line != "-").collect();
        let expected: Vec<&str> = expected.split('|').filter(|line| *line != "-").collect();
        assert_eq!(rest, expected, "{found}");
    }
    check(spec, &drop("dvel"), "no section belongs to a package `dvel`; nearest is line 3: `devel`");
    check(spec, &drop("a-dvel"), "no section belongs to a package `a-dvel`; nearest is line 3: `a-devel`");
    check(
        "Name: a\n%files x\n/y\n",
        &drop("x"),
        "the files of `a-x` stay in the build root: there is no `%install` that could remove them",
    );
}

#[test]
fn patches() {
    let patch = |name: &str, fixes: &[&str]| Operation::ApplyPatch {
        file_name: text(name),
        content: b"diff".to_vec(),
        fixes: fixes.iter().map(|name| text(name)).collect(),
    };
    let plain = "Name: a\nSource0:   a\n%prep\n%setup -q\n%build\n";
    let auto = "Name: a\nPatch:  x.patch\n%if 1\nPatch7:  y.patch\n%endif\n%prep\n%autosetup -p1\n";
    let manual = "Name: a\nPatch1: x.patch\n%prep\n%setup -q\n%if 1\n%patch -P 1 -p2 -b .x\n%endif\ntrue\n";
    let list = "Name: a\n%patchlist\nx.patch\n\n%prep\n%autosetup -N\n%autopatch -p1\n";
    for (spec, operation, expected) in [
        (
            plain,
            patch("n.patch", &["CVE-2026-1", "CVE-2026-2"]),
            "+# fixes CVE-2026-1, CVE-2026-2|+Patch0:   n.patch|+%patch -P 0 -p1",
        ),
        (auto, patch("n.patch", &[]), "+Patch8:  n.patch"),
        (manual, patch("n.patch", &[]), "+Patch2: n.patch|+%patch -P 2 -p2"),
        (list, patch("n.patch", &["CVE-2026-1"]), "+n.patch"),
        (
            manual,
            patch("x.patch", &[]),
            "the spec has a patch `x.patch` already; already so in line 2: `Patch1: x.patch`",
        ),
        (
            "Name: a\n%prep\ntar x\n",
            patch("n.patch", &[]),
            "`%prep` has no `%autosetup`, `%autopatch`, `%patch` or `%setup` behind which a patch could be applied",
        ),
        ("Name: a\nBuildSystem: meson\n", patch("n.patch", &[]), "+Patch0: n.patch"),
    ] {
        check(spec, &operation, expected);
    }
}

#[test]
fn checks() {
    let skip = |name: &str| Operation::SkipCheck { name: text(name) };
    for (check_section, name, expected) in [
        ("%ctest", "slow.test", r"+%ctest --exclude-regex '^slow\.test$'"),
        ("%ctest -E 'a|b' \\\n  -V", "c", "+%ctest -E 'a|b|^c$' \\"),
        ("ctest --exclude-regex=\"a\" || :", "c", "+ctest --exclude-regex=\"a|^c\\$\" || :"),
        ("%pytest tests", "tests/a.py::b", "+%pytest tests --deselect 'tests/a.py::b'"),
        ("%{pytest} -v", "b", "+%{pytest} -v -k 'not b'"),
        ("%pytest -k \"not a or c\"", "b", "+%pytest -k \"(not a or c) and not b\""),
        ("%{python3} -m pytest -k 'not a' | tee x", "b", "+%{python3} -m pytest -k 'not a and not b' | tee x"),
        ("go test ./...", "TestX", "+go test ./... -skip '^TestX$'"),
        ("%gocheck", "pkg/net", "+%gocheck -d 'pkg/net'"),
        ("%gocheck", "TestX", "`%gocheck` leaves out folders, and `TestX` is none"),
        ("%cargo_test", "net::a", "+%cargo_test -- -- --skip 'net::a'"),
        ("cargo test -- --skip x", "net::a", "+cargo test -- --skip x --skip 'net::a'"),
        ("%make_build check", "tests/a.sh", "+printf '#!/bin/sh\\nexit 77\\n' > 'tests/a.sh'"),
        (
            "make check",
            "unit",
            "automake can leave out a check whose script is named by its path, and `unit` may be a compiled one",
        ),
        (
            "%meson_test",
            "a",
            "nothing in `%check` is known to leave out checks by name: ctest, pytest, go, cargo and automake are",
        ),
    ] {
        let spec = format!("Name: a\n%check\n{check_section}\n%files\n");
        let found = run(&spec, skip(name));
        let added: Vec<&str> = found.split('|').filter(|line| !line.starts_with('-')).collect();
        // A sign between alternatives is also the one between lines here.
        let expected_parts: Vec<&str> = expected.split('|').filter(|line| !line.starts_with('-')).collect();
        if expected.starts_with('+') {
            assert!(added.join("|").contains(&expected_parts.join("|")), "{check_section}: {found}\n{expected}");
        } else {
            assert_eq!(found, expected);
        }
        if let Ok(once) = apply(&Folder::new("a.spec", &spec), &[Overlay::new(skip(name))]) {
            let twice = apply(&once.folder, &[Overlay::new(skip(name))]).expect_err(check_section);
            assert!(twice.failure.already.is_some(), "{twice}");
        }
    }
    assert_eq!(run("Name: a\n", skip("a")), "there is no `%check` that a check could be left out of");
}

const PIECES: [&str; 26] = [
    "Name: a",
    "Version: 1",
    "BuildRequires: gcc, make >= 4",
    "Requires: a-devel",
    "Source0: s",
    "Patch1: p.patch",
    "%global x 1",
    "%bcond_with b",
    "%if 1",
    "%else",
    "%endif",
    "%package devel",
    "%description",
    "%prep",
    "%setup -q",
    "%build",
    "%configure --enable-a \\",
    "  --with-b",
    "%check",
    "%ctest",
    "%install",
    "%files devel",
    "/usr/x",
    "",
    "%{!?x: %global x 2}",
    "%patchlist",
];

fn operations() -> Vec<Operation> {
    let scope = |section: &str| Scope { section: Some(text(section)), package: None };
    vec![
        Operation::AddTag { package: None, tag: text("Url"), value: text("u") },
        Operation::InsertTag { package: None, tag: text("Source9"), value: text("u") },
        Operation::SetTag { package: None, tag: text("Version"), value: text("2") },
        Operation::RemoveTag { package: None, tag: text("Requires"), value: None },
        Operation::PrependLines { scope: scope("%build"), lines: vec![text("a")] },
        Operation::AppendLines { scope: scope("%check"), lines: vec![text("b")] },
        Operation::SearchReplace {
            scope: Scope::default(),
            search: Search::new("a*").expect("an expression"),
            replacement: text("é"),
        },
        Operation::RemoveSection { section: text("%check"), package: None },
        Operation::RemoveSubpackage { package: text("devel") },
        Operation::RemovePatch { pattern: text("*.patch") },
        Operation::SetMacro { name: text("x"), value: text("77") },
        Operation::DeleteMacro { name: text("x") },
        Operation::SetBcond { name: text("b"), enabled: true },
        Operation::AddDependency { package: None, tag: text("BuildRequires"), value: text("new") },
        Operation::RemoveDependency { package: None, tag: text("BuildRequires"), name: text("gcc") },
        Operation::ReboundDependency { package: None, tag: text("BuildRequires"), name: text("make"), bound: None },
        Operation::AddConfigureArgument { command: None, value: text("--new") },
        Operation::RemoveConfigureArgument { command: None, value: text("--with-b") },
        Operation::DropSubpackage { package: text("devel") },
        Operation::ApplyPatch { file_name: text("n.patch"), content: Vec::new(), fixes: Vec::new() },
        Operation::SkipCheck { name: text("slow") },
    ]
}

proptest! {
    /// Bytes outside of the spans that a step reports are those of the text before it, whatever the spec looks like.
    #[test]
    fn nothing_else_is_changed(
        lines in proptest::collection::vec((0..PIECES.len(), "[ -~é\t]{0,6}"), 0..40),
        chosen in proptest::collection::vec(0..21_usize, 1..6),
        ends in any::<bool>(),
        carriage in any::<bool>(),
    ) {
        let end = if carriage { "\r\n" } else { "\n" };
        let mut spec = lines.iter().map(|(piece, noise)| format!("{}{noise}", PIECES[*piece])).collect::<Vec<_>>().join(end);
        if ends {
            spec.push_str(end);
        }
        let all = operations();
        let overlays: Vec<Overlay> =
            chosen.iter().map(|index| Overlay { operation: all[*index].clone(), is_optional: true }).collect();
        let mut folder = Folder::new("a.spec", spec.clone());
        folder.files.insert(text("p.patch"), b"p".to_vec());
        let before = folder.clone();
        // One after the other, so that the text between is known.
        for overlay in &overlays {
            let Ok(applied) = apply(&folder, std::slice::from_ref(overlay)) else { continue };
            let (old, new) = (&folder.spec, &applied.folder.spec);
            let (mut at_old, mut at_new) = (0, 0);
            for change in &applied.steps[0].changes {
                let Change::Edited { file, spans } = change else { continue };
                if file != "a.spec" {
                    continue;
                }
                for span in spans {
                    prop_assert_eq!(&old[at_old..span.before.start], &new[at_new..span.after.start]);
                    (at_old, at_new) = (span.before.end, span.after.end);
                }
            }
            prop_assert_eq!(&old[at_old..], &new[at_new..], "{:?}", overlay.operation);
            folder = applied.folder;
        }
        // All at once: whoever fails leaves all as it was; the hunks turn upstream's lines into the rendered ones.
        match apply(&before, &overlays) {
            Err(_) => prop_assert_eq!(&before.spec, &spec),
            Ok(applied) => {
                let rendered = &applied.folder.spec;
                let old: Vec<&str> = spec.split_inclusive('\n').collect();
                let new: Vec<&str> = rendered.split_inclusive('\n').collect();
                let (mut built, mut at) = (String::new(), 0);
                for hunk in applied.provenance.hunks(&spec, rendered) {
                    built.push_str(&old[at..hunk.upstream.start].concat());
                    built.push_str(&new[hunk.rendered.clone()].concat());
                    at = hunk.upstream.end;
                    prop_assert!(!hunk.overlays.is_empty());
                }
                built.push_str(&old[at..].concat());
                prop_assert_eq!(&built, rendered);
            }
        }
    }
}
