//! `%autorelease` and `%autochangelog` against what rpmautospec wrote for the same histories.

use std::sync::Arc;

use spec::autospec::{Commit, flags, process};
use spec::{Environment, Macros, Target};

fn read(value: &serde_json::Value) -> Commit {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let parents =
        value["parents"].as_array().map(|ids| ids.iter().filter_map(|id| id.as_str()).map(ToOwned::to_owned).collect());
    Commit {
        id: text("id"),
        tree: text("tree"),
        parents: parents.unwrap_or_default(),
        author: text("author"),
        email: text("email"),
        time: value["time"].as_i64().unwrap_or_default(),
        message: text("message"),
        spec: value["spec"].as_str().map(Arc::from),
        changelog: value["changelog"].as_str().map(Arc::from),
    }
}

#[test]
fn histories_give_what_rpmautospec_gives() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/autospec/cases.json");
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(&fs_err::read_to_string(path).expect("the cases")).expect("JSON");
    let environment = Environment::new(Macros::builtin().into(), Target::linux("x86_64"));
    let mut wrong = Vec::new();
    let mut used = 0;
    for (number, case) in cases.iter().enumerate() {
        let history: Vec<Commit> = case["history"].as_array().expect("commits").iter().map(read).collect();
        let head = history[0].spec.clone().expect("a spec");
        let found = process(&head, &history, &|text| flags(text, &environment)).expect("a version");
        let expected = case["output"].as_str().map(|text| {
            text.lines()
                .map(|line| {
                    if line.starts_with("## (rpmautospec version") {
                        "## (computed from the history by slipway)"
                    } else {
                        line
                    }
                })
                .map(|line| format!("{line}\n"))
                .collect::<String>()
        });
        used += usize::from(expected.is_some());
        if found != expected {
            wrong.push(format!(
                "case {number}:\n{}\n--- rpmautospec:\n{}",
                found.unwrap_or_default(),
                expected.unwrap_or_default()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ; the first: {}", wrong.len(), cases.len(), wrong[0]);
    assert!(used > 30, "only {used} cases use it");
}
