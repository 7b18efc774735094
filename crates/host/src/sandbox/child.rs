//! Inside the sandbox: process 1, which sets everything up and waits, and the program that it starts.
//!
//! This runs after a fork from a process with threads: nothing here allocates, locks or panics; every string is a
//! prepared `CStr`, every error a number.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, mkdirat, open, openat, openat2, symlinkat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen, mount, mount_change, move_mount, open_tree,
    unmount,
};
use rustix::process::{
    DumpableBehavior, Signal, WaitOptions, chdir, fchdir, ioctl_tiocsctty, pivot_root, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit, setsid, umask, wait,
};
use rustix::system::sethostname;
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, set_capabilities, set_no_new_privs, set_thread_groups,
};

use super::prepare::{Mount, Prepared};
use crate::sys;

/// Descriptor on which the parent says to go on.
const GO: RawFd = 3;
/// Descriptor on which the child reports.
const REPORT: RawFd = 4;

/// What a step of the setup was about; the texts are in [`Step::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Step {
    Start,
    Propagation,
    Overlay,
    Proc,
    Devices,
    Device,
    Temporary,
    Bind,
    Pivot,
    Protect,
    Network,
    Hostname,
    Fork,
    Limits,
    Directory,
    Terminal,
    Privileges,
    Filter,
    Program,
}

impl Step {
    const ALL: [Step; 19] = [
        Step::Start,
        Step::Propagation,
        Step::Overlay,
        Step::Proc,
        Step::Devices,
        Step::Device,
        Step::Temporary,
        Step::Bind,
        Step::Pivot,
        Step::Protect,
        Step::Network,
        Step::Hostname,
        Step::Fork,
        Step::Limits,
        Step::Directory,
        Step::Terminal,
        Step::Privileges,
        Step::Filter,
        Step::Program,
    ];

    /// The step in the words of an error message.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Step::Start => "no start",
            Step::Propagation => "mounts cannot be made private",
            Step::Overlay => "no overlay of the layers over",
            Step::Proc => "no /proc",
            Step::Devices => "no /dev",
            Step::Device => "no device",
            Step::Temporary => "no /tmp in memory",
            Step::Bind => "no bind to",
            Step::Pivot => "the root cannot be changed",
            Step::Protect => "/proc cannot be protected",
            Step::Network => "no loopback network",
            Step::Hostname => "no host name",
            Step::Fork => "no second process",
            Step::Limits => "limits cannot be set",
            Step::Directory => "no working directory",
            Step::Terminal => "no terminal",
            Step::Privileges => "privileges cannot be dropped",
            Step::Filter => "system calls cannot be filtered",
            Step::Program => "cannot run the program",
        }
    }
}

/// What the child reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// A step failed; the number says which bind or device it was about.
    Failed(Step, u32, i32),
    /// The program ended with this wait(2) status.
    Ended(i32),
}

impl Report {
    pub(crate) const SIZE: usize = 12;

    fn to_bytes(self) -> [u8; Self::SIZE] {
        let (kind, index, value) = match self {
            Report::Failed(step, index, errno) => (step as u32 + 1, index, errno),
            Report::Ended(status) => (0, 0, status),
        };
        let ([a, b, c, d], [e, f, g, h], [i, j, k, l]) = (kind.to_le_bytes(), index.to_le_bytes(), value.to_le_bytes());
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::SIZE]) -> Option<Report> {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        let (kind, index, value) =
            (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]), i32::from_le_bytes([i, j, k, l]));
        match kind.checked_sub(1) {
            None => Some(Report::Ended(value)),
            Some(step) => Some(Report::Failed(*Step::ALL.get(usize::try_from(step).ok()?)?, index, value)),
        }
    }
}

type Done<T = ()> = Result<T, (Step, u32, Errno)>;

/// Names the step in which a system call failed.
trait In<T> {
    fn at(self, step: Step, index: u32) -> Done<T>;
    fn during(self, step: Step) -> Done<T>;
}

