//! Scriptlets and triggers, run in the sandbox by a shell that is put into the root from this machine.

use install::{InstallError, Installed};
use pkg::Relation;
use rpm::write::{NewFile, PackageBuilder};
use rpm::{ScriptletFlags, ScriptletKind, Trigger, TriggerScope, TriggerWhen};
use testkit::packages::{builder, filesystem, library, shell};
use tree::Kind;

use crate::oracle;
use crate::yard::{Yard, listing, node, path, text};

/// A statically linked shell of this machine; says so when there is none.
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
pub(crate) fn with_shell(more: Vec<PackageBuilder>) -> Option<Vec<PackageBuilder>> {
    let Ok(busybox) = fs_err::read("/bin/busybox") else {
        println!("skipped: busybox-static not installed");
        return None;
    };
    let mut packages = vec![filesystem(), shell(&busybox)];
    packages.extend(more);
    Some(packages)
}

/// A package that needs a shell for its scriptlets.
fn scripted(name: &str) -> PackageBuilder {
    builder(name).requires("filesystem").requires("shell")
}

fn post(name: &str, body: &str) -> PackageBuilder {
    scripted(name).scriptlet(ScriptletKind::Post, "/bin/sh", body)
}

/// Asserts that all scriptlets succeeded.
fn all_well(installed: &Installed<'_>) {
    for run in &installed.scriptlets {
        assert_eq!(run.failure, None, "{run:?}");
    }
}

#[test]
fn host_what_scriptlets_do_is_taken_back() {
    let changing = post(
        "changing",
        "set -e
        echo made > /etc/made; chmod 600 /etc/made
        mkdir -p /var/lib/made/deep; echo deep > /var/lib/made/deep/file
        ln -s made /etc/link; ln /etc/made /etc/again
        echo more >> /etc/changing.conf
        rm /usr/share/changing/gone; rm -r /usr/share/changing/folder
        rm -r /usr/share/changing/swap; mkdir /usr/share/changing/swap; echo new > /usr/share/changing/swap/new
        chmod 4755 /usr/bin/changing; chmod 700 /usr/share/changing/secret
        mv /usr/share/changing/old /usr/share/changing/new
        echo lost > /tmp/lost; echo said; echo \"arguments $*\"",
    )
    .file("/etc/changing.conf", NewFile::regular("first\n").mode(0o640))
    .file("/usr/bin/changing", NewFile::regular("x").mode(0o755))
    .file("/usr/share/changing", NewFile::directory())
    .file("/usr/share/changing/gone", NewFile::regular("gone"))
    .file("/usr/share/changing/old", NewFile::regular("moved\n"))
    .file("/usr/share/changing/secret", NewFile::directory())
    .file("/usr/share/changing/folder", NewFile::directory())
    .file("/usr/share/changing/folder/file", NewFile::regular("gone"))
    .file("/usr/share/changing/swap", NewFile::directory())
    .file("/usr/share/changing/swap/old", NewFile::regular("gone"));
    let yard = Yard::new();
    let Some(packages) = with_shell(vec![changing]) else { return };
    let installed = yard.fill(packages).unwrap();
    all_well(&installed);
    assert_eq!(installed.scriptlets.len(), 1);
    assert_eq!(installed.scriptlets[0].output, ["said", "arguments 1"]);
    assert_eq!((text(&installed, "etc/made").as_str(), node(&installed.tree, "etc/made").meta.mode), ("made\n", 0o600));
    assert_eq!(text(&installed, "var/lib/made/deep/file"), "deep\n");
    assert_eq!(node(&installed.tree, "etc/link").kind, Kind::Symlink { target: "made".to_owned() });
    assert_eq!(listing(&installed.tree)["/etc/made"].split(" = ").nth(1), Some("/etc/again"), "one file of two names");
    assert_eq!(text(&installed, "etc/changing.conf"), "first\nmore\n");
    assert_eq!(node(&installed.tree, "etc/changing.conf").meta.mode, 0o640);
    assert_eq!(node(&installed.tree, "usr/bin/changing").meta.mode, 0o4755);
    assert_eq!(node(&installed.tree, "usr/share/changing/secret").meta.mode, 0o700);
    assert_eq!(text(&installed, "usr/share/changing/new"), "moved\n");
    let left: Vec<String> =
        installed.tree.below(&path("usr/share/changing")).map(|(path, _)| path.to_string()).collect();
    let base = "/usr/share/changing";
    assert_eq!(left, ["", "/new", "/secret", "/swap", "/swap/new"].map(|name| format!("{base}{name}")));
    let strays = ["tmp/lost", ".rpm-scriptlet", ".rpm-scriptlet-input"];
    assert!(strays.iter().all(|stray| installed.tree.get(&path(stray)).is_none()));
    assert_eq!(node(&installed.tree, "var/lib/made").meta.mtime, 1_750_000_000, "no clock shows");
}

