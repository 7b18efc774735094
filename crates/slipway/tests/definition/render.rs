//! `slipway component render|diff` and `slipway divergence`.

use std::path::Path;
use std::process::{Command, Output};

use crate::run::{self, git, has_git, text};

const SPEC: &str = "\
Name: hello
Version: 2.0
Release: %autorelease
Summary: Greets
License: MIT
Source0: hello.tar.gz
Patch0: a.patch
%global with_x 1
%description
Greets.
%prep
%autosetup
%build
%configure \\
  --enable-a \\
  --disable-b
%check
make check
%files
%changelog
%autochangelog
";

const DEFINITION: &str = r#"[project]
description = "test"
rendered-specs-dir = "specs"
default-distro = { name = "t", version = "1" }
[distros.t.versions."1"]
release-ver = "1"
[distros.up]
dist-git-base-uri = "GIT/$pkg"
default-version = "43"
[distros.up.versions."43"]
release-ver = "43"
dist-git-branch = "f43"
[default-component-config]
spec = { type = "upstream", upstream-distro = { name = "up", snapshot = "2025-07-01T00:00:00Z" } }
[components.hello]
build = { without = ["docs"], check = { skip = true, skip_reason = "no network" } }
[[components.hello.overlays]]
description = "no x"
type = "spec-set-macro"
name = "with_x"
value = "0"
[[components.hello.overlays]]
description = "a fix"
type = "patch-add"
source = "fix.patch"
fixes = ["CVE-2026-1234"]
[[components.hello.overlays]]
description = "b after all"
type = "spec-add-configure-argument"
value = "--enable-b"
expires = "2025-01-01"
"#;

fn slipway(folder: &Path, arguments: &[&str]) -> Output {
    run::slipway(&folder.join("definition"), arguments)
}

/// A definition and the dist-git that it names: three commits, the last one behind the snapshot.
fn set_up(folder: &Path) {
    let repository = folder.join("git/hello");
    fs_err::create_dir_all(&repository).expect("a folder");
    git(&repository, 1, &["init", "-q"]);
    for (text, time, message) in [
        (SPEC.to_owned(), 1_700_000_000, "first"),
        (SPEC.replace("MIT", "BSD"), 1_750_000_000, "second: 100%"),
        (SPEC.replace("MIT", "GPL"), 1_760_000_000, "too late"),
    ] {
        for (name, content) in
            [("hello.spec", text.as_str()), ("a.patch", "a"), ("stray", "s"), ("sources", "SHA512 (x) = 0\n")]
        {
            fs_err::write(repository.join(name), content).expect("written");
        }
        git(&repository, time, &["add", "-A"]);
        git(&repository, time, &["commit", "-q", "-m", message]);
    }
    let definition = folder.join("definition");
    fs_err::create_dir_all(&definition).expect("a folder");
    let text = DEFINITION.replace("GIT", &folder.join("git").to_string_lossy());
    fs_err::write(definition.join("azldev.toml"), text).expect("written");
    fs_err::write(definition.join("fix.patch"), "fix").expect("written");
}

