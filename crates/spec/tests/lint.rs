//! The linter: each kind of finding where it is certain, and silence where something may prove it wrong.

use spec::lint::{Code, Linter};
use spec::{Environment, Macros, Origin, Target, Undefined};

const MACROS: &str = include_str!("fixtures/base.macros");

const START: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n";

/// More macros, as distributions have them.
const MORE: &str = "%autosetup(-) setup %*\n%two_lines first\\\nsecond\n%x86 i386 i686\n%uses_bcond %{with from_file}\n\
    %setting %{?with_offered:1}\n%cargo_build cargo build\n";

fn environment() -> Environment {
    let mut macros = Macros::builtin();
    macros.load(MACROS, &Origin::new("base.macros"));
    macros.load(MORE, &Origin::new("more.macros"));
    let mut environment = Environment::new(macros.into(), Target::linux("x86_64"));
    environment.undefined = Undefined::Warn;
    environment
}

/// What is found in a spec with the usual beginning and end.
fn found(tags: &str, rest: &str) -> Vec<String> {
    let text = format!("{START}{tags}%description\nx\n{rest}%files\n/a\n");
    let environment = environment();
    let origin = Origin::new("a.spec");
    let evaluated = spec::evaluate(&text, &origin, &environment).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let findings = Linter::new(&environment.macros).lint(&text, &origin, &environment, Some(&evaluated));
    findings.iter().map(|finding| format!("{}: {}: {}", finding.position, finding.code, finding.message)).collect()
}

#[test]
fn each_kind_is_found() {
    let changelog = "%changelog\n* Tue Jun 03 2025 A <a> - 1-1\n- x\n* Wed Jun 04 2025 A <a> - 1-0\n- y\n";
    for (tags, rest, wanted) in [
        (
            "%if 0%{?f} > 4\n%if 0%{?f} < 3\nRequires: b\n%endif\n%endif\n",
            "",
            "a.spec:7:1: impossible-condition: `%if 0%{?f} < 3` can never hold: `%if 0%{?f} > 4` in line 6 excludes it",
        ),
        (
            "ExclusiveArch: x86_64\n%ifarch %{x86}\n%endif\n",
            "",
            "a.spec:7:1: impossible-condition: `%ifarch %{x86}` can never hold: `ExclusiveArch: x86_64` in line 6 excludes it",
        ),
        (
            "%if %{defined f}\n%elif 0\n%elif ! %{defined f}\n%else\n%endif\n",
            "",
            "a.spec:7:1: constant-condition: `%elif 0` never holds",
        ),
        (
            "%if 1\n%else\nRequires: b\n%endif\n",
            "",
            "a.spec:7:1: constant-condition: `%else` is never reached: `%if 1` in line 6 always holds",
        ),
        ("%ifarch x86-64\n%endif\n", "", "a.spec:6:9: unknown-architecture: rpm knows no architecture `x86-64`"),
        (
            "%ifarch x86_64 || aarch64\n%endif\n",
            "",
            "a.spec:6:16: unknown-architecture: `%ifarch` takes names only: `||` is one that never matches",
        ),
        ("%bcond unasked 1\n", "", "a.spec:6:1: dead-bcond: nothing asks for the build condition `unasked`"),
        (
            "%if %{with undeclared}\n%endif\n",
            "",
            "a.spec:6:5: undeclared-bcond: nothing declares the build condition `undeclared`",
        ),
        (
            "",
            changelog,
            "a.spec:11:1: changelog-order: the entry of `Wed Jun 04 2025` is newer than that of `Tue Jun 03 2025` above it",
        ),
        (
            "",
            "%changelog\n* Mon Jun 03 2025 A <a> - 1-1\n- x\n",
            "a.spec:9:1: changelog-date: there is no such day: `Mon Jun 03 2025`; that date is a Tuesday",
        ),
        (
            "",
            "%changelog\n* Mon Foo 03 2025 A <a> - 1-1\n- x\n",
            "a.spec:9:1: changelog-date: the date of `* Mon Foo 03 2025 A <a> - 1-1` cannot be read",
        ),
        (
            "Source0: a.tar\nSource1: b.conf\n",
            "%prep\n%setup -q\n",
            "a.spec:7:1: unused-source: nothing uses the source `b.conf` (`Source1`)",
        ),
        (
            "Source0: a.tar\nSource1: a.tar.asc\n",
            "%prep\n%setup -q\n",
            "a.spec:7:1: unchecked-signature: nothing checks the signature `a.tar.asc` (`Source1`)",
        ),
        (
            "Patch3: a.patch\n",
            "%prep\ntrue\n",
            "a.spec:6:1: unused-patch: nothing applies the patch `a.patch` (`Patch3`)",
        ),
        (
            "Requires: b >= 1\nRequires:  b  >= 1\n",
            "",
            "a.spec:7:1: duplicate-dependency: `Requires: b >= 1` stands already in line 6",
        ),
        ("Summary(de): x\nSummary(de): y\n", "", "a.spec:7:1: duplicate-tag: `Summary(de)` stands already in line 6"),
        (
            "%package b\nSummary: b\n%description b\nx\n%package c\nSummary: c\n",
            "%description c\nx\n%files c\n",
            "a.spec:6:1: package-without-files: the package `a-b` has no `%files`",
        ),
        (
            "",
            "%build\nmake\n%cargo_builds -x\n",
            "a.spec:10:1: undefined-macro: macro `%cargo_builds` is defined nowhere and is no command; nearest are %cargo_build; the package `cargo-rpm-macros` usually defines it",
        ),
        (
            "Requires: b = %{version_x}\n",
            "",
            "a.spec:6:15: undefined-macro: macro `%version_x` is defined nowhere and stays as it is in the tag",
        ),
        (
            "",
            "%build\n# %two_lines\n",
            "a.spec:9:1: comment-expands: the macros of this comment become several lines, of which `second` is no comment",
        ),
    ] {
        let findings = found(tags, rest);
        assert!(
            findings.iter().any(|finding| finding == wanted),
            "{tags}{rest}\nwanted {wanted}\nfound  {findings:#?}"
        );
    }
}