#[test]
fn host_later_packages_build_on_what_scriptlets_left() {
    // The first removes a folder, replaces another and makes an account; the second brings files to all these places.
    let first =
        post("first", "set -e; rm -r /opt/a /opt/b; mkdir /opt/b; echo 'made:x:500:500::/:/bin/sh' >> /etc/passwd")
            .file("/opt/a", NewFile::directory())
            .file("/opt/a/one", NewFile::regular("1"))
            .file("/opt/b", NewFile::directory())
            .file("/opt/b/one", NewFile::regular("1"));
    let second = post("second", "set -e; cat /opt/a/two /opt/b/two > /opt/seen; test ! -e /opt/b/one")
        .requires("first")
        .file("/opt/a/two", NewFile::regular("a\n").owner("made", "root"))
        .file("/opt/b/two", NewFile::regular("b\n"));
    let third = post("third", "cat /opt/seen /opt/a/two").requires("second");
    let yard = Yard::new();
    let Some(packages) = with_shell(vec![first, second, third]) else { return };
    let installed = yard.fill(packages).unwrap();
    all_well(&installed);
    assert_eq!(installed.scriptlets[2].output, ["a", "b", "a"]);
    assert_eq!(node(&installed.tree, "opt/a/two").meta.uid, 500);
    assert_eq!(text(&installed, "opt/b/two"), "b\n");
    assert!(installed.tree.get(&path("opt/b/one")).is_none());
}

#[test]
fn host_a_failing_pre_stops_and_a_failing_post_is_reported() {
    let yard = Yard::new();
    let refusing = scripted("refusing").scriptlet(ScriptletKind::Pre, "/bin/sh", "echo no room; exit 3");
    let Some(packages) = with_shell(vec![refusing]) else { return };
    let error = yard.refusal(packages);
    let InstallError::Scriptlet { scriptlet, package, output, outcome } = &error else { panic!("{error}") };
    assert_eq!((scriptlet.as_str(), package.as_str(), output.as_str()), ("%pre", "refusing-1.0-1.noarch", "no room"));
    assert!(outcome.contains('3'), "{outcome}");

    let Some(packages) = with_shell(vec![post("failing", "echo half > /etc/half; echo broken; exit 1")]) else {
        return;
    };
    let installed = yard.fill(packages).unwrap();
    let run = &installed.scriptlets[0];
    assert_eq!((run.package.as_str(), run.scriptlet.as_str()), ("failing-1.0-1.noarch", "%post"));
    assert!(run.failure.is_some());
    assert_eq!(run.output, ["broken"]);
    assert_eq!(text(&installed, "etc/half"), "half\n", "what it did before stays, as with rpm");
}

#[test]
fn host_what_cannot_be_run_is_said() {
    let yard = Yard::new();
    let odd = scripted("odd").scriptlet(ScriptletKind::Post, "<basic>", "10 PRINT 1");
    let Some(packages) = with_shell(vec![odd]) else { return };
    let error = yard.refusal(packages);
    assert!(matches!(&error, InstallError::Interpreter { needs, .. } if needs.contains("<basic>")), "{error}");
}

fn trigger(scope: TriggerScope, condition: &str, body: &str) -> Trigger {
    Trigger {
        scope,
        when: TriggerWhen::In,
        conditions: vec![Relation::any(condition)],
        body: body.to_owned(),
        program: "/bin/sh".to_owned(),
        flags: ScriptletFlags::default(),
        priority: Trigger::DEFAULT_PRIORITY,
    }
}

