//! `slipway update` and the definition's own commits, on repositories of git that the tests make.

use std::path::Path;

use crate::run::{git, has_git, said as slipway};

const SPEC: &str = "Name: hello\nVersion: 1\nRelease: %autorelease\nSummary: Greets\nLicense: MIT\n%global with_x 1\n\
    %description\nGreets.\n%files\n%changelog\n%autochangelog\n";

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
spec = { type = "upstream", upstream-distro = { name = "up" } }
[components.hello]
[[components.hello.overlays]]
description = "no x"
type = "spec-set-macro"
name = "with_x"
value = "0"
"#;

fn commit(repository: &Path, time: u32, files: &[(&str, &str)], message: &str) {
    for (name, text) in files {
        fs_err::write(repository.join(name), text).expect("written");
    }
    git(repository, time, &["add", "-A"]);
    git(repository, time, &["commit", "-q", "-m", message]);
}

fn set_up(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (repository, definition) = (folder.join("git/hello"), folder.join("definition"));
    for path in [&repository, &definition] {
        fs_err::create_dir_all(path).expect("a folder");
        git(path, 1, &["init", "-q"]);
    }
    commit(&repository, 1_700_000_000, &[("hello.spec", SPEC), ("sources", "SHA512 (a-1) = 0\n")], "first");
    let text = DEFINITION.replace("GIT", &folder.join("git").to_string_lossy());
    commit(&definition, 1_710_000_000, &[("azldev.toml", &text)], "definition");
    (repository, definition)
}

fn rendered(definition: &Path) -> String {
    fs_err::read_to_string(definition.join("specs/h/hello/hello.spec")).expect("a spec")
}

#[test]
fn files_upstream_is_locked_and_followed() {
    if !has_git() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (repository, definition) = set_up(folder.path());
    let lock = definition.join("locks/hello.lock");
    assert_eq!(slipway(&definition, &["update", "--check"]).0, Some(1));
    assert!(!lock.exists(), "nothing is written unless asked");
    let (code, text) = slipway(&definition, &["update", "--write"]);
    assert_eq!(code, Some(0), "{text}");
    let first = fs_err::read_to_string(&lock).expect("a lock");
    assert!(first.contains("upstream-commit = ") && first.contains("render-digest = "), "{first}");
    assert!(definition.join("locks/distribution.lock").is_file());
    let (code, text) = slipway(&definition, &["update", "--check"]);
    assert_eq!(code, Some(0), "{text}");
    // Upstream moves: what is rendered stays, and the update says what it would be.
    let moved = SPEC.replace("Version: 1", "Version: 2");
    let files = [("hello.spec", moved.as_str()), ("sources", "SHA512 (a-2) = 0\n")];
    commit(&repository, 1_720_000_000, &files, "update to 2\n\nCVE-2026-1234");
    slipway(&definition, &["component", "render", "hello"]);
    assert!(rendered(&definition).contains("Version: 1\n"), "the locked commit counts");
    let (code, text) = slipway(&definition, &["update", "--check"]);
    assert_eq!(code, Some(1), "{text}");
    for expected in ["moved", "1 -> 2", "update to 2", "names     CVE-2026-1234", "source    + SHA512 (a-2) = 0", "fit"]
    {
        assert!(text.contains(expected), "{expected}\nis not in\n{text}");
    }
    assert_eq!(fs_err::read_to_string(&lock).expect("a lock"), first);
    assert_eq!(slipway(&definition, &["update", "hello", "--write"]).0, Some(0));
    let second = fs_err::read_to_string(&lock).expect("a lock");
    assert_ne!(second, first);
    slipway(&definition, &["update", "--write"]);
    assert_eq!(fs_err::read_to_string(&lock).expect("a lock"), second, "a second time writes the same");
    slipway(&definition, &["component", "render", "hello"]);
    assert!(rendered(&definition).contains("Version: 2\n"));
    // A lock of nobody is shown.
    fs_err::write(definition.join("locks/gone.lock"), "version = 1\n").expect("written");
    let (code, text) = slipway(&definition, &["update", "--check"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("`locks/gone.lock` is nobody's lock"), "{text}");
}

#[test]
fn files_overlays_are_tried_on_what_upstream_has_now() {
    if !has_git() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (repository, definition) = set_up(folder.path());
    assert_eq!(slipway(&definition, &["update", "--write"]).0, Some(0));
    let lock = definition.join("locks/hello.lock");
    let first = fs_err::read_to_string(&lock).expect("a lock");
    commit(&repository, 1_720_000_000, &[("hello.spec", &SPEC.replace("with_x 1", "with_x 0"))], "no x");
    let (code, text) = slipway(&definition, &["update", "--write"]);
    assert_eq!(code, Some(1), "{text}");
    for expected in
        ["breaks", "azldev.toml:16:1 (spec-set-macro)", "already upstream hello.spec:6", "no lock was written"]
    {
        assert!(text.contains(expected), "{expected}\nis not in\n{text}");
    }
    assert_eq!(fs_err::read_to_string(&lock).expect("a lock"), first);
    commit(&repository, 1_730_000_000, &[("hello.spec", &SPEC.replace("with_x", "with_z"))], "other name");
    let (code, text) = slipway(&definition, &["update"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("nearest hello.spec:6"), "{text}");
}

#[test]
fn files_commits_of_the_definition_count() {
    if !has_git() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (_, definition) = set_up(folder.path());
    slipway(&definition, &["component", "render", "hello"]);
    let plain = rendered(&definition);
    assert!(plain.contains("release_number = 1;"), "{plain}");
    assert_eq!(slipway(&definition, &["update", "--write"]).0, Some(0));
    // What is not committed is no change yet.
    let (_, text) = slipway(&definition, &["component", "render", "hello"]);
    assert!(text.contains("the lock of `hello` is not committed"), "{text}");
    assert_eq!(rendered(&definition), plain);
    commit(&definition, 1_740_000_000, &[], "x is off");
    slipway(&definition, &["component", "render", "hello"]);
    let counted = rendered(&definition);
    assert!(counted.contains("release_number = 2;"), "{counted}");
    assert!(counted.contains("Ann <a@b> - 1-2\n- x is off\n"), "{counted}");
    assert!(counted.contains(" - 1-1\n- first\n"), "{counted}");
    // A shallow copy cannot count.
    let source = format!("file://{}", definition.display());
    git(folder.path(), 1_740_000_000, &["clone", "-q", "--depth", "1", &source, "copy"]);
    let (code, text) = slipway(&folder.path().join("copy"), &["component", "render", "hello"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("is a shallow copy") && text.contains("git fetch --unshallow"), "{text}");
}

/// A folder over HTTP, as long as the test runs: what git calls the dumb protocol.
fn served(folder: &Path) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            std::thread::spawn(move || {
                let _ = publish::serve(&folder, &stream, &stream);
            });
        }
    });
    address
}

