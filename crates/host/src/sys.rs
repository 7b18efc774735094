//! All `unsafe` code of the workspace: system calls that have no safe wrapper, and starting processes.
#![expect(unsafe_code, reason = "the one file where it is allowed; every use says why it holds")]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::Pid;

/// How many interrupting signals came. Only the signal handler writes it.
static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_signal(_signal: libc::c_int) {
    if INTERRUPTS.fetch_add(1, Ordering::Relaxed) >= 1 {
        // SAFETY: _exit(2) is async-signal-safe and takes no memory.
        unsafe { libc::_exit(130) };
    }
}

/// Lets SIGINT, SIGTERM and SIGHUP count in [`INTERRUPTS`]; see `Host::on_interrupt`.
pub(crate) fn install_interrupt_handlers() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: an all-zero `sigaction` is a valid value of that plain C struct; the handler only touches an atomic and
        // calls _exit, both async-signal-safe; the pointers are to live locals. No SA_RESTART: waiting calls shall end.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as extern "C" fn(libc::c_int) as usize;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

/// Whether one of those signals came.
pub(crate) fn interrupted() -> bool {
    INTERRUPTS.load(Ordering::Relaxed) > 0
}

/// Lets the program die by SIGKILL when the thread that starts it ends.
pub(crate) fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    let hook = move || {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        // the parent may have died before that call: then nobody would tell us
        if rustix::process::getppid() != Some(parent) {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        Ok(())
    };
    // SAFETY: the hook runs between fork and exec; it makes two system calls and neither allocates nor takes a lock.
    unsafe { command.pre_exec(hook) };
}

/// Ends the process instead of unwinding out of a forked child into its parent's code.
struct ExitOnUnwind;

impl Drop for ExitOnUnwind {
    fn drop(&mut self) {
        // SAFETY: _exit(2) takes no memory and does not return.
        unsafe { libc::_exit(125) };
    }
}

/// Starts a process like fork(2), in the new namespaces that `namespaces` (CLONE_NEW*) names, and runs `child` in it;
/// what that returns is its exit code. Returns the process and a pidfd of it (close-on-exec).
///
/// `child` runs in a copy of a process that may have had other threads: it must not allocate, lock or panic, so all
/// memory is prepared before. It starts with default signal dispositions and no blocked signal.
pub(crate) fn clone_process(namespaces: libc::c_int, child: &dyn Fn() -> i32) -> io::Result<(Pid, OwnedFd)> {
    // SAFETY: sigset_t is a plain C type that sigfillset/pthread_sigmask fill; the pointers are to live locals.
    let before = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        // no handler of ours shall run in the child
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    };
    let flags = libc::c_long::from(namespaces | libc::CLONE_PIDFD | libc::SIGCHLD);
    let mut pidfd: libc::c_int = -1;
    let null = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: without CLONE_VM the child gets a copy of our memory and, with a null stack, continues on its copy of this
    // stack, as with fork(2). The third argument is where the kernel stores the pidfd (CLONE_PIDFD); the others are
    // unused. The raw call instead of fork(3) leaves out only atfork handlers, and the child needs none: it makes
    // system calls on prepared memory and ends by exec or _exit.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, null, &raw mut pidfd, null, null) };
    if pid == 0 {
        let guard = ExitOnUnwind;
        reset_signals();
        let code = child();
        std::mem::forget(guard);
        // SAFETY: as above; no destructor or atexit handler of the parent's copy runs.
        unsafe { libc::_exit(code) };
    }
    let error = io::Error::last_os_error();
    // SAFETY: restores the mask that was read above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    match i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // SAFETY: the kernel just gave us this descriptor, and nobody else knows it.
        Some(pid) => Ok((pid, unsafe { OwnedFd::from_raw_fd(pidfd) })),
        None => Err(error),
    }
}

