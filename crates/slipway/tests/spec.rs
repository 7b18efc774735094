//! Whole output of `slipway spec`: what the program prints for the specs in `spec/`, compared with `spec/answers/`.

use std::path::Path;
use std::process::Command;

/// Name of the answer, and the arguments behind `slipway spec`, divided by blanks.
const CASES: &[(&str, &str)] = &[
    ("query", "query tree/good --macros macros.t"),
    ("query-json", "query tree/good --macros macros.t --json"),
    (
        "query-fields",
        "query tree/good tree/lint/lint.spec --macros macros.t --field source,binaries,requires,dynamic-build-requires",
    ),
    ("query-field", "query tree/good --macros macros.t --field build-requires --without tests"),
    ("query-failures", "query tree --macros macros.t --field license"),
    ("query-failures-json", "query tree/bad --macros macros.t --json --field name"),
    ("query-failure", "query tree/bad/worse.spec --macros macros.t"),
    ("query-target", "query tree/good --macros macros.t --target aarch64 --define dist~.x9 --field binaries"),
    ("query-keep-undefined", "query tree/bad/bad.spec --macros macros.t --keep-undefined --field build-requires"),
    ("eval", "eval tree/good --macros macros.t"),
    ("eval-text", "eval tree/good --macros macros.t --eval %{name}-%{version}-%{release}"),
    ("eval-plain", "eval --macros macros.t --eval %{dist}%[1+1]"),
    ("eval-json", "eval --macros macros.t --eval %{dist} --json"),
    ("eval-nothing", "eval --macros macros.t"),
    ("eval-shell", "eval --macros macros.t --eval %(uname)"),
    ("parse", "parse tree/good"),
    ("parse-json", "parse tree/demo-rpm-macros --json"),
    ("lint", "lint tree --macros macros.t"),
    ("lint-json", "lint tree/lint --macros macros.t --json"),
    (
        "lint-allow",
        "lint tree/lint --macros macros.t --allow duplicate-dependency,unused-source,undefined-macro,dead-bcond --allow changelog-order",
    ),
    ("lint-clean", "lint tree/good/good.spec --macros macros.t --allow package-without-files"),
    ("lint-codes", "lint --codes"),
    ("lint-unknown-code", "lint tree --allow nothing"),
    ("macros-from", "lint tree/lint --macros macros.t --macros-from tree"),
    ("macros-from-eval", "eval --macros macros.t --macros-from tree --eval %{demo_made}|%{demo_build~x}"),
    ("no-such-path", "query nowhere"),
    ("no-definition", "query tree/good --define dist"),
];

/// What the program says, as the answers show it.
#[expect(clippy::disallowed_methods, reason = "the program that is tested, and no tool of Slipway's")]
fn said(arguments: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
    let words = arguments.split(' ').map(|word| word.replace('~', " "));
    let output = Command::new(env!("CARGO_BIN_EXE_slipway"))
        .arg("spec")
        .args(words)
        .args(["--store", env!("CARGO_TARGET_TMPDIR")])
        .current_dir(folder)
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut said = format!("$ slipway spec {}\n{}", arguments.replace('~', " "), text(&output.stdout));
    for line in text(&output.stderr).lines() {
        said.push_str(&format!("! {line}\n"));
    }
    said.push_str(&format!("exit code {}\n", output.status.code().unwrap_or(-1)));
    said
}

#[test]
fn files_output_of_the_commands() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec/answers");
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("answers");
    fs_err::create_dir_all(&new).expect("there is room");
    let mut differ = Vec::new();
    for (name, arguments) in CASES {
        let said = said(arguments);
        let known = fs_err::read_to_string(folder.join(format!("{name}.txt"))).unwrap_or_default();
        if said != known {
            fs_err::write(new.join(format!("{name}.txt")), &said).expect("there is room");
            differ.push(*name);
        }
    }
    assert!(
        differ.is_empty(),
        "the output of {differ:?} is another; look at it, and if it is right: cp {}/*.txt {}",
        new.display(),
        folder.display()
    );
}

#[test]
fn files_every_answer_has_its_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec/answers");
    for entry in fs_err::read_dir(folder).expect("the answers are there") {
        let name = entry.expect("the answers are there").file_name().to_string_lossy().into_owned();
        assert!(CASES.iter().any(|(case, _)| format!("{case}.txt") == name), "{name} is no case's");
    }
}

/// Skiff's own specs have no findings.
#[test]
#[expect(clippy::disallowed_methods, reason = "the program that is tested, and no tool of Slipway's")]
fn files_specs_of_the_distribution_are_clean() {
    let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../distro");
    let output = Command::new(env!("CARGO_BIN_EXE_slipway"))
        .args(["spec", "lint", "--store", env!("CARGO_TARGET_TMPDIR"), "--directory"])
        .arg(definition)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.is_empty(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
