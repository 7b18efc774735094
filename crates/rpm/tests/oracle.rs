//! What rpmbuild writes, we read; what `rpm` says of it, we say too.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use rpm::{DependencyKind, FileFlags, FileKind, Package, TriggerScope, TriggerWhen};

const SPEC: &str = include_str!("alpha.spec");

/// Runs a program of rpm's; `None`, and a line that says so, where it is not installed.
#[expect(clippy::disallowed_methods, reason = "the oracle is a program")]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn oracle(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).env("LC_ALL", "C").output() {
        Ok(output) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert!(output.status.success(), "{program} {arguments:?}: {}", text(&output.stderr));
            Some(text(&output.stdout))
        }
        Err(_) => {
            println!("skipped: {program} not installed");
            None
        }
    }
}

/// Builds the sample spec with one payload compression.
fn build(folder: &Path, payload: &str) -> Option<Vec<PathBuf>> {
    let spec = folder.join("alpha.spec");
    fs_err::write(&spec, SPEC).unwrap();
    let topdir = format!("_topdir {}", folder.display());
    let payload = format!("_binary_payload {payload}");
    let arguments = ["-bb", "--define", &topdir, "--define", &payload, spec.to_str().unwrap()];
    oracle("rpmbuild", &arguments)?;
    let mut packages: Vec<PathBuf> =
        fs_err::read_dir(folder.join("RPMS/noarch")).unwrap().map(|entry| entry.unwrap().path()).collect();
    packages.sort();
    Some(packages)
}

#[test]
fn files_packages_of_rpmbuild_are_read_and_unpacked() {
    for payload in ["w9.gzdio", "w6.xzdio", "w19.zstdio", "w9.bzdio"] {
        let folder = tempfile::tempdir().unwrap();
        let Some(packages) = build(folder.path(), payload) else { return };
        let root = folder.path().join("root");
        fs_err::create_dir(&root).unwrap();
        let mut reader = fs_err::File::open(&packages[0]).unwrap();
        let (package, unpacked) = rpm::unpack(&mut reader, &root).unwrap();
        assert_eq!(package.nevra().to_string(), "alpha-2:1.0-1.sk1.noarch", "{payload}");
        assert_eq!(unpacked.entries, 5);
        assert_eq!(fs_err::read_to_string(root.join("usr/bin/alpha")).unwrap(), "hi\n");
        assert_eq!(fs_err::read_to_string(root.join("usr/bin/alpha2")).unwrap(), "hi\n");
        assert_eq!(fs_err::read_link(root.join("usr/bin/alpha3")).unwrap(), Path::new("alpha"));
        let inode = |path: &str| std::os::unix::fs::MetadataExt::ino(&fs_err::metadata(root.join(path)).unwrap());
        assert_eq!(inode("usr/bin/alpha"), inode("usr/bin/alpha2"));
        assert!(root.join("var/lib/alpha").is_dir());
        assert!(!root.join("var/log/alpha.log").exists(), "ghosts are not there");
    }
}

#[test]
fn files_what_the_header_says_is_what_rpm_says() {
    let folder = tempfile::tempdir().unwrap();
    let Some(packages) = build(folder.path(), "w6.xzdio") else { return };
    let package = Package::read(&mut fs_err::File::open(&packages[0]).unwrap()).unwrap();
    let query = |arguments: &[&str]| {
        let all: Vec<&str> = ["-qp"].iter().chain(arguments).copied().chain([packages[0].to_str().unwrap()]).collect();
        oracle("rpm", &all).unwrap()
    };
    for (kind, option) in [
        (DependencyKind::Provides, "--provides"),
        (DependencyKind::Requires, "--requires"),
        (DependencyKind::Recommends, "--recommends"),
    ] {
        let ours: Vec<String> =
            package.header.dependencies(kind).iter().map(|dependency| dependency.relation.to_string()).collect();
        let theirs = query(&[option]);
        let mut theirs: Vec<&str> = theirs.lines().map(str::trim).collect();
        let mut ours: Vec<&str> = ours.iter().map(String::as_str).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs, "{kind:?}");
    }
    let dump: Vec<String> = package
        .files()
        .unwrap()
        .iter()
        .map(|file| {
            let digest = file.digest.as_ref().map_or_else(|| "0".repeat(64), |digest| digest.hex.clone());
            let (config, doc) = (file.flags.has(FileFlags::CONFIG) as u8, file.flags.has(FileFlags::DOC) as u8);
            let target = if file.kind == FileKind::Symlink { file.link_target.as_str() } else { "X" };
            format!(
                "{} {} {} {digest} 0{:o} {} {} {config} {doc} {} {target}",
                file.path, file.size, file.mtime, file.mode, file.user, file.group, file.rdev
            )
        })
        .collect();
    assert_eq!(dump.join("\n"), query(&["--dump"]).trim_end());
    assert_eq!(package.header.changelog()[0].text, "- made");
    assert_eq!(package.header.scriptlets().len(), 1);
}

#[test]
fn files_triggers_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let Some(packages) = build(folder.path(), "w6.xzdio") else { return };
    let package = Package::read(&mut fs_err::File::open(&packages[1]).unwrap()).unwrap();
    let triggers = package.header.triggers();
    let seen: Vec<(TriggerScope, TriggerWhen, Vec<String>, &str, u32)> = triggers
        .iter()
        .map(|trigger| {
            let conditions = trigger.conditions.iter().map(ToString::to_string).collect();
            (trigger.scope, trigger.when, conditions, trigger.program.as_str(), trigger.priority)
        })
        .collect();
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
    assert_eq!(
        seen,
        [
            (TriggerScope::Package, TriggerWhen::In, texts(&["bash < 6", "zsh"]), "/bin/sh", 1_000_000),
            (TriggerScope::Package, TriggerWhen::Un, texts(&["bash"]), "/bin/sh", 1_000_000),
            (TriggerScope::File, TriggerWhen::In, texts(&["/usr/lib", "/usr/share"]), "/bin/sh", 200),
            (TriggerScope::TransactionFile, TriggerWhen::In, texts(&["/usr/share"]), "<lua>", 1_000_000),
        ]
    );
    let scriptlets = package.header.scriptlets();
    assert_eq!(scriptlets[0].program, ["<lua>"]);
    assert_eq!(scriptlets[0].body.as_deref(), Some("print(\"x\")"));
}
