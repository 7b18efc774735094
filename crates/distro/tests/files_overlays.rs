//! Overlays as they are written: what each kind needs, and what is said where it is missing.

use distro::{Component, Locks, OverlayKind, load};

const ROOT: &str = r#"
includes = ["comp.toml"]
[project]
default-distro = { name = "skiff", version = "1.0" }
source-date-epoch = 1700000000
[distros.skiff.versions."1.0"]
release-ver = "1.0"
[stage0]
suite = "trixie"
packages = ["gcc"]
"#;

/// Loads a component with these overlays.
fn component(overlays: &str) -> Result<(Component, String), String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let comp = format!("[components.a]\nspec = {{ type = \"local\", path = \"a.spec\" }}\n{overlays}");
    for (name, text) in [("distro.toml", ROOT), ("comp.toml", &comp), ("a.spec", "Name: a\n")] {
        fs_err::write(folder.path().join(name), text).expect("a file");
    }
    let shown = format!("{}/", folder.path().display());
    match load(&folder.path().join("distro.toml"), Locks::Required) {
        Ok(mut distro) => {
            let warnings: Vec<String> = distro.warnings.iter().map(ToString::to_string).collect();
            Ok((distro.components.remove("a").expect("the component"), warnings.join("\n").replace(&shown, "")))
        }
        Err(problems) => Err(problems.to_string().replace(&shown, "")),
    }
}

/// An overlay of each kind with all it needs.
const SOUND: &[(&str, &str)] = &[
    ("spec-add-tag", "tag = 'BuildRequires'\nvalue = 'gcc'"),
    ("spec-insert-tag", "tag = 'Source9'\nvalue = 'x'"),
    ("spec-set-tag", "tag = 'Version'\nvalue = '1'\npackage = 'devel'"),
    ("spec-update-tag", "tag = 'Version'\nvalue = '1'"),
    ("spec-remove-tag", "tag = 'Version'"),
    ("spec-prepend-lines", "lines = ['a']"),
    ("spec-append-lines", "section = '%build'\nlines = ['a']"),
    ("spec-search-replace", "regex = '%{x}'\nreplacement = ''"),
    ("spec-remove-section", "section = '%check'"),
    ("spec-remove-subpackage", "package = 'devel'"),
    ("patch-add", "source = 'a.patch'\nfixes = ['CVE-2026-12345']"),
    ("patch-remove", "file = '*.patch'"),
    ("file-prepend-lines", "file = 'a'\nlines = ['b']"),
    ("file-search-replace", "file = 'a'\nregex = 'b'\narchive = 'a.tar.xz'"),
    ("file-add", "file = 'a'\nsource = 'b'"),
    ("file-remove", "file = '**/a'"),
    ("file-rename", "file = 'a'\nreplacement = 'b'"),
    ("spec-set-macro", "description = 'd'\nname = 'build_ada'\nvalue = '0'"),
    ("spec-delete-macro", "description = 'd'\nname = 'build_ada'"),
    ("spec-set-bcond", "description = 'd'\nname = 'tests'\nenabled = false"),
    ("spec-add-dependency", "description = 'd'\ntag = 'BuildRequires'\nvalue = 'gcc >= 15'"),
    ("spec-remove-dependency", "description = 'd'\ntag = 'Requires(post)'\nname = 'xen-devel'"),
    ("spec-rebound-dependency", "description = 'd'\ntag = 'BuildRequires'\nname = 'gcc'\nbound = '>= 14'"),
    ("spec-add-configure-argument", "description = 'd'\nvalue = '--disable-static'"),
    ("spec-remove-configure-argument", "description = 'd'\nvalue = '--enable-static'\ncommand = '%configure'"),
    ("spec-drop-subpackage", "description = 'd'\npackage = 'xen'"),
    ("spec-skip-check", "description = 'd'\nname = 'test_clock'"),
];

#[test]
fn files_every_kind_of_overlay_is_read() {
    assert_eq!(SOUND.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), distro::overlay::OVERLAY_TYPES);
    for (kind, keys) in SOUND {
        let (component, warnings) =
            component(&format!("[[components.a.overlays]]\ntype = '{kind}'\n{keys}\n")).expect(kind);
        assert_eq!(component.overlays[0].kind.as_str(), *kind);
        assert_eq!(warnings, "", "{kind}");
    }
}

#[test]
fn files_every_key_that_a_kind_needs_is_missed() {
    for (kind, keys) in SOUND {
        for left_out in keys.lines() {
            let (key, _) = left_out.split_once(" =").expect("a key");
            let is_optional = match *kind {
                "spec-set-tag" => key == "package",
                "spec-append-lines" => key == "section",
                "spec-search-replace" => key == "replacement",
                "patch-add" => key == "fixes",
                "file-search-replace" => key == "archive",
                "spec-remove-configure-argument" => key == "command",
                _ => false,
            };
            let rest: Vec<&str> = keys.lines().filter(|line| *line != left_out).collect();
            let found = component(&format!("[[components.a.overlays]]\ntype = '{kind}'\n{}\n", rest.join("\n")));
            match found {
                Ok(_) => assert!(is_optional, "{kind} does not miss {key}"),
                Err(shown) => {
                    let expected = format!("an overlay of type `{kind}` needs `{key}`\n  --> comp.toml:3:1");
                    assert!(!is_optional && shown.contains(&expected), "{shown}");
                }
            }
        }
    }
}

