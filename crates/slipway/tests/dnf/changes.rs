//! Commands that change packages: `swap`, `mark`, `versionlock`, `history`, `replay`.

use crate::place::{Place, can_change, package, packages};

/// A root with `app`, which needs `lib`.
fn place() -> Place {
    let place = Place::new();
    place.publish(
        "base",
        vec![package("app-1-1.noarch").requires("lib"), package("lib-1-1.noarch"), package("other-1-1.noarch")],
    );
    place.good(&["install", "app"]);
    place
}

const OLD: [&str; 2] = ["app-1-1.noarch", "lib-1-1.noarch"];

#[test]
fn host_swap_removes_one_and_installs_another_at_once() {
    if !can_change() {
        return;
    }
    let place = place();
    let said = place.good(&["swap", "app", "other"]).out;
    assert!(said.contains("Installing:\n other") && said.contains("Removing:\n app"), "{said}");
    assert!(said.contains(" Installing:         1 package\n Removing:           1 package\n"), "{said}");
    assert_eq!(place.installed(), ["lib-1-1.noarch", "other-1-1.noarch"]);
    // One transaction: nothing of it where a half cannot be done.
    place.bad(&["swap", "other", "nothing"], 1, "no match for argument: nothing");
    assert_eq!(place.installed(), ["lib-1-1.noarch", "other-1-1.noarch"]);
    assert_eq!(place.good(&["history", "list"]).out.lines().count(), 3);
}

#[test]
fn host_mark_decides_what_autoremove_takes() {
    if !can_change() {
        return;
    }
    let place = place();
    assert_eq!(place.good(&["mark", "user", "lib"]).out, "Complete!\n");
    assert!(place.good(&["mark", "user", "lib"]).err.contains("`lib-1-1.noarch` is marked so already"));
    assert!(place.good(&["history", "info"]).out.contains("Reason Change  lib-1-1.noarch  User"));
    place.good(&["remove", "app"]);
    assert_eq!(place.installed(), ["lib-1-1.noarch"], "somebody wants it");
    place.good(&["mark", "dependency", "lib"]);
    place.good(&["autoremove"]);
    assert_eq!(place.installed(), Vec::<String>::new());
    place.bad(&["mark", "user", "lib"], 1, "no match for argument: lib");
    place.bad(&["mark", "sometimes", "lib"], 2, "invalid value 'sometimes'");
}

#[test]
fn host_a_version_that_is_locked_stays() {
    if !can_change() {
        return;
    }
    let place = place();
    assert_eq!(place.good(&["versionlock", "list"]).out, "");
    assert_eq!(place.good(&["versionlock", "add", "lib"]).err, "kept: lib = 1-1\n");
    assert_eq!(place.good(&["versionlock", "list"]).out, "lib = 1-1\n");
    place.publish("base", packages(&["lib-2-1.noarch", "app-2-1.noarch"]));
    place.good(&["upgrade"]);
    assert_eq!(place.installed(), ["app-2-1.noarch", "lib-1-1.noarch"]);
    place.bad(&["versionlock", "add", "nothing"], 1, "no match for argument: nothing");
    place.bad(&["versionlock", "delete", "app"], 1, "nothing keeps `app`");
    place.good(&["versionlock", "delete", "lib"]);
    place.good(&["upgrade"]);
    assert_eq!(place.installed(), ["app-2-1.noarch", "lib-2-1.noarch"]);
    place.good(&["versionlock", "add", "lib", "app"]);
    place.good(&["versionlock", "clear"]);
    assert_eq!(place.good(&["versionlock", "list"]).out, "");
}

#[test]
fn host_history_goes_back_and_forth() {
    if !can_change() {
        return;
    }
    let place = place();
    place.good(&["install", "other"]);
    place.good(&["remove", "app"]);
    assert_eq!(place.installed(), ["other-1-1.noarch"]);
    let list = place.good(&["history", "list"]).out;
    let ids: Vec<&str> = list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert!(list.starts_with("ID") && ids == ["3", "2", "1"], "{list}");

    place.good(&["history", "undo", "3"]);
    assert_eq!(place.installed(), ["app-1-1.noarch", "lib-1-1.noarch", "other-1-1.noarch"]);
    // Who asked for what is as it was: `lib` goes with `app`.
    place.good(&["history", "redo", "3"]);
    assert_eq!(place.installed(), ["other-1-1.noarch"]);
    place.good(&["history", "rollback", "1"]);
    assert_eq!(place.installed(), OLD);
    let info = place.good(&["history", "info", "last"]).out;
    for line in
        ["Transaction ID : 6", "history rollback 1", "Install  app-1-1.noarch    User", "Remove   other-1-1.noarch"]
    {
        assert!(info.contains(line), "{line}: {info}");
    }
    place.good(&["remove", "app"]);
    place.good(&["install", "lib"]);
    place.good(&["history", "undo", "last"]);
    assert_eq!(place.installed(), Vec::<String>::new());

    place.bad(&["history", "undo", "99"], 1, "there is no transaction `99`");
    place.bad(&["history", "undo", "first"], 2, "`first` is no transaction's number, nor `last`");
    // A package that is not to be had any more.
    place.publish("base", packages(&["other-1-1.noarch"]));
    place.bad(&["history", "undo", "7"], 1, "no match for argument: app-1-1.noarch");
    assert_eq!(place.installed(), Vec::<String>::new());
}

