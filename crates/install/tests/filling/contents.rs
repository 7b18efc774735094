use install::InstallError;
use pkg::Digest;
use rpm::FileFlags;
use rpm::write::{Content, NewFile};
use testkit::packages::{AT, PASSWD, builder, daemon, filesystem, library, links, sharing};
use tree::Kind;

use crate::yard::{Yard, listing, node, path, text};

/// The family without the directories that all have, and without the database.
const EXPECTED: &str = "
/etc/daemon.conf 0640 0:81 12 CONF
/usr/bin/ask 2755 0:12 5 ASKS
/usr/bin/become 4711 0:0 8 BECOMES
/usr/bin/daemon 0755 0:0 7 SERVES security.capability=0100000200240000000000000000000000000000
/usr/bin/one 0755 0:0 10 SCRIPT
/usr/bin/two 0755 0:0 10 SCRIPT = /usr/bin/one
/usr/lib/links 0755 0:0 directory
/usr/lib/links/also 0755 0:0 10 SCRIPT = /usr/bin/one
/usr/lib/links/five 0644 0:0 5 FOUR
/usr/lib/links/four 0644 0:0 5 FOUR = /usr/lib/links/five
/usr/lib/sysusers.d/daemon.conf 0644 0:0 39 USERS
/usr/lib64/libtiny.so.1 0777 0:0 -> libtiny.so.1.0
/usr/lib64/libtiny.so.1.0 0755 0:0 10 LIBRARY
/usr/share/library 0755 0:0 directory
/usr/share/library/README 0644 0:0 8 README
/usr/share/library/more 0644 0:0 5 MORE
/var/lib/daemon 0750 81:81 directory
/var/lib/daemon/state 0600 81:81 0 EMPTY
";

fn expected() -> Vec<String> {
    let mut text = EXPECTED.trim().to_owned();
    for (word, content) in [
        ("CONF", "answer = 42\n"),
        ("ASKS", "asks\n"),
        ("BECOMES", "becomes\n"),
        ("SERVES", "serves\n"),
        ("SCRIPT", "#!/bin/sh\n"),
        ("FOUR", "four\n"),
        ("USERS", "u daemon 81 \"A daemon\" /var/lib/daemon\n"),
        ("LIBRARY", "a library\n"),
        ("README", "read me\n"),
        ("MORE", "more\n"),
        ("EMPTY", ""),
    ] {
        let digest = Digest::of(content.as_bytes());
        text = text.lines().map(|line| replace_word(line, word, &digest.short()) + "\n").collect();
    }
    text.lines().map(str::to_owned).collect()
}

/// Replaces a word behind the path, which may hold the same letters.
fn replace_word(line: &str, word: &str, by: &str) -> String {
    let (path, rest) = line.split_once(' ').unwrap();
    let rest: Vec<&str> = rest.split(' ').map(|found| if found == word { by } else { found }).collect();
    format!("{path} {}", rest.join(" "))
}

#[test]
fn files_a_root_holds_what_its_packages_bring() {
    let yard = Yard::new();
    let installed = yard.fill(vec![sharing(), daemon(), links(), library(), filesystem()]).unwrap();
    let names: Vec<&str> = installed.packages.iter().map(|nevra| nevra.name.as_str()).collect();
    assert_eq!(names, ["filesystem", "library", "daemon", "links", "sharing"], "each after what it requires");
    assert_eq!(installed.scriptlets, []);

    let base = yard.fill(vec![filesystem()]).unwrap();
    let plain = listing(&base.tree);
    let grown: Vec<String> = listing(&installed.tree)
        .into_iter()
        .filter(|(path, line)| plain.get(path) != Some(line) && !path.ends_with("rpmdb.sqlite"))
        .filter(|(path, _)| !["/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"].contains(&path.as_str()))
        .map(|(path, line)| format!("{path} {line}"))
        .collect();
    assert_eq!(grown, expected());
    assert_eq!(node(&base.tree, "tmp").meta.mode, 0o1777);
    assert_eq!(node(&base.tree, "usr/sbin").kind, Kind::Symlink { target: "bin".to_owned() });
    assert!(installed.tree.get(&path("run/daemon.pid")).is_none(), "a ghost is not there");
    assert!(node(&installed.tree, "lib64").meta.mtime == 1_750_000_000);

    assert_eq!(
        text(&installed, "etc/passwd"),
        format!("{PASSWD}daemon:x:81:81:A daemon:/var/lib/daemon:/usr/sbin/nologin\n")
    );
    assert_eq!(text(&installed, "etc/group"), "root:x:0:\nmail:x:12:\ndaemon:x:81:\n");
    let day = AT.0 / 86_400;
    assert_eq!(text(&installed, "etc/shadow"), format!("root:!*:{day}::::::\ndaemon:!*:{day}::::::\n"));
    assert_eq!(node(&installed.tree, "etc/shadow").meta.mode, 0);
}

