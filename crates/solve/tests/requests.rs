//! What a package manager asks for beside installing: one universe per wish.

#![expect(clippy::unwrap_used, reason = "a test's own functions")]

mod corpus;

use corpus::{names, packages, request};
use pkg::Relation;
use solve::{Allowed, Autoremove, Best, Paths, Request, Source, Universe, Upgrade, resolve};

fn relations(texts: &[&str]) -> Vec<Relation> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Solves, and says what will be there, without `-1.noarch`; or why not.
fn there(text: &str, change: impl FnOnce(&mut Request)) -> Result<Vec<String>, String> {
    let universe = Universe::new(packages(text));
    let mut request = request(&[]);
    change(&mut request);
    let solution = resolve(&universe, &request).map_err(|error| error.to_string())?;
    let mut found = names(&universe, &solution);
    found.iter_mut().for_each(|name| *name = name.replace("-1.noarch", ""));
    found.dedup();
    Ok(found)
}

const MACHINE: &str = "app-1-1.noarch\n  installed\n  requires lib\n  requires tool\nlib-1-1.noarch\n  installed\n  dependency\n  requires base\nbase-1-1.noarch\n  installed\n  dependency\ntool-1-1.noarch\n  installed\nlone-1-1.noarch\n  installed\n  dependency\n";

#[test]
fn what_requires_an_erased_package_goes_too() {
    let erase = |name: &'static str| there(MACHINE, move |request| request.erase = relations(&[name]));
    assert_eq!(erase("base").unwrap(), ["lone-1", "tool-1"]);
    assert_eq!(erase("app").unwrap(), ["base-1", "lib-1", "lone-1", "tool-1"]);
    assert_eq!(erase("missing").unwrap().len(), 5);
}

#[test]
fn dependencies_that_nothing_needs_go_where_that_is_wanted() {
    let erase = |autoremove| {
        there(MACHINE, move |request| {
            request.erase = relations(&["app"]);
            request.autoremove = autoremove;
        })
    };
    assert_eq!(erase(Autoremove::Freed).unwrap(), ["lone-1", "tool-1"]);
    assert_eq!(erase(Autoremove::All).unwrap(), ["tool-1"]);
    assert_eq!(
        there(MACHINE, |request| request.autoremove = Autoremove::All).unwrap(),
        ["app-1", "base-1", "lib-1", "tool-1"]
    );
}

#[test]
fn what_is_protected_stays() {
    let error = there(MACHINE, |request| {
        request.erase = relations(&["lib"]);
        request.protected = relations(&["app"]);
    });
    assert_eq!(
        error.unwrap_err(),
        "no set of packages satisfies the request
  `app-1-1.noarch` is installed and protected
  `app-1-1.noarch` requires `lib`: only `lib-1-1.noarch`
  the request erases `lib`, which is `lib-1-1.noarch`"
    );
}

#[test]
fn room_is_made_only_where_that_is_allowed() {
    let text = "old-1-1.noarch\n  installed\nnew-1-1.noarch\n  conflicts old\n";
    let error = there(text, |request| request.install = relations(&["new"])).unwrap_err();
    assert!(error.ends_with("it would help to let `old-1-1.noarch` be removed"), "{error}");
    let allowed = there(text, |request| {
        request.install = relations(&["new"]);
        request.erasing = Allowed::Yes;
    });
    assert_eq!(allowed.unwrap(), ["new-1"]);
}

#[test]
fn downgrades_take_the_newest_older_version() {
    let text = "a-1-1.noarch\na-2-1.noarch\na-3-1.noarch\n  installed\na-4-1.noarch\nb-1-1.noarch\n  installed\n";
    let to = |what: &'static str| there(text, move |request| request.downgrade = relations(&[what]));
    assert_eq!(to("a").unwrap(), ["a-2", "b-1"]);
    assert_eq!(to("a = 1").unwrap(), ["a-1", "b-1"]);
    let error = to("b").unwrap_err();
    assert!(error.contains("replaces `b-1-1.noarch` by an older version, which no repository has"), "{error}");
}

