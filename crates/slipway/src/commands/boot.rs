use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use store::Store;

use crate::context::Context;
use crate::explain::Failure;
use crate::machine::{Hardware, Machine, SHUTDOWN};
use crate::pipeline;

/// Boot an image in a virtual machine, without changing it
///
/// The machine's console is shown until Ctrl-C. With `--check`, Slipway waits for a login prompt and for the self-check of
/// the image, shows what the machine says of itself, and shuts it down.
#[derive(Args)]
#[command(after_help = "Example: slipway boot vm-base --check")]
pub(crate) struct Arguments {
    /// The image, which was made with `slipway image build`.
    image: String,
    /// Wait for the login prompt and the self-check, then shut down.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    how: How,
    /// The published repository is the machine's own for this boot; without it the machine sees no network.
    #[arg(long)]
    repository: bool,
    /// A public key with which root may log in over SSH, for this boot only. Nobody can log in without one.
    #[arg(long, value_name = "FILE", requires = "ssh_port")]
    ssh_key: Option<PathBuf>,
    /// A port of this machine's loopback that leads to the machine's SSH.
    #[arg(long, value_name = "PORT")]
    ssh_port: Option<u16>,
}

/// How a machine is played.
#[derive(Args)]
pub(crate) struct How {
    /// Seconds that the machine may need until it has said all.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
    /// By what the processor is played: `auto` tries KVM and falls back to emulation.
    #[arg(long, default_value = "auto", value_parser = ["auto", "kvm", "tcg"])]
    accelerator: String,
    /// Memory of the machine in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    memory: u32,
    /// Processors of the machine.
    #[arg(long, value_name = "N", default_value_t = 2)]
    processors: u32,
}

impl How {
    /// A machine of this kind with nothing but its disk.
    pub(crate) fn hardware(&self) -> Hardware {
        Hardware {
            memory_mib: self.memory,
            processors: self.processors,
            credentials: Vec::new(),
            ssh_port: None,
            repository: None,
            is_driven: false,
        }
    }

    /// How long the machine may take to start.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// Starts an image, and says so. The folder of the machine, for its logs, is in `store`.
    pub(crate) fn start(
        &self,
        image: &str,
        hardware: &Hardware,
        context: &Context,
        store: &Store,
    ) -> Result<Machine, Failure> {
        let (disk, format) = pipeline::image_file(image, context)?;
        let accelerators = pipeline::accelerators(&self.accelerator, store);
        let folder = machine_folder(image, store)?;
        let machine = Machine::start(&disk, format, hardware, &folder, &context.host, &accelerators)?;
        if self.accelerator == "auto" {
            pipeline::remember_accelerator(machine.accelerator, store)?;
        }
        context.ui.note(&format!("{image} boots by {}", machine.accelerator.name()));
        Ok(machine)
    }
}

/// Where the logs and sockets of an image's machine are.
pub(crate) fn machine_folder(image: &str, store: &Store) -> Result<PathBuf, Failure> {
    let folder = store.area("machines")?.join(image);
    fs_err::create_dir_all(&folder)?;
    Ok(folder)
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let store = context.store()?;
    let mut hardware = Hardware { ssh_port: arguments.ssh_port, ..arguments.how.hardware() };
    if arguments.repository {
        hardware.repository = Some(pipeline::published(context)?);
    }
    if let Some(file) = &arguments.ssh_key {
        let key = fs_err::read_to_string(file)?;
        if key.contains("PRIVATE KEY") {
            let failure = Failure::usage(format!("`{}` is a secret key", file.display()));
            return Err(failure.hint("name the public one, which ends in `.pub`"));
        }
        // systemd-tmpfiles writes it to root's authorized_keys (systemd.system-credentials(7)).
        hardware.credentials.push(("ssh.authorized_keys.root".to_owned(), key.trim_end().to_owned()));
    }
    let clock = host::clock::Stopwatch::start();
    let mut machine = arguments.how.start(&arguments.image, &hardware, context, &store)?;
    if !arguments.check {
        return machine.wait(&context.host, &mut |line| context.ui.data(line));
    }
    let check = machine.self_check(arguments.how.limit(), context)?;
    let booted = clock.elapsed();
    let went_down = machine.shut_down(SHUTDOWN, &context.host)?;
    if context.ui.json {
        context.ui.json(&serde_json::json!({
            "image": arguments.image, "accelerator": machine.accelerator, "passed": check.passed,
            "boot_seconds": booted.as_secs(), "shut_down": went_down, "report": check.report,
        }));
    } else {
        for line in &check.report {
            context.ui.data(line);
        }
    }
    check.verdict(&machine)?;
    if !went_down {
        return Err(Failure::work(format!("the machine did not shut down within {} s", SHUTDOWN.as_secs())));
    }
    context.ui.note(&format!("booted in {}, and shut down", host::clock::human(booted)));
    Ok(())
}