#[test]
fn files_a_copy_of_a_dist_git_is_refreshed_by_update_alone() {
    if !has_git() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (repository, definition) = set_up(folder.path());
    let publish = || git(&repository, 1, &["update-server-info"]);
    publish();
    let path = definition.join("azldev.toml");
    let text = fs_err::read_to_string(&path).expect("text");
    let local = format!("{}/$pkg", folder.path().join("git").display());
    assert!(text.contains(&local), "{text}");
    fs_err::write(&path, text.replace(&local, &format!("{}/$pkg/.git", served(&folder.path().join("git")))))
        .expect("written");

    assert_eq!(slipway(&definition, &["update", "--write"]).0, Some(0));
    let (code, said) = slipway(&definition, &["component", "render", "hello"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(rendered(&definition).contains("Version: 1\n"));

    commit(&repository, 1_720_000_000, &[("hello.spec", &SPEC.replace("Version: 1", "Version: 2"))], "update to 2");
    publish();
    let (code, said) = slipway(&definition, &["component", "render", "--all", "--check"]);
    assert_eq!(code, Some(0), "the gate asks no network: {said}");
    let (code, said) = slipway(&definition, &["update", "--check"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("1 -> 2") && said.contains("update to 2"), "{said}");
    assert_eq!(slipway(&definition, &["update", "--write"]).0, Some(0));
    let (code, said) = slipway(&definition, &["component", "render", "hello"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(rendered(&definition).contains("Version: 2\n"));

    // What upstream rewrote and forgot is still in the copy: the lock's commit can be rendered.
    git(&repository, 1_730_000_000, &["reset", "-q", "--hard", "HEAD~1"]);
    git(&repository, 1_730_000_000, &["reflog", "expire", "--expire=now", "--all"]);
    git(&repository, 1_730_000_000, &["gc", "-q", "--prune=now"]);
    publish();
    slipway(&definition, &["update"]);
    let (code, said) = slipway(&definition, &["component", "render", "--all", "--check"]);
    assert_eq!(code, Some(0), "{said}");
}
