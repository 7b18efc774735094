//! Running external programs.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::lines::Lines;
use crate::{Cmd, Host, MissingTool, Stdin, sys};

/// How often waiting looks at the interrupt flag.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// What [`Host::run`] keeps of one stream, in bytes; a program that says more is stopped.
const OUTPUT_MAX: usize = 512 * 1024 * 1024;
/// Time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It exited with this code, 0 to 255.
    Code(i32),
    /// It was ended by this signal.
    Signal(i32),
}

impl Status {
    /// Whether it exited with code 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Status::Code(0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Code(code) => write!(f, "exit code {code}"),
            Status::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

impl From<std::process::ExitStatus> for Status {
    fn from(status: std::process::ExitStatus) -> Status {
        match (status.code(), status.signal()) {
            (Some(code), _) => Status::Code(code),
            (None, signal) => Status::Signal(signal.unwrap_or_default()),
        }
    }
}

/// What a program left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: Status,
    /// All that it wrote to standard output.
    pub stdout: Vec<u8>,
    /// All that it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Standard output as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Which of its two outputs a program wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Where an output of a spawned program goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// Nowhere.
    Null,
    /// To the end of this file, made when missing.
    File(PathBuf),
    /// To a pipe that the caller reads.
    Piped,
    /// To our own.
    Inherit,
}

/// A program could not be run, or did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is not installed.
    #[error(transparent)]
    Missing(#[from] MissingTool),
    /// It could not be started or listened to.
    #[error("cannot run `{cmd}`")]
    Start {
        /// The call, as a shell line.
        cmd: String,
        /// Why.
        source: io::Error,
    },
    /// It ended with something else than exit code 0.
    #[error("`{cmd}` ended with {status}{}", said(stderr))]
    Failed {
        /// The call, as a shell line.
        cmd: String,
        /// How it ended.
        status: Status,
        /// The last lines of its standard error.
        stderr: String,
    },
    /// It ran for too long and was killed.
    #[error("`{cmd}` did not end within {} s", limit.as_secs())]
    TimedOut {
        /// The call, as a shell line.
        cmd: String,
        /// The call's time limit.
        limit: Duration,
    },
    /// It said more than we keep and was killed.
    #[error("`{cmd}` wrote more than {OUTPUT_MAX} bytes")]
    TooLong {
        /// The call, as a shell line.
        cmd: String,
    },
    /// The user asked to stop; the program was killed.
    #[error("`{cmd}` was interrupted")]
    Interrupted {
        /// The call, as a shell line.
        cmd: String,
    },
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}