impl<T> In<T> for Result<T, Errno> {
    fn at(self, step: Step, index: u32) -> Done<T> {
        self.map_err(|errno| (step, index, errno))
    }
    fn during(self, step: Step) -> Done<T> {
        self.at(step, 0)
    }
}

fn report(report: Report) {
    // shorter than PIPE_BUF: all or nothing; when the parent is gone there is nobody to tell
    let _ = rustix::io::write(sys::kept(REPORT), &report.to_bytes());
}

/// Process 1. `descriptors` become standard input, output and error, `GO` and `REPORT`; all others are closed, so that
/// no lock, pipe or connection of the parent is held or seen here.
pub(crate) fn init(prepared: &Prepared, descriptors: &[RawFd; 5]) -> i32 {
    match set_up_and_wait(prepared, descriptors) {
        Ok(status) => {
            report(Report::Ended(status));
            0
        }
        Err((step, index, errno)) => {
            report(Report::Failed(step, index, errno.raw_os_error()));
            1
        }
    }
}

fn set_up_and_wait(prepared: &Prepared, descriptors: &[RawFd; 5]) -> Done<i32> {
    sys::keep_descriptors(descriptors).during(Step::Start)?;
    set_parent_process_death_signal(Some(Signal::KILL)).during(Step::Start)?;
    let mut go = [0];
    // The parent has written our id maps and put us into the control groups. At end of file it is dead: whatever it did
    // before the death signal was set, it will not miss us.
    if rustix::io::read(sys::kept(GO), &mut go).during(Step::Start)? == 0 {
        return Err((Step::Start, 0, Errno::SRCH));
    }
    // supplementary groups can be dropped only by a privileged caller; others keep theirs, which then mean nothing inside
    let _ = set_thread_groups(&[]);
    // not on every kernel; without it only the names of our groups can be seen
    let _ = sys::unshare(libc::CLONE_NEWCGROUP);
    umask(Mode::WGRP | Mode::WOTH);
    // a want of memory shall not hit process 1 first
    let unlikely = open(c"/proc/self/oom_score_adj", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).ok();
    if let Some(file) = &unlikely {
        let _ = rustix::io::write(file, b"500");
    }

    build_root(prepared)?;
    sys::loopback_up().during(Step::Network)?;
    sethostname(&prepared.hostname).during(Step::Hostname)?;
    protect_proc()?;

    // this process is a copy of the parent's memory: nobody inside may look into it
    set_dumpable_behavior(DumpableBehavior::NotDumpable).during(Step::Privileges)?;
    let (program, _pidfd) = sys::clone_process(0, &|| {
        let Err((step, index, errno)) = become_program(prepared);
        report(Report::Failed(step, index, errno.raw_os_error()));
        1
    })
    .map_err(|error| (Step::Fork, 0, Errno::from_io_error(&error).unwrap_or(Errno::AGAIN)))?;
    if let Some(file) = &unlikely {
        let _ = rustix::io::write(file, b"0");
    }
    sys::close_standard();
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == program => return Ok(status.as_raw()),
            // an orphan: reaped
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err((Step::Fork, 0, errno)),
        }
    }
}

const NO_MODE: Mode = Mode::empty();
const SAFE: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NODEV);

