//! Commands that answer: `advisory`, `group`, `leaves`, `check`, `needs-restarting`.

use repodata::comps::{Comps, Group, GroupPackage, Label, PackageKind};
use repodata::updateinfo::{self, Advisory, Collection, FixedPackage, Reference};
use rpm::DependencyKind;

use crate::place::{Place, can_change, package, packages};

fn advisory(id: &str, kind: &str, severity: &str, nevra: &str, references: &[(&str, &str)]) -> Advisory {
    let fixed = FixedPackage {
        nevra: nevra.parse().expect("it names a package"),
        source: "src".to_owned(),
        file_name: format!("{nevra}.rpm"),
        checksum: None,
        reboot: false,
        restart: false,
        relogin: false,
    };
    let reference = |(kind, id): &(&str, &str)| Reference {
        href: format!("https://example.org/{id}"),
        id: (*id).to_owned(),
        kind: (*kind).to_owned(),
        title: format!("About {id}"),
    };
    Advisory {
        id: id.to_owned(),
        kind: kind.to_owned(),
        from: "security@example.org".to_owned(),
        status: "final".to_owned(),
        version: "1".to_owned(),
        title: format!("An update of {nevra}"),
        issued: "2026-01-02 03:04:05".to_owned(),
        severity: severity.to_owned(),
        description: "Mends it.".to_owned(),
        references: references.iter().map(reference).collect(),
        collections: vec![Collection { packages: vec![fixed], ..Collection::default() }],
        ..Advisory::default()
    }
}

/// A root with `app` and `lib` in their first versions, and advisories about newer ones.
fn with_advisories() -> Place {
    let place = Place::new();
    place.publish("base", packages(&["app-1-1.noarch", "lib-1-1.noarch"]));
    place.good(&["install", "app", "lib"]);
    let advisories = [
        advisory("SK-1", "security", "Important", "app-2-1.noarch", &[("cve", "CVE-2026-0001"), ("bugzilla", "7")]),
        advisory("SK-2", "bugfix", "None", "lib-2-1.noarch", &[("bugzilla", "8")]),
        advisory("SK-3", "security", "Low", "absent-2-1.noarch", &[("cve", "CVE-2026-0003")]),
    ];
    let newer = packages(&["app-2-1.noarch", "lib-2-1.noarch"]);
    place.publish_with("base", newer, &[("updateinfo", updateinfo::to_xml(&advisories))]);
    place
}

#[test]
fn host_advisories_that_concern_the_root_are_listed() {
    if !can_change() {
        return;
    }
    let place = with_advisories();
    let list = place.good(&["advisory", "list"]).out;
    let wanted = "Name Type     Severity         Package              Issued\n\
                  SK-1 security Important app-2-1.noarch 2026-01-02 03:04:05\n\
                  SK-2 bugfix   None      lib-2-1.noarch 2026-01-02 03:04:05\n";
    assert_eq!(list, wanted);
    let only = |words: &[&str]| -> Vec<String> {
        let lines = place.good(&[&["advisory", "list"], words].concat()).out;
        lines.lines().skip(1).filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
    };
    assert_eq!(only(&["--security"]), ["SK-1"]);
    assert_eq!(only(&["--bugfix"]), ["SK-2"]);
    assert_eq!(only(&["--cves", "CVE-2026-0001"]), ["SK-1"]);
    assert_eq!(only(&["--bzs", "8"]), ["SK-2"]);
    assert_eq!(only(&["--advisory-severities", "important"]), ["SK-1"]);
    assert_eq!(only(&["--contains-pkgs", "lib"]), ["SK-2"]);
    assert_eq!(only(&["--with-cve"]), ["CVE-2026-0001"]);
    assert_eq!(only(&["SK-2"]), ["SK-2"]);
    assert_eq!(only(&["--installed"]), Vec::<String>::new());
    // What concerns nothing here is no error.
    assert_eq!(only(&["--cves", "CVE-2026-0003"]), Vec::<String>::new());
    assert!(place.good(&["advisory", "list", "--cves", "CVE-1-1"]).err.contains("CVE-1-1"));

    let info = place.good(&["advisory", "info", "SK-1"]).out;
    for line in [
        "Name        : SK-1",
        "Severity    : Important",
        "Type        : security",
        "Vendor      : security@example.org",
        "Description : Mends it.",
        "Reference   : ",
        "  Id        : CVE-2026-0001",
        "  Packages  : app-2-1.noarch",
    ] {
        assert!(info.lines().any(|one| one == line), "{line}: {info}");
    }
    let summary = place.good(&["advisory", "summary"]).out;
    let wanted = "Available advisory information summary:\n\
        Security    : 1\n  Critical  : 0\n  Important : 1\n  Moderate  : 0\n  Low       : 0\n  Other     : 0\n\
        Bugfix      : 1\nEnhancement : 0\nOther       : 0\n";
    assert_eq!(summary, wanted);
    assert!(place.good(&["advisory", "summary", "--security"]).out.contains("Bugfix      : 0"));

    // The same choice, where it changes something.
    assert_eq!(place.call(&["check-upgrade", "--security"]).code, Some(100));
    place.good(&["upgrade", "--security"]);
    assert_eq!(place.installed(), ["app-2-1.noarch", "lib-1-1.noarch"]);
    assert_eq!(place.call(&["check-upgrade", "--security"]).code, Some(0));
    assert_eq!(only(&["--installed"]), ["SK-1"]);
    place.bad(&["upgrade", "--advisories", "SK-9"], 1, "SK-9");
}

