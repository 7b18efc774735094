//! Transactions that wait for the next start, in a root in a folder: all but the restart itself.

use crate::place::{Place, can_change, package, packages};

const STATE: &str = "root/var/lib/slipway/dnf/offline/state.json";

/// A root with `app` and `other`, for which newer packages are there, and with what systemd has to have.
fn place() -> Place {
    let place = Place::new();
    place.publish("base", packages(&["app-1-1.noarch", "other-1-1.noarch"]));
    place.good(&["install", "app", "other"]);
    place.publish("base", packages(&["app-2-1.noarch", "other-1-1.noarch", "extra-1-1.noarch"]));
    let units = place.path("root/usr/lib/systemd/system/system-update.target.wants");
    fs_err::create_dir_all(&units).expect("a folder can be made");
    fs_err::os::unix::fs::symlink("../dnf-offline-transaction.service", units.join("dnf-offline-transaction.service"))
        .expect("a link can be made");
    let generators = place.path("root/usr/lib/systemd/system-generators");
    fs_err::create_dir_all(&generators).expect("a folder can be made");
    fs_err::write(generators.join("systemd-system-update-generator"), "").expect("a file can be written");
    place
}

fn is_linked(place: &Place) -> bool {
    place.path("root/system-update").is_symlink()
}

const OLD: [&str; 2] = ["app-1-1.noarch", "other-1-1.noarch"];
const NEW: [&str; 2] = ["app-2-1.noarch", "other-1-1.noarch"];

#[test]
fn host_an_upgrade_waits_for_the_start_and_is_done_then() {
    if !can_change() {
        return;
    }
    let place = place();
    assert_eq!(place.good(&["offline", "status"]).out, "No offline transaction is stored.\n");
    place.bad(&["offline", "reboot"], 1, "No offline transaction is stored.");
    assert!(
        place
            .good(&["--comment", "for later", "upgrade", "--offline"])
            .out
            .contains("Stored to be done at the next start")
    );
    assert_eq!(place.installed(), OLD, "nothing is done yet");
    let status = place.good(&["offline", "status"]).out;
    assert!(status.contains("upgrade --offline") && status.contains("with 1 package.\n"), "{status}");
    assert!(!is_linked(&place));
    // Nobody said yet that a start shall do it.
    assert!(place.good(&["offline", "_execute"]).err.contains("nothing was done"));

    place.good(&["offline", "reboot"]);
    let link = fs_err::read_link(place.path("root/system-update")).expect("it is a link");
    assert_eq!(link, std::path::Path::new("/var/lib/slipway/dnf/offline"));
    // No repository is there at the start, and none is needed.
    for name in ["base", "cache", "repos"] {
        fs_err::remove_dir_all(place.path(name)).expect("it can be removed");
    }
    let done = place.good(&["offline", "_execute"]);
    assert!(done.out.contains("Upgrading:") && done.out.contains("Complete!"), "{done:?}");
    assert_eq!(place.installed(), NEW);
    assert_eq!(place.text("root/usr/share/app"), "app-2-1.noarch\n");
    assert!(!is_linked(&place));
    assert!(!place.path("root/var/lib/slipway/dnf/offline").exists(), "its packages are removed");

    let info = place.good(&["history", "info"]).out;
    for line in [
        "upgrade --offline",
        "Comment        : for later",
        "Upgrade   app-2-1.noarch  User    base",
        "Replaced  app-1-1.noarch",
    ] {
        assert!(info.contains(line), "{info}");
    }
    let log = place.good(&["offline", "log"]).out;
    assert!(
        log.starts_with("Starts of the machine with an offline transaction:\n1 / ") && log.contains(" →1 done"),
        "{log}"
    );
    let log = place.good(&["offline", "log", "--number=-1"]).out;
    assert!(log.contains("done, as transaction 2 of the history") && log.contains("app-2-1.noarch"), "{log}");
    place.bad(&["offline", "log", "--number=2"], 1, "there is no attempt 2");
    // The next start is an ordinary one.
    assert!(place.good(&["offline", "_execute"]).err.contains("nothing was done"));
}

