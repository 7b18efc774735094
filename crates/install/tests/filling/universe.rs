//! Packages in two versions, which together have each feature that a transaction must get right.
//!
//! Every scriptlet and trigger writes its turn, its arguments and what it read to `/var/log/turns`.

use pkg::{Nevra, Relation};
use rpm::write::{NewFile, PackageBuilder};
use rpm::{
    Dependency, DependencyKind, FileFlags, ScriptletFlags, ScriptletKind, Sense, Trigger, TriggerScope, TriggerWhen,
};
use testkit::packages::AT;

pub(crate) const TURNS: &str = "/var/log/turns";

const CONFIG: FileFlags = FileFlags::CONFIG;
const KEEP: FileFlags = FileFlags(FileFlags::CONFIG.0 | FileFlags::NOREPLACE.0);

fn package(name: &str, version: u32) -> PackageBuilder {
    PackageBuilder::new(Nevra::parse(&format!("{name}-{version}-1.noarch")).expect("a NEVRA"), AT)
        .requires("shell")
        .requires("filesystem")
}

fn note(text: &str) -> String {
    format!("echo \"{text}: $*\" >> {TURNS}")
}

/// All scriptlets that rpm 4.18 runs, each noting its turn.
fn noting(mut builder: PackageBuilder, name: &str, version: u32) -> PackageBuilder {
    use ScriptletKind::{Post, Posttrans, Postun, Pre, Pretrans, Preun};
    for kind in [Pre, Post, Preun, Postun, Posttrans] {
        builder = builder.scriptlet(kind, "/bin/sh", &note(&format!("{name}-{version} %{}", kind.name())));
    }
    let early = format!(
        "local file = io.open('{TURNS}', 'a'); if file then file:write('{name}-{version} %pretrans: ', arg[2], '\\n'); file:close() end"
    );
    builder.scriptlet(Pretrans, "<lua>", &early)
}

fn trigger(scope: TriggerScope, when: TriggerWhen, conditions: &[&str], name: &str, priority: u32) -> Trigger {
    let reads =
        if scope == TriggerScope::Package || (scope == TriggerScope::TransactionFile && when == TriggerWhen::PostUn) {
            String::new()
        } else {
            format!("; cat >> {TURNS}")
        };
    Trigger {
        scope,
        when,
        conditions: conditions.iter().map(|text| Relation::parse(text).expect("a relation")).collect(),
        body: note(name) + &reads,
        program: "/bin/sh".to_owned(),
        flags: ScriptletFlags::default(),
        priority,
    }
}

/// A package with triggers of all kinds.
fn watcher(version: u32) -> PackageBuilder {
    let mut watcher = noting(package("watcher", version), "watcher", version);
    for (when, word) in [
        (TriggerWhen::PreIn, "prein"),
        (TriggerWhen::In, "in"),
        (TriggerWhen::Un, "un"),
        (TriggerWhen::PostUn, "postun"),
    ] {
        let name = |scope: &str| format!("watcher-{version} %{scope}{word}");
        let own = &[TriggerScope::Package][..];
        for scope in own {
            watcher = watcher.trigger(trigger(*scope, when, &["plain"], &name("trigger plain "), 0)).trigger(trigger(
                *scope,
                when,
                &["conf < 2", "zeta"],
                &name("trigger old conf or zeta "),
                0,
            ));
        }
        if when == TriggerWhen::PreIn {
            continue;
        }
        for (priority, level) in [(2_000_000, "high "), (1_000_000, "usual "), (500, "low ")] {
            let scoped = |scope: &str| name(&format!("{scope} {level}"));
            watcher = watcher
                .trigger(trigger(
                    TriggerScope::File,
                    when,
                    &["/usr/share/", "/etc/conf"],
                    &scoped("filetrigger"),
                    priority,
                ))
                .trigger(trigger(
                    TriggerScope::TransactionFile,
                    when,
                    &["/opt/", "/usr/share/plain"],
                    &scoped("transfiletrigger"),
                    priority,
                ));
        }
    }
    watcher.file("/usr/share/watcher", NewFile::regular(format!("{version}")))
}

/// Another one whose triggers compete with those of the first.
fn guard(version: u32) -> PackageBuilder {
    noting(package("guard", version), "guard", version)
        .requires("watcher")
        .trigger(trigger(TriggerScope::File, TriggerWhen::In, &["/usr/share/"], "guard %filetriggerin", 1_500_000))
        .trigger(trigger(TriggerScope::Package, TriggerWhen::In, &["plain", "guard"], "guard %triggerin", 0))
        .trigger(trigger(
            TriggerScope::TransactionFile,
            TriggerWhen::In,
            &["/etc/"],
            "guard %transfiletriggerin",
            1_000_000,
        ))
        .file("/usr/share/guard", NewFile::regular("guard"))
}

