//! A root made of an almost empty layer and the machine's own `/usr`, read-only.

use std::path::{Path, PathBuf};

use host::Host;
use host::sandbox::{Bind, Exit, Sandbox, SandboxError, run_with_lines};
use tempfile::TempDir;

pub(crate) struct Fixture {
    pub(crate) host: Host,
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Fixture {
        let fixture = Fixture { host: Host::detect().unwrap(), folder: tempfile::tempdir().unwrap() };
        let lower = fixture.path("lower");
        for name in ["usr", "etc", "home/builder", "proc", "dev", "tmp"] {
            fs_err::create_dir_all(lower.join(name)).unwrap();
        }
        for name in ["bin", "sbin", "lib", "lib64"] {
            fs_err::os::unix::fs::symlink(format!("usr/{name}"), lower.join(name)).unwrap();
        }
        fixture
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A sandbox that runs a shell script.
    pub(crate) fn sandbox(&self, script: &str) -> Sandbox {
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let mut sandbox = Sandbox::new(vec![self.path("lower")], self.path("upper"), self.path("work"), argv);
        sandbox.binds.push(Bind { from: "/usr".into(), to: "/usr".into(), writable: false });
        sandbox.limits.wall_time_s = Some(120);
        sandbox
    }

    pub(crate) fn try_run(&self, sandbox: &Sandbox) -> Result<(Exit, Vec<String>), SandboxError> {
        let mut lines = Vec::new();
        let exit = run_with_lines(&self.host, sandbox, &mut |line| lines.push(line.to_owned()))?;
        Ok((exit, lines))
    }

    pub(crate) fn run(&self, sandbox: &Sandbox) -> (Exit, Vec<String>) {
        self.try_run(sandbox).unwrap_or_else(|error| panic!("{}", chain(&error)))
    }

    /// Runs a script that must end with code 0, and returns its lines.
    pub(crate) fn lines(&self, script: &str) -> Vec<String> {
        let (exit, lines) = self.run(&self.sandbox(script));
        assert!(exit.success(), "{:?}\n{}", exit.outcome, lines.join("\n"));
        lines
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes: Vec<String> =
        std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
    causes.join(": ")
}

/// How many processes of this machine have `marker` in their command line.
pub(crate) fn processes_with(marker: &str) -> usize {
    let own = std::process::id().to_string();
    let entries = fs_err::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| *name != own);
    pids.filter(|pid| pid.parse::<u32>().is_ok())
        .filter_map(|pid| fs_err::read(Path::new("/proc").join(pid).join("cmdline")).ok())
        .filter(|line| line.windows(marker.len()).any(|window| window == marker.as_bytes()))
        .count()
}
