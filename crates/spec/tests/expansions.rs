//! Expansions, each with what rpm 6 makes of it (`fixtures/ORIGIN`).

use std::path::Path;

use spec::{Environment, Macros, Origin, Target};

fn fixture(name: &str) -> String {
    fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name))
        .expect("the fixture is there")
}

/// Lines of one kind in a block, joined.
fn lines(block: &str, mark: &str) -> Option<String> {
    let found: Vec<&str> = block
        .lines()
        .filter_map(|line| line.strip_prefix(mark).map(|rest| rest.strip_prefix(' ').unwrap_or(rest)))
        .collect();
    (!found.is_empty()).then(|| found.join("\n"))
}

#[test]
fn texts_expand_as_rpm_expands_them() {
    let mut macros = Macros::builtin();
    macros.load(&fixture("base.macros"), &Origin::new("base.macros"));
    assert_eq!(macros.warnings(), []);
    let environment = Environment::new(macros.into(), Target::linux("x86_64"));
    let mut wrong = Vec::new();
    let fixture = fixture("expansions.txt");
    let blocks: Vec<&str> = fixture.split("\n\n").collect();
    for block in &blocks {
        let input = lines(block, ">").unwrap();
        let ours = spec::expand(&input, &Origin::new("-E"), &environment);
        match (lines(block, "<"), ours) {
            (Some(theirs), Ok(ours)) if theirs == ours => {}
            (None, Err(_)) => {}
            (theirs, ours) => wrong.push(format!("{input}\n  rpm  {theirs:?}\n  ours {ours:?}")),
        }
    }
    assert!(blocks.len() > 100, "the fixture is there");
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), blocks.len(), wrong.join("\n"));
}