/// Default dispositions for all signals, and none blocked.
fn reset_signals() {
    // SAFETY: zeroed `sigaction` and `sigset_t` are valid (SIG_DFL, empty set); sigaction refuses the numbers that may not
    // be set, which is fine. All calls are async-signal-safe.
    unsafe {
        let default: libc::sigaction = std::mem::zeroed();
        for signal in 1..=64 {
            libc::sigaction(signal, &raw const default, std::ptr::null_mut());
        }
        let none: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// In a child of [`clone_process`]: makes `from` the descriptors 0, 1, 2.. and closes every other one. Those in `from`
/// must have numbers above that range.
pub(crate) fn keep_descriptors(from: &[RawFd]) -> Result<(), Errno> {
    let mut to: RawFd = 0;
    for source in from {
        // SAFETY: dup2 on numbers; this process is a private copy whose other code does not run any more, so no owner of
        // descriptor `to` is left to be surprised.
        checked(unsafe { libc::dup2(*source, to) }.into())?;
        to += 1;
    }
    close_from(to, 0)
}

/// In a child: closes all descriptors from `first` on, or (`libc::CLOSE_RANGE_CLOEXEC`) marks them to be closed by exec.
pub(crate) fn close_from(first: RawFd, flags: u32) -> Result<(), Errno> {
    // SAFETY: only used in children of `clone_process`, where no owner of those descriptors runs any more.
    checked(unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flags) })
}

/// In a child: closes the descriptors 0, 1 and 2.
pub(crate) fn close_standard() {
    for fd in 0..3 {
        // SAFETY: as in `close_from`.
        unsafe { libc::close(fd) };
    }
}

/// In a child of [`clone_process`]: descriptor `number` that [`keep_descriptors`] made.
pub(crate) fn kept(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: called only for numbers that `keep_descriptors` opened and that stay open until exec or _exit.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Digests as many blocks of each of `N` streams as the first has; `false`, and nothing done, where the processor has no
/// instructions for that.
#[cfg(target_arch = "x86_64")]
pub(crate) fn sha256_blocks<const N: usize>(states: [&mut [u32; 8]; N], blocks: [&[[u8; 64]]; N]) -> bool {
    let has = std::arch::is_x86_feature_detected!("sha")
        && std::arch::is_x86_feature_detected!("ssse3")
        && std::arch::is_x86_feature_detected!("sse4.1");
    if has {
        // SAFETY: the function is safe but for the instructions that it uses, and the processor has them.
        unsafe { crate::sha256::x86::blocks(states, blocks) };
    }
    has
}

/// As on other machines: there are none.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn sha256_blocks<const N: usize>(_states: [&mut [u32; 8]; N], _blocks: [&[[u8; 64]]; N]) -> bool {
    false
}

fn checked(result: libc::c_long) -> Result<(), Errno> {
    if result >= 0 { Ok(()) } else { Err(last_errno()) }
}

fn last_errno() -> Errno {
    Errno::from_raw_os_error(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
}

/// Strings as execve(2) wants them: a list of pointers that ends with a null one.
#[derive(Debug)]
pub(crate) struct StringList {
    pointers: Vec<*const libc::c_char>,
    // what `pointers` points to: the heap blocks of these strings, which do not move with the list
    _strings: Vec<CString>,
}

impl StringList {
    pub(crate) fn new(strings: Vec<CString>) -> StringList {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect();
        StringList { pointers, _strings: strings }
    }
}

/// Becomes the program at `path`; returns only when that failed.
pub(crate) fn exec(path: &CStr, argv: &StringList, envp: &StringList) -> Errno {
    // SAFETY: `path` ends with NUL; both lists end with a null pointer and point to strings that live as long as they do.
    unsafe { libc::execve(path.as_ptr(), argv.pointers.as_ptr(), envp.pointers.as_ptr()) };
    last_errno()
}

/// Moves into new namespaces without a new process; only used for CLONE_NEWCGROUP.
pub(crate) fn unshare(namespaces: libc::c_int) -> Result<(), Errno> {
    // SAFETY: plain numbers; the flags used do not touch memory or descriptors.
    checked(unsafe { libc::unshare(namespaces) }.into())
}

/// Removes every capability that is not in `keep` (bit n is capability n) from the bounding set.
pub(crate) fn bound_capabilities(keep: u64) -> Result<(), Errno> {
    for capability in 0..64 {
        // SAFETY: prctl with plain numbers. EINVAL says that the kernel has no capability of that number.
        let known = unsafe { libc::prctl(libc::PR_CAPBSET_READ, capability, 0, 0, 0) } >= 0;
        if known && keep & (1 << capability) == 0 {
            // SAFETY: as above.
            checked(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) }.into())?;
        }
    }
    Ok(())
}

