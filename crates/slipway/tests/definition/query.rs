//! `slipway component query` remembers, and notices each change; `slipway lock` writes over nothing that it cannot read.

use std::path::Path;

use crate::run::said as slipway;

const DEFINITION: &str = r#"[project]
description = "test"
default-distro = { name = "t", version = "1" }
[distros.t.versions."1"]
release-ver = "1"
[components.hello]
spec = { type = "local", path = "hello/hello.spec" }
[[components.hello.source-files]]
filename = "hello.tar"
origin = { type = "local", path = "kept/hello.tar" }
"#;

const SPEC: &str = "Name: hello\nVersion: 1\nRelease: 1\nSummary: Greets\nLicense: MIT\nSource0: hello.tar\n\
    %{load:%{_sourcedir}/more.macros}\nURL: https://%{host}/\n%description\nGreets.\n%files\n";

fn set_up(definition: &Path) {
    for folder in ["hello", "kept"] {
        fs_err::create_dir_all(definition.join(folder)).expect("a folder");
    }
    fs_err::write(definition.join("azldev.toml"), DEFINITION).expect("written");
    fs_err::write(definition.join("hello/hello.spec"), SPEC).expect("written");
    fs_err::write(definition.join("hello/more.macros"), "%host a.example\n").expect("written");
    fs_err::write(definition.join("kept/hello.tar"), "an archive").expect("written");
}

/// Writes other bytes of the same length, and leaves the file's time as it was.
fn change(path: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let time = fs_err::metadata(path).expect("there").modified().expect("a time");
    let text = fs_err::read_to_string(path).expect("text");
    assert!(text.contains(from), "{text}");
    fs_err::write(path, text.replace(from, to)).expect("written");
    fs_err::File::options().write(true).open(path).expect("open").file().set_modified(time).expect("set");
}

#[test]
fn files_answers_are_remembered_until_something_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let definition = folder.path().join("definition");
    set_up(&definition);
    let query = || slipway(&definition, &["component", "query", "--json"]).1;
    assert!(query().contains("https://a.example/"));
    let whole = folder.path().join("store/records/spec-book");
    assert!(!whole.exists(), "nothing is kept as a whole while the files are younger than a clock's tick");
    std::thread::sleep(std::time::Duration::from_secs(4));
    let again = query();
    assert!(whole.exists() && again.contains("0 specs evaluated now"), "{again}");
    assert_eq!(query(), again);

    change(&definition.join("hello/more.macros"), "a.example", "b.example");
    let other = query();
    assert!(other.contains("https://b.example/") && other.contains("1 specs evaluated now"), "{other}");
    change(&definition.join("hello/hello.spec"), "Version: 1", "Version: 2");
    let other = query();
    assert!(other.contains("\"evr\": \"2-1\""), "{other}");
    let path = definition.join("azldev.toml");
    let text = fs_err::read_to_string(&path).expect("text");
    let text = text.replace("[[components", "build = { defines = { host = \"c.example\" } }\n[[components");
    fs_err::write(&path, text).expect("written");
    fs_err::write(definition.join("hello/more.macros"), "").expect("written");
    assert!(query().contains("https://c.example/"));
    assert!(fs_err::read_dir(&whole).expect("a folder").count() == 1, "one record for a definition");
}

#[test]
fn files_a_lock_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let definition = folder.path().join("definition");
    set_up(&definition);
    let path = definition.join("locks/hello.lock");
    let (code, said) = slipway(&definition, &["lock", "hello"]);
    assert_eq!(code, Some(0), "{said}");
    let lock = fs_err::read_to_string(&path).expect("a lock");
    assert!(lock.contains("filename = \"hello.tar\"") && lock.contains("SHA512"), "{lock}");

    // What somebody wrote and nobody can read may be worth a repair.
    for damaged in ["version = 1\n[[source]\n", "version = 99\n", "<<<<<<< ours\n"] {
        fs_err::write(&path, damaged).expect("written");
        let (code, said) = slipway(&definition, &["lock", "hello"]);
        assert_ne!(code, Some(0), "{said}");
        assert!(said.contains("hello.lock"), "{said}");
        assert_eq!(fs_err::read_to_string(&path).expect("a lock"), damaged);
    }

    // Cut off behind the new file, before it takes the old one's place.
    fs_err::write(&path, &lock).expect("written");
    fs_err::write(path.with_extension("lock.new"), "version = 1\n[[sour").expect("written");
    let (code, said) = slipway(&definition, &["lock", "hello"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(fs_err::read_to_string(&path).expect("a lock"), lock);
    fs_err::write(definition.join("kept/hello.tar"), "another archive").expect("written");
    let (code, said) = slipway(&definition, &["lock", "hello"]);
    assert_eq!(code, Some(0), "{said}");
    assert_ne!(fs_err::read_to_string(&path).expect("a lock"), lock);
    assert!(!path.with_extension("lock.new").exists());
}
