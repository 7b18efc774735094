//! Outside the sandbox: starting it, listening to it, ending it.

use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, getegid, geteuid, pidfd_send_signal};

use super::cgroup::Group;
use super::child::{self, DEVICES, Report, Step};
use super::prepare::{Prepared, prepare};
use super::terminal::Terminal;
use super::{Bound, Bounds, Console, Exit, Outcome, Sandbox, SandboxError, User};
use crate::clock::Stopwatch;
use crate::lines::Lines;
use crate::process::{TICK, wait_readable};
use crate::sys::{self, Usage};
use crate::{Host, Status};

/// How long output may still come when all processes are gone: another thread's child may hold the pipe for a moment.
const DRAIN: Duration = Duration::from_secs(2);

const NAMESPACES: libc::c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWNET;

/// Runs `sandbox` to its end. When this returns, whatever it returns, no process of the sandbox is left; on interrupt
/// all are killed. The upper layer stays.
pub fn run(host: &Host, sandbox: &Sandbox) -> Result<Exit, SandboxError> {
    run_with_lines(host, sandbox, &mut |_| {})
}

/// Like [`run`], and hands every line that the program writes to `each` as it comes.
pub fn run_with_lines(host: &Host, sandbox: &Sandbox, each: &mut dyn FnMut(&str)) -> Result<Exit, SandboxError> {
    let clock = Stopwatch::start();
    let limits = &sandbox.limits;
    // process 1 of the sandbox counts too
    let group = Group::new(host.cgroups(), limits.memory, limits.processes.map(|count| count.saturating_add(1)))?;
    let (mut prepared, _work) = prepare(sandbox, group.bounds_memory())?;
    let mut console = Outside::open(sandbox, each)?;
    prepared.terminal = matches!(console.source, Source::Terminal(_));

    let (mut init, go, reports) = start(&prepared, console.take_inside())?;
    write_maps(host, init.pid, sandbox.user)?;
    group.add(init.pid.as_raw_nonzero().get())?;
    rustix::io::write(&go, b"g").map_err(io::Error::from)?;
    drop(go);

    let deadline = limits.wall_time_s.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut stopped = None;
    while !console.turn(&init)? {
        if host.interrupted() {
            stopped = Some(Stop::Interrupt);
        } else if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            stopped = Some(Stop::Deadline);
        }
        if stopped.is_some() {
            init.kill();
            break;
        }
    }
    let (status, usage) = init.reap()?;
    console.finish()?;
    let outcome = match (stopped, read_report(&reports)?) {
        (Some(Stop::Interrupt), _) => return Err(SandboxError::Interrupted),
        (_, Some(Report::Failed(step, index, errno))) => return Err(explain(sandbox, step, index, errno)),
        // it may have ended just in time
        (_, Some(Report::Ended(0))) => Outcome::Ended(Status::Code(0)),
        (Some(Stop::Deadline), _) => Outcome::TimedOut,
        _ if group.ran_out_of_memory() => Outcome::OutOfMemory,
        (_, Some(Report::Ended(status))) => Outcome::Ended(from_wait(status)),
        // process 1 itself was killed by someone outside
        (_, None) => Outcome::Ended(from_wait(status)),
    };
    Ok(Exit {
        outcome,
        wall: clock.elapsed(),
        user_time: usage.user,
        system_time: usage.system,
        peak_memory: group.peak_memory(),
        bounds: bounds(sandbox, &group),
    })
}

enum Stop {
    Interrupt,
    Deadline,
}

fn from_wait(status: i32) -> Status {
    use std::os::unix::process::ExitStatusExt;
    Status::from(std::process::ExitStatus::from_raw(status))
}

fn bounds(sandbox: &Sandbox, group: &Group) -> Bounds {
    let limits = &sandbox.limits;
    let memory = match limits.memory {
        Some(_) if group.bounds_memory() => Bound::Group,
        Some(_) => Bound::Limit,
        None => Bound::Unbounded,
    };
    let processes = match limits.processes {
        Some(_) if group.bounds_processes() => Bound::Group,
        // the kernel does not count the processes of the machine's root
        Some(_) if !geteuid().is_root() => Bound::Limit,
        _ => Bound::Unbounded,
    };
    Bounds { memory, processes }
}

/// Process 1 of a sandbox; killed, and with it all others, on drop.
struct Init {
    pid: Pid,
    pidfd: OwnedFd,
    reaped: bool,
}

