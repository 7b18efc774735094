//! However it ends, nothing is left.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use host::Status;
use host::sandbox::{Outcome, SandboxError};

use crate::fixture::{Fixture, processes_with};

#[test]
fn host_codes_and_signals_are_told() {
    let fixture = Fixture::new();
    let outcome = |script: &str| fixture.run(&fixture.sandbox(script)).0.outcome;
    assert_eq!(outcome("exit 3"), Outcome::Ended(Status::Code(3)));
    assert_eq!(outcome("kill -TERM $$"), Outcome::Ended(Status::Signal(15)));
    // a pipe whose reader has gone: SIGPIPE is at its default, as programs expect
    assert_eq!(outcome("yes | head -1 > /dev/null; kill -PIPE $$"), Outcome::Ended(Status::Signal(13)));
}

#[test]
fn host_after_the_wall_time_all_are_killed() {
    let fixture = Fixture::new();
    let mut sandbox = fixture.sandbox("trap '' TERM INT; sleep 98765431 & setsid sleep 98765431 & (setsid sh -c 'trap \"\" TERM; sleep 98765431' &); echo up; wait");
    sandbox.limits.wall_time_s = Some(1);
    let (exit, lines) = fixture.run(&sandbox);
    assert_eq!((exit.outcome, lines), (Outcome::TimedOut, vec!["up".to_owned()]));
    assert!(exit.wall < Duration::from_secs(10));
    assert_eq!(processes_with("98765431"), 0);
}

#[test]
fn host_daemons_end_with_the_program() {
    let fixture = Fixture::new();
    fixture.lines("setsid sh -c 'sleep 98765432 & sleep 98765432' > /dev/null 2>&1 & exit 0");
    assert_eq!(processes_with("98765432"), 0);
}

#[test]
fn host_directories_in_use_are_refused() {
    let fixture = Fixture::new();
    let mut sandbox = fixture.sandbox("touch /started; while [ ! -e /shared/go ]; do sleep 0.05; done");
    fs_err::create_dir(fixture.path("shared")).unwrap();
    sandbox.binds.push(host::sandbox::Bind { from: fixture.path("shared"), to: "/shared".into(), writable: false });
    std::thread::scope(|scope| {
        let first = scope.spawn(|| fixture.run(&sandbox));
        wait_until(|| fixture.path("upper/started").exists());
        let error = fixture.try_run(&fixture.sandbox("true")).unwrap_err();
        fs_err::write(fixture.path("shared/go"), "").unwrap();
        assert!(matches!(error, SandboxError::InUse { .. }), "{error}");
        assert!(first.join().unwrap().0.success());
    });
}

#[test]
fn host_sandboxes_run_from_many_threads() {
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // keeps the allocator's locks busy, which a child that allocates would stumble over
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::black_box((1..50).map(|n| vec![0_u8; n * 100]).collect::<Vec<_>>());
                }
            });
        }
        let runs: Vec<_> = (0..4)
            .map(|number| {
                scope.spawn(move || {
                    let fixture = Fixture::new();
                    for round in 0..8 {
                        assert_eq!(fixture.lines(&format!("echo {number} {round}")), [format!("{number} {round}")]);
                    }
                })
            })
            .collect();
        let failed = runs.into_iter().map(std::thread::ScopedJoinHandle::join).filter(Result::is_err).count();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(failed, 0);
    });
}

/// Run by the tests below in a process of its own, which they kill.
#[test]
#[ignore = "part of another test"]
fn helper_long() {
    let fixture = Fixture::new();
    fixture.host.on_interrupt();
    let marker = std::io::stdin().lock().lines().next().unwrap().unwrap();
    let mut sandbox = fixture
        .sandbox(&format!("trap '' TERM INT HUP; (setsid sh -c 'sleep {marker}' &); sleep {marker} & echo up; wait"));
    sandbox.console = host::sandbox::Console::Interactive;
    match fixture.try_run(&sandbox) {
        Err(SandboxError::Interrupted) => {
            fixture.folder.close().unwrap();
            writeln!(std::io::stdout(), "interrupted").unwrap();
        }
        other => panic!("{other:?}"),
    }
}

/// The helper, and the folder in which it makes what it cannot remove when it is killed.
fn start_helper(marker: &str) -> (Child, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    #[expect(clippy::disallowed_methods, reason = "this test program itself is not a tool")]
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "ends::helper_long"]).env("TMPDIR", folder.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{marker}").unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line != "up\n" {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the helper ended early");
    }
    // so that it does not die of a closed pipe
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    wait_until(|| processes_with(marker) >= 2);
    (child, folder)
}

#[test]
fn host_kill_9_of_the_caller_leaves_no_process() {
    let (mut child, folder) = start_helper("98765433");
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until(|| processes_with("98765433") == 0);
    // its control groups are still there; the next start removes them
    wait_until(|| crate::limits::groups_of(&host::Host::detect().unwrap(), child.id()) == 0);
    // and the directories that it used can be used again
    let mut fixture = Fixture::new();
    let left = fs_err::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    assert!(left.join("work/root").exists());
    fixture.folder = tempfile::TempDir::new_in(folder.path()).unwrap();
    let mut sandbox = fixture.sandbox("echo again");
    (sandbox.lowers, sandbox.upper, sandbox.work) = (vec![left.join("lower")], left.join("upper"), left.join("work"));
    assert_eq!(fixture.run(&sandbox).1, ["again"]);
    host::remove_tree(&left).unwrap();
}

#[test]
fn host_an_interrupt_ends_the_sandbox_and_cleans_up() {
    let (mut child, folder) = start_helper("98765434");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(processes_with("98765434"), 0);
    assert!(fs_err::read_dir(folder.path()).unwrap().next().is_none(), "the helper could remove its folder");
}

/// Runs ignored tests of this program and returns what they say.
pub(crate) fn this_program(names: &[&str], input: &[u8]) -> String {
    #[expect(clippy::disallowed_methods, reason = "this test program itself is not a tool")]
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--nocapture"]).args(names);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "it did not happen within 20 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}