/// Mounts the overlay and all on it, and makes it the root; nothing of the machine's own root stays reachable.
fn build_root(prepared: &Prepared) -> Done {
    mount_change(c"/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC).during(Step::Propagation)?;
    chdir(prepared.layers.as_c_str()).during(Step::Overlay)?;
    let mut mounted = Err(Errno::INVAL);
    for options in &prepared.overlay_options {
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mounted = mount(c"overlay", c"../root", c"overlay", flags, Some(options.as_c_str()));
        if mounted != Err(Errno::INVAL) {
            break;
        }
    }
    mounted.during(Step::Overlay)?;
    let root =
        openat(CWD, c"../root", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, NO_MODE).during(Step::Overlay)?;

    // a new /proc is allowed only while the machine's own is still there to compare with
    let proc = file_system(c"proc", &[], SAFE | MountAttrFlags::MOUNT_ATTR_NOEXEC).during(Step::Proc)?;
    attach(&proc, target(root.as_fd(), c"proc").during(Step::Proc)?.as_fd()).during(Step::Proc)?;
    devices(root.as_fd())?;
    if let Some(size) = &prepared.tmp_size {
        let tmp = file_system(c"tmpfs", &[(c"mode", c"1777"), (c"size", size)], SAFE).during(Step::Temporary)?;
        attach(&tmp, target(root.as_fd(), c"tmp").during(Step::Temporary)?.as_fd()).during(Step::Temporary)?;
    }
    for (index, bind) in (0_u32..).zip(&prepared.mounts) {
        mount_bind(root.as_fd(), bind).at(Step::Bind, index)?;
    }

    // pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one, and is taken away
    fchdir(&root).during(Step::Pivot)?;
    pivot_root(c".", c".").during(Step::Pivot)?;
    mount_change(c".", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC).during(Step::Pivot)?;
    unmount(c".", UnmountFlags::DETACH).during(Step::Pivot)?;
    chdir(c"/").during(Step::Pivot)
}

/// A new mount of a file system of its own, not attached yet.
fn file_system(kind: &CStr, options: &[(&CStr, &CStr)], attributes: MountAttrFlags) -> Result<OwnedFd, Errno> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        fsconfig_set_string(&context, *key, *value)?;
    }
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// A place in the new root. The root's content is not trusted: its symlinks are followed inside of it only.
fn target(root: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd, Errno> {
    loop {
        match openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, NO_MODE, ResolveFlags::IN_ROOT) {
            // something was renamed elsewhere while the kernel checked `..`
            Err(Errno::AGAIN | Errno::INTR) => {}
            done => return done,
        }
    }
}

fn attach(mount: &OwnedFd, place: BorrowedFd<'_>) -> Result<(), Errno> {
    let by_descriptor = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, c"", place, c"", by_descriptor)
}

fn mount_bind(root: BorrowedFd<'_>, bind: &Mount) -> Result<(), Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let tree = open_tree(CWD, bind.from.as_c_str(), flags)?;
    sys::restrict_mount(tree.as_fd(), bind.attributes)?;
    attach(&tree, target(root, &bind.to)?.as_fd())
}

/// The devices that programs count on, by name below `/dev`; the numbers are part of the error report.
pub(crate) const DEVICES: [&CStr; 6] = [c"null", c"zero", c"full", c"random", c"urandom", c"tty"];

fn devices(root: BorrowedFd<'_>) -> Done {
    let options = [(c"mode", c"755"), (c"size", c"1m")];
    let dev = file_system(c"tmpfs", &options, MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC);
    let dev = dev.during(Step::Devices)?;
    attach(&dev, target(root, c"dev").during(Step::Devices)?.as_fd()).during(Step::Devices)?;
    let machine = open(c"/dev", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, NO_MODE).during(Step::Devices)?;
    for (index, name) in (0_u32..).zip(DEVICES) {
        // devices cannot be made in a user namespace, so they are the machine's
        let node = open_tree(&machine, name, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)
            .at(Step::Device, index)?;
        let place = openat(&dev, name, OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR)
            .at(Step::Device, index)?;
        // Read-only, which leaves writing to the device as it is: where the caller is root, so is the builder to the
        // owner check of chmod(2), and would change the machine's own node.
        sys::restrict_mount(node.as_fd(), libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC)
            .at(Step::Device, index)?;
        attach(&node, place.as_fd()).at(Step::Device, index)?;
    }
    let links = [
        (c"/proc/self/fd", c"fd"),
        (c"/proc/self/fd/0", c"stdin"),
        (c"/proc/self/fd/1", c"stdout"),
        (c"/proc/self/fd/2", c"stderr"),
        (c"pts/ptmx", c"ptmx"),
    ];
    for (to, name) in links {
        symlinkat(to, &dev, name).during(Step::Devices)?;
    }
    let place = |name: &CStr| {
        mkdirat(&dev, name, Mode::from_raw_mode(0o755))?;
        openat(&dev, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, NO_MODE)
    };
    let quiet = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let pts = file_system(c"devpts", &[(c"ptmxmode", c"0666"), (c"mode", c"620")], quiet).during(Step::Devices)?;
    attach(&pts, place(c"pts").during(Step::Devices)?.as_fd()).during(Step::Devices)?;
    let shm = file_system(c"tmpfs", &[(c"mode", c"1777")], SAFE).during(Step::Devices)?;
    attach(&shm, place(c"shm").during(Step::Devices)?.as_fd()).during(Step::Devices)
}