#[test]
fn reinstalling_takes_the_same_from_a_repository() {
    let universe = Universe::new(packages("a-1-1.noarch\n  installed\na-1-1.noarch\na-2-1.noarch\n"));
    let mut wish = request(&[]);
    wish.reinstall = relations(&["a"]);
    let solution = resolve(&universe, &wish).unwrap();
    let changes = solution.changes(&universe);
    assert!(matches!(changes[..], [solve::Change::Reinstall { .. }]), "{changes:?}");
    assert_eq!(names(&universe, &solution), ["a-1-1.noarch"]);
}

#[test]
fn synchronising_goes_either_way_and_leaves_what_is_the_same() {
    let text = "a-3-1.noarch\n  installed\na-1-1.noarch\na-2-1.noarch\nb-1-1.noarch\n  installed\nb-1-1.noarch\nb-2-1.noarch\nc-1-1.noarch\n  installed\nd-1-1.noarch\n  installed\nd-1-1.noarch\n";
    let universe = Universe::new(packages(text));
    let mut wish = request(&[]);
    wish.sync = Upgrade::All;
    let solution = resolve(&universe, &wish).unwrap();
    assert_eq!(names(&universe, &solution), ["a-2-1.noarch", "b-2-1.noarch", "c-1-1.noarch", "d-1-1.noarch"]);
    let changes = solution.changes(&universe);
    assert!(matches!(changes[..], [solve::Change::Downgrade { .. }, solve::Change::Upgrade { .. }]), "{changes:?}");
}

#[test]
fn the_best_or_nothing() {
    let text =
        "a-1-1.noarch\na-2-1.noarch\n  requires missing\nb-1-1.noarch\n  installed\nb-2-1.noarch\n  requires missing\n";
    assert_eq!(there(text, |request| request.install = relations(&["a"])).unwrap(), ["a-1", "b-1"]);
    let best = |install: &'static [&'static str], upgrade| {
        there(text, move |request| {
            request.install = relations(install);
            request.upgrade = upgrade;
            request.best = Best::Required;
        })
    };
    let error = best(&["a"], Upgrade::AsNeeded).unwrap_err();
    assert!(error.ends_with("it would help to accept versions that are not the best"), "{error}");
    let error = best(&[], Upgrade::All).unwrap_err();
    assert!(error.contains("the request replaces `b-1-1.noarch` by its best version: only `b-2-1.noarch`"), "{error}");
    assert_eq!(there(text, |request| request.upgrade = Upgrade::All).unwrap(), ["b-1"]);
}

#[test]
fn vendor_and_architecture_stay_unless_they_may_change() {
    let text = "a-1-1.noarch\n  installed\n  vendor us\na-2-1.noarch\n  vendor them\nb-1-1.x86_64\n  installed\nb-2-1.noarch\n";
    let upgrade = |vendor| {
        there(text, move |request| {
            request.upgrade = Upgrade::All;
            request.vendor_change = vendor;
        })
    };
    assert_eq!(upgrade(Allowed::No).unwrap(), ["a-1", "b-2"]);
    assert_eq!(upgrade(Allowed::Yes).unwrap(), ["a-2", "b-2"]);
}

#[test]
fn locked_names_keep_their_version() {
    let text = "a-1-1.noarch\n  installed\na-2-1.noarch\nb-1-1.noarch\nb-2-1.noarch\nc-1-1.noarch\n  requires a >= 2\n";
    let locked = |change: fn(&mut Request)| {
        there(text, move |request| {
            request.locked = relations(&["a = 1", "b = 1"]);
            change(request);
        })
    };
    assert_eq!(locked(|request| request.upgrade = Upgrade::All).unwrap(), ["a-1"]);
    assert_eq!(locked(|request| request.install = relations(&["b"])).unwrap(), ["a-1", "b-1"]);
    let error = locked(|request| request.install = relations(&["c"])).unwrap_err();
    assert!(error.contains("`a-2-1.noarch` would, but another version is locked"), "{error}");
    assert!(error.ends_with("it would help not to exclude `a-2-1.noarch`"), "{error}");
}

