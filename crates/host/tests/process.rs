//! External programs: what they get, say and leave.

use std::time::{Duration, Instant};

use host::{Cmd, Host, RunError, Sink, Status, Stdin, Stream, Tool};

fn shell(script: &str) -> Cmd {
    Cmd::new(Tool::Shell).args(["-c", script])
}

#[test]
fn files_output_status_and_input_of_a_program() {
    let host = Host::detect().unwrap();
    let output = host.run(&shell("cat; echo err >&2; exit 3").stdin(Stdin::Bytes(b"in\n".to_vec()))).unwrap();
    assert_eq!(
        (output.status, output.text().as_str(), output.stderr.as_slice()),
        (Status::Code(3), "in\n", &b"err\n"[..])
    );
    let error = host.check(&shell("echo 'no such thing' >&2; exit 1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/bin/sh -c 'echo '\\''no such thing'\\'' >&2; exit 1'` ended with exit code 1: no such thing"
    );
    assert_eq!(host.run(&shell("kill -9 $$")).unwrap().status, Status::Signal(9));
}

#[test]
fn files_large_input_and_output_do_not_block_each_other() {
    let host = Host::detect().unwrap();
    let input: Vec<u8> = (0..4_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let output = host.run(&shell("cat").stdin(Stdin::Bytes(input.clone()))).unwrap();
    assert!(output.stdout == input);
    assert!(
        host.run(&shell("exit 0").stdin(Stdin::Bytes(input))).unwrap().status.success(),
        "unread input is no error"
    );
}

#[test]
fn files_the_environment_is_not_ours() {
    let host = Host::detect().unwrap();
    let output = host.run(&shell("env").env("ONLY", "this")).unwrap().text();
    let mut names: Vec<&str> = output.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["LC_ALL", "ONLY", "PATH", "PWD", "TZ"]);
}

#[test]
fn files_lines_come_in_order() {
    let host = Host::detect().unwrap();
    let mut lines = Vec::new();
    let script = "echo one; sleep 0.1; echo two >&2; sleep 0.1; printf three";
    host.run_lines(&shell(script), &mut |stream, line| lines.push((stream, line.to_owned()))).unwrap();
    assert_eq!(lines, [(Stream::Out, "one".into()), (Stream::Err, "two".into()), (Stream::Out, "three".into())]);
}

#[test]
fn files_what_takes_too_long_is_killed_with_its_children() {
    let host = Host::detect().unwrap();
    let start = Instant::now();
    let error = host.run(&shell("sleep 60 & sleep 60").time_limit(Duration::from_millis(200))).unwrap_err();
    assert!(matches!(error, RunError::TimedOut { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
    // a child that outlives its parent and holds the pipes
    assert!(host.run(&shell("sleep 60 & exit 0")).unwrap().status.success());
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn files_a_dropped_program_is_dead() {
    let host = Host::detect().unwrap();
    let mut running = host.spawn(&shell("exec sleep 60"), &Sink::Null, &Sink::Null).unwrap();
    let process = format!("/proc/{}", running.id());
    assert_eq!(running.wait_for(Duration::from_millis(50), &host).unwrap(), None);
    assert!(std::path::Path::new(&process).exists());
    drop(running);
    assert!(!std::path::Path::new(&process).exists());
}

#[test]
fn files_a_missing_tool_names_its_package() {
    let host = Host::detect().unwrap();
    for tool in Tool::ALL {
        if let Err(missing) = tool.path(&host) {
            assert!(missing.to_string().contains(tool.debian_package()), "{missing}");
        }
    }
    assert!(Tool::Shell.path(&host).unwrap().is_absolute());
}
