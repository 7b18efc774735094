//! A virtual machine that boots an image: QEMU, its serial console, and its control socket.

mod guest;
mod qmp;
mod self_check;
mod serial;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use host::{Cmd, Host, Running, Sink, Tool};

use crate::explain::Failure;
pub(crate) use guest::{Answer, Guest};
pub(crate) use serial::Serial;

/// UEFI firmware for x86-64, as Debian's `ovmf` has it: the program, and the variables that it starts from.
const FIRMWARE: [&str; 2] = ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"];
/// A processor that QEMU 7.2 emulates without trouble: with `max` the firmware hangs, and Debian's 7.2.22 spoils the flags
/// in a `cmpxchg16b` without lock, which Linux uses to allocate memory where the processor has it. An AMD one, because for
/// those of Intel Linux changes its page tables at each system call (Meltdown), and each change empties what was translated.
const PROCESSOR: &str = "EPYC-v2,cx16=off";
/// What a machine that works says within this time; firmware alone does.
const FIRST_WORDS: Duration = Duration::from_secs(12);

/// Where a machine finds the repository that it is given: an address of QEMU's own network, on which nobody else is.
const REPOSITORY: &str = "10.0.2.100";
/// The variable of dnf from which a Skiff machine takes the address of its repository.
const REPOSITORY_VARIABLE: &str = "/etc/dnf/vars/skiff_repository";

/// How long a machine may take to shut down.
pub(crate) const SHUTDOWN: Duration = Duration::from_secs(90);

/// What Linux says when it cannot go on.
const PANIC: &str = "Kernel panic - not syncing";

/// By what the guest's processor is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Accelerator {
    /// The machine's own, through Linux.
    Kvm,
    /// Translation: works everywhere, several times slower.
    Tcg,
}

impl Accelerator {
    fn argument(self, processors: u32) -> &'static str {
        match self {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg if processors == 1 => "tcg,thread=single",
            Accelerator::Tcg => "tcg,thread=multi",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg => "tcg",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Accelerator::Kvm => "KVM",
            Accelerator::Tcg => "emulation (TCG)",
        }
    }
}

/// How the machine is to be.
#[derive(Clone, Debug)]
pub(crate) struct Hardware {
    pub(crate) memory_mib: u32,
    pub(crate) processors: u32,
    /// Text for the firmware's tables, which systemd reads as credentials.
    pub(crate) credentials: Vec<(String, String)>,
    /// A port of this machine's loopback that leads to the guest's port 22.
    pub(crate) ssh_port: Option<u16>,
    /// A folder whose link `current` leads to a published snapshot: the machine's repository.
    pub(crate) repository: Option<PathBuf>,
    /// Whether commands can be given to the machine, and whether it may start again.
    pub(crate) is_driven: bool,
}

impl Hardware {
    /// All that systemd is told, as text.
    fn credentials(&self) -> Vec<(String, String)> {
        let mut all = self.credentials.clone();
        if self.repository.is_some() {
            // A line of tmpfiles.d(5): it writes the file anew.
            let line = format!("f+ {REPOSITORY_VARIABLE} 0644 root root - http://{REPOSITORY}/{}\n", publish::CURRENT);
            all.push(("tmpfiles.extra".to_owned(), line));
        }
        if self.is_driven {
            all.extend(guest::credentials());
        }
        all
    }

    /// The machine's network: nothing but what is forwarded is reached from it, neither this machine nor the world.
    fn network(&self) -> Result<String, Failure> {
        let mut network = "user,id=net,restrict=on".to_owned();
        if let Some(port) = self.ssh_port {
            network.push_str(&format!(",hostfwd=tcp:127.0.0.1:{port}-:22"));
        }
        if let Some(folder) = &self.repository {
            // Each connection is answered by a process of its own, which this program is too.
            let program = std::env::current_exe()?;
            // QEMU passes no home folder on; the store, which has to be somewhere, is not opened.
            let folder = folder.as_os_str();
            let words = [program.as_os_str(), "repo".as_ref(), "answer".as_ref(), folder, "--store".as_ref(), folder];
            let quoted = words.map(|word| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''")));
            // A comma separates QEMU's own options; two are one of the value.
            let command = quoted.join(" ").replace(',', ",,");
            network.push_str(&format!(",guestfwd=tcp:{REPOSITORY}:80-cmd:{command}"));
        }
        Ok(network)
    }
}

/// A machine that runs. Dropping it ends it.
pub(crate) struct Machine {
    process: Running,
    pub(crate) serial: Serial,
    control: PathBuf,
    shell: PathBuf,
    pub(crate) accelerator: Accelerator,
}

impl Machine {
    /// Starts a machine over `disk`, which is not changed; `folder` takes its sockets and logs.
    ///
    /// KVM may be there and still not run an ordinary guest: the machine has to say something within seconds, or it is
    /// started again with translation.
    pub(crate) fn start(
        disk: &Path,
        format: &str,
        hardware: &Hardware,
        folder: &Path,
        host: &Host,
        accelerators: &[Accelerator],
    ) -> Result<Machine, Failure> {
        for (attempt, accelerator) in accelerators.iter().enumerate() {
            let folder = folder.join(accelerator.folder());
            fs_err::create_dir_all(&folder)?;
            let mut machine = Machine::start_with(disk, format, hardware, &folder, host, *accelerator)?;
            let is_last = attempt + 1 == accelerators.len();
            if is_last || machine.speaks(host)? {
                return Ok(machine);
            }
        }
        Err(Failure::environment("no way to run a virtual machine is left to try"))
    }

