//! All the other tests again, as a user without any right.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use host::{Cmd, Host, Tool};

/// Says why and returns true where unprivileged user namespaces cannot be used.
fn skipped(host: &Host) -> bool {
    let reason = if !host.is_privileged() {
        "not root: the other tests have been run unprivileged already"
    } else if !Tool::Setpriv.is_installed(host) {
        "setpriv not installed"
    } else {
        return false;
    };
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
    true
}

#[test]
fn host_unprivileged_callers_get_the_same() {
    let host = Host::detect().unwrap();
    if skipped(&host) {
        return;
    }
    // a copy, since the way to the test program may be closed to that user
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs_err::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let scratch = folder.path().join("scratch");
    fs_err::create_dir(&scratch).unwrap();
    fs_err::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    fs_err::set_permissions(&scratch, std::fs::Permissions::from_mode(0o777)).unwrap();
    let cmd = Cmd::new(Tool::Setpriv)
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--"])
        .arg(&program)
        .args(["--test-threads=2", "host_", "--skip", "host_unprivileged", "--skip", "helper_"])
        .env("TMPDIR", &scratch)
        .cwd("/")
        .time_limit(Duration::from_secs(300));
    let output = host.run(&cmd).unwrap();
    assert!(output.status.success(), "{}\n{}", output.text(), String::from_utf8_lossy(&output.stderr));
    assert!(!output.text().contains(" 0 passed"), "{}", output.text());
}
