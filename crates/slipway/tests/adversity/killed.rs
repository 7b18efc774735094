//! The program is ended at each call by which it changes the file system.

use std::collections::BTreeMap;
use std::path::Path;

use crate::machine::{Machine, can_run, command, new, old, rpm_says, said};

/// The calls that change a file system.
const CHANGES: &str = "rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,symlink,symlinkat,write,pwrite64,\
    writev,copy_file_range,sendfile,fsync,fdatasync,syncfs,ftruncate,fallocate,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,\
    utimensat,mknod,mknodat,setxattr,lsetxattr,lremovexattr";
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
    /// The name of each, and how many there were of that name so far, as strace counts.
    calls: Vec<(String, usize)>,
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
        let under = ["strace", "-f", "-qq", "-o", "/trace", "-e", &trace];
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
            Some((name.to_owned(), *count))
        });
        let calls = calls.collect();
        let changes = begin..lines.len();
        let (new, of_new) = (machine.state(), rpm_says(&machine.root()));
        assert_ne!(old, new);
        assert!(of_old.contains("/etc/app.conf") && of_new.is_empty(), "{of_old:?} {of_new:?}");
        Trial { machine, upgrade, old, new, rpm: [of_old, of_new], changes, calls }
    }

    /// Lets the upgrade go wrong as strace is told, and the next call put it in order.
    fn with(&self, injects: &[String], seen: &mut Seen) -> String {
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
        done.text
    }

    /// The process ends before a call.
    fn killed_at(&self, at: usize) -> String {
        let (name, count) = &self.calls[at];
        format!("inject={name}:signal=KILL:when={count}")
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