#[test]
fn host_every_kind_of_change_can_wait() {
    if !can_change() {
        return;
    }
    let place = place();
    let later = |words: &[&str]| {
        place.good(&[words, &["--offline"]].concat());
        place.good(&["offline", "reboot"]);
        place.good(&["offline", "_execute"]);
        place.installed()
    };
    assert_eq!(later(&["install", "extra"]), ["app-1-1.noarch", "extra-1-1.noarch", "other-1-1.noarch"]);
    assert_eq!(later(&["remove", "extra"]), OLD);
    fs_err::remove_file(place.path("root/usr/share/other")).expect("it can be removed");
    assert_eq!(later(&["reinstall", "other"]), OLD);
    assert_eq!(place.text("root/usr/share/other"), "other-1-1.noarch\n");
    assert_eq!(later(&["history", "undo", "1"]), Vec::<String>::new());
    let replacer = package("new-1-1.noarch").depends(rpm::DependencyKind::Obsoletes, "app < 2");
    place.publish("base", [packages(&["app-1-1.noarch"]), vec![replacer]].concat());
    assert_eq!(later(&["install", "new"]), ["new-1-1.noarch"]);
    place.publish("base", packages(&["app-1-1.noarch"]));
    assert_eq!(later(&["swap", "new", "app"]), ["app-1-1.noarch"]);
}

#[test]
fn host_a_system_upgrade_takes_what_the_other_release_has() {
    if !can_change() {
        return;
    }
    let place = place();
    let release = |version: &str| {
        package(&format!("release-{version}-1.noarch")).provides(&format!("system-release = {version}"))
    };
    place.publish("base", vec![release("1"), package("ahead-5-1.noarch")]);
    place.good(&["install", "release", "ahead"]);
    place.publish("base", vec![release("2"), package("app-2-1.noarch"), package("ahead-4-1.noarch")]);
    place.bad(&["system-upgrade", "download", "--releasever=1"], 1, "is not another than the installed one, `1`");
    let download = |more: &[&str]| place.good(&[&["system-upgrade", "download", "--releasever=2"], more].concat()).out;
    assert!(!download(&["--no-downgrade"]).contains("ahead"));
    let said = download(&[]);
    assert!(said.contains("Downgrading:\n ahead"), "{said}");
    let status = place.good(&["system-upgrade", "status"]).out;
    assert!(status.contains("with 3 packages, from release 1 to 2"), "{status}");
    assert!(place.good(&["system-upgrade", "reboot"]).err.contains("from release 1 to 2"));
    place.good(&["offline", "_execute"]);
    let wanted = ["ahead-4-1.noarch", "app-2-1.noarch", "other-1-1.noarch", "release-2-1.noarch"];
    assert_eq!(place.installed(), wanted);
    assert!(place.good(&["system-upgrade", "log"]).out.contains(" 1→2 done"));
}

#[test]
fn host_what_is_stored_is_done_as_it_was_stored_or_not_at_all() {
    if !can_change() {
        return;
    }
    let place = place();
    let store = || {
        place.good(&["upgrade", "--offline"]);
        place.good(&["offline", "reboot"]);
    };
    let refused = |text: &str| {
        place.bad(&["offline", "_execute"], 1, text);
        assert_eq!(place.installed(), OLD, "{text}");
        assert!(!is_linked(&place), "{text}");
        let log = place.good(&["offline", "log", "--number=-1"]).out;
        assert!(log.contains("End          : failed: ") && log.contains(text), "{log}");
    };

    // A package that is not what was stored.
    store();
    let file = place.path("root/var/lib/slipway/dnf/offline/packages/app-2-1.noarch.rpm");
    let sound = fs_err::read(&file).expect("it can be read");
    let mut damaged = sound.clone();
    *damaged.last_mut().expect("it is not empty") ^= 1;
    fs_err::write(&file, &damaged).expect("it can be written");
    refused("app-2-1.noarch.rpm` is not what was stored");
    // What was begun is not begun again.
    assert!(place.good(&["offline", "status"]).out.contains("did not end well"));
    place.bad(&["offline", "reboot"], 1, "was begun before");
    assert_eq!(place.good(&["offline", "clean"]).out, "The transaction is forgotten, with 1 package.\n");
    assert_eq!(place.good(&["offline", "status"]).out, "No offline transaction is stored.\n");

    // A state or a transaction that is damaged.
    for (damage, text) in [
        (
            Box::new(|text: &str| text[..text.len() / 2].to_owned()) as Box<dyn Fn(&str) -> String>,
            "state.json` is damaged: ",
        ),
        (Box::new(|text: &str| text.replace("\"version\": 1", "\"version\": 2")), "it is of version 2, and 1 is known"),
        (Box::new(|text: &str| text.replace("\"ready\"", "\"done\"")), "state.json` is damaged: "),
        (Box::new(|text: &str| text.replace("packages/app", "../../../../etc/app")), "is not below its folder"),
    ] {
        store();
        let state = place.text(STATE);
        assert_ne!(damage(&state), state);
        fs_err::write(place.path(STATE), damage(&state)).expect("it can be written");
        if !text.contains("version") {
            place.bad(&["offline", "status"], 1, text);
            place.bad(&["offline", "reboot"], 1, text);
        }
        refused(text);
    }
    store();
    let transaction = place.path("root/var/lib/slipway/dnf/offline/transaction.json");
    let text = fs_err::read_to_string(&transaction).expect("it can be read");
    fs_err::write(&transaction, text.replace("app-1-1", "other-1-1")).expect("it can be written");
    refused("transaction.json` is not what was stored");
}