/// Puts a seccomp filter on this process and all that it will start. no_new_privs must be set.
pub(crate) fn filter_system_calls(filter: &[libc::sock_filter]) -> Result<(), Errno> {
    let Ok(len) = u16::try_from(filter.len()) else { return Err(Errno::INVAL) };
    let program = libc::sock_fprog { len, filter: filter.as_ptr().cast_mut() };
    // SAFETY: `program` points to `len` instructions that live during the call; the kernel copies and does not write them.
    checked(unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program, 0, 0) }.into())
}

/// Adds attributes (MOUNT_ATTR_*) to a mount and all mounts below it.
pub(crate) fn restrict_mount(mount: BorrowedFd<'_>, attributes: u64) -> Result<(), Errno> {
    let attr = libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    let (fd, empty, size) = (mount.as_raw_fd(), c"".as_ptr(), size_of::<libc::mount_attr>());
    // SAFETY: an open descriptor, a NUL-terminated string, and a structure of the size that is given with it.
    checked(unsafe { libc::syscall(libc::SYS_mount_setattr, fd, empty, flags, &raw const attr, size) })
}

/// Sets the interface `lo` of this network namespace up.
pub(crate) fn loopback_up() -> Result<(), Errno> {
    // SAFETY: socket(2) takes numbers; the result is checked before it is owned. An all-zero `ifreq` is valid, its name
    // field has room for "lo" and a NUL, and both ioctls read and write exactly an `ifreq`.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        checked(fd.into())?;
        let socket = OwnedFd::from_raw_fd(fd);
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l'.cast_signed();
        request.ifr_name[1] = b'o'.cast_signed();
        checked(libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &raw mut request).into())?;
        #[expect(clippy::cast_possible_truncation, reason = "IFF_UP is 1")]
        {
            request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short;
        }
        checked(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request).into())
    }
}

/// What a process and those it waited for used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Processor time in user mode.
    pub(crate) user: Duration,
    /// Processor time in the kernel.
    pub(crate) system: Duration,
}

/// Waits for child `pid`; returns its wait(2) status and what it used.
pub(crate) fn wait_with_usage(pid: Pid) -> io::Result<(i32, Usage)> {
    loop {
        let mut status = 0;
        // SAFETY: an all-zero `rusage` is a valid value of that plain C struct; wait4 writes both live locals.
        let (done, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::wait4(pid.as_raw_nonzero().get(), &raw mut status, 0, &raw mut usage), usage)
        };
        if done >= 0 {
            return Ok((status, Usage { user: duration(usage.ru_utime), system: duration(usage.ru_stime) }));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec.try_into().unwrap_or(0))
        + Duration::from_micros(time.tv_usec.try_into().unwrap_or(0))
}

/// A file's bytes in memory, as the kernel keeps them: private and read only.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: std::ptr::NonNull<u8>,
    length: usize,
}

// SAFETY: the memory is only ever read, and belongs to no thread.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `length` bytes, more than none, of an open file, which has to have as many and to keep them: see
    /// `FileBytes::open`, the only caller, for how that is known.
    pub(crate) fn of(file: BorrowedFd<'_>, length: usize) -> io::Result<Mapping> {
        let (protection, flags) = (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_POPULATE);
        // SAFETY: the kernel chooses the place, so that no memory of ours is replaced; the descriptor is open, and may be
        // closed afterwards.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, file.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = std::ptr::NonNull::new(start.cast()).ok_or(io::ErrorKind::Other)?;
        Ok(Mapping { start, length })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is of that length, readable, and lives as long as `self`. It does not change, as the file does
        // not: whoever opens one promises that.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the place and length that mmap gave, and nobody can have a reference any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
