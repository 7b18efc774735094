use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::context::Context;
use crate::explain::Failure;
use crate::machine::{Accelerator, Hardware, Machine};
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
    /// A public key with which root may log in over SSH, for this boot only. Nobody can log in without one.
    #[arg(long, value_name = "FILE", requires = "ssh_port")]
    ssh_key: Option<PathBuf>,
    /// A port of this machine's loopback that leads to the machine's SSH.
    #[arg(long, value_name = "PORT")]
    ssh_port: Option<u16>,
}

/// What the self-check writes around its lines.
const BEGIN: &str = "SKIFF-SELFCHECK begin";
const SUCCESS: &str = "SKIFF-SELFCHECK ok";
const FAILED: &str = "SKIFF-SELFCHECK failed";
const SHUTDOWN: Duration = Duration::from_secs(90);

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let (disk, format) = pipeline::image_file(&arguments.image, context)?;
    let store = context.store()?;
    let accelerators = match arguments.accelerator.as_str() {
        "kvm" => vec![Accelerator::Kvm],
        "tcg" => vec![Accelerator::Tcg],
        _ => pipeline::accelerators(&store),
    };
    let mut credentials = Vec::new();
    if let Some(file) = &arguments.ssh_key {
        let key = fs_err::read_to_string(file)?;
        if key.contains("PRIVATE KEY") {
            let failure = Failure::usage(format!("`{}` is a secret key", file.display()));
            return Err(failure.hint("name the public one, which ends in `.pub`"));
        }
        // systemd-tmpfiles writes it to root's authorized_keys (systemd.system-credentials(7)).
        credentials.push(("ssh.authorized_keys.root".to_owned(), key.trim_end().to_owned()));
    }
    let hardware = Hardware {
        memory_mib: arguments.memory,
        processors: arguments.processors,
        credentials,
        ssh_port: arguments.ssh_port,
    };
    let folder: PathBuf = store.area("machines")?.join(&arguments.image);
    fs_err::create_dir_all(&folder)?;
    let clock = host::clock::Stopwatch::start();
    let mut machine = Machine::start(&disk, format, &hardware, &folder, &context.host, &accelerators)?;
    if arguments.accelerator == "auto" {
        pipeline::remember_accelerator(machine.accelerator, &store)?;
    }
    context.ui.note(&format!("{} boots by {}", arguments.image, machine.accelerator.name()));
    if !arguments.check {
        return machine.wait(&context.host, &mut |line| context.ui.data(line));
    }
    let limit = Duration::from_secs(arguments.timeout);
    let terminal = context.ui.terminal;
    machine.wait_for(&["login: ", "SKIFF-SELFCHECK "], limit, &context.host, &mut |line| {
        if !terminal && !context.ui.json {
            context.ui.note(&format!("  | {line}"));
        }
    })?;
    let rest = limit.saturating_sub(clock.elapsed());
    let ended = |text: &str| text.contains(SUCCESS) || text.contains(FAILED);
    while !ended(&machine.serial.read()?) {
        if clock.elapsed() > limit || context.host.interrupted() {
            return Err(Failure::work(format!("the self-check did not end within {}", host::clock::human(rest))));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let booted = clock.elapsed();
    let report = report(&machine.serial.read()?);
    let went_down = machine.shut_down(SHUTDOWN, &context.host)?;
    let passed = report.iter().any(|line| line.contains(SUCCESS));
    if context.ui.json {
        context.ui.json(&serde_json::json!({
            "image": arguments.image, "accelerator": machine.accelerator, "passed": passed,
            "boot_seconds": booted.as_secs(), "shut_down": went_down, "report": report,
        }));
    } else {
        for line in &report {
            context.ui.data(line);
        }
    }
    if !passed {
        return Err(Failure::work("the machine's self-check failed")
            .hint(format!("the whole console is in `{}`", machine.serial.path().display())));
    }
    if !went_down {
        return Err(Failure::work(format!("the machine did not shut down within {} s", SHUTDOWN.as_secs())));
    }
    context.ui.note(&format!("booted in {}, and shut down", host::clock::human(booted)));
    Ok(())
}

/// The lines that the self-check wrote. Others may write to the console at the same time: it marks its own.
fn report(console: &str) -> Vec<String> {
    let lines = console.lines().skip_while(|line| !line.contains(BEGIN));
    let own = lines.filter_map(|line| line.find("SKIFF-SELFCHECK").map(|at| line[at..].to_owned()));
    own.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_the_self_checks_lines() {
        let console =
            "[ OK ] Started x\nSKIFF-SELFCHECK begin\nSKIFF-SELFCHECK kernel 6.12\nskiff login: SKIFF-SELFCHECK ok\n";
        assert_eq!(report(console), ["SKIFF-SELFCHECK begin", "SKIFF-SELFCHECK kernel 6.12", "SKIFF-SELFCHECK ok"]);
    }
}
