//! File systems that are truly full.

use std::process::Output;

use rpm::write::{NewFile, PackageBuilder};
use rpm::{Compression, ScriptletKind};

use crate::machine::{ALWAYS, Machine, Said, can_run, command, new, old, said, state};

/// Fills a file system so that some KiB stay free, lets the program do something there, looks, makes room, and lets the next
/// call of it put in order what there is.
const SCRIPT: &str = r#"
set -e
root=$0 folder=$1 free=$2 call=$3 package=$4
mount --make-rprivate /
mount -t tmpfs -o size=24m,mode=755 tmpfs "$root"
cp -a "$folder/start/." "$root"
head -c $((($(df --output=avail -k "$root" | tail -1) - free) * 1024)) /dev/zero > "$root/tmp/ballast"
code=0
sh -c "$call" "$root" install "$package" || code=$?
cp -a "$root/." "$folder/after"
rm "$root/tmp/ballast"
sh -c "$call" "$root" autoremove >&2
cp -a "$root/." "$folder/later"
exit $code
"#;

/// The program with the root as `/`.
const LIVE: &str =
    r#"exec unshare --mount sh -c 'mount --rbind / "$0/host"; exec chroot "$0" /host"$@"' "$0" $SLIPWAY $ALWAYS "$@""#;
/// The program for a root in a folder.
const APART: &str = r#"exec $SLIPWAY $ALWAYS --installroot="$0" "$@""#;

/// A large file, which does not get smaller when it is compressed.
fn large(package: PackageBuilder) -> PackageBuilder {
    let mut number = 1_u32;
    let mut next = || {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (number >> 24) as u8
    };
    let bytes: Vec<u8> = (0..1_500_000).map(|_| next()).collect();
    package.compression(Compression::None).file("/opt/app/large", NewFile::regular(bytes))
}

struct Full {
    machine: Machine,
    package: String,
    old: String,
}

/// How it was after the call, and after the next one.
struct Outcome {
    said: Said,
    after: String,
    later: String,
    was_left: bool,
}

impl Full {
    fn new(package: PackageBuilder) -> Full {
        let machine = Machine::new();
        machine.good(&["install", &machine.put(old())]);
        let file = machine.put(package);
        let package = machine.folder.path().join("package.rpm");
        fs_err::rename(machine.root().join(file.trim_start_matches('/')), &package).expect("it can be moved");
        fs_err::rename(machine.root(), machine.folder.path().join("start")).expect("it can be moved");
        fs_err::create_dir(machine.root()).expect("a folder can be made");
        let old = state(&machine.folder.path().join("start"));
        Full { machine, package: package.display().to_string(), old }
    }

    fn with(&self, call: &str, free: u64) -> Outcome {
        let folder = self.machine.folder.path();
        let package = if call == LIVE { format!("/host{}", self.package) } else { self.package.clone() };
        for name in ["after", "later"] {
            let _ = fs_err::remove_dir_all(folder.join(name));
        }
        let run = command("unshare")
            .args(["--mount", "sh", "-c", SCRIPT])
            .arg(self.machine.root())
            .arg(folder)
            .args([&free.to_string(), call, &package])
            .env("SLIPWAY", env!("CARGO_BIN_EXE_slipway"))
            .env("ALWAYS", ALWAYS.join(" "))
            .env("XDG_CACHE_HOME", folder.join("cache"))
            .output();
        let output: Output = run.expect("it runs");
        let at = |name: &str| state(&folder.join(name));
        let was_left = folder.join("after/.slipway-transaction").exists();
        assert!(!folder.join("later/.slipway-transaction").exists(), "{}", said(&output).text);
        Outcome { after: at("after"), later: at("later"), said: said(&output), was_left }
    }
}

#[test]
fn host_packages_that_do_not_fit_are_refused_before_anything_is_touched() {
    if !can_run(&["unshare"]) {
        return;
    }
    let full = Full::new(large(new()));
    let mut fits = Vec::new();
    for free in [0, 500, 1000, 2000, 2900, 3000, 3050, 3100, 3150, 3200, 4000] {
        let done = full.with(LIVE, free);
        let text = &done.said.text;
        assert_eq!(done.said.code == Some(0), done.after != full.old, "{free} KiB: {text}");
        assert_eq!(done.after, done.later, "{free} KiB: {text}");
        assert!(!done.was_left, "{free} KiB: {text}");
        fits.push(done.said.code == Some(0));
        if free > 0 && free < 2900 {
            assert!(text.contains("there is no room for the packages"), "{free} KiB: {text}");
            assert!(text.contains("hint: "), "{free} KiB: {text}");
        }
    }
    assert!(fits.is_sorted() && fits[10], "{fits:?}");
}

#[test]
fn host_a_disk_that_fills_while_packages_come_is_as_it_was_before() {
    if !can_run(&["unshare"]) {
        return;
    }
    let fill = "local f = io.open('/tmp/more', 'w'); f:write(string.rep('x', 600000)); f:close()";
    let full = Full::new(large(new()).scriptlet(ScriptletKind::Pre, "<lua>", fill));
    // There is room for the packages, and then what they run takes it.
    let done = full.with(LIVE, 3400);
    assert_eq!(done.said.code, Some(4), "{}", done.said.text);
    assert!(done.said.text.contains("No space left on device"), "{}", done.said.text);
    assert_eq!((done.after, done.was_left), (full.old.clone(), false), "{}", done.said.text);
    assert_eq!(done.later, full.old);
}

#[test]
fn host_a_root_in_a_folder_is_as_it_was_or_finished_when_its_disk_is_full() {
    if !can_run(&["unshare"]) {
        return;
    }
    let full = Full::new(large(new()));
    let good = full.with(APART, 4000);
    assert_eq!(good.said.code, Some(0), "{}", good.said.text);
    let mut failed = 0;
    for free in [0, 100, 1000, 1400, 1460, 1470, 1480, 1490, 1500, 1510, 1520, 1530, 1540, 1600, 2000] {
        let done = full.with(APART, free);
        let text = &done.said.text;
        assert_eq!(done.said.code == Some(0), done.after == good.after, "{free} KiB: {text}");
        if done.said.code != Some(0) {
            failed += 1;
            assert!(text.contains("No space left on device"), "{free} KiB: {text}");
            assert!(done.was_left || done.after == full.old, "{free} KiB: {text}");
            assert!(done.later == full.old || done.later == good.later, "{free} KiB: {text}");
        }
    }
    assert!(failed > 3, "{failed}");
}