#[test]
fn host_other_packages_than_at_the_time_are_noticed() {
    if !can_change() {
        return;
    }
    let place = place();
    place.good(&["upgrade", "--offline"]);
    place.good(&["offline", "reboot"]);
    place.good(&["install", "extra"]);
    let status = place.good(&["offline", "status"]).out;
    assert!(status.contains("not valid any more:\n\t") && status.contains("upgrade --offline"), "{status}");
    place.bad(&["offline", "_execute"], 1, "other packages are installed than when the transaction was stored");
    assert_eq!(place.installed(), ["app-1-1.noarch", "extra-1-1.noarch", "other-1-1.noarch"]);
    // The same before a restart: what was got ready is taken back.
    place.good(&["upgrade", "--offline"]);
    place.good(&["offline", "reboot"]);
    place.good(&["remove", "extra"]);
    assert!(is_linked(&place));
    let said = place.bad(&["offline", "reboot"], 1, "other packages are installed");
    assert!(said.err.contains("hint: store it again"), "{said:?}");
    assert!(!is_linked(&place));
    // Another transaction takes the place of the first.
    let said = place.good(&["install", "extra", "--offline"]);
    assert!(said.err.contains("a transaction waits already, and this one takes its place: "), "{said:?}");
    place.good(&["offline", "reboot"]);
    place.good(&["offline", "_execute"]);
    assert_eq!(place.installed(), ["app-1-1.noarch", "extra-1-1.noarch", "other-1-1.noarch"]);
}

#[test]
fn host_a_root_that_would_not_do_it_is_refused() {
    if !can_change() {
        return;
    }
    let place = place();
    place.good(&["upgrade", "--offline"]);
    let generator = place.path("root/usr/lib/systemd/system-generators/systemd-system-update-generator");
    fs_err::rename(&generator, place.path("generator")).expect("it can be moved");
    place.bad(&["offline", "reboot"], 4, "which makes a start one for updates");
    fs_err::rename(place.path("generator"), &generator).expect("it can be moved");
    let masked = place.path("root/etc/systemd/system/dnf-offline-transaction.service");
    fs_err::create_dir_all(masked.parent().expect("it has one")).expect("a folder can be made");
    fs_err::os::unix::fs::symlink("/dev/null", &masked).expect("a link can be made");
    place.bad(&["offline", "reboot"], 4, "is masked");
    fs_err::remove_file(&masked).expect("it can be removed");
    let wanted = place.path("root/usr/lib/systemd/system/system-update.target.wants");
    fs_err::rename(&wanted, place.path("wants")).expect("it can be moved");
    place.bad(&["offline", "reboot"], 4, "does not want `dnf-offline-transaction.service`");
    fs_err::rename(place.path("wants"), &wanted).expect("it can be moved");
    // An update of somebody else's is neither started nor taken away.
    let link = place.path("root/system-update");
    fs_err::os::unix::fs::symlink("/var/lib/PackageKit", &link).expect("a link can be made");
    place.bad(&["offline", "reboot"], 1, "leads to `/var/lib/PackageKit` already");
    assert!(place.good(&["offline", "_execute"]).err.contains("nothing was done"));
    place.good(&["offline", "clean"]);
    assert!(is_linked(&place));
    fs_err::remove_file(&link).expect("it can be removed");
    // Without consent nothing is got ready.
    place.good(&["upgrade", "--offline"]);
    place.bad(&["--assumeno", "offline", "reboot"], 1, "aborted by the user");
    assert!(!is_linked(&place));
    assert_eq!(place.installed(), OLD);
}
