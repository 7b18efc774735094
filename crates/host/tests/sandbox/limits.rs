//! Limits hold, and the result says by what.

use host::sandbox::{Bound, Outcome};
use host::{Cgroups, Host, Status};

use crate::fixture::Fixture;

#[test]
fn host_processes_are_bounded() {
    let fixture = Fixture::new();
    let mut sandbox = fixture.sandbox(
        "exec perl -e 'for (1..200) { my $p = fork; if (!defined $p) { $f++ } elsif (!$p) { sleep 60; exit } else { $n++ } } print \"$n $f\\n\"'",
    );
    sandbox.limits.processes = Some(32);
    let (exit, lines) = fixture.run(&sandbox);
    if exit.bounds.processes == Bound::Unbounded {
        say_skipped("no control group for processes, and root is not counted");
        return;
    }
    assert!(exit.success());
    let numbers: Vec<u32> = lines[0].split(' ').map(|word| word.parse().unwrap()).collect();
    assert!((20..=32).contains(&numbers[0]) && numbers[0] + numbers[1] == 200, "{numbers:?}");
}

#[test]
fn host_a_fork_bomb_ends_with_the_sandbox() {
    let fixture = Fixture::new();
    let mut sandbox = fixture.sandbox("b() { b bomb-of-slipway | b bomb-of-slipway & }; b");
    sandbox.argv[0] = "bash".into();
    sandbox.limits.processes = Some(64);
    sandbox.limits.wall_time_s = Some(2);
    sandbox.limits.log_size = Some(10_000);
    fixture.run(&sandbox);
    assert_eq!(crate::fixture::processes_with("bomb-of-slipway"), 0);
}

#[test]
fn host_memory_is_bounded() {
    let fixture = Fixture::new();
    let mut sandbox = fixture.sandbox("exec perl -e '$x = \"a\" x (512 << 20); print length $x'");
    sandbox.limits.memory = Some(64 << 20);
    let (exit, lines) = fixture.run(&sandbox);
    match exit.bounds.memory {
        Bound::Group => {
            assert_eq!(exit.outcome, Outcome::OutOfMemory);
            assert!(exit.peak_memory.is_some_and(|bytes| bytes > 32 << 20 && bytes <= 64 << 20), "{exit:?}");
        }
        Bound::Limit => assert!(!exit.success(), "{lines:?}"),
        Bound::Unbounded => panic!("a memory limit can always be set"),
    }
    assert!(!lines.contains(&(512 << 20).to_string()));
}

/// Run by the next test in a process of its own, whose groups are then only those of this test.
#[test]
#[ignore = "part of another test"]
fn helper_groups() {
    let fixture = Fixture::new();
    let during = fixture.run(&fixture.sandbox("sleep 0.2")).0.bounds.processes == Bound::Group;
    assert_eq!(groups_of(&fixture.host, std::process::id()), 0);
    assert_eq!(during, matches!(fixture.host.cgroups(), Cgroups::V2(_) | Cgroups::V1 { pids: Some(_), .. }));
}

#[test]
fn host_groups_are_removed() {
    let output = crate::ends::this_program(&["helper_groups"], b"");
    assert!(output.contains("test result: ok. 1 passed"), "{output}");
}

/// How many control groups the process `pid` has made and not removed.
pub(crate) fn groups_of(host: &Host, pid: u32) -> usize {
    let folders = match host.cgroups() {
        Cgroups::V2(folder) => vec![folder.clone()],
        Cgroups::V1 { memory, pids } => [memory, pids].into_iter().flatten().cloned().collect(),
        Cgroups::None => Vec::new(),
    };
    let prefix = format!("slipway-{pid}-");
    let entries = folders.iter().flat_map(|folder| fs_err::read_dir(folder).unwrap().flatten());
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix)).count()
}

#[test]
fn host_file_size_and_open_files_are_bounded() {
    let fixture = Fixture::new();
    let mut sandbox = fixture.sandbox("ulimit -n; ulimit -c; head -c 3000000 /dev/zero > /big; stat -c %s /big");
    sandbox.limits.file_size = Some(1 << 20);
    sandbox.limits.open_files = Some(100);
    let (_, lines) = fixture.run(&sandbox);
    assert_eq!((lines[0].as_str(), lines[1].as_str()), ("100", "0"));
    assert_eq!(lines.last().unwrap(), "1048576");
}

#[test]
fn host_what_was_used_is_reported() {
    let fixture = Fixture::new();
    let (exit, _) = fixture.run(&fixture.sandbox("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exit 7"));
    assert_eq!(exit.outcome, Outcome::Ended(Status::Code(7)));
    assert!(exit.user_time.as_millis() > 20 && exit.wall >= exit.user_time / 2, "{exit:?}");
}

fn say_skipped(reason: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}