/// Configuration in all the ways in which a user and a new version can disagree; see [`edits`].
fn conf(version: u32) -> PackageBuilder {
    let differs = |name: &str| format!("{name} of version {version}\n");
    let mut conf = noting(package("conf", version), "conf", version).file("/etc/conf", NewFile::directory());
    for name in ["edited", "pristine", "deleted", "anticipated"] {
        conf = conf
            .file(&format!("/etc/conf/{name}"), NewFile::regular(differs(name)).flags(CONFIG))
            .file(&format!("/etc/conf/{name}-keep"), NewFile::regular(differs(name)).flags(KEEP));
    }
    for name in ["same", "same-pristine"] {
        conf = conf
            .file(&format!("/etc/conf/{name}"), NewFile::regular("the same\n").flags(CONFIG).mode(0o640))
            .file(&format!("/etc/conf/{name}-keep"), NewFile::regular("the same\n").flags(KEEP));
    }
    conf = conf
        .file("/etc/conf/optional", NewFile::regular(differs("optional")).flags(KEEP.and(FileFlags::MISSINGOK)))
        .file("/etc/conf/link", NewFile::symlink(&format!("to-{version}")).flags(CONFIG))
        .file("/etc/conf/edited-link", NewFile::symlink(&format!("to-{version}")).flags(CONFIG))
        .file("/etc/conf/ghost", NewFile::ghost().flags(CONFIG));
    let plain_now = NewFile::regular(differs("unmarked"));
    if version == 1 {
        conf.file("/etc/conf/unmarked", plain_now.flags(CONFIG))
            .file("/etc/conf/leaving", NewFile::regular("leaving\n").flags(CONFIG))
            .file("/etc/conf/leaving-edited", NewFile::regular("leaving\n").flags(CONFIG))
            .file("/etc/conf/becomes", NewFile::regular("plain at first\n"))
    } else {
        conf.file("/etc/conf/unmarked", plain_now)
            .file("/etc/conf/found", NewFile::regular("comes with version 2\n").flags(CONFIG))
            .file("/etc/conf/found-keep", NewFile::regular("comes with version 2\n").flags(KEEP))
            .file("/etc/conf/becomes", NewFile::regular("configuration now\n").flags(KEEP))
    }
}

/// What the user writes between the versions: a path, and its new bytes; none deletes it.
pub(crate) fn edits() -> Vec<(&'static str, Option<&'static str>)> {
    vec![
        ("etc/conf/edited", Some("mine\n")),
        ("etc/conf/edited-keep", Some("mine\n")),
        ("etc/conf/deleted", None),
        ("etc/conf/deleted-keep", None),
        ("etc/conf/optional", None),
        ("etc/conf/anticipated", Some("anticipated of version 2\n")),
        ("etc/conf/anticipated-keep", Some("anticipated of version 2\n")),
        ("etc/conf/same", Some("mine\n")),
        ("etc/conf/same-keep", Some("mine\n")),
        ("etc/conf/unmarked", Some("mine\n")),
        ("etc/conf/leaving-edited", Some("mine\n")),
        ("etc/conf/becomes", Some("mine\n")),
        ("etc/conf/found", Some("was there\n")),
        ("etc/conf/found-keep", Some("was there\n")),
        ("etc/conf/ghost", Some("made by the program\n")),
        ("var/lib/plain/ghost", Some("made by the program\n")),
        ("usr/share/plain/extra", Some("nobody's\n")),
    ]
}

fn plain(version: u32) -> PackageBuilder {
    let mut plain = noting(package("plain", version), "plain", version)
        .file("/usr/share/plain", NewFile::directory())
        .file(
            "/usr/share/plain/text",
            NewFile::regular(format!("text {version}")).mtime(1_600_000_000 + u64::from(version)),
        )
        .file("/usr/share/plain/stays", NewFile::regular("stays"))
        .file("/usr/share/plain/link", NewFile::symlink(&format!("text{version}")))
        .file("/usr/share/common", NewFile::directory())
        .file("/usr/share/common/file", NewFile::regular(format!("shared {version}")))
        .file("/var/lib/plain", NewFile::directory().mode(0o700))
        .file("/var/lib/plain/ghost", NewFile::ghost())
        .file("/usr/bin/plain", NewFile::regular("runs").mode(if version == 1 { 0o4755 } else { 0o2755 }))
        .file(
            "/usr/bin/able",
            NewFile::regular("able").mode(0o755).capabilities(if version == 1 {
                "cap_net_raw=ep"
            } else {
                "cap_chown=ep"
            }),
        )
        .file("/usr/share/plain/one", NewFile::regular("linked").mode(0o640))
        .file("/usr/share/plain/three", NewFile::hard_link("/usr/share/plain/one"));
    if version == 1 {
        plain = plain
            .file("/usr/share/plain/two", NewFile::hard_link("/usr/share/plain/one"))
            .file("/usr/share/plain/old", NewFile::directory())
            .file("/usr/share/plain/old/file", NewFile::regular("old"))
            .file("/usr/share/plain/swap", NewFile::regular("a file"));
    } else {
        plain = plain
            .file("/usr/share/plain/new/file", NewFile::regular("below an unowned directory"))
            .file("/usr/share/plain/swap", NewFile::symlink("text"));
    }
    plain
}