/// A package whose triggers write down what they were given.
fn watching() -> PackageBuilder {
    let note = |name: &str| format!("(echo \"$*\"; cat) >> /var/lib/seen-{name}");
    scripted("watching")
        .trigger(trigger(TriggerScope::TransactionFile, "/usr/share/", &note("transaction")))
        .trigger(trigger(TriggerScope::TransactionFile, "/lib64/", &note("packed")))
        .trigger(trigger(TriggerScope::TransactionFile, "/usr/lib64/", &note("resolved")))
        .trigger(trigger(TriggerScope::TransactionFile, "/srv/", &note("never")))
        .trigger(trigger(TriggerScope::Package, "library", "echo \"$*\" >> /var/lib/seen-package"))
        .file("/usr/share/watching", NewFile::directory())
        .file("/usr/share/watching/ghost", NewFile::ghost())
}

/// The packages that [`watching`] watches: one is there before it, the others come after it.
fn watched() -> Vec<PackageBuilder> {
    let later =
        |name: &str| builder(name).requires("watching").file(&format!("/usr/share/{name}"), NewFile::regular(name));
    vec![
        watching().requires("early"),
        builder("early").requires("filesystem").file("/usr/share/early", NewFile::regular("")),
        later("zeta"),
        later("late"),
        library(),
    ]
}

#[test]
fn host_triggers_get_their_paths() {
    let yard = Yard::new();
    let Some(packages) = with_shell(watched()) else { return };
    let installed = yard.fill(packages).unwrap();
    all_well(&installed);
    let seen = text(&installed, "var/lib/seen-transaction");
    let mut lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines.remove(0), "0");
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "/usr/share/early",
            "/usr/share/late",
            "/usr/share/library",
            "/usr/share/library/README",
            "/usr/share/watching",
            "/usr/share/watching/ghost",
            "/usr/share/zeta"
        ]
    );
    assert_eq!(text(&installed, "var/lib/seen-packed"), "0\n/lib64/libtiny.so.1\n/lib64/libtiny.so.1.0\n");
    assert!(installed.tree.get(&path("var/lib/seen-never")).is_none());
    assert_eq!(text(&installed, "var/lib/seen-package"), "1 1\n");
}

#[test]
fn host_rpm_runs_scriptlets_and_triggers_alike() {
    let yard = Yard::new();
    if !oracle::can_ask(&yard.host) {
        return;
    }
    let every = |name: &str, after: &str| {
        let kinds = [ScriptletKind::Pretrans, ScriptletKind::Pre, ScriptletKind::Post, ScriptletKind::Posttrans];
        kinds.into_iter().fold(scripted(name).requires(after), |package, kind| {
            // Before anything is installed, nothing can run: only what comes after the shell has a %pretrans here.
            let body = format!("echo {name} {} $* >> /var/lib/order; echo {name} > /var/lib/last", kind.name());
            if kind == ScriptletKind::Pretrans { package } else { package.scriptlet(kind, "/bin/sh", &body) }
        })
    };
    let more = || {
        let mut more = watched();
        more.extend([every("alpha", "beta"), every("beta", "watching"), every("gamma", "alpha")]);
        with_shell(more)
    };
    let (Some(first), Some(second)) = (more(), more()) else { return };
    let ours = yard.fill(first).unwrap();
    all_well(&ours);
    let theirs = yard.folder.path().join("theirs");
    fs_err::create_dir(&theirs).unwrap();
    let (good, said) = oracle::install(&yard.host, &theirs, &yard.files(second));
    assert!(good && said.is_empty(), "{said:?}");
    let (mut ours_lines, mut theirs_lines) =
        (oracle::comparable(&ours.tree), oracle::comparable(&oracle::read(&theirs)));
    // Which package's paths come first is rpm's affair: the lines are compared, not their order.
    for name in ["seen-transaction", "seen-packed", "seen-resolved", "seen-package"] {
        let at = format!("/var/lib/{name}");
        let sorted = |text: String| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let theirs = fs_err::read_to_string(theirs.join(&at[1..])).unwrap_or_default();
        let ours = ours.tree.get(&path(&at)).map(|_| text(&ours, &at)).unwrap_or_default();
        assert_eq!(sorted(ours), sorted(theirs), "{at}");
        ours_lines.remove(&at);
        theirs_lines.remove(&at);
    }
    assert_eq!(text(&ours, "var/lib/order"), fs_err::read_to_string(theirs.join("var/lib/order")).unwrap());
    assert_eq!(ours_lines, theirs_lines);
}