#[test]
fn host_groups_are_listed_and_described() {
    if !can_change() {
        return;
    }
    let group = |id: &str, order: u32, is_visible: bool, packages: &[(&str, PackageKind)]| Group {
        label: Label {
            id: id.to_owned(),
            name: format!("The {id}"),
            description: format!("All of {id}."),
            display_order: Some(order),
            ..Label::default()
        },
        is_visible,
        packages: packages
            .iter()
            .map(|(name, kind)| GroupPackage { name: (*name).to_owned(), kind: kind.clone() })
            .collect(),
        ..Group::default()
    };
    let groups = vec![
        group("tools", 2, true, &[("app", PackageKind::Mandatory), ("lib", PackageKind::Optional)]),
        group("core", 1, true, &[("other", PackageKind::Default)]),
        group("inner", 3, false, &[("lib", PackageKind::Mandatory)]),
    ];
    let comps = Comps { groups, ..Comps::default() }.to_xml();
    let place = Place::new();
    place.publish_with(
        "base",
        packages(&["app-1-1.noarch", "lib-1-1.noarch", "other-1-1.noarch"]),
        &[("group", comps)],
    );
    let wanted = "ID                   Name      Installed\n\
                  core                 The core         no\n\
                  tools                The tools        no\n\
                  Groups: 2 (0 installed, 2 available)\n";
    assert_eq!(place.good(&["group", "list"]).out, wanted);
    assert!(place.good(&["group", "list", "--hidden"]).out.contains("inner                The inner        no"));
    assert!(!place.good(&["group", "list", "--contains-pkgs", "lib"]).out.contains("core"));
    place.good(&["group", "install", "tools"]);
    assert_eq!(place.installed(), ["app-1-1.noarch"]);
    let list = place.good(&["group", "list", "--installed"]).out;
    assert!(
        list.contains("tools                The tools       yes")
            && list.contains("Groups: 1 (1 installed, 0 available)"),
        "{list}"
    );
    let info = place.good(&["group", "info", "the tools"]).out;
    let wanted = "Id                   : tools\n\
        Name                 : The tools\n\
        Description          : All of tools.\n\
        Installed            : yes\n\
        Order                : 2\n\
        Langonly             : \n\
        Uservisible          : yes\n\
        Repositories         : @System\n\
        Mandatory packages   : app\n\
        Optional packages    : lib\n\n";
    assert_eq!(info, wanted);
    place.bad(&["group", "info", "nothing"], 1, "no match for argument: nothing");
    place.bad(&["group", "install", "nothing"], 1, "no match for argument: nothing");
    place.good(&["group", "remove", "tools"]);
    assert_eq!(place.installed(), Vec::<String>::new());
}

#[test]
fn host_leaves_are_what_nothing_needs() {
    if !can_change() {
        return;
    }
    let place = Place::new();
    place.publish(
        "base",
        vec![
            package("app-1-1.noarch").requires("lib"),
            package("lib-1-1.noarch"),
            package("one-1-1.noarch").requires("two"),
            package("two-1-1.noarch").requires("one"),
        ],
    );
    place.good(&["install", "app", "one"]);
    assert_eq!(place.good(&["leaves"]).out, "- app-0:1-1.noarch\n- one-0:1-1.noarch\n  two-0:1-1.noarch\n");
    assert_eq!(place.good(&["check"]).out, "");
}

#[test]
fn host_check_tells_what_does_not_fit() {
    if !can_change() {
        return;
    }
    let place = Place::new();
    place.publish("base", packages(&["app-1-1.noarch"]));
    place.good(&["install", "app"]);
    // Nothing of ours makes such a root: its database is written by hand.
    let record = |builder: rpm::write::PackageBuilder, number| {
        let bytes = builder.build().expect("it can be made");
        let package = rpm::Package::read(&mut &bytes[..]).expect("it is a package");
        rpm::db::InstalledPackage { number, header: package.header }
    };
    let wrong = [
        record(package("app-1-1.noarch").requires("nothing"), 1),
        record(package("app-2-1.noarch"), 2),
        record(package("new-1-1.noarch").depends(DependencyKind::Obsoletes, "old"), 3),
        record(package("old-1-1.noarch"), 4),
    ];
    let database = place.path("root/usr/lib/sysimage/rpm/rpmdb.sqlite");
    fs_err::write(database, rpm::db::write(&wrong).expect("it can be made")).expect("it can be written");
    let said = place.bad(&["check"], 1, "check discovered 3 problems in 4 packages");
    assert!(
        said.out.contains("app-1-1.noarch") && said.out.contains("nothing") && said.out.contains("old"),
        "{said:?}"
    );
    place.bad(&["check", "--dependencies"], 1, "1 problems");
    place.bad(&["check", "--duplicates"], 1, "1 problems");
    place.bad(&["check", "--obsoleted"], 1, "1 problems");
}

#[test]
fn host_a_boot_is_wanted_by_what_is_newer_than_the_last() {
    if !can_change() {
        return;
    }
    let place = Place::new();
    place.publish("base", packages(&["app-1-1.noarch", "glibc-1-1.noarch"]));
    place.good(&["install", "app"]);
    let said = place.good(&["needs-restarting"]);
    assert_eq!(
        said.out,
        "No core libraries or services have been updated since boot-up.\nReboot should not be necessary.\n"
    );
    place.good(&["install", "glibc"]);
    let said = place.call(&["needs-restarting", "--reboothint"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.out.starts_with("Core libraries or services have been updated since boot-up:\n  * glibc\n"),
        "{said:?}"
    );
    let said = place.call(&["--json", "needs-restarting"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!(json, serde_json::json!([{ "type": "reboot", "reboot_required": true, "packages": ["glibc"] }]));
    // No program that runs is of this root.
    assert_eq!(place.good(&["needs-restarting", "--services"]).out, "");
}