impl Init {
    fn kill(&self) {
        if !self.reaped {
            let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        }
    }

    /// Waits for its end, which comes after that of all others in its process namespace.
    fn reap(&mut self) -> io::Result<(i32, Usage)> {
        let ended = sys::wait_with_usage(self.pid)?;
        self.reaped = true;
        Ok(ended)
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            let _ = self.reap();
        }
    }
}

/// Starts process 1, which waits for a byte on the first descriptor and reports on the second.
fn start(prepared: &Prepared, streams: [OwnedFd; 3]) -> Result<(Init, OwnedFd, OwnedFd), SandboxError> {
    let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from);
    let ((go_inside, go), (reports, report_inside)) = (pipe()?, pipe()?);
    let [input, output, error] = streams;
    // above the numbers that they get inside, so that none is overwritten before it is moved
    let above = |fd: &OwnedFd| fcntl_dupfd_cloexec(fd, 16).map_err(io::Error::from);
    let inside = [above(&input)?, above(&output)?, above(&error)?, above(&go_inside)?, above(&report_inside)?];
    let numbers: [RawFd; 5] = std::array::from_fn(|index| inside[index].as_raw_fd());
    let (pid, pidfd) =
        sys::clone_process(NAMESPACES, &|| child::init(prepared, &numbers)).map_err(SandboxError::Namespaces)?;
    Ok((Init { pid, pidfd, reaped: false }, go, reports))
}

/// Writes the id maps of a new user namespace, by user_namespaces(7).
fn write_maps(host: &Host, pid: Pid, user: User) -> io::Result<()> {
    let process = format!("/proc/{}", pid.as_raw_nonzero());
    let one = |outside: u32| match user {
        User::Builder => format!("1000 {outside} 1"),
        User::Root => format!("0 {outside} 1"),
    };
    let (uids, gids) = match user {
        User::Root if host.is_privileged() => ("0 0 65536".to_owned(), "0 0 65536".to_owned()),
        _ => (one(geteuid().as_raw()), one(getegid().as_raw())),
    };
    if !host.is_privileged() {
        // without privilege a group map is allowed only where setgroups(2) is not
        fs_err::write(format!("{process}/setgroups"), "deny")?;
    }
    fs_err::write(format!("{process}/uid_map"), uids)?;
    fs_err::write(format!("{process}/gid_map"), gids)
}

fn read_report(reports: &OwnedFd) -> io::Result<Option<Report>> {
    let mut bytes = [0; Report::SIZE];
    // The first report counts. All writers are gone, except copies that another thread's child holds for a moment; they
    // never write, so wait no longer than for what is there.
    if !wait_readable(&mut [PollFd::new(reports, PollFlags::IN)], Duration::ZERO)? {
        return Ok(None);
    }
    let count = rustix::io::read(reports, &mut bytes)?;
    Ok(if count == Report::SIZE { Report::from_bytes(bytes) } else { None })
}

fn explain(sandbox: &Sandbox, step: Step, index: u32, errno: i32) -> SandboxError {
    let source = io::Error::from_raw_os_error(errno);
    let index = usize::try_from(index).unwrap_or_default();
    let what = match step {
        Step::Program => {
            return SandboxError::Program { program: sandbox.argv.first().cloned().unwrap_or_default(), source };
        }
        Step::Bind => sandbox.binds.get(index).map(|bind| bind.to.clone()),
        Step::Device => DEVICES.get(index).map(|name| format!("/dev/{}", name.to_string_lossy())),
        Step::Overlay => Some(sandbox.upper.display().to_string()),
        Step::Directory => Some(sandbox.cwd.clone()),
        _ => None,
    };
    SandboxError::Setup { step: step.text(), what: what.unwrap_or_default(), source }
}

/// Our side of the program's standard streams.
struct Outside<'e> {
    source: Source,
    inside: Option<[OwnedFd; 3]>,
    log: Option<fs_err::File>,
    log_left: u64,
    left_out: u64,
    lines: Lines,
    each: &'e mut dyn FnMut(&str),
    buffer: Vec<u8>,
    open: bool,
}

enum Source {
    Pipe(OwnedFd),
    Terminal(Terminal),
    Inherited,
}

