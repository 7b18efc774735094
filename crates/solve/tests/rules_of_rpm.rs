//! One universe per rule: what is installed, or why not.

#![expect(clippy::unwrap_used, reason = "a test's own functions")]

mod corpus;

use corpus::{names, packages, request};
use solve::{Because, Request, Universe, Unsolvable, Upgrade, resolve};

fn solve(universe: &Universe, request: &Request) -> Result<Vec<String>, Unsolvable> {
    resolve(universe, request).map(|solution| names(universe, &solution))
}

/// Solves and compares: the packages' names without `-1.noarch`, in order.
fn installs(text: &str, install: &[&str], expected: &[&str]) {
    let universe = Universe::new(packages(text));
    let mut found = solve(&universe, &request(install)).unwrap_or_else(|error| panic!("{error}"));
    found.iter_mut().for_each(|name| *name = name.replace("-1.noarch", ""));
    assert_eq!(found, expected, "{install:?} of\n{text}");
}

fn fails(text: &str, install: &[&str], expected: &str) {
    let universe = Universe::new(packages(text));
    let error = solve(&universe, &request(install)).unwrap_err();
    assert_eq!(error.to_string().trim(), expected.trim(), "{install:?} of\n{text}");
}

#[test]
fn the_newest_that_fits_is_taken() {
    let text = "a-1-1.noarch\na-2-1.noarch\na-3-1.noarch\n  requires missing\nb-1-1.noarch\n  requires a < 2\n";
    installs(text, &["a"], &["a-2"]);
    installs(text, &["a", "b"], &["a-1", "b-1"]);
    installs(text, &["a = 1"], &["a-1"]);
}

#[test]
fn provides_overlap_in_ranges() {
    let text = "a-1-1.noarch\n  provides v = 2-3\n  provides plain\nb-1-1.noarch\n  requires v >= 2\nc-1-1.noarch\n  requires plain = 1\nd-1-1.noarch\n  requires v > 2\ne-1-1.noarch\n  conflicts plain < 1\n";
    installs(text, &["b"], &["a-1", "b-1"]);
    // What is provided without version satisfies every version, and conflicts with every version: so says rpm itself.
    installs(text, &["c"], &["a-1", "c-1"]);
    assert!(solve(&Universe::new(packages(text)), &request(&["a", "e"])).is_err());
    fails(
        text,
        &["d"],
        "no set of packages satisfies the request
  the request asks for `d`: only `d-1-1.noarch`
  `d-1-1.noarch` requires `v > 2`, which nothing provides; `a-1-1.noarch` provides `v = 2-3`",
    );
}

#[test]
fn files_satisfy_paths() {
    let text = "sh-5-1.noarch\n  file /usr/bin/sh\n  file /usr/share/doc/sh\na-1-1.noarch\n  requires /usr/bin/sh\n";
    installs(text, &["a"], &["a-1", "sh-5"]);
    installs(text, &["/usr/share/doc/sh"], &["sh-5"]);
}

#[test]
fn conflicts_name_others_never_oneself() {
    let text = "a-1-1.noarch\n  provides mta\n  conflicts mta\nb-1-1.noarch\n  provides mta\n  conflicts mta\nc-1-1.noarch\n  requires mta\n";
    installs(text, &["a"], &["a-1"]);
    installs(text, &["c"], &["a-1", "c-1"]);
    installs(text, &["c", "b"], &["b-1", "c-1"]);
    fails(
        text,
        &["a", "b"],
        "no set of packages satisfies the request
  the request asks for `a`: only `a-1-1.noarch`
  the request asks for `b`: only `b-1-1.noarch`
  `a-1-1.noarch` conflicts with `mta`, which is `b-1-1.noarch`
it would help not to ask for `a`, or not to ask for `b`",
    );
}

#[test]
fn obsoletes_match_names_and_win_choices() {
    let text = "old-1-1.noarch\nnew-2-1.noarch\n  provides old = 2\n  obsoletes old < 2\nuser-1-1.noarch\n  requires old\nother-1-1.noarch\n  provides old = 1\n";
    installs(text, &["user"], &["new-2", "user-1"]);
    installs(text, &["old"], &["new-2"]);
    installs(text, &["new", "other"], &["new-2", "other-1"]);
    fails(
        text,
        &["old = 1", "new"],
        "no set of packages satisfies the request
  the request asks for `old = 1`: only `old-1-1.noarch`
  the request asks for `new`: only `new-2-1.noarch`
  `new-2-1.noarch` replaces `old-1-1.noarch`
it would help not to ask for `old = 1`, or not to ask for `new`",
    );
}

