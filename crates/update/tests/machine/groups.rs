//! Groups and advisories of a repository on a root, and what dnf 4 says of the same.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use host::{Cmd, Tool};
use pkg::Nevra;
use repodata::comps::{Comps, Group, GroupPackage, Label, PackageKind};
use repodata::updateinfo::{self, Advisory, Collection, FixedPackage};
use store::Store;
use update::config::{Config, Key};
use update::groups::{self, Asked, InstalledGroups};
use update::query::advisories::{self, Choice};
use update::reasons::{Reason, Reasons};
use update::resolve::Job;
use update::{DatabaseFile, Freshness, Place as Package, Sack, sync};

use crate::repository::{Place, write_with};
use crate::transactions::{carry_out, installed, package, skipped, words};

fn group(id: &str, packages: &[&str]) -> Group {
    let package = |name: &&str| GroupPackage { name: (*name).to_owned(), kind: PackageKind::Mandatory };
    Group {
        label: Label { id: id.to_owned(), name: format!("The {id}"), ..Label::default() },
        is_visible: true,
        packages: packages.iter().map(package).collect(),
        ..Group::default()
    }
}

fn advisory(id: &str, kind: &str, packages: &[&str]) -> Advisory {
    let package = |nevra: &&str| FixedPackage {
        nevra: Nevra::parse(nevra).expect("it names a package"),
        source: "src".to_owned(),
        file_name: format!("{nevra}.rpm"),
        checksum: None,
        reboot: false,
        restart: false,
        relogin: false,
    };
    let collection = Collection { packages: packages.iter().map(package).collect(), ..Collection::default() };
    Advisory {
        id: id.to_owned(),
        kind: kind.to_owned(),
        from: "a@example.org".to_owned(),
        status: "stable".to_owned(),
        version: "1".to_owned(),
        title: id.to_owned(),
        issued: "2026-01-02 03:04:05".to_owned(),
        severity: "Important".to_owned(),
        collections: vec![collection],
        ..Advisory::default()
    }
}

fn plan(asked: &Asked, place: &Place, config: &Config) -> groups::Plan {
    let persist = config.folder(Key::PersistDir);
    place.with(config, true, |machine| {
        let kinds = ["primary", "group"];
        let synced = sync(&config.repositories[0], &kinds, Freshness::Refresh, machine).expect("it is a repository");
        let available = groups::load(&[synced], machine).expect("its groups can be read");
        groups::plan(asked, &available, &InstalledGroups::load(&persist).expect("they can be read"))
    })
}

#[test]
fn host_groups_come_with_their_packages_and_go_with_them() {
    let place = Place::new();
    if !place.host.is_privileged() {
        skipped();
        return;
    }
    let store = Store::open(place.path("store")).expect("a store can be made");
    let folder = place.path("repository");
    let packages = [
        package("app-1-1.noarch", &["lib"]),
        package("lib-1-1.noarch", &[]),
        package("tool-1-1.noarch", &[]),
        package("user-1-1.noarch", &["tool"]),
    ];
    let comps =
        Comps { groups: vec![group("base", &["app", "tool", "none"]), group("more", &["app"])], ..Comps::default() };
    write_with(&folder, &packages, &[("group", comps.to_xml())]);
    let config = place.config(&format!("baseurl=file://{}\ngpgcheck=0", folder.display()));
    let persist = config.folder(Key::PersistDir);
    let go = |job: Job| place.with(&config, true, |machine| carry_out(&job, machine, &store)).expect("it can be done");
    let reason = |nevra: &str| {
        let reasons = Reasons::load(&persist).expect("they can be read");
        reasons.of(&Nevra::parse(nevra).expect("it names a package")).map(|known| known.reason)
    };

    let asked = Asked { install: words(&["base"]), ..Asked::default() };
    let outcome = go(Job { groups: plan(&asked, &place, &config), ..Job::default() });
    assert!(outcome.notes.iter().any(|note| note.contains("none")), "{:?}", outcome.notes);
    assert_eq!(installed(&place), ["app-1-1.noarch", "lib-1-1.noarch", "tool-1-1.noarch"]);
    assert_eq!((reason("app-1-1.noarch"), reason("lib-1-1.noarch")), (Some(Reason::Group), Some(Reason::Dependency)));
    // What came with a group is nobody's leftover.
    assert!(go(Job { autoremove: true, ..Job::default() }).is_nothing());

    // A second group with the same package changes no package, and is remembered all the same.
    let asked = Asked { install: words(&["The more"]), ..Asked::default() };
    let outcome = go(Job { groups: plan(&asked, &place, &config), ..Job::default() });
    assert!(outcome.steps.is_empty() && !outcome.is_nothing());
    go(Job { install: words(&["user"]), ..Job::default() });

    // `app` belongs to the other group, and `tool` is needed: both stay, and `tool` is a dependency from now on.
    let asked = Asked { remove: words(&["base"]), ..Asked::default() };
    let outcome = go(Job { groups: plan(&asked, &place, &config), freed: true, ..Job::default() });
    assert!(outcome.steps.is_empty(), "{:?}", outcome.steps);
    assert_eq!((reason("app-1-1.noarch"), reason("tool-1-1.noarch")), (Some(Reason::Group), Some(Reason::Dependency)));
    let known = InstalledGroups::load(&persist).expect("they can be read");
    assert_eq!(known.groups.keys().collect::<Vec<_>>(), ["more"]);

    let asked = Asked { remove: words(&["more"]), ..Asked::default() };
    go(Job { groups: plan(&asked, &place, &config), freed: true, ..Job::default() });
    assert_eq!(installed(&place), ["tool-1-1.noarch", "user-1-1.noarch"]);
    let all = update::history::load(&persist).expect("the history can be read");
    let last = all.last().expect("there is one");
    assert_eq!(
        last.groups.iter().map(|change| (change.action(), change.id.as_str())).collect::<Vec<_>>(),
        [("Remove", "more")]
    );
}

