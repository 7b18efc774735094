//! A terminal of its own for the program, relayed to ours.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

/// Both ends of a pseudo terminal, with ours in raw mode until drop.
pub(crate) struct Terminal {
    ours: OwnedFd,
    before: Termios,
    input_open: bool,
}

impl Terminal {
    /// A new terminal for a program, whose end is returned too; `None` when our standard input is no terminal.
    pub(crate) fn open() -> io::Result<Option<(Terminal, OwnedFd)>> {
        if !isatty(stdin()) || !isatty(stdout()) {
            return Ok(None);
        }
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        unlockpt(&ours)?;
        let theirs = ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        let before = tcgetattr(stdin())?;
        tcsetattr(&theirs, OptionalActions::Now, &before)?;
        let terminal = Terminal { ours, before, input_open: true };
        terminal.follow_size();
        let mut raw = terminal.before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Some((terminal, theirs)))
    }

    /// What to wait for: the program's output, and input of ours while there is any.
    pub(crate) fn sources(&self) -> (BorrowedFd<'_>, Option<BorrowedFd<'static>>) {
        (self.ours.as_fd(), self.input_open.then(stdin))
    }

    /// Gives the program's terminal the size of ours.
    pub(crate) fn follow_size(&self) {
        if let (Ok(outer), Ok(inner)) = (tcgetwinsize(stdout()), tcgetwinsize(&self.ours))
            && (outer.ws_row, outer.ws_col) != (inner.ws_row, inner.ws_col)
        {
            let _ = tcsetwinsize(&self.ours, outer);
        }
    }

    /// Relays what was typed.
    pub(crate) fn relay_input(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        match rustix::io::read(stdin(), &mut *buffer) {
            Ok(0) => self.input_open = false,
            Ok(count) => write_all(self.ours.as_fd(), &buffer[..count])?,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(())
    }

    /// Relays what the program wrote; false when it has closed its end.
    pub(crate) fn relay_output(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        match rustix::io::read(&self.ours, &mut *buffer) {
            Ok(0) | Err(Errno::IO) => Ok(false),
            Ok(count) => write_all(stdout(), &buffer[..count]).map(|()| true),
            Err(Errno::INTR) => Ok(true),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Drain, &self.before);
    }
}

fn write_all(fd: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
