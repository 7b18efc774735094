use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use update::restarting;

use super::advisory_choice;
use super::session::{Session, failed};
use crate::explain::Failure;

/// Say what has to be started again to use what was installed: exit code 1 when something has
#[derive(Args)]
#[command(after_help = "Example: slipway dnf needs-restarting -s")]
pub(super) struct Arguments {
    /// Whether the machine has to be booted; this is what is said without options.
    #[arg(short = 'r', long, group = "what")]
    reboothint: bool,
    /// Services of systemd that started before their packages.
    #[arg(short = 's', long, group = "what")]
    services: bool,
    /// Processes that started before their packages.
    #[arg(short = 'p', long, group = "what")]
    processes: bool,
    /// With `--processes`: without those of services.
    #[arg(short = 'e', long, requires = "processes")]
    exclude_services: bool,
}

const PROC: &str = "/proc";

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let is_needed = match (arguments.services, arguments.processes) {
        (true, _) => services(session)?,
        (_, true) => processes(arguments.exclude_services, session)?,
        _ => machine(session)?,
    };
    Ok(if is_needed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn machine(session: &Session) -> Result<bool, Failure> {
    let boot = restarting::boot_time(Path::new(PROC)).ok_or_else(|| {
        Failure::environment("nothing says when this machine was booted: `/proc/stat` has no `btime`")
    })?;
    let sack = session.sack(&["updateinfo"], true)?;
    let names = restarting::reboot(&sack, &advisory_choice::all(&sack, session)?, boot);
    if session.ui.json {
        session.ui.json(&[json!({ "type": "reboot", "reboot_required": !names.is_empty(), "packages": names })]);
    } else if names.is_empty() {
        session
            .ui
            .data("No core libraries or services have been updated since boot-up.\nReboot should not be necessary.");
    } else {
        let lines: String = names.iter().map(|name| format!("  * {name}\n")).collect();
        session.ui.data(&format!(
            "Core libraries or services have been updated since boot-up:\n{lines}\nReboot is required to fully utilize these updates."
        ));
    }
    Ok(!names.is_empty())
}

fn services(session: &Session) -> Result<bool, Failure> {
    let sack = session.sack(&[], false)?;
    let names = restarting::stale_services(&sack, &restarting::processes(Path::new(PROC)).map_err(failed)?);
    if session.ui.json {
        session.ui.json(&names.iter().map(|name| json!({ "type": "unit", "unit": name })).collect::<Vec<_>>());
    } else {
        names.iter().for_each(|name| session.ui.data(name));
    }
    Ok(!names.is_empty())
}

fn processes(without_services: bool, session: &Session) -> Result<bool, Failure> {
    let sack = session.sack(&[], false)?;
    let mut all = restarting::processes(Path::new(PROC)).map_err(failed)?;
    all.retain(|process| !without_services || process.service.is_none());
    let stale = restarting::stale_processes(&sack, &all);
    if session.ui.json {
        let rows = stale.iter().map(|(process, package)| {
            json!({ "type": "process", "pid": process.id, "cmdline": process.command, "package": package })
        });
        session.ui.json(&rows.collect::<Vec<_>>());
    } else {
        stale
            .iter()
            .for_each(|(process, _)| session.ui.data(&format!("{}\t{}", process.id, process.command.join(" "))));
    }
    Ok(!stale.is_empty())
}