#[test]
fn several_versions_up_to_a_limit() {
    let text = "kernel-1-1.noarch\n  installed\nkernel-2-1.noarch\n  installed\nkernel-3-1.noarch\n  installed\nkernel-4-1.noarch\n";
    let upgrade = |limit, protected: &'static [&'static str]| {
        there(text, move |request| {
            request.upgrade = Upgrade::All;
            request.several = vec!["kernel".to_owned()];
            request.several_limit = limit;
            request.protected = relations(protected);
        })
    };
    assert_eq!(upgrade(0, &[]).unwrap(), ["kernel-1", "kernel-2", "kernel-3", "kernel-4"]);
    assert_eq!(upgrade(3, &[]).unwrap(), ["kernel-2", "kernel-3", "kernel-4"]);
    assert_eq!(upgrade(3, &["kernel = 1"]).unwrap(), ["kernel-1", "kernel-3", "kernel-4"]);
}

#[test]
fn wishes_are_left_out_where_they_cannot_be() {
    let text = "a-1-1.noarch\nb-1-1.noarch\n  requires missing\nc-1-1.noarch\n  conflicts a\n";
    let found = there(text, |request| {
        request.install = relations(&["a"]);
        request.optional = relations(&["b", "c", "missing"]);
    });
    assert_eq!(found.unwrap(), ["a-1"]);
}

#[test]
fn the_cheaper_repository_of_equals() {
    let universe =
        Universe::new(packages("a-1-1.noarch\n  cost 2000\na-1-1.noarch\n  cost 500\na-1-1.noarch\n  cost 900\n"));
    let solution = resolve(&universe, &request(&["a"])).unwrap();
    assert_eq!(universe.package(solution.packages().next().unwrap()).cost, 500);
}

#[test]
fn upgrades_follow_obsoletes() {
    let text = "old-1-1.noarch\n  installed\nnew-2-1.noarch\n  obsoletes old < 2\n";
    let universe = Universe::new(packages(text));
    let mut wish = request(&[]);
    wish.upgrade = Upgrade::All;
    let solution = resolve(&universe, &wish).unwrap();
    assert_eq!(names(&universe, &solution), ["new-2-1.noarch"]);
    let changes = solution.changes(&universe);
    assert!(
        matches!(
            changes[..],
            [solve::Change::Upgrade { .. }] | [solve::Change::Install(_), solve::Change::Replace { .. }]
        ),
        "{changes:?}"
    );
}

/// One repository's table, through bytes and back.
fn through_bytes(text: &str) -> solve::Table<'static> {
    let mut builder = solve::TableBuilder::new();
    for package in packages(text) {
        let evr = &package.nevra.evr;
        builder.package(&solve::Identity {
            name: &package.nevra.name,
            version: evr.into(),
            arch: package.nevra.arch.as_str(),
            key: &package.key,
            checksum: "sum",
            ..solve::Identity::default()
        });
        for relation in &package.requires {
            let bound = relation.bound.as_ref().map(|(condition, evr)| (*condition, evr.into()));
            builder.relation(solve::Kind::Requires, &relation.name, bound);
        }
        package.files.iter().for_each(|path| builder.path(path));
    }
    let table = builder.finish().unwrap();
    let key = pkg::Digest::of(text.as_bytes());
    let bytes = table.to_bytes(&key);
    // As a mapped file would be there as long as the program.
    let bytes: &'static [u8] = bytes.leak();
    let read = solve::Table::from_bytes(bytes, &key).unwrap();
    assert_eq!(read.to_bytes(&key), bytes, "what was read is written as it was");
    assert_eq!(solve::Table::from_bytes(bytes, &pkg::Digest::of(b"other")).unwrap_err(), solve::CacheError::Key);
    read
}