impl<'e> Outside<'e> {
    fn open(sandbox: &Sandbox, each: &'e mut dyn FnMut(&str)) -> Result<Outside<'e>, SandboxError> {
        let log = sandbox.log.as_ref().map(fs_err::File::create).transpose()?;
        let again = |fd: BorrowedFd<'_>| fcntl_dupfd_cloexec(fd, 16).map_err(io::Error::from);
        let (source, inside) = match sandbox.console {
            Console::Log => {
                let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
                let nothing: OwnedFd = fs_err::File::open("/dev/null")?.into_parts().0.into();
                (Source::Pipe(ours), [nothing, again(theirs.as_fd())?, theirs])
            }
            Console::Interactive => match Terminal::open()? {
                Some((terminal, theirs)) => {
                    let inside = [again(theirs.as_fd())?, again(theirs.as_fd())?, theirs];
                    (Source::Terminal(terminal), inside)
                }
                None => {
                    use rustix::stdio::{stderr, stdin, stdout};
                    (Source::Inherited, [again(stdin())?, again(stdout())?, again(stderr())?])
                }
            },
        };
        let open = !matches!(source, Source::Inherited);
        let log_left = sandbox.limits.log_size.unwrap_or(u64::MAX);
        let (lines, buffer) = (Lines::default(), vec![0; 64 * 1024]);
        Ok(Outside { source, inside: Some(inside), log, log_left, left_out: 0, lines, each, buffer, open })
    }

    /// The program's ends, once; ours must not be the one that keeps them open.
    fn take_inside(&mut self) -> [OwnedFd; 3] {
        self.inside.take().expect("a sandbox is started once")
    }

    /// Waits a tick for output and hands it on; true when process 1 has ended.
    fn turn(&mut self, init: &Init) -> io::Result<bool> {
        let mut fds = vec![PollFd::new(&init.pidfd, PollFlags::IN)];
        match &self.source {
            Source::Pipe(pipe) if self.open => fds.push(PollFd::new(pipe, PollFlags::IN)),
            Source::Terminal(terminal) if self.open => {
                terminal.follow_size();
                let (output, input) = terminal.sources();
                fds.push(PollFd::from_borrowed_fd(output, PollFlags::IN));
                fds.extend(input.map(|input| PollFd::from_borrowed_fd(input, PollFlags::IN)));
            }
            _ => {}
        }
        if !wait_readable(&mut fds, TICK)? {
            return Ok(false);
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        if ready.get(1) == Some(&true) {
            self.read()?;
        }
        if ready.get(2) == Some(&true)
            && let Source::Terminal(terminal) = &mut self.source
        {
            terminal.relay_input(&mut self.buffer)?;
        }
        Ok(ready[0])
    }

    /// Reads what is there; at the end of the stream, `open` becomes false.
    fn read(&mut self) -> io::Result<()> {
        match &mut self.source {
            Source::Pipe(pipe) => match rustix::io::read(&*pipe, &mut self.buffer[..]) {
                Ok(0) => self.open = false,
                Ok(count) => self.take(count)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            },
            Source::Terminal(terminal) => self.open = terminal.relay_output(&mut self.buffer)?,
            Source::Inherited => {}
        }
        Ok(())
    }

    /// Keeps and hands on the first `count` bytes of the buffer.
    fn take(&mut self, count: usize) -> io::Result<()> {
        let bytes = &self.buffer[..count];
        let kept = usize::try_from(self.log_left).unwrap_or(usize::MAX).min(count);
        if let Some(log) = &mut self.log {
            log.write_all(&bytes[..kept])?;
        }
        self.log_left -= kept as u64;
        self.left_out += (count - kept) as u64;
        self.lines.push(&bytes[..kept], self.each);
        Ok(())
    }

    /// All processes are gone: takes what they still wrote.
    fn finish(&mut self) -> io::Result<()> {
        let until = Instant::now() + DRAIN;
        while self.open && Instant::now() < until {
            let fd = match &self.source {
                Source::Pipe(pipe) => pipe.as_fd(),
                Source::Terminal(terminal) => terminal.sources().0,
                Source::Inherited => break,
            };
            if wait_readable(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], TICK)? {
                self.read()?;
            }
        }
        self.lines.finish(self.each);
        if self.left_out > 0 {
            let note = format!("[slipway: the log is full, {} more bytes were left out]", self.left_out);
            if let Some(log) = &mut self.log {
                log.write_all(format!("\n{note}\n").as_bytes())?;
            }
            (self.each)(&note);
        }
        Ok(())
    }
}