    fn start_with(
        disk: &Path,
        format: &str,
        hardware: &Hardware,
        folder: &Path,
        host: &Host,
        accelerator: Accelerator,
    ) -> Result<Machine, Failure> {
        let [code, variables] = FIRMWARE;
        if !Path::new(code).is_file() {
            let failure = Failure::environment(format!("there is no UEFI firmware: `{code}` does not exist"));
            return Err(failure.hint("install the package `ovmf`"));
        }
        let variables_copy = folder.join("firmware-variables.fd");
        fs_err::copy(variables, &variables_copy)?;
        let control = folder.join("qmp.sock");
        let log = folder.join("serial.log");
        let shell = folder.join("shell.sock");
        for stale in [&control, &log, &shell] {
            if stale.exists() {
                fs_err::remove_file(stale)?;
            }
        }
        let processor = if accelerator == Accelerator::Kvm { "host" } else { PROCESSOR };
        let mut cmd = Cmd::new(Tool::Qemu)
            .args(["-machine", "q35", "-accel", accelerator.argument(hardware.processors), "-cpu", processor])
            .args(["-m", &hardware.memory_mib.to_string(), "-smp", &hardware.processors.to_string()])
            .args(["-nodefaults", "-no-user-config", "-display", "none"])
            .args(["-serial", &format!("file:{}", log.display())])
            .args(["-qmp", &format!("unix:{},server=on,wait=off", control.display())])
            .args(["-drive", &format!("if=pflash,format=raw,unit=0,readonly=on,file={code}")])
            .args(["-drive", &format!("if=pflash,format=raw,unit=1,file={}", variables_copy.display())])
            .args(["-drive", &format!("file={},format={format},if=virtio,snapshot=on", disk.display())])
            .args(["-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]);
        cmd = cmd.args(["-netdev", &hardware.network()?, "-device", "virtio-net-pci,netdev=net,romfile="]);
        if hardware.is_driven {
            cmd = cmd
                .args(["-chardev", &format!("socket,id=shell,path={},server=on,wait=off", shell.display())])
                .args(["-device", "virtio-serial-pci"])
                .args(["-device", &format!("virtserialport,chardev=shell,name={}", guest::PORT)]);
        } else {
            cmd = cmd.args(["-no-reboot"]);
        }
        for (name, value) in hardware.credentials() {
            // systemd reads these from the machine's tables (systemd.system-credentials(7)).
            let value = rpm::base64::encode(value.as_bytes());
            cmd = cmd.args(["-smbios", &format!("type=11,value=io.systemd.credential.binary:{name}={value}")]);
        }
        let errors = folder.join("qemu.log");
        let process = host.spawn(&cmd, &Sink::File(errors.clone()), &Sink::File(errors))?;
        Ok(Machine { process, serial: Serial::new(log), control, shell, accelerator })
    }

    /// Whether the guest says anything within the first seconds.
    fn speaks(&mut self, host: &Host) -> Result<bool, Failure> {
        let start = Instant::now();
        while start.elapsed() < FIRST_WORDS {
            if host.interrupted() {
                return Err(Failure::interrupted());
            }
            if !self.serial.read()?.is_empty() {
                return Ok(true);
            }
            if self.process.wait_for(Duration::from_millis(200), host)?.is_some() {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Waits until the console has shown each of `texts`; the one that is missing when `limit` is over is the error.
    pub(crate) fn wait_for(
        &mut self,
        texts: &[&str],
        limit: Duration,
        host: &Host,
        each_line: &mut dyn FnMut(&str),
    ) -> Result<(), Failure> {
        let start = Instant::now();
        loop {
            for line in self.serial.new_lines()? {
                each_line(&line);
            }
            let console = self.serial.read()?;
            let missing = texts.iter().find(|text| !console.contains(**text));
            let Some(missing) = missing else { return Ok(()) };
            if host.interrupted() {
                return Err(Failure::interrupted());
            }
            let ended = self.process.wait_for(Duration::from_millis(250), host)?;
            let died = console.contains(PANIC);
            if ended.is_some() || died || start.elapsed() > limit {
                let how = match ended {
                    Some(status) => format!("the machine ended ({status})"),
                    None if died => "the kernel panicked".to_owned(),
                    None => format!("{} passed", host::clock::human(limit)),
                };
                let tail: Vec<&str> = console.lines().rev().take(15).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                let message = format!("{how} before its console showed `{missing}`\n{}", tail.join("\n"));
                return Err(
                    Failure::work(message).hint(format!("the whole console is in `{}`", self.serial.path().display()))
                );
            }
        }
    }

    /// The shell of a machine that is driven: to be called as soon as the machine was started.
    pub(crate) fn guest(&self) -> Result<Guest, Failure> {
        Ok(Guest::connect(&self.shell)?)
    }

    /// Presses the power button and waits for the machine to shut down; `false` if it does not within `limit`.
    pub(crate) fn shut_down(&mut self, limit: Duration, host: &Host) -> Result<bool, Failure> {
        qmp::command(&self.control, "system_powerdown")?;
        let ended = self.process.wait_for(limit, host)?;
        Ok(ended.is_some_and(host::Status::success))
    }

    /// Waits until the machine ends by itself.
    pub(crate) fn wait(&mut self, host: &Host, each_line: &mut dyn FnMut(&str)) -> Result<(), Failure> {
        loop {
            let ended = self.process.wait_for(Duration::from_millis(250), host)?;
            for line in self.serial.new_lines()? {
                each_line(&line);
            }
            if ended.is_some() {
                return Ok(());
            }
            if host.interrupted() {
                return Err(Failure::interrupted());
            }
        }
    }
}
