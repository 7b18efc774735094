//! rpm itself with the same packages.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use host::{Cmd, Host, Tool};
use install::{Installed, PackageFile};
use rpm::write::PackageBuilder;
use testkit::packages::{daemon, filesystem, library, links, sharing};
use tree::{Tree, directory};

use crate::yard::{Yard, listing, path, text};

/// rpm 4.18 waits for ever where a package holds a named pipe; nothing else takes it more than a moment.
const LONGEST: Duration = Duration::from_secs(120);

/// Whether rpm can be asked; says why not.
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
pub(crate) fn can_ask(host: &Host) -> bool {
    let why = if !Tool::Rpm.is_installed(host) {
        "rpm not installed"
    } else if !rustix::process::geteuid().is_root() {
        "not root, and rpm --root needs to be"
    } else {
        return true;
    };
    println!("skipped: {why}");
    false
}

/// A call of rpm for the root in `root`; what it says about being on a Debian system is left out of its output.
pub(crate) fn ask(host: &Host, root: &Path, arguments: &[&str]) -> (bool, Vec<String>) {
    let output = host
        .run(
            &Cmd::new(Tool::Rpm)
                .args(["--define", "_dbpath /usr/lib/sysimage/rpm", "--define", "_db_backend sqlite", "--root"])
                .arg(root)
                .args(arguments)
                .time_limit(LONGEST),
        )
        .unwrap();
    let lines = output.text() + &String::from_utf8_lossy(&output.stderr);
    let ours = |line: &&str| !line.is_empty() && !line.starts_with("rpm: ");
    (output.status.success(), lines.lines().filter(ours).map(str::to_owned).collect())
}

/// Lets rpm look through the database of `root`.
pub(crate) fn verify_database(host: &Host, root: &Path) -> (bool, Vec<String>) {
    let output = host
        .run(
            &Cmd::new(Tool::Rpmdb)
                .args(["--define", "_dbpath /usr/lib/sysimage/rpm", "--define", "_db_backend sqlite", "--root"])
                .arg(root)
                .arg("--verifydb")
                .time_limit(LONGEST),
        )
        .unwrap();
    let lines = output.text() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), lines.lines().map(str::to_owned).collect())
}

/// Lets rpm install files into `root`.
pub(crate) fn install(host: &Host, root: &Path, files: &[PackageFile]) -> (bool, Vec<String>) {
    let mut arguments = vec!["-i", "--nodeps", "--ignorearch"];
    arguments.extend(files.iter().map(|file| file.path.to_str().unwrap()));
    ask(host, root, &arguments)
}

/// Reads a directory as a tree, with the capabilities of its files.
pub(crate) fn read(root: &Path) -> Tree {
    let mut tree = directory::read(root, &mut directory::digest_only).unwrap();
    let paths: Vec<_> = tree.iter().map(|(path, _)| path.clone()).collect();
    for path in paths {
        let mut value = [0; 64];
        let found = rustix::fs::lgetxattr(root.join(path.as_str()), "security.capability", &mut value);
        if let (Ok(length), Some(node)) = (found, tree.get_mut(&path)) {
            node.meta.xattrs.insert("security.capability".to_owned(), value[..length].to_vec());
        }
    }
    tree
}

/// Writes a root into a directory as root can: owners, set-id bits and capabilities included.
pub(crate) fn write(installed: &Installed<'_>, to: &Path) {
    // A written root is changed by what is asked of it here: no links.
    install::write_directory(&installed.tree, &installed.contents, to, install::Sharing::Copies, 2).unwrap();
}

