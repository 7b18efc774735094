//! Whole definitions, good and bad, in a temporary folder.

use std::path::Path;

use distro::{Distro, Locks, load};

const ROOT: &str = r#"
includes = ["stage0.toml", "components/*/comp.toml", "images.toml"]
[project]
description = "A sample"
default-distro = { name = "skiff", version = "1.0" }
source-date-epoch = 1700000000
[distros.skiff.versions."1.0"]
release-ver = "1.0"
default-component-config.build = { defines = { dist = ".sk1" }, check = { skip = true, skip_reason = "slow" } }
[component-groups.checked]
components = ["zlib"]
default-component-config.unset = ["build.check"]
[package-groups.base]
packages = ["bash", "zlib"]
"#;
const STAGE0: &str = "[stage0]\nsuite = \"trixie\"\npackages = [\"gcc\"]\nprovides = [\"libc.so.6*\"]\n";
const ZLIB: &str = r#"
[components.zlib]
spec = { type = "local", path = "zlib.spec" }
[[components.zlib.source-files]]
filename = "zlib.tar.gz"
origin = { type = "debian", source = "zlib" }
"#;
const IMAGES: &str = "[images.vm]\ndefinition = { type = \"slipway\", path = \"vm.toml\" }\n";
const VM: &str = "[image]\ngroups = [\"base\"]\npackages = [\"bash\", \"systemd\"]\n[[image.partitions]]\ntype = \"root\"\nfree = \"64M\"\n";

/// Writes the sample with some files changed, and loads it.
fn load_with(changes: &[(&str, &str)]) -> Result<Distro, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lock = format!(
        "version = 1\n[[source]]\nfilename = \"zlib.tar.gz\"\nhash-type = \"SHA512\"\nhash = \"{}\"\nsize = 1\n",
        "a".repeat(128)
    );
    let files = [
        ("distro.toml", ROOT),
        ("stage0.toml", STAGE0),
        ("components/zlib/comp.toml", ZLIB),
        ("components/zlib/zlib.spec", "Name: zlib\n"),
        ("images.toml", IMAGES),
        ("vm.toml", VM),
        ("locks/zlib.lock", &lock),
    ];
    for (name, text) in files.iter().chain(changes) {
        let path = folder.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        fs_err::write(path, text).expect("a file");
    }
    let shown = format!("{}/", folder.path().display());
    load(&folder.path().join("distro.toml"), Locks::Required)
        .map_err(|problems| format!("error: {problems}").replace(&shown, ""))
}

#[test]
fn files_a_definition_loads_with_its_layers() {
    let distro = load_with(&[]).unwrap();
    let zlib = &distro.components["zlib"];
    assert_eq!(zlib.build.defines["dist"], ".sk1");
    assert!(!zlib.build.check.skip, "the group takes back what the version says");
    assert_eq!(zlib.source_files[0].hash.as_ref().unwrap().hex(), "a".repeat(128));
    assert_eq!(distro.images["vm"].definition.packages, ["bash", "zlib", "systemd"]);
    assert_eq!(distro.images["vm"].definition.partitions[0].free, 64 << 20);
    assert!(distro.stage0.stands_in_for("libc.so.6(GLIBC_2.38)(64bit)"));
}

#[test]
fn files_a_typo_shows_its_place_and_the_nearest_key() {
    let wrong = ZLIB.replace("filename", "filenmae");
    let shown = load_with(&[("components/zlib/comp.toml", &wrong)]).unwrap_err();
    assert!(
        shown.contains(
            "error: there is no key `filenmae` in `components.zlib.source-files`\n  \
             --> components/zlib/comp.toml:5:1\n 5 | filenmae = \"zlib.tar.gz\"\n   | ^^^^^^^^\nhint: did you mean `filename`?"
        ),
        "{shown}"
    );
}

#[test]
fn files_the_running_program_is_a_source_without_lock_or_digest() {
    let tool = "[components.tool]\nspec = { type = \"local\", path = \"tool.spec\" }\norigin = \"self\"\n\
                [[components.tool.source-files]]\nfilename = \"tool\"\norigin = { type = \"self\" }\n";
    let spec = ("components/tool/tool.spec", "Name: tool\n");
    let distro = load_with(&[("components/tool/comp.toml", tool), spec]).unwrap();
    assert_eq!(distro.components["tool"].source_files[0].origin, distro::FileOrigin::Program);
    assert_eq!(distro.components["tool"].origin.as_str(), "self");
    let pinned = format!("{tool}hash-type = \"SHA512\"\nhash = \"{}\"\n", "a".repeat(128));
    let shown = load_with(&[("components/tool/comp.toml", &pinned), spec]).unwrap_err();
    assert!(shown.contains("components/tool/comp.toml:8:8") && shown.contains("remove `hash`"), "{shown}");
    let sourced = tool.replace("type = \"self\"", "type = \"self\", source = \"x\"");
    let shown = load_with(&[("components/tool/comp.toml", &sourced), spec]).unwrap_err();
    assert!(shown.contains("`source` means nothing to an origin of type `self`"), "{shown}");
}

#[test]
fn files_all_problems_come_at_once() {
    let root = ROOT.replace("source-date-epoch = 1700000000", "source-date-epoch = \"now\"");
    let shown = load_with(&[
        ("distro.toml", &root.replace("[\"zlib\"]", "[\"zlbi\"]")),
        ("vm.toml", "[image]\ngroups = [\"bsae\"]\nformats = [\"vmdk\"]\npartitions = 5\n"),
        ("components/copy/comp.toml", ZLIB),
    ])
    .unwrap_err();
    for expected in [
        "`project.source-date-epoch` should be a whole number, zero or more, and is a string",
        "the group `checked` names a component `zlbi` that does not exist",
        "hint: did you mean `zlib`?",
        "there is no package group `bsae`\n  --> vm.toml:2:11\nhint: did you mean `base`?",
        "images of format `vmdk` cannot be written",
        "`image.partitions` should be a list of tables, and is a whole number",
        "component `zlib` is defined twice",
    ] {
        assert!(shown.contains(expected), "{expected}\nnot in\n{shown}");
    }
}

#[test]
fn files_circles_and_missing_files_are_named() {
    for (file, text, expected) in [
        ("stage0.toml", "includes = [\"distro.toml\"]", "includes lead in a circle"),
        (
            "images.toml",
            "includes = [\"nowhere.toml\"]",
            "the included file `nowhere.toml` does not exist\n  --> images.toml:1:13",
        ),
        (
            "images.toml",
            "[package-groups.a]\ngroups = [\"b\"]\n[package-groups.b]\ngroups = [\"a\"]\n",
            "circle: a -> b -> a",
        ),
        ("stage0.toml", "[stage0\nsuite = 1", "not valid TOML"),
        ("locks/zlib.lock", "version = 1\n", "the source `zlib.tar.gz` of `zlib` is not locked"),
        ("locks/zlib.lock", "version = 2\n", "lock files of version 2 are not known"),
    ] {
        let shown = load_with(&[(file, text)]).unwrap_err();
        assert!(shown.contains(expected), "{expected}\nnot in\n{shown}");
    }
}