#[test]
fn files_equal_packages_give_equal_roots() {
    let (one, other) = (Yard::new(), Yard::new());
    let first = one.fill(vec![filesystem(), library(), links(), daemon(), sharing()]).unwrap();
    let second = other.fill(vec![daemon(), sharing(), filesystem(), links(), library()]).unwrap();
    assert_eq!(first.tree.diff(&second.tree), []);
    assert_eq!(first.tree.digest(), second.tree.digest());
}

#[test]
fn files_pipes_and_devices_are_nodes() {
    let yard = Yard::new();
    let nodes = builder("nodes")
        .file("/dev/null", NewFile::new(Content::CharDevice(1, 3)).mode(0o666))
        .file("/run/pipe", NewFile::new(Content::Fifo).mode(0o600));
    let installed = yard.fill(vec![nodes]).unwrap();
    assert_eq!(node(&installed.tree, "dev/null").kind, Kind::CharDevice { major: 1, minor: 3 });
    assert_eq!(node(&installed.tree, "dev/null").meta.mode, 0o666);
    assert_eq!(node(&installed.tree, "run/pipe").kind, Kind::Fifo);
}

#[test]
fn files_excluded_paths_stay_out() {
    let yard = Yard::new();
    let is_excluded = |path: &str| path.starts_with("/usr/share/library");
    let installed = yard.fill_without(vec![filesystem(), library(), sharing()], &is_excluded).unwrap();
    assert!(installed.tree.get(&path("usr/share/library")).is_none());
    assert!(installed.tree.get(&path("usr/lib64/libtiny.so.1")).is_some());
}

#[test]
fn files_accounts_that_nobody_makes_are_named() {
    let yard = Yard::new();
    let owned = |user, group| {
        vec![
            filesystem(),
            builder("orphan").requires("filesystem").file("/etc/x", NewFile::regular("").owner(user, group)),
        ]
    };
    let error = yard.refusal(owned("nobody", "root"));
    assert!(matches!(&error, InstallError::NoAccount { kind: "user", name, .. } if name == "nobody"), "{error}");
    let error = yard.refusal(owned("root", "games")).to_string();
    assert_eq!(
        error,
        "`orphan-1.0-1.noarch` has a file of the group `games`, which no installed package makes: `/etc/x`"
    );
}

#[test]
fn files_accounts_of_one_package_may_be_in_both_places() {
    let yard = Yard::new();
    let sysusers = NewFile::regular("g mail 99\nu guest 400\n");
    let both = filesystem().file("/usr/lib/sysusers.d/filesystem.conf", sysusers);
    let installed = yard.fill(vec![both]).unwrap();
    assert_eq!(text(&installed, "etc/group"), "root:x:0:\nmail:x:12:\nguest:x:400:\n", "what exists stays");
    assert!(text(&installed, "etc/passwd").starts_with(PASSWD));
}

#[test]
fn files_accounts_are_not_read_through_links_of_a_package() {
    let yard = Yard::new();
    let outside = yard.folder.path().join("outside.conf");
    fs_err::write(&outside, "g stranger 77\n").unwrap();
    let link = NewFile::symlink(outside.to_str().unwrap());
    let installed = yard.fill(vec![filesystem().file("/usr/lib/sysusers.d/filesystem.conf", link)]).unwrap();
    assert!(!text(&installed, "etc/group").contains("stranger"));
}

#[test]
fn files_damage_and_changed_packages_are_refused() {
    let yard = Yard::new();
    let mut files = yard.files(vec![filesystem()]);
    let options = install::Options { at: AT, is_excluded: &|_| false, progress: &|_, _, _| {} };
    let mut bytes = fs_err::read(&files[0].path).unwrap();
    let middle = bytes.len() - 20;
    bytes[middle] ^= 1;
    fs_err::write(&files[0].path, &bytes).unwrap();
    let changed = install::fill(&files, &options, &yard.host, &yard.store).err().unwrap();
    assert!(matches!(changed, InstallError::Differs { .. }), "{changed}");
    // The damage is known by the package's own digests even if somebody vouches for the file.
    files[0].digest = Digest::of(&bytes);
    let damaged = install::fill(&files, &options, &yard.host, &yard.store).err().unwrap();
    assert!(matches!(damaged, InstallError::Package { .. }), "{damaged}");
    let nonsense = builder("nonsense").file("/x", NewFile::regular("").capabilities("cap_of_gold=ep"));
    let error = yard.refusal(vec![nonsense]);
    assert!(matches!(&error, InstallError::Capabilities { text, .. } if text == "cap_of_gold=ep"), "{error}");
    let ghostly = builder("ghostly").file("/x", NewFile::ghost().flags(FileFlags::CONFIG));
    assert!(yard.fill(vec![ghostly]).unwrap().tree.get(&path("x")).is_none());
}
