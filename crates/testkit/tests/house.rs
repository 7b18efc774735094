//! The house stands as planned: each crate uses only crates that the plan of the floors gives it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Floor, crate, and the crates that it may use. A change here is a change of the architecture.
const PLAN: &[(u8, &str, &str)] = &[
    // words
    (0, "pkg", ""),
    // formats
    (1, "spec", "pkg"),
    (1, "rpm", "pkg tree"),
    (1, "repodata", "pkg"),
    (1, "tree", "pkg"),
    (1, "disk", "pkg tree"),
    // reasoning
    (2, "distro", "pkg spec"),
    (2, "solve", "pkg"),
    (2, "plan", "pkg spec distro solve"),
    // hands
    (3, "host", ""),
    (3, "store", "pkg host"),
    (3, "sign", "pkg host"),
    // stages
    (4, "install", "rpm repodata solve tree sign store host pkg"),
    (4, "build", "plan install spec rpm tree sign store host pkg"),
    (4, "publish", "rpm repodata sign store host pkg"),
    (4, "image", "install disk tree distro sign store host pkg"),
    (4, "update", "install repodata rpm solve disk tree distro sign store host pkg"),
    // people
    (5, "slipway", "*"),
    (5, "testkit", "*"),
];

/// A dependency of one crate of the workspace on another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    from: String,
    to: String,
    for_tests: bool,
}

fn arrow(from: &str, to: &str) -> Arrow {
    Arrow { from: from.to_owned(), to: to.to_owned(), for_tests: false }
}

/// What is not as planned, a line each.
fn differences(crates: &BTreeSet<String>, arrows: &BTreeSet<Arrow>, plan: &[(u8, &str, &str)]) -> Vec<String> {
    let rows: BTreeMap<&str, (u8, Vec<&str>)> =
        plan.iter().map(|(floor, name, uses)| (*name, (*floor, uses.split(' ').collect()))).collect();
    let mut found = Vec::new();
    for name in crates.iter().filter(|name| !rows.contains_key(name.as_str())) {
        found.push(format!("the crate `{name}` has no floor"));
    }
    for name in rows.keys().filter(|name| !crates.contains(**name)) {
        found.push(format!("the plan has a crate `{name}`, the workspace has not"));
    }
    for arrow in arrows {
        let (Some((floor, uses)), Some((below, _))) = (rows.get(arrow.from.as_str()), rows.get(arrow.to.as_str()))
        else {
            continue;
        };
        let is_planned = match arrow.for_tests {
            // Tests may lean on whatever is below, and on what is there for tests.
            true => arrow.to == "testkit" || below < floor || uses.contains(&arrow.to.as_str()),
            false => arrow.to != "testkit" && (uses.contains(&"*") || uses.contains(&arrow.to.as_str())),
        };
        if !is_planned {
            let kind = if arrow.for_tests { " in its tests" } else { "" };
            found.push(format!("`{}` uses `{}`{kind}, which the plan does not give it", arrow.from, arrow.to));
        }
    }
    found
}

/// The crates of the workspace and the arrows between them, as cargo has them.
#[expect(clippy::disallowed_methods, reason = "cargo is the one that runs this test, and no tool of Slipway's")]
fn workspace() -> (BTreeSet<String>, BTreeSet<Arrow>) {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path", manifest];
    let output = Command::new(env!("CARGO")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |value: &serde_json::Value| value["name"].as_str().unwrap().to_owned();
    let crates: BTreeSet<String> = packages.iter().map(name).collect();
    let mut arrows = BTreeSet::new();
    for package in packages {
        let ours = package["dependencies"].as_array().unwrap().iter().filter(|used| used["path"].is_string());
        arrows.extend(ours.map(|used| Arrow { from: name(package), to: name(used), for_tests: used["kind"] == "dev" }));
    }
    (crates, arrows)
}

#[test]
fn crates_use_only_what_the_plan_gives_them() {
    let (crates, arrows) = workspace();
    assert!(arrows.contains(&arrow("store", "pkg")), "cargo's answer is understood");
    let found = differences(&crates, &arrows, PLAN);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_is_not_planned_is_found() {
    let (crates, arrows) = workspace();
    for (arrow, complaint) in [
        (arrow("rpm", "host"), "`rpm` uses `host`, which"),
        (arrow("publish", "build"), "`publish` uses `build`, which"),
        (arrow("slipway", "testkit"), "`slipway` uses `testkit`, which"),
        (Arrow { for_tests: true, ..arrow("rpm", "install") }, "`rpm` uses `install` in its tests"),
    ] {
        let mut arrows = arrows.clone();
        arrows.insert(arrow);
        let found = differences(&crates, &arrows, PLAN);
        assert!(found.len() == 1 && found[0].starts_with(complaint), "{found:?}");
    }
    let mut more = crates.clone();
    more.insert("attic".to_owned());
    assert_eq!(differences(&more, &arrows, PLAN), ["the crate `attic` has no floor"]);
    more.remove("attic");
    more.remove("tree");
    assert!(
        differences(&more, &arrows, PLAN).contains(&"the plan has a crate `tree`, the workspace has not".to_owned())
    );
}

#[test]
fn the_plan_leads_downwards_but_for_what_it_names() {
    // Beside each other on purpose: formats that hold trees, plans of definitions, stages on `install`, hands on `host`.
    let beside = [
        "rpm tree",
        "disk tree",
        "plan distro",
        "plan solve",
        "store host",
        "sign host",
        "build install",
        "image install",
        "update install",
    ];
    let floors: BTreeMap<&str, u8> = PLAN.iter().map(|(floor, name, _)| (*name, *floor)).collect();
    for (floor, name, uses) in PLAN {
        for used in uses.split(' ').filter(|used| !used.is_empty() && *used != "*") {
            let is_below = floors[used] < *floor || beside.contains(&format!("{name} {used}").as_str());
            assert!(is_below, "`{name}` is planned to use `{used}`, which is not below it");
        }
    }
}
