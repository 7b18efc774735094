//! The programs that tests run.

use std::path::Path;
use std::process::{Command, Output};

#[expect(clippy::disallowed_methods, reason = "programs that the test runs, and no tools of Slipway's")]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// git in a folder, as Ann, at a time in seconds since 1970.
pub(crate) fn git(folder: &Path, time: u32, arguments: &[&str]) {
    let date = format!("{time} +0000");
    let done = command("git")
        .args(["-c", "init.defaultBranch=f43", "-c", "commit.gpgsign=false"])
        .args(["-c", "user.name=Ann", "-c", "user.email=a@b"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)])
        .output()
        .expect("git runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Whether this machine has git; says so where it has not.
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
pub(crate) fn has_git() -> bool {
    let is_there = command("git").arg("--version").output().is_ok();
    if !is_there {
        eprintln!("skipped: git not installed");
    }
    is_there
}

/// Slipway in the folder of a definition, with a store beside it.
pub(crate) fn slipway(definition: &Path, arguments: &[&str]) -> Output {
    command(env!("CARGO_BIN_EXE_slipway"))
        .args(["--store", "../store"])
        .args(arguments)
        .current_dir(definition)
        .output()
        .expect("slipway runs")
}

/// The same: its exit code, and all that it says.
pub(crate) fn said(definition: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = slipway(definition, arguments);
    (output.status.code(), text(&output))
}

/// All that a program wrote.
pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
