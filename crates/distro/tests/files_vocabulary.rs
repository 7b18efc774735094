//! What the original's schema accepts, we accept; what it rejects, we reject. See `fixtures/vocabulary/ORIGIN`.

use std::path::{Path, PathBuf};

use distro::{Locks, load};

const ROOT: &str = r#"
includes = ["example.toml"]
[project]
default-distro = { name = "built", version = "1" }
[distros.built.versions.1]
release-ver = "1"
default-component-config.spec = { type = "upstream", upstream-distro = { name = "upstream" } }
"#;

fn examples(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vocabulary").join(folder);
    let entries = fs_err::read_dir(folder).expect("the fixtures");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    found
}

/// The errors of a definition that includes the example; warnings are none.
fn errors(example: &Path) -> Option<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs_err::write(folder.path().join("azldev.toml"), ROOT).expect("a file");
    fs_err::copy(example, folder.path().join("example.toml")).expect("a copy");
    load(&folder.path().join("azldev.toml"), Locks::Required).err().map(|problems| problems.to_string())
}

#[test]
fn files_what_the_original_accepts_is_accepted() {
    let accepted = examples("accept");
    assert!(accepted.len() >= 6);
    for example in accepted {
        assert_eq!(errors(&example), None, "{}", example.display());
    }
}

#[test]
fn files_what_the_original_rejects_is_rejected_where_it_stands() {
    let rejected = examples("reject");
    assert!(rejected.len() >= 30);
    for example in rejected {
        let shown = errors(&example).unwrap_or_else(|| panic!("{} is accepted", example.display()));
        assert!(shown.contains("example.toml:"), "{}: {shown}", example.display());
    }
}