#[test]
fn one_version_of_a_name() {
    let text = "a-1-1.noarch\na-2-1.noarch\nb-1-1.noarch\n  requires a = 1\n";
    fails(
        text,
        &["a = 2", "b"],
        "no set of packages satisfies the request
  the request asks for `a = 2`: only `a-2-1.noarch`
  the request asks for `b`: only `b-1-1.noarch`
  `b-1-1.noarch` requires `a = 1`: only `a-1-1.noarch`
  `a-1-1.noarch` and `a-2-1.noarch` cannot be there together
it would help not to ask for `a = 2`, or not to ask for `b`",
    );
    let universe = Universe::new(packages(text));
    let mut request = request(&["a = 2", "b"]);
    request.several = vec!["a".to_owned()];
    assert_eq!(solve(&universe, &request).unwrap().len(), 3);
}

#[test]
fn rich_dependencies() {
    let text = "x-1-1.noarch\ny-1-1.noarch\n  provides p\nz-1-1.noarch\n  provides p\n  provides q\n";
    let with = |requires: &str| format!("{text}a-1-1.noarch\n  requires {requires}\n");
    for (requires, others, expected) in [
        ("(x and y)", &[][..], &["a-1", "x-1", "y-1"][..]),
        ("(missing or y)", &[], &["a-1", "y-1"]),
        ("(y or x)", &[], &["a-1", "y-1"]),
        ("(x or y)", &[], &["a-1", "x-1"]),
        ("(x if y)", &[], &["a-1"]),
        ("(x if y)", &["y"], &["a-1", "x-1", "y-1"]),
        ("(x if y else z)", &[], &["a-1", "z-1"]),
        ("(p with q)", &[], &["a-1", "z-1"]),
        ("(p without q)", &[], &["a-1", "y-1"]),
        ("(x unless y)", &[], &["a-1", "x-1"]),
        ("(x unless y else z)", &["y"], &["a-1", "y-1", "z-1"]),
        ("((x and y) or missing)", &[], &["a-1", "x-1", "y-1"]),
        ("(x if (y or z))", &["z"], &["a-1", "x-1", "z-1"]),
    ] {
        installs(&with(requires), &[&["a"][..], others].concat(), expected);
    }
    let conflict = format!("{text}a-1-1.noarch\n  conflicts (x and y)\n");
    installs(&conflict, &["a", "x"], &["a-1", "x-1"]);
    assert!(solve(&Universe::new(packages(&conflict)), &request(&["a", "x", "y"])).is_err());
    installs(text, &["(missing or x)"], &["x-1"]);
    fails(
        &with("(x or)"),
        &["a"],
        "no set of packages satisfies the request
  the request asks for `a`: only `a-1-1.noarch`
  `a-1-1.noarch` cannot be satisfied: the dependency `(x or)` has no name where it should at byte 5",
    );
}

#[test]
fn weak_dependencies_are_followed_where_they_can_be() {
    let text = "a-1-1.noarch\n  recommends good\n  recommends bad\n  recommends missing\n  recommends (extra if good)\ngood-1-1.noarch\nbad-1-1.noarch\n  conflicts a\nextra-1-1.noarch\nplugin-1-1.noarch\n  supplements (a and good)\nother-1-1.noarch\n  supplements unrelated\n";
    installs(text, &["a"], &["a-1", "extra-1", "good-1", "plugin-1"]);
    let universe = Universe::new(packages(text));
    let mut request = request(&["a"]);
    request.weak = false;
    assert_eq!(solve(&universe, &request).unwrap(), ["a-1-1.noarch"]);
}

#[test]
fn suggestions_turn_choices() {
    let text = "x-1-1.noarch\n  provides p\ny-1-1.noarch\n  provides p\nz-1-1.noarch\n  provides p\n  enhances b\n";
    installs(&format!("{text}a-1-1.noarch\n  requires p\n"), &["a"], &["a-1", "x-1"]);
    installs(&format!("{text}a-1-1.noarch\n  requires p\n  suggests y\n"), &["a"], &["a-1", "y-1"]);
    installs(&format!("{text}b-1-1.noarch\n  requires p\n"), &["b"], &["b-1", "z-1"]);
}

