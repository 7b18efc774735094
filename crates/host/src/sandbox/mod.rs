//! Running untrusted programs: package builds and scriptlets.
//!
//! A [`Sandbox`] is a value that says what is to run over which directories; [`run`] runs it. What runs in it
//!
//! - sees an overlay of `lowers` and `upper` as its root, and of the machine only the `binds`; every write lands in
//!   `upper` or in a writable bind,
//! - is alone: own user, mount, process, IPC, host name, control group and network namespaces; the network is `lo` only,
//! - is uid 1000 without any capability ([`User::Builder`]), or uid 0 with those that act on files of the root
//!   ([`User::Root`]); it cannot gain privileges, mount, load, trace the kernel or make user namespaces,
//! - is bounded by [`Limits`]; [`Exit::bounds`] says by what, since not every machine has control groups for us,
//! - ends with us: process 1 of the sandbox dies with the thread that called [`run`] (also by kill -9), and all others
//!   with process 1. Mounts are in the sandbox's own namespace and vanish with it.
//!
//! It works the same for root and for other users, who then need unprivileged user namespaces and overlay in them
//! (Linux 5.12). An unprivileged caller has one id to give: inside it is 1000 or 0, outside the caller's own. Root
//! gives [`User::Root`] the ids 0 to 65535, so that chown works.
//!
//! `work` is scratch space on the file system of `upper`, laid out as `overlay/` (overlay's own), `skeleton/` (the
//! lowest layer: mount points that the root may lack), `layers/` (short names of the layers), `root/` (mount point)
//! and `lock`. It is emptied before and after.

pub(crate) mod cgroup;
mod child;
mod error;
mod prepare;
mod run;
mod seccomp;
mod terminal;

use std::path::PathBuf;
use std::time::Duration;

pub use error::SandboxError;
pub use run::{run, run_with_lines};

use crate::Status;

/// Who the program is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// uid and gid 1000, no capability: for builds.
    Builder,
    /// uid and gid 0 with the capabilities that act on the root's files and processes: for scriptlets.
    Root,
}

/// A file or directory of the machine that is visible inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// Where it is outside; symlinks are followed.
    pub from: PathBuf,
    /// Where it is inside: an absolute path, made when missing.
    pub to: String,
    /// Whether the program may change it.
    pub writable: bool,
}

/// Where the program's `/tmp` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temporary {
    /// In the root, so in `upper` and on disk.
    Upper,
    /// In memory, gone afterwards; at most this many bytes.
    Memory(u64),
}

/// What the program's standard streams are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// No input; output goes to the log and to the line callback, both streams in the order of writing.
    Log,
    /// Ours: for `slipway shell`. When our standard input is a terminal the program gets a terminal of its own, which is
    /// relayed, so that it cannot put input into ours.
    Interactive,
}

/// Bounds of a sandbox; `None` is unbounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Memory of all processes together, in bytes (without control groups: data of each process).
    pub memory: Option<u64>,
    /// Processes and threads at one time.
    pub processes: Option<u64>,
    /// Open files of each process; at most what we may have ourselves.
    pub open_files: Option<u64>,
    /// Seconds until all is killed.
    pub wall_time_s: Option<u64>,
    /// Size of each written file, in bytes.
    pub file_size: Option<u64>,
    /// Size of the log, in bytes; what comes after is left out, and the log says so.
    pub log_size: Option<u64>,
}

impl Default for Limits {
    /// 4096 processes, 16384 open files, 4 hours, files of 32 GiB, a log of 256 MiB, memory unbounded.
    fn default() -> Limits {
        Limits {
            memory: None,
            processes: Some(4096),
            open_files: Some(16384),
            wall_time_s: Some(4 * 3600),
            file_size: Some(32 << 30),
            log_size: Some(256 << 20),
        }
    }
}

/// What is to run, over which directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Read-only directories of which the root is made, the topmost first; one to 400.
    pub lowers: Vec<PathBuf>,
    /// Where writes land; made when missing. Whiteouts are character devices 0/0, opaque directories have the attribute
    /// `user.overlay.opaque` = `y`.
    pub upper: PathBuf,
    /// Scratch space on the same file system, made when missing; see the module.
    pub work: PathBuf,
    /// Parts of the machine that are visible inside, mounted in this order.
    pub binds: Vec<Bind>,
    /// Who the program is.
    pub user: User,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
    /// Its working directory: an absolute path inside, made when missing.
    pub cwd: String,
    /// Program and arguments; a program without `/` is looked up in the `PATH` of `env`.
    pub argv: Vec<String>,
    /// Bounds.
    pub limits: Limits,
    /// The host name that it sees.
    pub hostname: String,
    /// Where its output is written, replacing what was there.
    pub log: Option<PathBuf>,
    /// Its standard streams.
    pub console: Console,
    /// Its `/tmp`.
    pub tmp: Temporary,
}

impl Sandbox {
    /// A sandbox over these directories that runs `argv` as builder in `/`, with a plain environment, default limits and
    /// without log; the fields say the rest.
    #[must_use]
    pub fn new(lowers: Vec<PathBuf>, upper: PathBuf, work: PathBuf, argv: Vec<String>) -> Sandbox {
        let env = [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("LC_ALL", "C.UTF-8"),
            ("TZ", "UTC"),
        ];
        Sandbox {
            lowers,
            upper,
            work,
            binds: Vec::new(),
            user: User::Builder,
            env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            cwd: "/".to_owned(),
            argv,
            limits: Limits::default(),
            hostname: "slipway".to_owned(),
            log: None,
            console: Console::Log,
            tmp: Temporary::Upper,
        }
    }
}

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// By itself or by a signal of its own.
    Ended(Status),
    /// It was killed after [`Limits::wall_time_s`].
    TimedOut,
    /// The kernel killed a process for want of memory, and the program did not end with code 0.
    OutOfMemory,
}

/// What bounds one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A control group: the sandbox as a whole.
    Group,
    /// setrlimit(2): each process by itself (memory), or all of the sandbox's user (processes).
    Limit,
    /// Nothing: no limit was asked for, or this machine has no means.
    Unbounded,
}

/// By what the limits on memory and processes were enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bound of [`Limits::memory`].
    pub memory: Bound,
    /// Bound of [`Limits::processes`].
    pub processes: Bound,
}

/// How a sandbox ended and what it used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// How the program ended.
    pub outcome: Outcome,
    /// Time from start to end.
    pub wall: Duration,
    /// Processor time in user mode.
    pub user_time: Duration,
    /// Processor time in the kernel.
    pub system_time: Duration,
    /// The most memory in use at one time, in bytes, where a control group counts it.
    pub peak_memory: Option<u64>,
    /// What enforced the limits.
    pub bounds: Bounds,
}

impl Exit {
    /// Whether the program ended with code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.outcome == Outcome::Ended(Status::Code(0))
    }
}