#[test]
fn files_what_is_wrong_with_an_overlay_is_shown_where_it_is_written() {
    for (overlay, expected) in [
        ("type = 'spec-ad-tag'", "there is no overlay of type `spec-ad-tag`\n  --> comp.toml:4:8"),
        ("type = 'spec-ad-tag'", "did you mean `spec-add-tag`?"),
        (
            "type = 'spec-search-replace'\nregex = '(a'",
            "`(a` is no regular expression: unclosed group\n  --> comp.toml:5:9",
        ),
        ("type = 'spec-append-lines'\npackage = 'b'\nlines = ['a']", "there is no `section`\n  --> comp.toml:5:11"),
        ("type = 'file-remove'\nfile = '../a'", "leads out of the folder"),
        ("type = 'file-remove'\nfile = '/a'", "leads out of the folder"),
        ("type = 'patch-remove'\nfile = 'a[b'", "is no glob"),
        ("type = 'file-remove'\nfile = 'a'\narchive = 'a.zip'", "is not the plain name of an archive"),
        ("type = 'file-rename'\nfile = 'a'\nreplacement = 'b/c'", "is not the plain name of a file"),
        (
            "type = 'patch-add'\nsource = 'a'\nfixes = ['CVE-26-1']",
            "no number of a vulnerability\n  --> comp.toml:6:10",
        ),
        ("type = 'spec-remove-subpackage'\npackage = 'a'\nsection = '%files'", "`section` has no place"),
        (
            "type = 'spec-add-dependency'\ndescription = 'd'\ntag = 'BuildRequire'\nvalue = 'a'",
            "did you mean `BuildRequires`?",
        ),
        ("type = 'spec-remove-dependency'\ndescription = 'd'\ntag = 'Requires'\nname = 'a >= 1'", "more than the name"),
        (
            "type = 'spec-rebound-dependency'\ndescription = 'd'\ntag = 'Requires'\nname = 'a'\nbound = '1'",
            "no bound on a version",
        ),
        ("type = 'spec-set-macro'\ndescription = 'd'\nname = '%a'\nvalue = '1'", "no name of a macro"),
        ("type = 'patch-remove'\nfile = 'a'\nexpires = 2027-02-30", "not valid TOML"),
        ("type = 'patch-remove'\nfile = 'a'\nexpires = 'soon'", "`soon` is no day\n  --> comp.toml:6:11"),
        ("type = 'patch-remove'\nfile = 'a'\nmetadata = { category = 'pruning' }", "upstream-status` is missing"),
        (
            "type = 'patch-remove'\nfile = 'a'\nmetadata = { category = 'upstream-backport', upstream-status = 'upstreamed' }",
            "names at least one of upstream's `commits`",
        ),
        (
            "type = 'patch-remove'\nfile = 'a'\nmetadata = { category = 'upstream-backport', upstream-status = 'unknown', commits = [{ url = 'ftp://x' }] }",
            "no address of the web",
        ),
        ("type = 'patch-remove'\nfile = 'a'\ncolour = 'red'", "there is no key `colour`"),
    ] {
        let shown = component(&format!("[[components.a.overlays]]\n{overlay}\n")).expect_err(overlay);
        assert!(shown.contains(expected), "{overlay}: {expected}\nnot in\n{shown}");
    }
}

#[test]
fn files_an_overlay_keeps_its_reasons_and_places() {
    let (component, warnings) = component(
        "[[components.a.overlays]]\ntype = 'patch-add'\nsource = 'fix.patch'\ndescription = 'repairs it'\n\
         expires = 2027-03-31\noptional = true\nupstream = 'https://example.org/1'\nvalue = 'nothing'\n\
         metadata = { category = 'azl-pruning', upstream-status = 'inapplicable', bugs = [{ url = 'https://b' }] }\n",
    )
    .expect("it is sound");
    let overlay = &component.overlays[0];
    let OverlayKind::AddPatch { source, .. } = &overlay.kind else { panic!("{overlay:?}") };
    assert!(source.is_absolute() && source.ends_with("fix.patch"));
    assert_eq!(overlay.source_name(), Some("fix.patch"));
    assert_eq!(overlay.expires.expect("a day").to_string(), "2027-03-31");
    assert_eq!(overlay.metadata.category, Some("azl-pruning"));
    assert_eq!(overlay.metadata.bugs, ["https://b"]);
    assert!(overlay.optional && overlay.changes_spec());
    assert_eq!((overlay.value_at("source").line, overlay.value_at("source").column), (5, 10));
    assert!(
        warnings.starts_with("`value` means nothing to an overlay of type `patch-add`\n  --> comp.toml:10:1"),
        "{warnings}"
    );
}