#[test]
fn host_a_stored_transaction_is_done_elsewhere() {
    if !can_change() {
        return;
    }
    let place = place();
    place.good(&["history", "store", "1", "--output", "transaction"]);
    let text = place.text("transaction/transaction.json");
    let stored: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let app =
        serde_json::json!({ "nevra": "app-1-1.noarch", "action": "Install", "reason": "User", "repo_id": "base" });
    assert!(stored["version"] == "1.0" && stored["rpms"].as_array().is_some_and(|all| all.contains(&app)), "{text}");
    place.bad(&["history", "store", "1", "--output", "transaction"], 1, "is there already; nothing was written");

    place.bad(&["replay", "transaction"], 1, "`app-1-1.noarch` is installed already");
    assert_eq!(place.good(&["replay", "transaction", "--ignore-installed"]).out, "Nothing to do.\n");
    fs_err::rename(place.path("root"), place.path("first")).expect("it can be moved");
    // More than was stored would come: `lib` needs another package by now.
    place.publish(
        "base",
        vec![
            package("app-1-1.noarch").requires("lib"),
            package("lib-1-1.noarch").requires("other"),
            package("other-1-1.noarch"),
        ],
    );
    place.bad(&["replay", "transaction"], 1, "`other-1-1.noarch` would change too");
    assert_eq!(place.installed(), Vec::<String>::new());
    place.good(&["replay", "transaction", "--ignore-extras"]);
    assert_eq!(place.installed(), ["app-1-1.noarch", "lib-1-1.noarch", "other-1-1.noarch"]);
    assert!(place.good(&["repoquery", "--installed", "--qf", "%{name} %{reason}\n"]).out.contains("lib Dependency"));

    // With its packages beside it, as `--offline` stores it; no repository is needed.
    fs_err::remove_dir_all(place.path("root")).expect("it can be removed");
    place.publish("base", Vec::new());
    let file = package("app-1-1.noarch").build().expect("it can be made");
    fs_err::write(place.path("transaction/app.rpm"), file).expect("it can be written");
    let with = |path: &str| {
        let rpms = serde_json::json!([{ "nevra": "app-1-1.noarch", "action": "Install", "reason": "User", "package_path": path }]);
        let text = serde_json::json!({ "version": "1.0", "rpms": rpms }).to_string();
        fs_err::write(place.path("transaction/transaction.json"), text).expect("it can be written");
    };
    with("../app.rpm");
    place.bad(&["replay", "transaction"], 1, "`../app.rpm` is not below its folder");
    with("./app.rpm");
    place.good(&["replay", "transaction"]);
    assert_eq!(place.installed(), ["app-1-1.noarch"]);
    fs_err::write(place.path("transaction/transaction.json"), "{\"version\": \"2.0\"}").expect("it can be written");
    place.bad(&["replay", "transaction"], 1, "it is of version 2.0, and 1.0 is known");
}

#[test]
fn host_several_versions_come_from_files_at_once() {
    if !can_change() {
        return;
    }
    let place = Place::new();
    for nevra in ["kernel-1-1.noarch", "kernel-2-1.noarch"] {
        let name = nevra.split('.').next().unwrap_or_default();
        let bytes = rpm::write::PackageBuilder::new(nevra.parse().expect("it names a package"), testkit::packages::AT)
            .file(&format!("/boot/{name}"), rpm::write::NewFile::regular(name))
            .build()
            .expect("it can be made");
        fs_err::write(place.path(&format!("{nevra}.rpm")), bytes).expect("it can be written");
    }
    place.good(&["install", "./kernel-1-1.noarch.rpm"]);
    place.good(&["install", "./kernel-1-1.noarch.rpm", "./kernel-2-1.noarch.rpm"]);
    assert_eq!(place.installed(), ["kernel-1-1.noarch", "kernel-2-1.noarch"]);
}
