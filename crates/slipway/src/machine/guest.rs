//! A shell in the machine for whoever started it: commands go in and answers come out through a virtio port.
//!
//! The machine is not prepared for it. systemd takes a unit and the wish to start it from the firmware's tables, where only
//! the host can write (systemd.system-credentials(7), `systemd.extra-unit.` and `systemd.unit-dropin.`); without them there
//! is no such shell.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use host::Host;

use crate::explain::Failure;

/// The port's name in the machine, `/dev/virtio-ports/NAME`.
pub(super) const PORT: &str = "slipway.shell";

/// How long QEMU may take until its sockets are there.
const QEMU_STARTS: Duration = Duration::from_secs(10);

/// Bash reads its commands from the port. The device's unit follows from its path (systemd-escape(1)).
const UNIT: &str = "[Unit]
Description=Shell for the host that started this machine
ConditionPathExists=!/etc/initrd-release
BindsTo=dev-virtio\\x2dports-slipway.shell.device
After=dev-virtio\\x2dports-slipway.shell.device
[Service]
Type=exec
ExecStart=/usr/bin/bash --noprofile --norc
StandardInput=file:/dev/virtio-ports/slipway.shell
StandardOutput=file:/dev/virtio-ports/slipway.shell
StandardError=journal
Environment=HOME=/root LC_ALL=C.UTF-8
WorkingDirectory=/root
";

/// What systemd is given for it.
pub(super) fn credentials() -> [(String, String); 2] {
    let wish = "[Unit]\nWants=slipway-shell.service\n";
    [
        ("systemd.extra-unit.slipway-shell.service".to_owned(), UNIT.to_owned()),
        ("systemd.unit-dropin.multi-user.target~slipway-shell".to_owned(), wish.to_owned()),
    ]
}

/// Separates what a command wrote from how it ended: a character that no command of ours writes.
const MARK: char = '\u{1e}';

/// How a command in the machine ended, and what it wrote to both of its outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) output: String,
}

/// The shell in a machine that runs.
pub(crate) struct Guest {
    stream: UnixStream,
    /// Counts commands, so that an answer cannot be taken for another's.
    number: u64,
    received: Vec<u8>,
}

impl Guest {
    /// Connects to the port, as soon as QEMU has made it. Commands wait until the machine has started its side.
    ///
    /// It has to be connected before the machine starts its side: a port without anybody behind it is an empty file there.
    pub(super) fn connect(socket: &Path) -> io::Result<Guest> {
        let start = Instant::now();
        let stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(error) if start.elapsed() > QEMU_STARTS => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        stream.set_read_timeout(Some(Duration::from_millis(250)))?;
        Ok(Guest { stream, number: 0, received: Vec::new() })
    }

    /// Runs a command of bash, without input, and waits until it ends.
    pub(crate) fn run(&mut self, command: &str, limit: Duration, host: &Host) -> Result<Answer, Failure> {
        self.number += 1;
        self.stream.write_all(request(command, self.number).as_bytes())?;
        let start = Instant::now();
        let mut buffer = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&self.received);
            if let Some(answer) = answer(&text, self.number) {
                self.received.clear();
                return Ok(answer);
            }
            if host.interrupted() {
                return Err(Failure::interrupted());
            }
            if start.elapsed() > limit {
                let message = format!("`{command}` did not end in the machine within {}", host::clock::human(limit));
                return Err(Failure::work(format!("{message}\n{text}")));
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Failure::work(format!("the machine ended while it ran `{command}`\n{text}"))),
                Ok(count) => self.received.extend(&buffer[..count]),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What the shell is told: the command in a bash of its own, then a line with its number and status.
fn request(command: &str, number: u64) -> String {
    let quoted = command.replace('\'', "'\\''");
    format!("bash -c '{quoted}' </dev/null 2>&1; printf '\\036{number} %d\\n' $?\n")
}

/// The answer to command `number` in what came so far.
fn answer(text: &str, number: u64) -> Option<Answer> {
    let (output, end) = text.split_once(&format!("{MARK}{number} "))?;
    let (status, _) = end.split_once('\n')?;
    // What came before is of a command that was given up.
    let output = output.rsplit_once(MARK).map_or(output, |(_, rest)| rest.split_once('\n').map_or("", |(_, own)| own));
    Some(Answer { status: status.trim().parse().ok()?, output: output.replace("\r\n", "\n") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart_from_what_commands_write() {
        let done = |status, output: &str| Some(Answer { status, output: output.to_owned() });
        assert_eq!(answer("a\nb\n\u{1e}3 0\n", 3), done(0, "a\nb\n"));
        assert_eq!(answer("late\n\u{1e}2 1\nown\u{1e}3 127\n", 3), done(127, "own"));
        assert_eq!(answer("a\n\u{1e}3 ", 3), None, "not whole");
        assert_eq!(answer("a\n\u{1e}2 0\n", 3), None, "another's");
    }

    #[test]
    fn host_a_command_comes_back_from_a_real_shell_as_it_was_written() {
        let host = Host::detect().unwrap();
        let command = "printf '%s\\n' \"it's $((1 + 1))\"; cat; echo err >&2; exit 3";
        let shell = host::Cmd::new(host::Tool::Shell).stdin(host::Stdin::Bytes(request(command, 7).into_bytes()));
        let output = host.run(&shell).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(answer(&text, 7), Some(Answer { status: 3, output: "it's 2\nerr\n".to_owned() }));
    }
}
