//! The program is ended, or its disk is full, at each call by which it changes the file system.

use std::collections::BTreeMap;
use std::path::Path;

use crate::machine::{Machine, Said, can_run, command, new, old, rpm_says, said};

/// The calls that change a file system.
const CHANGES: &str = "rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,symlink,symlinkat,write,pwrite64,\
    writev,copy_file_range,sendfile,fsync,fdatasync,syncfs,ftruncate,fallocate,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,\
    utimensat,mknod,mknodat,setxattr,lsetxattr,lremovexattr";
/// Those that want room on the disk.
const GROWING: &str = "link,linkat,mkdir,mkdirat,symlink,symlinkat,write,pwrite64,writev,copy_file_range,sendfile,fsync,fdatasync,\
    syncfs,ftruncate,fallocate,rename,renameat,renameat2";

/// What a call that was cut off left behind, until the next one comes.
const LEFT: &str = ".slipway-transaction";

/// A machine with the old version, and everything that is needed to go back to it.
struct Trial {
    machine: Machine,
    upgrade: String,
    old: String,
    new: String,
    /// What rpm says of the one and the other.
    rpm: [String; 2],
    /// Changes that the upgrade makes to the file system, and the first that is the transaction's.
    changes: std::ops::Range<usize>,
    calls: Vec<Call>,
}

/// A call of the first thread.
#[derive(Debug)]
struct Call {
    name: String,
    /// How many there were of that name so far, as strace counts.
    count: usize,
    /// As strace shows it.
    line: String,
}

impl Call {
    /// Whether it makes room be used: what is only read is opened, too, and what is said goes to no disk.
    fn is_of_disk(&self) -> bool {
        let is_read = self.name == "openat" && !self.line.contains("O_CREAT");
        !is_read && !["write(1<", "write(2<"].iter().any(|said| self.line.contains(said))
    }
}

/// What was seen over many calls.
#[derive(Debug, Default)]
struct Seen {
    old: usize,
    new: usize,
    recovered: usize,
}

impl Trial {
    fn new(calls: &str) -> Trial {
        let machine = Machine::new();
        let (first, upgrade) = (machine.put(old()), machine.put(new()));
        machine.good(&["install", &first]);
        fs_err::write(machine.root().join("etc/app.conf"), "mine\n").expect("it can be written");
        let start = machine.folder.path().join("start");
        copy(&machine.root(), &start);
        let (old, of_old) = (machine.state(), rpm_says(&machine.root()));
        let trace = format!("trace={calls}");
        let under = ["strace", "-f", "-y", "-qq", "-o", "/trace", "-e", &trace];
        let done = said(&machine.call_under("", &under, &["install", &upgrade]).output().expect("it runs"));
        assert_eq!(done.code, Some(0), "{}", done.text);
        let text = fs_err::read_to_string(machine.root().join("trace")).expect("it was traced");
        fs_err::remove_file(machine.root().join("trace")).expect("it is there");
        // Calls are counted by name and in each thread by itself; the first thread is the one that changes the root.
        let own = text.split(' ').next().unwrap_or_default().to_owned();
        let lines: Vec<&str> =
            text.lines().filter(|line| line.starts_with(&own) && !line.contains(" resumed>")).collect();
        let begin = lines.iter().position(|line| line.contains(LEFT)).expect("there is a transaction");
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let calls = lines.iter().filter_map(|line| {
            let name = line.split_whitespace().nth(1)?.split('(').next()?;
            let count = counts.entry(name).or_default();
            *count += 1;
            Some(Call { name: name.to_owned(), count: *count, line: (*line).to_owned() })
        });
        let calls = calls.collect();
        let changes = begin..lines.len();
        let (new, of_new) = (machine.state(), rpm_says(&machine.root()));
        assert_ne!(old, new);
        assert!(of_old.contains("/etc/app.conf") && of_new.is_empty(), "{of_old:?} {of_new:?}");
        Trial { machine, upgrade, old, new, rpm: [of_old, of_new], changes, calls }
    }

    /// Lets the upgrade go wrong as strace is told, and the next call put it in order.
    fn with(&self, injects: &[String], seen: &mut Seen) -> Said {
        let root = self.machine.root();
        copy(&self.machine.folder.path().join("start"), &root);
        let how = injects.join(" ");
        let mut under = vec!["strace", "-f", "-qq", "-o", "/dev/null"];
        injects.iter().for_each(|inject| under.extend(["-e", inject]));
        let done = said(&self.machine.call_under("", &under, &["install", &self.upgrade]).output().expect("it runs"));
        let was_cut_off = root.join(LEFT).exists();
        let next = self.machine.good(&["autoremove"]);
        let said = next.text.contains("an earlier transaction was cut off");
        assert!(!said || was_cut_off, "{how}: {}", next.text);
        assert!(!root.join(LEFT).exists(), "{how}: {}", next.text);
        seen.recovered += usize::from(said);
        let state = self.machine.state();
        let is_new = state == self.new;
        assert!(
            is_new || state == self.old,
            "{how}: {}\n{}\nneither old\n{}\nnor new\n{}\nbut\n{state}",
            done.text,
            next.text,
            self.old,
            self.new
        );
        assert_eq!(root.join("ran").exists(), is_new, "{how}: {}", next.text);
        assert!(done.code != Some(0) || is_new, "{how}: it said that all is well\n{}", done.text);
        if is_new {
            seen.new += 1;
        } else {
            seen.old += 1;
        }
        done
    }