#[test]
fn choices_prefer_name_then_fewer_packages_and_share() {
    let text = "big-1-1.noarch\n  provides p\n  requires big-libs\nbig-libs-1-1.noarch\nsmall-1-1.noarch\n  provides p\np-1-1.noarch\nuser-1-1.noarch\n  requires v\nv1-1-1.noarch\n  provides v\n  requires big-libs\nv2-1-1.noarch\n  provides v\nneeds-1-1.noarch\n  requires v1\n";
    installs(text, &["p"], &["p-1"]);
    installs(text, &["user"], &["user-1", "v2-1"]);
    // Both requests can share one provider.
    installs(text, &["user", "needs"], &["big-libs-1", "needs-1", "user-1", "v1-1"]);
}

#[test]
fn repositories_have_priorities() {
    installs("a-1-1.noarch\n  priority 10\na-2-1.noarch\n", &["a"], &["a-1"]);
}

#[test]
fn other_machines_and_excluded_packages_are_not_seen() {
    fails(
        "a-1-1.aarch64\n",
        &["a"],
        "no set of packages satisfies the request
  the request asks for `a`, which nothing provides; `a-1-1.aarch64` would, but is for another machine",
    );
    let universe = Universe::new(packages("a-1-1.noarch\na-2-1.noarch\n"));
    let mut request = request(&["a"]);
    request.exclude = vec!["a >= 2".parse().unwrap()];
    assert_eq!(solve(&universe, &request).unwrap(), ["a-1-1.noarch"]);
    request.install = vec!["a = 2".parse().unwrap()];
    let error = solve(&universe, &request).unwrap_err().to_string();
    let end = "`a-2-1.noarch` would, but is excluded\nit would help not to exclude `a-2-1.noarch`";
    assert!(error.ends_with(end), "{error}");
}

#[test]
fn what_is_installed_stays_unless_it_is_upgraded() {
    let text = "a-1-1.noarch\n  installed\na-2-1.noarch\nb-1-1.noarch\nold-1-1.noarch\n  installed\nnew-1-1.noarch\n  obsoletes old\nc-1-1.noarch\n  requires a >= 2\nd-1-1.noarch\n  conflicts a\n";
    installs(text, &["b"], &["a-1", "b-1", "old-1"]);
    installs(text, &["a"], &["a-1", "old-1"]);
    installs(text, &["c"], &["a-2", "c-1", "old-1"]);
    installs(text, &["new"], &["a-1", "new-1"]);
    let universe = Universe::new(packages(text));
    let mut upgrade = request(&[]);
    upgrade.upgrade = Upgrade::Named(vec!["a".to_owned()]);
    assert_eq!(solve(&universe, &upgrade).unwrap(), ["a-2-1.noarch", "old-1-1.noarch"]);
    let error = solve(&universe, &request(&["d"])).unwrap_err().to_string();
    assert!(error.contains("`a-1-1.noarch` is installed and may not be removed"), "{error}");
}

#[test]
fn what_rpm_can_do_is_no_package() {
    installs("a-1-1.noarch\n  requires rpmlib(CompressedFileNames) <= 3.0.4-1\n", &["a"], &["a-1"]);
}

#[test]
fn cycles_are_no_trouble() {
    installs("a-1-1.noarch\n  requires b\nb-1-1.noarch\n  requires a\n", &["a"], &["a-1", "b-1"]);
}

#[test]
fn every_package_has_its_reason() {
    let universe = Universe::new(packages("a-1-1.noarch\n  requires b\n  recommends c\nb-1-1.noarch\nc-1-1.noarch\n"));
    let solution = resolve(&universe, &request(&["a"])).unwrap();
    let because: Vec<&Because> = solution.packages().filter_map(|id| solution.because(id)).collect();
    let a = universe.named("a")[0];
    assert_eq!(because[0], &Because::Asked("a".parse().unwrap()));
    assert_eq!(because[1], &Because::Required { by: a, relation: "b".parse().unwrap() });
    assert_eq!(because[2], &Because::Recommended { by: a, relation: "c".parse().unwrap() });
}