#[test]
fn files_components_are_rendered_and_drift_is_seen() {
    if !has_git() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    let missing = slipway(folder, &["component", "render", "--all", "--check"]);
    assert_eq!(missing.status.code(), Some(1), "{}", text(&missing));
    assert!(text(&missing).contains("specs/h/hello/hello.spec is missing"), "{}", text(&missing));
    let done = slipway(folder, &["component", "render", "hello"]);
    assert_eq!(text(&done), "0 unchanged, 1 written\n");
    let rendered = folder.join("definition/specs/h/hello");
    let spec = fs_err::read_to_string(rendered.join("hello.spec")).expect("a spec");
    for expected in [
        "    release_number = 2;\n",
        "License: BSD\n",
        "%{load:%{_sourcedir}/hello.azl.macros}\n",
        "Source0: hello.tar.gz\nSource9999: hello.azl.macros\nPatch0: a.patch\n# fixes CVE-2026-1234\nPatch1: fix.patch\n%global with_x 0\n",
        "  --enable-a \\\n  --enable-b\n%check\n# Check section disabled: no network\nexit 0\n\nmake check\n",
        "* Sun Jun 15 2025 Ann <a@b> - 2.0-2\n- second: 100%%\n\n* Tue Nov 14 2023 Ann <a@b> - 2.0-1\n- first\n",
    ] {
        assert!(spec.contains(expected), "{expected}\nis not in\n{spec}");
    }
    let mut names: Vec<String> = fs_err::read_dir(&rendered)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    // What the spec does not name is left out.
    assert_eq!(names, ["a.patch", "fix.patch", "hello.azl.macros", "hello.spec", "sources"]);
    let macros = fs_err::read_to_string(rendered.join("hello.azl.macros")).expect("macros");
    assert!(macros.ends_with("\n%_without_docs 1\n"), "{macros}");
    // Again, and from an empty store: the same.
    assert_eq!(text(&slipway(folder, &["component", "render", "--all", "--check"])), "1 unchanged, 0 written\n");
    fs_err::remove_dir_all(folder.join("store")).expect("removed");
    assert_eq!(text(&slipway(folder, &["component", "render", "--all", "--check"])), "1 unchanged, 0 written\n");
    // Somebody edits what is rendered, adds a file, removes another.
    fs_err::write(rendered.join("hello.spec"), spec.replace("BSD", "GPL")).expect("written");
    fs_err::write(rendered.join("more"), "x").expect("written");
    fs_err::remove_file(rendered.join("a.patch")).expect("removed");
    let drift = slipway(folder, &["component", "render", "--all", "--check"]);
    assert_eq!(drift.status.code(), Some(1));
    for expected in ["hello.spec:21 differs", "a.patch is missing", "more is there and should not be"] {
        assert!(text(&drift).contains(expected), "{}", text(&drift));
    }
    assert_eq!(text(&slipway(folder, &["component", "render", "--all"])), "0 unchanged, 1 written\n");
    assert_eq!(fs_err::read_to_string(rendered.join("hello.spec")).expect("a spec"), spec);
}

#[test]
fn files_an_overlay_that_does_not_fit_changes_nothing() {
    if !has_git() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    let path = folder.join("definition/azldev.toml");
    let definition = fs_err::read_to_string(&path).expect("a definition");
    fs_err::write(&path, definition.replace("\"with_x\"", "\"with_y\"")).expect("written");
    let failed = slipway(folder, &["component", "render", "hello"]);
    assert_eq!(failed.status.code(), Some(3));
    assert_eq!(
        text(&failed),
        "error: an overlay of `hello` does not fit: no `%global` or `%define` of `with_y`\n  --> azldev.toml:17:1  (spec-set-macro)\n  \
         is for   no x\n  nearest  hello.spec:8  `%global with_x 1`\n  nothing of the component was changed\n"
    );
    assert!(!folder.join("definition/specs").exists());
    fs_err::write(&path, definition.replace("value = \"0\"", "value = \"1\"")).expect("written");
    let already = text(&slipway(folder, &["component", "render", "hello"]));
    assert!(already.contains("already  hello.spec:8  `%global with_x 1`"), "{already}");
    assert!(
        already.ends_with("hint: upstream has it already: remove the overlay, or set `optional = true`\n"),
        "{already}"
    );
}

#[test]
fn files_differences_have_their_overlays() {
    if !has_git() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    let difference = text(&slipway(folder, &["component", "diff", "hello"]));
    let hunk = "# azldev.toml:27:1: spec-add-configure-argument (b after all)\n@@ -13,7 +22,7 @@\n %build\n %configure \\\n   --enable-a \\\n\
                -  --disable-b\n+  --enable-b\n %check\n make check\n %files\n";
    assert!(difference.contains(hunk), "{difference}");
    assert!(difference.contains("# `%check` is skipped\n"), "{difference}");
    assert!(difference.ends_with("# azldev.toml:22:1: patch-add (a fix)\nfile fix.patch\n"), "{difference}");
    // Nothing is rendered yet: no effect is seen; behind rendering, all are.
    let unseen = slipway(folder, &["divergence", "--verify"]);
    assert_eq!(unseen.status.code(), Some(1));
    assert!(text(&unseen).starts_with("0 of 3 overlays are seen"), "{}", text(&unseen));
    slipway(folder, &["component", "render", "--all"]);
    assert_eq!(text(&slipway(folder, &["divergence", "--verify"])), "3 of 3 overlays are seen in what is rendered\n");
    let definition = folder.join("definition");
    git(&definition, 1_770_000_000, &["init", "-q"]);
    git(&definition, 1_770_000_000, &["add", "-A"]);
    git(&definition, 1_770_000_000, &["commit", "-q", "-m", "one"]);
    let report = text(&slipway(folder, &["divergence"]));
    assert!(report.contains("2026-02-02"), "{report}");
    assert!(report.contains("expired     azldev.toml:27:1 (spec-add-configure-argument of hello)"), "{report}");
}

