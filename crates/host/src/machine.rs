//! What this machine offers.

use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use rustix::thread::{CapabilitySet, capabilities};

use crate::environment::{self, Variable};
use crate::sandbox;

/// The machine could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// `/proc` says something that we do not understand.
    #[error("`{path}` does not say {what}", path = path.display())]
    Unreadable {
        /// The file that was read.
        path: PathBuf,
        /// What was looked for in it.
        what: &'static str,
    },
    /// `/proc` is not there, or not readable.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The control groups that we may make for a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cgroups {
    /// The unified hierarchy: new groups go below this folder, where `memory` and `pids` are enabled for us.
    V2(PathBuf),
    /// The old hierarchies that are writable, each with the folder below which new groups go.
    V1 {
        /// Folder of the `memory` controller.
        memory: Option<PathBuf>,
        /// Folder of the `pids` controller.
        pids: Option<PathBuf>,
    },
    /// None: limits are those of setrlimit(2), which count per process or per user.
    None,
}

/// This machine: what it has, and the right to run programs on it.
#[derive(Debug, Clone)]
pub struct Host {
    cores: usize,
    memory: u64,
    cgroups: Cgroups,
    search_path: Vec<PathBuf>,
    privileged: bool,
}

impl Host {
    /// Looks at the machine. Groups that a killed Slipway left behind are removed.
    pub fn detect() -> Result<Host, HostError> {
        let cgroups = sandbox::cgroup::detect();
        sandbox::cgroup::sweep(&cgroups);
        Ok(Host {
            cores: std::thread::available_parallelism()?.get(),
            memory: memory_total(Path::new("/proc/meminfo"))?,
            cgroups,
            search_path: search_path(),
            privileged: geteuid().is_root() && may_map_ids() && whole_id_range(),
        })
    }

    /// Processor cores that we may use.
    #[must_use]
    pub fn cores(&self) -> usize {
        self.cores
    }

    /// Main memory of the machine, in bytes.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// The control groups that sandboxes use.
    #[must_use]
    pub fn cgroups(&self) -> &Cgroups {
        &self.cgroups
    }

    /// Folders in which programs are looked for.
    #[must_use]
    pub fn search_path(&self) -> &[PathBuf] {
        &self.search_path
    }

    /// Whether systemd is the machine's first process. Source: sd_booted(3).
    #[must_use]
    pub fn runs_systemd(&self) -> bool {
        Path::new("/run/systemd/system").is_dir()
    }

    /// The id that the kernel gave to this start of the machine, where `/proc` is there.
    #[must_use]
    pub fn boot_id(&self) -> Option<String> {
        Some(fs_err::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().replace('-', ""))
    }

    /// Whether we are root and may give a sandbox more than one user id.
    #[must_use]
    pub fn is_privileged(&self) -> bool {
        self.privileged
    }
}

/// `$PATH`, then the system's own folders, which an unprivileged user's path often lacks (`sbin`).
fn search_path() -> Vec<PathBuf> {
    let own = environment::read(Variable::Path).unwrap_or_default();
    let mut folders: Vec<PathBuf> = Vec::new();
    let system = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from);
    for folder in std::env::split_paths(&own).chain(system) {
        if folder.is_absolute() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// `MemTotal` of proc_meminfo(5), in bytes.
fn memory_total(path: &Path) -> Result<u64, HostError> {
    let unreadable = || HostError::Unreadable { path: path.to_owned(), what: "how much memory there is" };
    let text = fs_err::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:")).ok_or_else(unreadable)?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().map_err(|_| unreadable())?;
    Ok(kibibytes * 1024)
}

/// Whether we have the capabilities that writing an id map of many ids takes (user_namespaces(7)).
fn may_map_ids() -> bool {
    let needed = CapabilitySet::SETUID | CapabilitySet::SETGID;
    capabilities(None).is_ok_and(|sets| sets.effective.contains(needed))
}

/// Whether the user namespace that we are in has the ids 0 to 65535.
fn whole_id_range() -> bool {
    let has = |path: &str| {
        fs_err::read_to_string(path).is_ok_and(|text| {
            text.lines().any(|line| {
                let fields: Vec<u64> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
                matches!(fields[..], [0, _, count] if count >= 65536)
            })
        })
    };
    has("/proc/self/uid_map") && has("/proc/self/gid_map")
}