/// Parts of /proc through which the kernel is configured. Where the caller is the machine's root, so is the builder to
/// the permission check of /proc/sys, with no capability needed: without this it could set `kernel.core_pattern`.
const READ_ONLY: [&CStr; 7] =
    [c"/proc/sys", c"/proc/irq", c"/proc/bus", c"/proc/fs", c"/proc/acpi", c"/proc/scsi", c"/proc/sysrq-trigger"];
/// Parts of /proc that show the kernel's memory, keys or timers.
const HIDDEN: [&CStr; 5] =
    [c"/proc/kcore", c"/proc/keys", c"/proc/timer_list", c"/proc/sched_debug", c"/proc/kallsyms"];

fn protect_proc() -> Done {
    // no user namespace inside this one; not all kernels have the file
    if let Ok(file) = open(c"/proc/sys/user/max_user_namespaces", OFlags::WRONLY | OFlags::CLOEXEC, NO_MODE) {
        let _ = rustix::io::write(file, b"0");
    }
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let cover = |from: &CStr, to: &CStr| {
        let tree = open_tree(CWD, from, clone)?;
        sys::restrict_mount(tree.as_fd(), libc::MOUNT_ATTR_RDONLY)?;
        move_mount(&tree, c"", CWD, to, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
    };
    let covers = READ_ONLY.iter().map(|path| (*path, *path)).chain(HIDDEN.iter().map(|path| (c"/dev/null", *path)));
    for (from, to) in covers {
        match cover(from, to) {
            // this kernel has no such file
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err((Step::Protect, 0, errno)),
        }
    }
    Ok(())
}

/// Drops everything and becomes the program; returns only an error.
fn become_program(prepared: &Prepared) -> Done<std::convert::Infallible> {
    sys::close_from(GO, libc::CLOSE_RANGE_CLOEXEC).during(Step::Start)?;
    setsid().during(Step::Terminal)?;
    if prepared.terminal {
        ioctl_tiocsctty(sys::kept(0)).during(Step::Terminal)?;
    }
    for (resource, limit) in &prepared.limits {
        setrlimit(*resource, *limit).during(Step::Limits)?;
    }
    chdir(prepared.cwd.as_c_str()).during(Step::Directory)?;
    sys::bound_capabilities(prepared.capabilities.bits()).during(Step::Privileges)?;
    clear_ambient_capability_set().during(Step::Privileges)?;
    let sets = CapabilitySets {
        effective: prepared.capabilities,
        permitted: prepared.capabilities,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).during(Step::Privileges)?;
    set_no_new_privs(true).during(Step::Privileges)?;
    sys::filter_system_calls(&prepared.filter).during(Step::Filter)?;
    let mut failure = Errno::NOENT;
    for path in &prepared.programs {
        match sys::exec(path, &prepared.argv, &prepared.envp) {
            Errno::NOENT | Errno::NOTDIR => {}
            // as execvp(3): another folder may have one that may be run
            Errno::ACCESS => failure = Errno::ACCESS,
            errno => return Err((Step::Program, 0, errno)),
        }
    }
    Err((Step::Program, 0, failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_survive_the_pipe() {
        for step in Step::ALL {
            let report = Report::Failed(step, 7, 13);
            assert_eq!(Report::from_bytes(report.to_bytes()), Some(report));
        }
        assert_eq!(Report::from_bytes(Report::Ended(256).to_bytes()), Some(Report::Ended(256)));
        assert_eq!(Report::from_bytes([255; Report::SIZE]), None);
    }
}