/// The lines of `dnf` (version 4) about advisories of the root: their names and packages.
fn of_dnf(place: &Place, folder: &std::path::Path, words: &[&str]) -> Option<BTreeSet<(String, String)>> {
    if !Tool::Dnf.is_installed(&place.host) {
        return None;
    }
    let root = place.path("root");
    // dnf 4 looks where this machine's rpm has its database.
    let asked = place.host.check(&Cmd::new(Tool::Rpm).args(["--eval", "%_dbpath"])).expect("rpm runs");
    let theirs = root.join(String::from_utf8_lossy(&asked.stdout).trim().trim_start_matches('/'));
    if !theirs.exists() {
        fs_err::create_dir_all(theirs.parent().expect("it is in a folder")).expect("a folder can be made");
        fs_err::os::unix::fs::symlink(root.join("usr/lib/sysimage/rpm"), theirs).expect("a link can be made");
    }
    let command = Cmd::new(Tool::Dnf)
        .args(["-q", "--releasever=1", "--nogpgcheck", "--noplugins"])
        .arg(format!("--installroot={}", root.display()))
        .arg(format!("--repofrompath=t,file://{}", folder.display()))
        .arg("--repo=t")
        .arg(format!("--setopt=cachedir={}", place.path("dnf4").display()))
        .args(["updateinfo", "list"])
        .args(words);
    let output = place.host.check(&command).expect("dnf runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "i").collect();
        (words.len() == 3).then(|| (words[0].to_owned(), words[2].to_owned()))
    };
    Some(text.lines().filter_map(row).collect())
}

#[test]
fn host_advisories_concern_what_dnf_says_they_do() {
    let place = Place::new();
    if !place.host.is_privileged() {
        skipped();
        return;
    }
    let store = Store::open(place.path("store")).expect("a store can be made");
    let folder = place.path("repository");
    let packages = [
        package("app-1-1.noarch", &[]),
        package("app-2-1.noarch", &[]),
        package("app-3-1.noarch", &[]),
        package("lib-1-1.noarch", &[]),
        package("lib-2-1.noarch", &[]),
        package("other-2-1.noarch", &[]),
    ];
    let all = [
        advisory("SK-1", "security", &["app-2-1.noarch", "other-2-1.noarch"]),
        advisory("SK-2", "bugfix", &["app-3-1.noarch", "lib-1-1.noarch"]),
        advisory("SK-3", "security", &["lib-2-1.noarch"]),
        advisory("SK-4", "enhancement", &["lib-0-1.noarch"]),
    ];
    write_with(&folder, &packages, &[("updateinfo", updateinfo::to_xml(&all))]);
    let config = place.config(&format!("baseurl=file://{}\ngpgcheck=0", folder.display()));
    let job = Job { install: words(&["app-1", "lib-1"]), ..Job::default() };
    place.with(&config, true, |machine| carry_out(&job, machine, &store)).expect("they can be installed");

    let (sack, known) = place.with(&config, true, |machine| {
        let kinds = ["primary", "updateinfo"];
        let synced = sync(&config.repositories[0], &kinds, Freshness::Refresh, machine).expect("it is a repository");
        let database = DatabaseFile::read(&place.path("root")).expect("the database can be read");
        let database = database.packages().expect("it is sound");
        let sack = Sack::load(database, vec![synced], &[], &Reasons::default(), machine).expect("it can be read");
        let known = advisories::load(sack.repositories(), machine).expect("they can be read");
        (sack, known)
    });
    let installed: BTreeSet<Package> = sack.installed().collect();
    let ours = |choice: Choice, wanted: fn(Ordering) -> bool| -> BTreeSet<(String, String)> {
        let fixes = advisories::compared(&choice.of(&known), &sack, &installed, wanted);
        fixes.iter().map(|fix| (fix.advisory.id.clone(), fix.package.nevra.to_string())).collect()
    };
    let security = Choice { kinds: words(&["security"]), ..Choice::default() };
    assert_eq!(ours(security.clone(), Ordering::is_gt).len(), 2);
    type Case<'a> = (&'a [&'a str], Choice, fn(Ordering) -> bool);
    let cases: [Case<'_>; 3] = [
        (&["--available"], Choice::default(), Ordering::is_gt),
        (&["--installed"], Choice::default(), Ordering::is_le),
        (&["--available", "--security"], security, Ordering::is_gt),
    ];
    for (words, choice, wanted) in cases {
        match of_dnf(&place, &folder, words) {
            Some(theirs) => assert_eq!(ours(choice, wanted), theirs, "{words:?}"),
            None => dnf_missing(),
        }
    }
}

#[expect(clippy::disallowed_macros, reason = "a test says why it skips")]
fn dnf_missing() {
    eprintln!("skipped: dnf not installed");
}