/// What both have to agree on: all but the database, the accounts, the root directory that a test made, and the folder in
/// which rpm keeps its scripts while they run (`%_tmppath`).
pub(crate) fn comparable(tree: &Tree) -> BTreeMap<String, String> {
    let mut lines = listing(tree);
    lines.retain(|path, _| {
        !["/", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/var/tmp"].contains(&path.as_str())
            && !path.starts_with("/usr/lib/sysimage")
            && !path.starts_with("/var/lib/rpm")
    });
    lines
}

fn family() -> Vec<PackageBuilder> {
    vec![filesystem(), library(), links(), daemon(), sharing()]
}

#[test]
fn files_rpm_fills_a_root_alike() {
    let yard = Yard::new();
    if !can_ask(&yard.host) {
        return;
    }
    let ours = yard.fill(family()).unwrap();
    let theirs = yard.folder.path().join("theirs");
    fs_err::create_dir(&theirs).unwrap();
    let files = yard.files(family());
    let (good, said) = install(&yard.host, &theirs, &files[..1]);
    assert!(good, "{said:?}");
    // rpm 4.18 leaves sysusers files to the packages' scriptlets: these would make the accounts now.
    for file in ["etc/passwd", "etc/group"] {
        fs_err::write(theirs.join(file), text(&ours, file)).unwrap();
    }
    let (good, said) = install(&yard.host, &theirs, &files[1..]);
    assert!(good && said.is_empty(), "{said:?}");
    assert_eq!(comparable(&ours.tree), comparable(&read(&theirs)));
    // The times of directories are not compared: rpm 4.18 changes them when it puts files into them.
    let others = read(&theirs);
    for (at, node) in ours
        .tree
        .iter()
        .filter(|(at, node)| !node.is_directory() && comparable(&ours.tree).contains_key(&at.to_string()))
    {
        assert_eq!(others.get(at).unwrap().meta.mtime, node.meta.mtime, "{at}");
    }
}

#[test]
fn files_rpm_agrees_with_our_database() {
    let yard = Yard::new();
    if !can_ask(&yard.host) {
        return;
    }
    let is_excluded = |path: &str| path == "/usr/share/library/more";
    let ours = yard.fill_without(family(), &is_excluded).unwrap();
    let root = yard.folder.path().join("ours");
    fs_err::create_dir(&root).unwrap();
    write(&ours, &root);
    let (good, mut said) = ask(&yard.host, &root, &["-qa"]);
    said.sort();
    let mut names: Vec<String> = ours.packages.iter().map(ToString::to_string).collect();
    names.sort();
    assert!(good);
    assert_eq!(said, names);
    let (good, said) = ask(&yard.host, &root, &["-V", "-a"]);
    assert!(good && said.is_empty(), "{said:?}");
    let (_, said) = ask(&yard.host, &root, &["-q", "--whatprovides", "/usr/bin/daemon", "libtiny.so.1()(64bit)"]);
    assert_eq!(said, ["daemon-1.0-1.noarch", "library-1.0-1.noarch"]);
    let (_, said) = ask(&yard.host, &root, &["-q", "--state", "sharing"]);
    assert_eq!(said.iter().filter(|line| line.starts_with("not installed")).count(), 1, "{said:?}");

    // Seen to find what is wrong: a changed file, a mode, an owner, something missing.
    fs_err::write(root.join("usr/bin/one"), "changed").unwrap();
    fs_err::set_permissions(root.join("usr/bin/become"), PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::lchown(root.join("var/lib/daemon/state"), Some(0), Some(81)).unwrap();
    fs_err::remove_file(root.join("usr/lib64/libtiny.so.1")).unwrap();
    let (good, said) = ask(&yard.host, &root, &["-V", "-a"]);
    assert!(!good);
    for wrong in [
        "/usr/bin/one",
        "/usr/bin/two",
        "/usr/lib/links/also",
        "/usr/bin/become",
        "/var/lib/daemon/state",
        "/lib64/libtiny.so.1",
    ] {
        assert!(said.iter().any(|line| line.ends_with(&format!(" {wrong}"))), "{wrong} in {said:?}");
    }
    assert_eq!(said.len(), 6, "{said:?}");
}

#[test]
fn files_rpm_installs_more_into_our_root_and_removes() {
    let yard = Yard::new();
    if !can_ask(&yard.host) {
        return;
    }
    let ours = yard.fill(vec![filesystem(), library()]).unwrap();
    let root = yard.folder.path().join("ours");
    fs_err::create_dir(&root).unwrap();
    write(&ours, &root);
    let files = yard.files(vec![sharing()]);
    let (good, said) = install(&yard.host, &root, &files);
    assert!(good, "{said:?}");
    let (good, said) = ask(&yard.host, &root, &["-e", "library"]);
    assert!(good, "{said:?}");
    assert!(!root.join("usr/lib64/libtiny.so.1").exists());
    assert!(root.join("usr/share/library/README").is_file(), "it is the other's too");
    let (good, said) = ask(&yard.host, &root, &["-V", "-a"]);
    assert!(good, "{said:?}");
    assert!(ours.tree.get(&path("usr/lib64/libtiny.so.1")).is_some());
}
