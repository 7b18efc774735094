//! Layers, groups, channels and what does not fit together, on definitions in the vocabulary of Azure Linux.

use std::path::Path;

use distro::{Channels, Distro, Locks, SpecSource, consistency, load};

const ROOT: &str = r#"
includes = ["distros/*.toml", "base/project.toml", "none/**/*.toml"]
"#;
const DISTROS: &str = r#"
[distros.azl]
default-version = "4.0-stage2"
[distros.azl.versions.'4.0-stage2']
release-ver = "4.0"
[distros.azl.versions.'4.0-stage2'.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43", snapshot = "2026-02-24T00:00:00-08:00" } }
build.defines = { dist = ".azl4", gone = "1" }
[distros.fedora]
dist-git-base-uri = "https://example.org/$pkg.git"
repos = [{ base-uri = "https://example.org/a" }]
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
"#;
const PROJECT: &str = r#"
includes = ["comps/**/*.comp.toml", "packages.toml"]
[project]
default-distro = { name = "azl" }
rendered-specs-dir = '../specs'
[default-component-config]
publish.rpm-channel = "rpm-sdk"
build.without = ["docs"]
[component-groups.b-quiet]
components = ["bash", "zlib"]
default-component-config.build.check = { skip = true, skip_reason = "slow" }
[component-groups.a-rust]
query = "rust-* not kind:local"
default-component-config.publish.rpm-channel = "rpm-rust"
default-component-config.build.with = ["docs"]
"#;
const COMPS: &str = r#"
[components.bash]
unset = ["build.check", "build.defines.gone", "build.without.docs"]
[components.zlib]
spec.upstream-commit = "0123abc"
build = { undefines = ["gone"], check.skip = false }
release.calculation = "manual"
[components.rust-a]
overlays = [{ type = "spec-add-tag", tag = "BuildRequires", value = "gcc" }]
overlay-files = ["*.overlay.toml"]
[components.rust-b]
spec = { type = "local", path = "rust-b.spec" }
[components.rust-b.packages.rust-b-devel.publish]
channel = "rpm-one"
"#;
const OVERLAYS: &str = r#"
[metadata]
category = "azl-pruning"
upstream-status = "inapplicable"
[[overlays]]
type = "spec-remove-section"
section = "%check"
"#;
const PACKAGES: &str = r#"
[default-package-config]
publish = { channel = "rpm-default" }
[package-groups.base]
packages = ["bash", "zlib"]
default-package-config.publish.channel = "rpm-base"
[package-groups.devel]
query = "kind:devel not component:zlib"
default-package-config.publish = { rpm-channel = "rpm-devel", debuginfo-channel = "rpm-debug" }
"#;

/// Writes the sample with some files changed, and loads it.
fn with_tree<T>(changes: &[(&str, &str)], look: impl FnOnce(&Path, Result<Distro, String>) -> T) -> T {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [
        ("azldev.toml", ROOT),
        ("distros/all.toml", DISTROS),
        ("base/project.toml", PROJECT),
        ("base/comps/x/y/all.comp.toml", COMPS),
        ("base/comps/x/y/prune.overlay.toml", OVERLAYS),
        ("base/comps/x/y/rust-b.spec", "Name: rust-b\n"),
        ("base/packages.toml", PACKAGES),
    ];
    for (name, text) in files.iter().chain(changes) {
        let path = folder.path().join(name);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs_err::write(path, text).expect("a file");
    }
    let shown = format!("{}/", folder.path().display());
    let loaded = load(&folder.path().join("azldev.toml"), Locks::Required);
    look(folder.path(), loaded.map_err(|problems| problems.to_string().replace(&shown, "")))
}

#[test]
fn files_layers_are_merged_in_the_original_s_order() {
    with_tree(&[], |_, distro| {
        let distro = distro.expect("it is sound");
        let component = |name: &str| &distro.components[name];
        let SpecSource::Upstream(upstream) = &component("zlib").spec else { panic!("not upstream") };
        assert_eq!((upstream.distro.as_str(), upstream.version.as_deref()), ("fedora", Some("43")));
        assert_eq!(upstream.commit.as_deref(), Some("0123abc"));
        assert_eq!(upstream.snapshot.as_deref(), Some("2026-02-24T00:00:00-08:00"));
        assert_eq!(component("zlib").release.as_str(), "manual");
        assert!(component("zlib").build.check.skip, "a `false` replaces nothing, as in the original");
        assert!(!component("bash").build.check.skip, "what is taken back is gone");
        assert_eq!(component("zlib").build.without, ["docs"]);
        assert_eq!(component("bash").build.without, [""; 0]);
        assert_eq!(component("rust-a").build.with, ["docs"], "a later `with` replaces an earlier `without`");
        assert_eq!(component("rust-a").build.without, [""; 0]);
        assert_eq!(component("rust-b").build.without, ["docs"], "the query leaves local specs out");
        let defines = |name: &str| component(name).build.defines.keys().cloned().collect::<Vec<_>>();
        assert_eq!(defines("rust-a"), ["dist", "gone"]);
        assert_eq!(defines("bash"), ["dist"]);
        assert_eq!(defines("zlib"), ["dist"]);
        let kinds: Vec<&str> = component("rust-a").overlays.iter().map(|overlay| overlay.kind.as_str()).collect();
        assert_eq!(kinds, ["spec-add-tag", "spec-remove-section"]);
        assert_eq!(component("rust-a").overlays[1].metadata.category, Some("azl-pruning"));
        assert!(component("bash").rendered.as_ref().expect("a folder").ends_with("specs/b/bash"));
        assert_eq!(distro.release_version, "4.0");
        let warnings: Vec<&str> = distro.warnings.iter().map(|warning| warning.message.as_str()).collect();
        assert_eq!(warnings, ["`build.check.skip = false` has no effect: an earlier layer says true"]);
    });
}

#[test]
fn files_every_value_knows_where_it_is_from() {
    with_tree(&[], |folder, distro| {
        let distro = distro.expect("it is sound");
        let shown = |name: &str, key: &str| -> Vec<String> {
            let reasons = distro.why(&distro.components[name], key);
            let line = |reason: &distro::Reason| {
                let file = reason.saying.at.file.strip_prefix(folder).expect("below the folder").display().to_string();
                let mark = if reason.is_in_effect { "*" } else { "-" };
                let saying = &reason.saying;
                format!("{mark} {} {} {file}:{} {}", saying.key, saying.value, saying.at.line, reason.layer)
            };
            reasons.iter().map(line).collect()
        };
        assert_eq!(
            shown("bash", "build.check.skip"),
            ["- build.check.skip true base/project.toml:11 component group `b-quiet`"]
        );
        assert_eq!(
            shown("zlib", "spec.upstream-distro.version"),
            ["* spec.upstream-distro.version \"43\" distros/all.toml:7 version 4.0-stage2 of `azl`"]
        );
        assert_eq!(
            shown("rust-a", "publish"),
            [
                "- publish.rpm-channel \"rpm-sdk\" base/project.toml:7 project",
                "* publish.rpm-channel \"rpm-rust\" base/project.toml:14 component group `a-rust`"
            ]
        );
        // Every value in effect has a reason, whatever the component.
        for component in distro.components.values() {
            let reasons = distro.why(component, "");
            for saying in component.settings.sayings() {
                let has_reason = reasons.iter().any(|reason| reason.is_in_effect && reason.saying == saying);
                assert!(has_reason || saying.key.starts_with("overlays."), "{} {saying:?}", component.name);
            }
        }
    });
}

#[test]
fn files_packages_go_to_channels() {
    with_tree(&[], |_, distro| {
        let distro = distro.expect("it is sound");
        let channels = Channels::new(&distro.package_groups, &distro.default_publish);
        for (component, package, expected) in [
            ("zlib", "zlib", Some("rpm-base")),
            ("zlib", "zlib-devel", Some("rpm-sdk")),
            ("bash", "bash-devel", Some("rpm-devel")),
            ("bash", "bash-doc", Some("rpm-sdk")),
            ("bash", "bash-debuginfo", None),
            ("rust-a", "rust-a", Some("rpm-rust")),
            ("rust-b", "rust-b-devel", Some("rpm-one")),
        ] {
            assert_eq!(channels.channel(&distro.components[component], package), expected, "{package}");
        }
    });
}

#[test]
fn files_what_cannot_be_merged_is_an_error() {
    for (file, text, expected) in [
        ("distros/more.toml", "[components.bash]\n", "component `bash` is defined twice"),
        ("base/comps/z.comp.toml", "[components.z]\nunset = [\"build.chekc\"]\n", "there is no key `build.chekc`"),
        ("base/comps/z.comp.toml", "[component-groups.z]\ncomponents = [\"bahs\"]\n", "did you mean `bash`?"),
        ("base/comps/z.comp.toml", "[component-groups.z]\nquery = \"grup:x\"\n", "did you mean `group:x`?"),
        ("base/comps/z.comp.toml", "[package-groups.z]\npackages = [\"a\", \"a\"]\n", "listed twice"),
        ("base/comps/z.comp.toml", "[images.z]\ntests.test-suites = [{ name = \"t\" }]\n", "a test suite `t`"),
        (
            "base/comps/z.comp.toml",
            "[components.z]\nspec.upstream-commit = \"xyz\"\n",
            "`xyz` is no commit of git\n  --> base/comps/z.comp.toml:2:24",
        ),
        (
            "base/comps/z.comp.toml",
            "[components.z]\noverlay-files = [\"no.toml\"]\n",
            "the overlay file `no.toml` does not exist",
        ),
        (
            "base/comps/x/y/bad.overlay.toml",
            "[metadata]\ncategory = \"pruning\"\nupstream-status = \"unknown\"\n",
            "an overlay file has overlays",
        ),
        (
            "base/comps/z.comp.toml",
            "[components.z]\nspec = { type = \"local\", path = \"z.spec\" }\n",
            "does not exist",
        ),
        (
            "base/comps/z.comp.toml",
            "[resources.rpm-repos.r]\nbase-uri = \"https://example.org\"\n",
            "no `gpg-key` says by which key",
        ),
        (
            "base/comps/z.comp.toml",
            "[resources.rpm-repo-sets.r]\nbase-uri = \"https://e.org\"\ndisable-gpg-check = true\ntemplate = \"azl-standart\"\n",
            "did you mean `azl-standard`?",
        ),
    ] {
        let shown = with_tree(&[(file, text)], |_, distro| distro.expect_err(expected));
        assert!(shown.contains(expected), "{expected}\nnot in\n{shown}");
    }
}

#[test]
fn files_what_does_not_fit_together_is_found() {
    let rendered = |name: &'static str| (name, "Name: x\n");
    let sound = [
        rendered("specs/b/bash/bash.spec"),
        rendered("specs/z/zlib/zlib.spec"),
        rendered("specs/r/rust-a/rust-a.spec"),
        rendered("specs/r/rust-b/rust-b.spec"),
    ];
    let check = |changes: &[(&'static str, &'static str)]| -> Vec<String> {
        let all: Vec<_> = sound.iter().chain(changes).copied().collect();
        with_tree(&all, |folder, distro| {
            let today = distro::overlay::Date::parse("2027-01-01");
            let found = consistency::check(&distro.expect("it is sound"), today);
            let shown = format!("{}/", folder.display());
            found.iter().map(|problem| problem.to_string().replace(&shown, "")).collect()
        })
    };
    assert_eq!(check(&[]), [""; 0]);
    for (file, text, expected) in [
        (
            "base/comps/z.comp.toml",
            "[distros.fedora.versions.44]\nrelease-ver = \"43\"\n",
            "version 44 of `fedora` has the release version 43\n  --> base/comps/z.comp.toml:2:15",
        ),
        (
            "base/comps/z.comp.toml",
            "[package-groups.z]\npackages = [\"zlib\"]\ndefault-package-config.publish.channel = \"other\"\n",
            "the package `zlib` is in two groups with channels\n  --> base/comps/z.comp.toml:2:13",
        ),
        ("base/comps/z.comp.toml", "[components.z]\n", "`z` was never rendered"),
        ("specs/o/old/old.spec", "", "the rendered folder `specs/o/old` belongs to no component"),
        ("specs/b/bash/RENDER_FAILED", "", "`bash` has a rendered spec and `RENDER_FAILED` beside it"),
        (
            "base/comps/z.comp.toml",
            "[distros.fedora]\ndefault-version = \"45\"\n",
            "the default version 45 of `fedora` is not defined",
        ),
        (
            "base/comps/z.comp.toml",
            "[component-groups.z]\ncomponents = [\"bash\"]\ndefault-component-config.spec.upstream-distro = { name = \"fedora\", version = \"4\" }\n",
            "`fedora` has no version 4\n  --> base/comps/z.comp.toml:3:",
        ),
        (
            "base/comps/z.comp.toml",
            "[component-groups.z]\ncomponents = [\"bash\"]\n[[component-groups.z.default-component-config.overlays]]\ntype = \"patch-add\"\nsource = \"no.patch\"\n",
            "the file `base/comps/no.patch` of this overlay does not exist",
        ),
        (
            "base/comps/z.comp.toml",
            "[component-groups.z]\ncomponents = [\"bash\"]\n[[component-groups.z.default-component-config.overlays]]\ntype = \"patch-remove\"\nfile = \"a\"\nexpires = 2026-12-31\n",
            "this overlay was wanted until 2026-12-31\n  --> base/comps/z.comp.toml:6:11",
        ),
        (
            "base/comps/z.comp.toml",
            "[images.i]\ndefinition = { type = \"kiwi\", path = \"i.kiwi\" }\n",
            "does not exist",
        ),
    ] {
        let found = check(&[(file, text)]);
        assert!(found.len() == 1 && found[0].contains(expected) || expected == "`z` was never rendered", "{found:#?}");
        assert!(found.iter().any(|problem| problem.contains(expected)), "{expected}\nnot in\n{found:#?}");
    }
}