#[test]
fn files_what_changed_is_named() {
    if !has_git() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    let definition = folder.join("definition");
    // The definition is below the top of its repository.
    git(folder, 1_770_000_000, &["init", "-q"]);
    git(folder, 1_770_000_000, &["add", "definition"]);
    git(folder, 1_770_000_000, &["commit", "-q", "-m", "one"]);
    let why = ["why-changed", "hello", "--since", "HEAD"];
    let same = text(&slipway(folder, &why));
    assert_eq!(same, "nothing that `hello` is rendered from has changed since HEAD\n");
    let path = definition.join("azldev.toml");
    let definition = fs_err::read_to_string(&path).expect("a definition");
    let definition =
        definition.replace("without = [\"docs\"]", "without = [\"docs\", \"gui\"]").replace("2025-07-01", "2026-07-01");
    fs_err::write(&path, definition.replace("\"b after all\"", "\"another reason\"")).expect("written");
    let changed = text(&slipway(folder, &why));
    // The reason for an overlay is no input.
    let lines: Vec<&str> = changed.lines().filter(|line| !line.contains("commit") && line.len() < 40).collect();
    assert_eq!(lines, ["build.without", "  was  docs", "  is   docs gui"], "{changed}");
    assert!(changed.contains("upstream commit\n  was  "), "{changed}");
    let unknown = slipway(folder, &["why-changed", "hello", "--since", "nowhere"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", text(&unknown));
}

#[test]
fn files_a_spec_of_the_definition_is_read_with_its_overlays() {
    let folder = tempfile::tempdir().expect("a folder");
    fs_err::create_dir(folder.path().join("definition")).expect("a folder");
    let write = |name: &str, text: &str| {
        fs_err::write(folder.path().join("definition").join(name), text).expect("a file");
    };
    let definition = |package: &str| {
        format!(
            "[project]\ndescription = \"t\"\nsource-date-epoch = 1\ndefault-distro = {{ name = \"t\", version = \"1\" }}\n\
             [distros.t.versions.\"1\"]\nrelease-ver = \"1\"\n\
             [stage0]\nsuite = \"s\"\npackages = [\"p\"]\n[components.two]\nspec = {{ type = \"local\", path = \"two.spec\" }}\n\
             [[components.two.overlays]]\ntype = \"spec-remove-subpackage\"\npackage = \"{package}\"\n"
        )
    };
    write(
        "two.spec",
        "Name: two\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%description\nd\n%files\n\
         %package extra\nSummary: e\n%description extra\ne\n%files extra\n",
    );
    write("distro.toml", &definition("extra"));
    let sound = slipway(folder.path(), &["check"]);
    assert!(text(&sound).contains("1 components make 1 packages"), "{}", text(&sound));

    write("distro.toml", &definition("other"));
    let wrong = slipway(folder.path(), &["check"]);
    assert_eq!(wrong.status.code(), Some(3), "{}", text(&wrong));
    assert!(text(&wrong).contains("an overlay of `two` does not fit"), "{}", text(&wrong));
}

/// What git says, and nothing where it fails.
#[expect(clippy::disallowed_methods, reason = "programs that the test runs, and no tools of Slipway's")]
fn git_says(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    Command::new("git").args(arguments).current_dir(folder).output().expect("git runs").stdout
}

#[test]
fn files_a_repository_may_be_a_file_beside_the_definition() {
    if !has_git() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    let (definition, repository) = (folder.join("definition"), folder.join("git/hello"));
    slipway(folder, &["component", "render", "hello"]);
    let rendered = definition.join("specs/h/hello/hello.spec");
    let expected = fs_err::read_to_string(&rendered).expect("a spec");
    fs_err::create_dir(definition.join("dist")).expect("a folder");
    let stream = git_says(&repository, &["fast-export", "--all"]);
    fs_err::write(definition.join("dist/hello.stream"), &stream).expect("written");
    let bundle = definition.join("dist/hello.bundle");
    git(&repository, 1_770_000_000, &["bundle", "create", "-q", &bundle.to_string_lossy(), "--all"]);
    let path = definition.join("azldev.toml");
    let text_before = fs_err::read_to_string(&path).expect("a definition");
    let address = format!("{}/$pkg", folder.join("git").display());
    for kind in ["stream", "bundle"] {
        let text_now = text_before.replace(&address, &format!("dist/$pkg.{kind}"));
        assert_ne!(text_now, text_before);
        fs_err::write(&path, text_now).expect("written");
        fs_err::remove_dir_all(definition.join("specs")).expect("removed");
        assert_eq!(text(&slipway(folder, &["component", "render", "hello"])), "0 unchanged, 1 written\n", "{kind}");
        assert_eq!(fs_err::read_to_string(&rendered).expect("a spec"), expected, "{kind}");
        // The address is relative to the definition, not to the folder in which slipway runs.
        let above = ["-C", "../definition", "component", "diff", "hello"];
        assert!(text(&slipway(folder, &above)).contains("(no x)"), "{kind}");
    }
    // A file that changed is another repository.
    let stream = String::from_utf8(stream).expect("text").replace("License: BSD", "License: XYZ");
    fs_err::write(definition.join("dist/hello.stream"), &stream).expect("written");
    fs_err::write(&path, text_before.replace(&address, "dist/$pkg.stream")).expect("written");
    assert_eq!(text(&slipway(folder, &["component", "render", "hello"])), "0 unchanged, 1 written\n");
    assert!(fs_err::read_to_string(&rendered).expect("a spec").contains("License: XYZ\n"));
    fs_err::write(definition.join("dist/hello.stream"), "commit nonsense\n").expect("written");
    let broken = slipway(folder, &["component", "render", "hello"]);
    assert_eq!(broken.status.code(), Some(3), "{}", text(&broken));
    assert!(text(&broken).contains("dist/hello.stream` is no repository that git can unpack: "), "{}", text(&broken));
    // A commit that would write elsewhere writes nothing.
    let escape = stream.replace("a.patch", "../a.patch");
    fs_err::write(definition.join("dist/hello.stream"), &escape).expect("written");
    let refused = slipway(folder, &["component", "render", "hello"]);
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused));
}