    /// The process ends before a call.
    fn killed_at(&self, at: usize) -> String {
        let Call { name, count, .. } = &self.calls[at];
        format!("inject={name}:signal=KILL:when={count}")
    }

    /// From a call on nothing finds room: each name of a call counts by itself.
    fn full_from(&self, at: usize) -> Vec<String> {
        let before = |name: &str| self.calls[..at].iter().filter(|call| call.name == name).count();
        GROWING.split(',').map(|name| format!("inject={name}:error=ENOSPC:when={}+", before(name.trim()) + 1)).collect()
    }

    fn ask_rpm(&self, what: &str) {
        let is_new = self.machine.state() == self.new;
        assert_eq!(rpm_says(&self.machine.root()), self.rpm[usize::from(is_new)], "{what}");
    }
}

fn copy(from: &Path, to: &Path) {
    let done = command("sh").args(["-c", "rm -rf \"$1\" && cp -a \"$0\" \"$1\""]).arg(from).arg(to).output();
    assert!(done.expect("it runs").status.success());
}

#[test]
fn host_a_process_that_is_killed_leaves_the_old_or_the_new_system() {
    if !can_run(&["strace", "rpm"]) {
        return;
    }
    let trial = Trial::new(CHANGES);
    let mut seen = Seen::default();
    for at in trial.changes.clone() {
        trial.with(&[trial.killed_at(at)], &mut seen);
        if at % 8 == 0 {
            trial.ask_rpm(&format!("killed at {at}"));
        }
    }
    assert!(seen.old > 20 && seen.new > 5 && seen.recovered > 20, "{seen:?} of {:?}", trial.changes);
}

/// Calls of which there are many alike: SQLite's of its pages, and those on folders of which nothing is kept.
fn is_one_of_many(call: &Call) -> bool {
    call.name == "pwrite64" || call.line.contains("/var/cache/slipway/")
}

#[test]
fn host_a_disk_that_is_full_at_one_call_is_told_and_leaves_the_old_or_the_new_system() {
    if !can_run(&["strace", "rpm"]) {
        return;
    }
    let trial = Trial::new(&format!("{CHANGES},openat"));
    let mut seen = Seen::default();
    let (many, others): (Vec<&Call>, Vec<&Call>) =
        trial.calls.iter().filter(|call| call.is_of_disk()).partition(|call| is_one_of_many(call));
    // Each call but these, and every sixth of these: so it takes no longer than the death at each call.
    let mut failed = 0;
    for (number, call) in others.into_iter().chain(many.into_iter().step_by(6)).enumerate() {
        let Call { name, count, line } = call;
        let done = trial.with(&[format!("inject={name}:error=ENOSPC:when={count}")], &mut seen);
        let text = &done.text;
        if number % 8 == 0 {
            trial.ask_rpm(line);
        }
        if done.code == Some(0) {
            assert!(text.contains("Complete!"), "{line}: {text}");
            continue;
        }
        failed += 1;
        // SQLite does not say why it cannot make, open or sync a file.
        if line.contains("/rpmdb.sqlite") && done.code == Some(1) {
            let known = ["unable to open database file", "disk I/O error"].iter().any(|known| text.contains(known));
            assert!(known && ["openat", "ftruncate", "fsync"].contains(&name.as_str()), "{line}: {text}");
            continue;
        }
        assert_eq!(done.code, Some(4), "{line}: {text}");
        let is_told = ["No space left on device", "no space is left on the disk", "the disk is full"];
        assert!(is_told.iter().any(|told| text.contains(told)), "{line}: {text}");
        assert!(text.contains("error: ") && text.contains("hint: "), "{line}: {text}");
    }
    assert!(failed > 80 && seen.old > 60 && seen.new > 40 && seen.recovered > 20, "{failed} failed, {seen:?}");
}

#[test]
fn host_a_disk_that_stays_full_from_some_call_on_leaves_the_old_or_the_new_system() {
    if !can_run(&["strace", "rpm"]) {
        return;
    }
    let trial = Trial::new(GROWING);
    let mut seen = Seen::default();
    // Every fourth: each trial has all the calls behind it as well. What it says is written, too, and cannot be read.
    for at in trial.changes.clone().step_by(4) {
        trial.with(&trial.full_from(at), &mut seen);
        trial.ask_rpm(&trial.calls[at].line);
    }
    assert!(seen.old > 10 && seen.recovered > 5, "{seen:?} of {:?}", trial.changes);
}

#[test]
fn host_a_package_that_cannot_be_read_is_named_and_leaves_the_old_system() {
    if !can_run(&["strace", "rpm"]) {
        return;
    }
    let trial = Trial::new("read,pread64,openat");
    let mut seen = Seen::default();
    let of_package = |call: &&Call| call.line.contains(&format!("{}>", trial.upgrade)) && call.name != "openat";
    let calls: Vec<&Call> = trial.calls.iter().filter(of_package).collect();
    assert!(calls.len() > 3, "{calls:?}");
    for Call { name, count, line } in calls {
        let done = trial.with(&[format!("inject={name}:error=EIO:when={count}")], &mut seen);
        assert!(done.code != Some(0), "{line}: {}", done.text);
        for part in ["error: ", "app-2-1.noarch", "Input/output error"] {
            assert!(done.text.contains(part), "{line}: {}", done.text);
        }
    }
    assert_eq!((seen.new, seen.recovered), (0, 0));
}
