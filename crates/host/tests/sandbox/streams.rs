//! Input and output of the program.

use host::sandbox::Console;

use crate::fixture::Fixture;

#[test]
fn host_output_is_kept_in_order() {
    let fixture = Fixture::new();
    let mut sandbox = fixture
        .sandbox("i=0; while [ $i -lt 500 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; cat; printf end");
    sandbox.log = Some(fixture.path("log"));
    fs_err::write(fixture.path("log"), "what a former run left").unwrap();
    let (exit, lines) = fixture.run(&sandbox);
    assert!(exit.success());
    let mut expected: Vec<String> = (0..500).flat_map(|i| [format!("out {i}"), format!("err {i}")]).collect();
    expected.push("end".into());
    assert_eq!(lines, expected);
    assert_eq!(fs_err::read_to_string(fixture.path("log")).unwrap(), expected.join("\n"));
}

#[test]
fn host_a_full_log_says_so() {
    let fixture = Fixture::new();
    let mut sandbox = fixture.sandbox("yes | head -c 5000000; exit 3");
    sandbox.log = Some(fixture.path("log"));
    sandbox.limits.log_size = Some(1000);
    let (exit, lines) = fixture.run(&sandbox);
    assert!(!exit.success());
    let note = "[slipway: the log is full, 4999000 more bytes were left out]";
    assert_eq!(lines.last().unwrap(), note);
    let log = fs_err::read_to_string(fixture.path("log")).unwrap();
    assert!(log.len() < 1100 && log.ends_with(&format!("{note}\n")));
}

#[test]
fn host_output_of_what_is_left_behind_does_not_hold_us_up() {
    let fixture = Fixture::new();
    let (exit, lines) = fixture.run(&fixture.sandbox("sleep 1000 & echo done"));
    assert!(exit.success() && exit.wall.as_secs() < 5);
    assert_eq!(lines, ["done"]);
}

#[test]
fn host_the_environment_is_what_was_said() {
    let fixture = Fixture::new();
    let mut sandbox = fixture.sandbox("exec env");
    sandbox.env.push(("A".into(), "b c".into()));
    let (_, mut lines) = fixture.run(&sandbox);
    lines.sort();
    assert_eq!(lines[0], "A=b c");
    assert!(
        lines
            .iter()
            .all(|line| ["A=", "PATH=", "LC_ALL=", "TZ=", "PWD=", "OLDPWD"].iter().any(|name| line.starts_with(name))),
        "{lines:?}"
    );
}

/// Run by the tests below in a process of its own, with a standard input that they choose.
#[test]
#[ignore = "part of another test"]
fn helper_interactive() {
    let fixture = Fixture::new();
    let mut sandbox =
        fixture.sandbox("read word; echo got $word; test -t 0 && test -t 1 && echo terminal; stty size; exit 5");
    sandbox.console = Console::Interactive;
    let (exit, _) = fixture.run(&sandbox);
    assert_eq!(exit.outcome, host::sandbox::Outcome::Ended(host::Status::Code(5)));
}

#[test]
fn host_interactive_without_a_terminal_uses_our_streams() {
    let output = crate::ends::this_program(&["helper_interactive"], b"typed\n");
    assert!(output.contains("got typed") && !output.contains("terminal"), "{output}");
    assert!(output.contains("test result: ok. 1 passed"), "{output}");
}

#[test]
fn host_interactive_with_a_terminal_gives_one() {
    let host = host::Host::detect().unwrap();
    let Ok(script) = host::Tool::Script.path(&host) else {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "skipped: script not installed");
        return;
    };
    let line = format!(
        "stty rows 33 cols 77; '{}' --ignored --exact --nocapture streams::helper_interactive",
        std::env::current_exe().unwrap().display()
    );
    let cmd = host::Cmd::new(host::Tool::Script).args(["-qec", &line, "/dev/null"]);
    let output = host.run(&cmd.stdin(host::Stdin::Bytes(b"typed\n".to_vec()))).unwrap().text();
    assert!(
        output.contains("got typed") && output.contains("terminal") && output.contains("33 77"),
        "{output} {script:?}"
    );
    assert!(output.contains("test result: ok. 1 passed"), "{output}");
}
