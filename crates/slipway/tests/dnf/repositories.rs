//! Commands about repositories and their files: `download`, `repoclosure`, `reposync`, `config-manager`.

use crate::place::{Place, can_change, package, packages};

fn files(place: &Place, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(place.path(folder))
        .expect("it is a folder")
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn place() -> Place {
    let place = Place::new();
    let app = |version: &str| package(&format!("app-{version}-1.noarch")).requires("lib");
    place.publish("base", vec![app("1"), app("2"), package("lib-1-1.noarch"), package("odd-1-1.x86_64")]);
    place
}

#[test]
fn files_download_puts_packages_into_a_folder() {
    let place = place();
    let said = place.good(&["download", "app", "--destdir", "here"]).out;
    assert_eq!(said, "here/app-2-1.noarch.rpm\n");
    assert_eq!(files(&place, "here"), ["app-2-1.noarch.rpm"]);
    let same = |name: &str| {
        fs_err::read(place.path(&format!("here/{name}"))).ok() == fs_err::read(place.path(&format!("base/{name}"))).ok()
    };
    assert!(same("app-2-1.noarch.rpm"));
    place.good(&["download", "app-1", "--resolve", "--destdir", "all"]);
    assert_eq!(files(&place, "all"), ["app-1-1.noarch.rpm", "lib-1-1.noarch.rpm"]);
    assert_eq!(place.good(&["download", "--url", "lib"]).out, "file:///base/lib-1-1.noarch.rpm\n");
    place.bad(&["download", "app", "nothing", "--destdir", "none"], 1, "no match for argument: nothing");
    place.bad(&["download", "odd", "--arch", "aarch64"], 1, "no match for argument: odd");
    place.bad(&["download"], 2, "required arguments");
    // What is not what the index says is not brought.
    fs_err::remove_dir_all(place.path("cache")).expect("it can be removed");
    fs_err::write(place.path("base/lib-1-1.noarch.rpm"), "another").expect("it can be written");
    place.bad(&["download", "lib", "--destdir", "wrong"], 1, "lib-1-1.noarch.rpm");
    assert!(!place.path("wrong").exists());
}

#[test]
fn files_repoclosure_names_what_is_not_to_be_had() {
    let place = place();
    assert_eq!(place.good(&["repoclosure"]).out, "");
    place.publish(
        "more",
        vec![package("more-1-1.noarch").requires("app >= 3"), package("fine-1-1.noarch").requires("app")],
    );
    let said = place.bad(&["repoclosure"], 1, "repoclosure ended with unresolved dependencies (1) across 6 packages");
    assert_eq!(said.out, "package: more-1-1.noarch\n  unresolved deps (1):\n    app >= 3\n");
    assert_eq!(place.good(&["repoclosure", "--check", "base"]).out, "");
    assert_eq!(place.good(&["repoclosure", "fine"]).out, "");
    // Only what is used counts.
    let said = place.bad(&["--repo", "more", "repoclosure"], 1, "(2) across 2 packages");
    assert!(said.out.contains("package: fine-1-1.noarch"), "{said:?}");
}

#[test]
fn files_reposync_copies_a_repository() {
    let place = place();
    place.good(&["reposync", "--destdir", "mirror", "--download-metadata"]);
    let all = ["app-1-1.noarch.rpm", "app-2-1.noarch.rpm", "lib-1-1.noarch.rpm", "odd-1-1.x86_64.rpm", "repodata"];
    assert_eq!(files(&place, "mirror/base"), all);
    let text = |place: &Place, name: &str| fs_err::read(place.path(name)).expect("it can be read");
    assert_eq!(text(&place, "mirror/base/repodata/repomd.xml"), text(&place, "base/repodata/repomd.xml"));
    // The copy is a repository.
    let copy = format!("copy,file://{}", place.path("mirror/base").display());
    let said = place.good(&["--repofrompath", &copy, "--repo", "copy", "repoquery", "lib"]).out;
    assert_eq!(said, "lib-0:1-1.noarch\n");

    place.publish("base", packages(&["lib-1-1.noarch"]));
    place.good(&["reposync", "--destdir", "mirror", "--delete"]);
    assert_eq!(files(&place, "mirror/base"), ["lib-1-1.noarch.rpm", "repodata"]);
    place.publish("base", packages(&["app-1-1.noarch", "app-2-1.noarch"]));
    place.good(&["reposync", "--newest-only", "--norepopath", "--destdir", "newest"]);
    assert_eq!(files(&place, "newest"), ["app-2-1.noarch.rpm"]);
    let urls = place.good(&["reposync", "--urls", "--newest-only"]).out;
    assert_eq!(urls, "file:///base/app-2-1.noarch.rpm\n");
    place.publish("more", packages(&["more-1-1.noarch"]));
    place.bad(&["reposync", "--norepopath", "--destdir", "both"], 2, "`--norepopath` is for one repository");
}

#[test]
fn host_config_manager_changes_files_and_nothing_else() {
    if !can_change() {
        return;
    }
    let place = place();
    place.good(&[
        "config-manager",
        "addrepo",
        "--id",
        "more",
        "--set",
        "baseurl=https://example.org/more",
        "--create-missing-dir",
    ]);
    let written = place.text("repos/more.repo");
    assert!(written.contains("[more]\n") && written.contains("baseurl=https://example.org/more\n"), "{written}");
    place.bad(
        &["config-manager", "addrepo", "--id", "more", "--set", "baseurl=https://example.org/other"],
        1,
        "more.repo",
    );
    assert_eq!(place.text("repos/more.repo"), written);
    place.bad(
        &["config-manager", "addrepo", "--id", "odd", "--set", "baseurl=https://e.org", "--set", "cost=high"],
        1,
        "cost",
    );
    assert!(!place.path("repos/odd.repo").exists());

    let before = place.text("dnf.conf");
    place.good(&["config-manager", "setopt", "keepcache=1"]);
    assert_eq!(place.text("dnf.conf"), format!("{before}keepcache=1\n"));
    place.bad(&["config-manager", "setopt", "keepcache=perhaps"], 1, "keepcache");
    place.good(&["config-manager", "unsetopt", "keepcache"]);
    assert_eq!(place.text("dnf.conf"), before);

    let ids = |place: &Place| -> Vec<String> {
        let list = place.good(&["repolist"]).out;
        list.lines().skip(1).filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
    };
    assert_eq!(ids(&place), ["base", "more"]);
    place.good(&["config-manager", "disable", "mo*", "--create-missing-dir"]);
    assert_eq!(ids(&place), ["base"]);
    assert_eq!(place.text("repos/more.repo"), written, "the file that describes it stays");
    place.good(&["config-manager", "enable", "more"]);
    assert_eq!(ids(&place), ["base", "more"]);
    place.bad(&["config-manager", "disable", "nothing"], 1, "nothing");

    place.good(&["config-manager", "setvar", "mirror=example.org", "--create-missing-dir"]);
    assert!(place.good(&["--dump-variables"]).out.contains("mirror = example.org"));
    place.good(&["config-manager", "unsetvar", "mirror"]);
    assert!(!place.good(&["--dump-variables"]).out.contains("mirror"));
}