impl Host {
    /// Runs `cmd` to its end and returns what it said, whatever its exit code. On interrupt and after the time limit
    /// the program and its process group are killed. It also dies when the calling thread ends.
    pub fn run(&self, cmd: &Cmd) -> Result<Output, RunError> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut too_long = false;
        let status = self.listen(cmd, &mut |stream, bytes| {
            let kept = if stream == Stream::Out { &mut stdout } else { &mut stderr };
            too_long |= kept.len() + bytes.len() > OUTPUT_MAX;
            if !too_long {
                kept.extend_from_slice(bytes);
            }
            !too_long
        })?;
        if too_long {
            return Err(RunError::TooLong { cmd: cmd.to_string() });
        }
        Ok(Output { status, stdout, stderr })
    }

    /// Like [`Host::run`], and another exit code than 0 is an error.
    pub fn check(&self, cmd: &Cmd) -> Result<Output, RunError> {
        let output = self.run(cmd)?;
        if output.status.success() {
            return Ok(output);
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let stderr = lines[lines.len().saturating_sub(5)..].join("\n");
        Err(RunError::Failed { cmd: cmd.to_string(), status: output.status, stderr })
    }

    /// Runs `cmd` to its end and hands every line that it writes to `each` as it comes.
    pub fn run_lines(&self, cmd: &Cmd, each: &mut dyn FnMut(Stream, &str)) -> Result<Status, RunError> {
        let (mut out, mut err) = (Lines::default(), Lines::default());
        let status = self.listen(cmd, &mut |stream, bytes| {
            match stream {
                Stream::Out => out.push(bytes, &mut |line| each(Stream::Out, line)),
                Stream::Err => err.push(bytes, &mut |line| each(Stream::Err, line)),
            }
            true
        })?;
        out.finish(&mut |line| each(Stream::Out, line));
        err.finish(&mut |line| each(Stream::Err, line));
        Ok(status)
    }

    /// Starts `cmd` and returns at once. The program is killed when the result is dropped, and when the *thread* that
    /// called this ends (PR_SET_PDEATHSIG): keep that thread for as long as the program shall run.
    pub fn spawn(&self, cmd: &Cmd, stdout: &Sink, stderr: &Sink) -> Result<Running, RunError> {
        let path = cmd.tool.path(self)?;
        let failed = |source| RunError::Start { cmd: cmd.to_string(), source };
        #[expect(clippy::disallowed_methods, reason = "this is the one place that starts external programs")]
        let mut command = Command::new(path);
        command.args(&cmd.args).env_clear().envs(&cmd.env);
        if let Some(cwd) = &cmd.cwd {
            command.current_dir(cwd);
        }
        command.stdin(match &cmd.stdin {
            Stdin::Empty => Stdio::null(),
            Stdin::Bytes(_) | Stdin::Piped => Stdio::piped(),
            Stdin::File(path) => fs_err::File::open(path).map_err(failed)?.into_parts().0.into(),
            Stdin::Inherit => Stdio::inherit(),
        });
        command.stdout(stdio(stdout).map_err(failed)?).stderr(stdio(stderr).map_err(failed)?);
        let own_group = cmd.stdin != Stdin::Inherit;
        if own_group {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        sys::die_with_parent(&mut command);
        let mut child = command.spawn().map_err(failed)?;
        let pid = Pid::from_child(&child);
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Running { cmd: cmd.to_string(), child, pid, pidfd, own_group, ended: None }),
            Err(errno) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(failed(errno.into()))
            }
        }
    }

    /// Runs `cmd`; `each` gets the bytes as they come and says whether to go on.
    fn listen(&self, cmd: &Cmd, each: &mut dyn FnMut(Stream, &[u8]) -> bool) -> Result<Status, RunError> {
        let mut running = self.spawn(cmd, &Sink::Piped, &Sink::Piped)?;
        let input: &[u8] = if let Stdin::Bytes(bytes) = &cmd.stdin { bytes } else { &[] };
        let deadline = cmd.time_limit.map(|limit| Instant::now() + limit);
        let listened = running.pump(input, deadline, self, each);
        if !matches!(listened, Ok(Heard::All)) {
            running.kill();
        }
        let failed = |source| RunError::Start { cmd: cmd.to_string(), source };
        match listened.map_err(failed)? {
            Heard::Interrupt => return Err(RunError::Interrupted { cmd: cmd.to_string() }),
            Heard::Deadline => {
                return Err(RunError::TimedOut { cmd: cmd.to_string(), limit: cmd.time_limit.unwrap_or_default() });
            }
            Heard::All | Heard::Enough => {}
        }
        running.wait().map_err(failed)
    }
}

fn stdio(sink: &Sink) -> io::Result<Stdio> {
    Ok(match sink {
        Sink::Null => Stdio::null(),
        Sink::File(path) => fs_err::OpenOptions::new().create(true).append(true).open(path)?.into_parts().0.into(),
        Sink::Piped => Stdio::piped(),
        Sink::Inherit => Stdio::inherit(),
    })
}

/// Why listening ended.
enum Heard {
    All,
    Enough,
    Interrupt,
    Deadline,
}

/// A program that runs; it is killed on drop.
#[derive(Debug)]
pub struct Running {
    cmd: String,
    child: Child,
    pid: Pid,
    pidfd: OwnedFd,
    own_group: bool,
    ended: Option<Status>,
}

impl Running {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The pipe to its standard input, once, when [`Stdin::Piped`] was asked for.
    pub fn take_stdin(&mut self) -> Option<impl Write + AsFd + use<>> {
        self.child.stdin.take()
    }