fn source(name: &str) -> Source {
    Source { name: name.to_owned(), priority: 99, cost: 1000 }
}

#[test]
fn repositories_join_in_any_order() {
    let (one, two) = (
        "a-1-1.noarch\n  requires b >= 2\nb-1-1.noarch\nc-1-1.noarch\n",
        "b-2-1.noarch\n  requires /usr/bin/c\nd-1-1.noarch\n  file /usr/bin/c\n",
    );
    let installed = packages("e-1-1.noarch\n  installed\n");
    let mut answers = Vec::new();
    for order in [[one, two], [two, one]] {
        let tables = order.map(|text| (source(if text == one { "one" } else { "two" }), through_bytes(text)));
        let universe = Universe::of(tables.into(), installed.clone(), Paths::Primary).unwrap();
        let solution = resolve(&universe, &request(&["a"])).unwrap();
        let mut found: Vec<String> = solution
            .packages()
            .map(|id| {
                format!(
                    "{} {} {:?}",
                    universe.nevra(id),
                    universe.checksum(id),
                    universe.source(id).map(|source| &source.name)
                )
            })
            .collect();
        found.sort();
        answers.push(found);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(
        answers[0],
        [
            "a-1-1.noarch sum Some(\"one\")",
            "b-2-1.noarch sum Some(\"two\")",
            "d-1-1.noarch sum Some(\"two\")",
            "e-1-1.noarch  None"
        ]
    );
}

#[test]
fn filelists_are_asked_for_only_when_needed() {
    let text = "a-1-1.noarch\n  requires /usr/share/data\nb-1-1.noarch\n  requires /usr/bin/tool\nc-1-1.noarch\n  file /usr/bin/tool\n";
    let mut universe = Universe::of(vec![(source("one"), through_bytes(text))], Vec::new(), Paths::Primary).unwrap();
    assert!(solve::missing_paths(&universe, &request(&["b"])).is_empty());
    let paths = solve::missing_paths(&universe, &request(&["a"]));
    assert_eq!(paths, ["/usr/share/data"]);
    let owner = universe.named("c")[0];
    universe.add_paths(&paths, [(owner, "/usr/share/data".to_owned())]);
    assert!(solve::missing_paths(&universe, &request(&["a"])).is_empty());
    assert_eq!(names(&universe, &resolve(&universe, &request(&["a"])).unwrap()), ["a-1-1.noarch", "c-1-1.noarch"]);
}

#[test]
fn damaged_caches_are_errors_and_nothing_worse() {
    let table = through_bytes("a-1-1.noarch\n  requires b >= 2\n  file /usr/bin/a\nb-2-1.noarch\n");
    let key = pkg::Digest::of(b"key");
    let bytes = table.to_bytes(&key);
    for length in 0..bytes.len() {
        assert!(solve::Table::from_bytes(&bytes[..length], &key).is_err(), "cut at {length}");
    }
    // Behind a checksum that fits: whatever the numbers are, reading and solving end.
    let installed = packages("a-0-1.noarch\n  installed\nc-1-1.noarch\n  installed\n  requires b >= 1\n");
    let (mut refused, mut read) = (0, 0);
    for place in 88..bytes.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = bytes.clone();
            changed[place] = value;
            let checksum = format!("{:08x}", crc32fast::hash(&changed[24..]));
            changed[16..24].copy_from_slice(checksum.as_bytes());
            match solve::Table::from_bytes(&changed, &key) {
                Err(_) => refused += 1,
                Ok(table) => {
                    read += 1;
                    let universe = Universe::of(vec![(source("one"), table)], installed.clone(), Paths::All).unwrap();
                    let _ = resolve(&universe, &request(&["a"]));
                    universe.ids().for_each(|id| drop(universe.package(id)));
                }
            }
        }
    }
    assert!(refused > 100 && read > 10, "{refused} refused, {read} read");
}