/// Shares files with [`plain`].
fn sharer(version: u32) -> PackageBuilder {
    noting(package("sharer", version), "sharer", version)
        .file("/usr/share/common", NewFile::directory())
        .file("/usr/share/common/file", NewFile::regular(format!("shared {version}")))
        .file("/usr/share/common/own", NewFile::regular("own"))
}

/// A directory that becomes a link, and a link that becomes a directory, by the means that packagers use.
fn turning(version: u32) -> PackageBuilder {
    let turning =
        package("turning", version).file("/opt", NewFile::directory()).file("/opt/base", NewFile::directory());
    if version == 1 {
        turning
            .file("/opt/folder", NewFile::directory())
            .file("/opt/folder/file", NewFile::regular("in the folder"))
            .file("/opt/link", NewFile::symlink("base"))
            .file("/opt/base/file", NewFile::regular("in the base"))
    } else {
        let early = "local path = '/opt/folder'
            local found = posix.stat(path)
            if found and found.type == 'directory' then
                os.remove(path .. '/file')
                assert(os.remove(path))
            end
            path = '/opt/link'
            found = posix.stat(path)
            if found and found.type == 'link' then assert(os.remove(path)) end";
        turning
            .scriptlet(ScriptletKind::Pretrans, "<lua>", early)
            .file("/opt/folder", NewFile::symlink("base"))
            .file("/opt/base/file", NewFile::regular("in the base"))
            .file("/opt/link", NewFile::directory())
            .file("/opt/link/file", NewFile::regular("in what was a link"))
    }
}

fn with_sense(kind: DependencyKind, name: &str, sense: Sense) -> (DependencyKind, Dependency) {
    (kind, Dependency { relation: Relation::any(name), sense })
}

/// Packages whose order is not that of their names, circles included.
fn ordered(version: u32) -> Vec<PackageBuilder> {
    let mut all = Vec::new();
    let relations: [(&str, &[(DependencyKind, Dependency)]); 8] = [
        ("alpha", &[with_sense(DependencyKind::Requires, "omega", Sense::default())]),
        (
            "beta",
            &[
                with_sense(DependencyKind::Requires, "gamma", Sense::SCRIPT_PRE),
                with_sense(DependencyKind::Requires, "eta", Sense::default()),
            ],
        ),
        ("gamma", &[with_sense(DependencyKind::Requires, "delta", Sense::default())]),
        ("delta", &[with_sense(DependencyKind::Requires, "beta", Sense::SCRIPT_POSTUN)]),
        (
            "eta",
            &[
                with_sense(DependencyKind::Recommends, "zeta", Sense::default()),
                with_sense(DependencyKind::Order, "omega", Sense::default()),
            ],
        ),
        ("zeta", &[with_sense(DependencyKind::Requires, "(alpha and (omega or plain))", Sense::default())]),
        ("omega", &[with_sense(DependencyKind::Supplements, "conf", Sense::default())]),
        (
            "theta",
            &[
                with_sense(DependencyKind::Requires, "zeta", Sense::SCRIPT_PREUN),
                with_sense(DependencyKind::Requires, "theta", Sense::default()),
            ],
        ),
    ];
    for (name, relations) in relations {
        let mut builder = noting(package(name, version), name, version);
        for (kind, dependency) in relations {
            builder = builder.dependency(*kind, dependency.clone());
        }
        all.push(builder.file(&format!("/usr/share/{name}"), NewFile::regular(format!("{name}{version}"))));
    }
    all
}

/// The packages of a version, but for `filesystem` and `shell`.
pub(crate) fn universe(version: u32) -> Vec<PackageBuilder> {
    let mut all =
        vec![watcher(version), guard(version), conf(version), plain(version), sharer(version), turning(version)];
    all.extend(ordered(version));
    if version == 1 {
        all.push(noting(package("before", 1), "before", 1).file("/usr/share/before", NewFile::regular("before")));
    } else {
        let after = noting(package("after", 2), "after", 2)
            .depends(DependencyKind::Obsoletes, "before < 2")
            .file("/usr/share/before", NewFile::regular("after now"))
            .file("/usr/share/after", NewFile::regular("after"));
        all.push(after);
    }
    all.push(
        noting(package("leftover", version), "leftover", version)
            .requires("alpha")
            .file("/usr/share/leftover", NewFile::directory())
            .file("/usr/share/leftover/file", NewFile::regular("left")),
    );
    all
}