    /// The pipe from its standard output, once, when [`Sink::Piped`] was asked for.
    pub fn take_stdout(&mut self) -> Option<impl Read + AsFd + use<>> {
        self.child.stdout.take()
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> io::Result<Status> {
        if let Some(status) = self.ended {
            return Ok(status);
        }
        let status = Status::from(self.child.wait()?);
        self.ended = Some(status);
        Ok(status)
    }

    /// Waits for its end, at most `limit`; `None` when it still runs then, or when the user asked to stop.
    pub fn wait_for(&mut self, limit: Duration, host: &Host) -> io::Result<Option<Status>> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(Some(status));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || host.interrupted() {
                return Ok(None);
            }
            wait_readable(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], left.min(TICK))?;
        }
    }

    /// How it ended; `None` while it runs.
    pub fn try_wait(&mut self) -> io::Result<Option<Status>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?.map(Status::from);
        }
        Ok(self.ended)
    }

    /// Asks it to end by SIGTERM.
    pub fn terminate(&mut self) {
        self.signal(Signal::TERM);
    }

    /// Ends it and its process group: SIGTERM, and SIGKILL when that does not help within 2 s.
    pub fn kill(&mut self) {
        if self.ended.is_none() {
            self.signal(Signal::TERM);
            let deadline = Instant::now() + GRACE;
            while matches!(self.try_wait(), Ok(None)) && Instant::now() < deadline {
                let _ = wait_readable(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], TICK);
            }
        }
        if self.ended.is_none() {
            self.signal(Signal::KILL);
            let _ = self.wait();
        }
        self.kill_group();
    }

    fn signal(&mut self, signal: Signal) {
        if self.ended.is_none() {
            if self.own_group {
                let _ = kill_process_group(self.pid, signal);
            } else {
                let _ = rustix::process::pidfd_send_signal(&self.pidfd, signal);
            }
        }
    }

    /// Kills what the program left in its group. The number of a group is not given to another one while a member lives,
    /// and when none does, the call finds nothing.
    fn kill_group(&mut self) {
        if self.own_group {
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }

    /// Feeds `input` and hands on both outputs until all ended.
    fn pump(
        &mut self,
        mut input: &[u8],
        deadline: Option<Instant>,
        host: &Host,
        each: &mut dyn FnMut(Stream, &[u8]) -> bool,
    ) -> io::Result<Heard> {
        let mut stdin: Option<ChildStdin> = self.child.stdin.take();
        let mut stdout = self.child.stdout.take();
        let mut stderr = self.child.stderr.take();
        if let Some(pipe) = &stdin {
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
        }
        let mut exited = false;
        let mut drain_until: Option<Instant> = None;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if input.is_empty() {
                stdin = None;
            }
            if exited && stdout.is_none() && stderr.is_none() {
                return Ok(Heard::All);
            }
            let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(4);
            let at_in = add(&mut fds, stdin.as_ref().map(AsFd::as_fd), PollFlags::OUT);
            let at_out = add(&mut fds, stdout.as_ref().map(AsFd::as_fd), PollFlags::IN);
            let at_err = add(&mut fds, stderr.as_ref().map(AsFd::as_fd), PollFlags::IN);
            let at_end = add(&mut fds, (!exited).then_some(self.pidfd.as_fd()), PollFlags::IN);
            let ready = wait_readable(&mut fds, TICK)?;
            let is = |at: Option<usize>| ready && at.is_some_and(|at| !fds[at].revents().is_empty());
            let (in_ready, out_ready, err_ready, end_ready) = (is(at_in), is(at_out), is(at_err), is(at_end));
            drop(fds);
            if in_ready && let Some(pipe) = &mut stdin {
                match pipe.write(input) {
                    Ok(count) => input = &input[count..],
                    Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                    // it did not want all of it: that is its right
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => input = &[],
                    Err(error) => return Err(error),
                }
            }
            if out_ready && !drain(&mut stdout, &mut buffer, &mut |bytes| each(Stream::Out, bytes))? {
                return Ok(Heard::Enough);
            }
            if err_ready && !drain(&mut stderr, &mut buffer, &mut |bytes| each(Stream::Err, bytes))? {
                return Ok(Heard::Enough);
            }
            if end_ready {
                exited = self.try_wait()?.is_some();
                if exited {
                    // helpers that it left would keep the pipes open
                    self.kill_group();
                    drain_until = Some(Instant::now() + GRACE);
                }
            }
            if drain_until.is_some_and(|until| Instant::now() > until) {
                return Ok(Heard::All);
            }
            if !exited && host.interrupted() {
                return Ok(Heard::Interrupt);
            }
            if !exited && deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return Ok(Heard::Deadline);
            }
        }
    }
}

/// Adds a descriptor to wait for, and says where it is in the list.
fn add<'f>(fds: &mut Vec<PollFd<'f>>, fd: Option<BorrowedFd<'f>>, flags: PollFlags) -> Option<usize> {
    fds.push(PollFd::from_borrowed_fd(fd?, flags));
    Some(fds.len() - 1)
}

/// Reads once; at the end of the stream the pipe is closed. False when `each` has had enough.
fn drain<R: Read>(pipe: &mut Option<R>, buffer: &mut [u8], each: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<bool> {
    let Some(reader) = pipe else { return Ok(true) };
    match reader.read(buffer) {
        Ok(0) => {
            *pipe = None;
            Ok(true)
        }
        Ok(count) => Ok(each(&buffer[..count])),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
        Err(error) => Err(error),
    }
}

/// Polls for at most `limit`; false after the time, or after a signal.
pub(crate) fn wait_readable(fds: &mut [PollFd<'_>], limit: Duration) -> io::Result<bool> {
    let limit =
        Timespec { tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: limit.subsec_nanos().into() };
    match poll(fds, Some(&limit)) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.kill();
        }
    }
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cmd)
    }
}