#[test]
fn files_skiff_is_rendered_and_locked_as_its_definition_says() {
    if !has_git() {
        return;
    }
    let store = tempfile::tempdir().expect("a folder");
    let distro = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../distro");
    #[expect(clippy::disallowed_methods, reason = "programs that the test runs, and no tools of Slipway's")]
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slipway"));
        command.arg("--store").arg(store.path()).arg("-C").arg(&distro).args(arguments).output().expect("slipway runs")
    };
    let checked = run(&["component", "render", "--all", "--check"]);
    assert!(checked.status.success(), "{}", text(&checked));
    let verified = run(&["divergence", "--verify"]);
    assert!(verified.status.success(), "{}", text(&verified));
    let locked = run(&["update", "--check"]);
    assert!(locked.status.success(), "`slipway update --write` writes the locks: {}", text(&locked));
}

#[test]
fn files_a_server_that_is_not_there_is_asked_once() {
    if !has_git() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs_err::create_dir_all(folder.join("definition")).expect("a folder");
    let start = DEFINITION.split("[components.hello]").next().unwrap_or_default();
    // Names below `invalid` are never there (RFC 6761, section 6.4).
    let components: String = (0..40).map(|n| format!("[components.c{n:02}]\n")).collect();
    let definition = start.replace("GIT", "http://nowhere.invalid/git") + &components;
    fs_err::write(folder.join("definition/azldev.toml"), definition).expect("written");
    let output = slipway(folder, &["component", "render", "--all"]);
    assert_ne!(output.status.code(), Some(0));
    let said = text(&output);
    let asked = said.matches("git clone").count();
    // Each thread may have asked before the first one knew.
    assert!((1..=8).contains(&asked), "{said}");
    assert!(said.contains("`nowhere.invalid` cannot be reached, and has the dist-git of `c1"), "{said}");
    assert!(said.contains("error: 20 more components could not be rendered"), "{said}");
}