#[test]
fn every_code_is_tested() {
    let text = include_str!("lint.rs");
    for code in Code::ALL {
        assert!(text.contains(&format!(": {code}: ")), "{code}");
    }
}

#[test]
fn nothing_is_said_where_it_may_be_right() {
    let numbered =
        "Source0: a.tar\nSource1: b.conf\nSource2: c.conf\nSource3: d.conf\nPatch1: a.patch\nPatch2: b.patch\n";
    for (tags, rest) in [
        // conditions
        ("%if 0%{?f} > 4\n%global f 1\n%if 0%{?f} < 3\n%endif\n%endif\n", ""),
        ("%if 0%{?f} > 4\n%if 0%{?g} < 3\n%endif\n%endif\n", ""),
        ("%ifarch x86_64\n%ifnarch aarch64\n%endif\n%endif\n", ""),
        ("ExclusiveArch: x86_64\nBuildArch: noarch\n%ifarch noarch\n%endif\n", ""),
        ("%ifarch %{unknown_arches}\n%ifarch x86_64\n%endif\n%endif\n", ""),
        ("", "%build\nmake \\\n%ifarch x86_64\n  one \\\n%endif\n%ifarch aarch64\n  two \\\n%endif\n  three\n"),
        // build conditions
        ("%bcond tests 1\n", "%check\n%if %{with tests}\n%endif\n"),
        ("%bcond a 1\n%{?with_a:Requires: b}\n", ""),
        ("%bcond from_file 1\n%if %{with offered}\n%endif\n", ""),
        ("%bcond a 1\n", "%build\n./configure %{?with_a:--with-a} --x\n"),
        ("%bcond a 1\n", "%build\n%{lua: print(rpm.expand('%{with a}'))}\n"),
        // sources and patches
        (numbered, "%prep\n%setup -q\ncp %{SOURCE1} %{S:2} %SOURCE3 .\n%patch -P1\n%patch 2\n"),
        (numbered, "%prep\n%setup -q\ncp %{_sourcedir}/*.conf .\n%if 0%{?f}\n%autopatch -p1\n%endif\n"),
        (
            "Source0: a.tar\nSource1: b.tar\n# made by hand\nSource2: c.conf\nSource3: make-it.sh\n",
            "%prep\n%setup -q -a 1\n",
        ),
        ("Source0: a.tar\nSource1: b.tar\n", "%prep\n%autosetup -n x %{?f:-a1}\n"),
        ("Source0: a.tar\nSource1: a.tar.sig\n", "%prep\nsignify -V -m %{SOURCE0} -p key\n%setup -q\n"),
        ("Source0: a.tar\nSource1: b.conf\n", "%prep\n%setup -q\n%install\ncp $RPM_SOURCE_DIR/b.conf .\n"),
        ("Patch1: a.patch\nPatch2: b.patch\n", "%prep\ncat %{patches} | patch\n"),
        // tags
        ("%if 0%{?f}\nRequires: b\n%else\nRequires: b\n%endif\n", ""),
        ("%global n 1\nRequires: b%{n}\n%global n 2\nRequires: b%{n}\n", ""),
        ("Requires: b\nRequires(post): b\nRecommends: b\n", ""),
        ("Summary(de): x\nSummary(fr): y\n", ""),
        ("%package b\nSummary: b\n%description b\nx\n", "%if 0%{?f}\n%files b\n%endif\n"),
        // macros
        ("", "%build\ncat > x <<EOF\n%%made\nEOF\ndate +%%Y\necho '\n%%inside\n'\n"),
        ("", "%build\n# %%two_lines\n# %{nil}\n"),
        ("", "%changelog\n* Tue Jun 03 2025 A <a> - 1-1\n- x\n* a list\n* Mon Jun 02 2025 A <a> - 1-0\n- y\n"),
    ] {
        let findings = found(tags, rest);
        assert!(findings.is_empty(), "{tags}{rest}\n{findings:#?}");
    }
}

#[test]
fn texts_that_do_not_evaluate_are_still_looked_at() {
    let environment = environment();
    let linter = Linter::new(&environment.macros);
    let text = "Name: a\nRequires: b\nRequires: b\n%if 1 +\n%endif\n";
    let findings = linter.lint(text, &Origin::new("a.spec"), &environment, None);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, Code::DuplicateDependency);
}
