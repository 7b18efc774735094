//! `slipway image test`: what an image can do, shown by the machine that it starts as.

mod rehearsal;
mod snapshots;

use std::path::PathBuf;

use clap::Args;

use crate::commands::boot::{How, machine_folder};
use crate::context::Context;
use crate::explain::Failure;
use crate::machine::{Hardware, SHUTDOWN};
use rehearsal::{Rehearsal, Restarts};
use snapshots::Snapshots;

/// Boot an image and put it to what its definition says that it can do
///
/// Every image has to reach its login prompt, pass its self-check and shut down. With `runtime-package-management` among its
/// capabilities, it is then the machine that does something: `dnf` in it installs a package from the published repository,
/// refuses a snapshot that a stranger signed, upgrades to a snapshot that is published meanwhile, takes the upgrade back
/// and removes the package. After each step its files, the database of packages and the program itself are looked at. The
/// image is not changed.
#[derive(Args)]
#[command(after_help = "Example: slipway image test vm-base --reboot")]
pub(crate) struct Arguments {
    /// The image, which was made with `slipway image build`.
    name: String,
    /// The package that is installed, upgraded and removed; the image must not have it.
    #[arg(long, value_name = "NAME", default_value = "less")]
    package: String,
    /// Restart the machine behind the upgrade, and put it to its self-check again.
    #[arg(long)]
    reboot: bool,
    /// Let a start of its own do an upgrade (`dnf upgrade --offline`): two more starts.
    #[arg(long)]
    offline: bool,
    /// The secret OpenPGP key that the repository was published with, where it is not the one for development.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// The capability that is put to the test with dnf.
const PACKAGES: &str = "runtime-package-management";

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let name = &arguments.name;
    if !distro.images.contains_key(name) {
        let failure = Failure::usage(format!("there is no image `{name}`"));
        return Err(match distro::nearest(name, distro.images.keys().map(String::as_str)) {
            Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
            None => failure.hint("`slipway image list` shows all"),
        });
    }
    let manages_packages =
        distro.image_facts.get(name).and_then(|facts| facts.capabilities.get(PACKAGES)) == Some(&true);
    let store = context.store()?;
    let snapshots = match manages_packages {
        true => Some(Snapshots::prepare(arguments, &distro, &machine_folder(name, &store)?, context, &store)?),
        false => None,
    };
    let hardware = Hardware {
        repository: snapshots.as_ref().map(|snapshots| snapshots.folder.clone()),
        is_driven: snapshots.is_some(),
        ..arguments.how.hardware()
    };
    let clock = host::clock::Stopwatch::start();
    let mut machine = arguments.how.start(name, &hardware, context, &store)?;
    let guest = snapshots.as_ref().map(|_| machine.guest()).transpose()?;
    let check = machine.self_check(arguments.how.limit(), context)?;
    let booted = clock.elapsed();
    if !context.ui.json {
        check.report.iter().for_each(|line| context.ui.data(line));
    }
    check.verdict(&machine)?;
    context.ui.note(&format!("booted in {}", host::clock::human(booted)));
    let mut steps = Vec::new();
    if let (Some(snapshots), Some(guest)) = (&snapshots, guest) {
        let mut rehearsal = Rehearsal::new(&mut machine, guest, snapshots, context);
        rehearsal.all(&Restarts {
            limit: arguments.how.limit(),
            is_restarted: arguments.reboot,
            is_offline: arguments.offline,
        })?;
        steps = rehearsal.steps;
    }
    let went_down = machine.shut_down(SHUTDOWN, &context.host)?;
    if context.ui.json {
        context.ui.json(&serde_json::json!({
            "image": name, "accelerator": machine.accelerator, "boot_seconds": booted.as_secs(),
            "seconds": clock.elapsed().as_secs(), "report": check.report, "shut_down": went_down, "steps": steps,
        }));
    }
    if !went_down {
        return Err(Failure::work(format!("the machine did not shut down within {} s", SHUTDOWN.as_secs())));
    }
    let proofs: usize = steps.iter().map(|step| step.proofs.len()).sum();
    context.ui.note(&format!(
        "{name} did all that it has to in {}: {} commands, {proofs} proofs",
        host::clock::human(clock.elapsed()),
        steps.len()
    ));
    Ok(())
}
