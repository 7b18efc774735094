use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use host::environment::{Variable, read};
use host::{Cmd, Host, RunError, Tool};
use update::offline::{Status, link};
use update::transaction;

use super::{NOTHING, folder, held, refused};
use crate::commands::dnf::session::{Session, failed};
use crate::explain::Failure;

#[derive(Args)]
pub(in crate::commands::dnf) struct Arguments {
    /// Switch the machine off when the transaction is done. Where it fails, the machine starts again.
    #[arg(long)]
    poweroff: bool,
}

/// What carries the transaction out. The package `slipway-dnf` brings it.
const UNIT: &str = "dnf-offline-transaction.service";

/// What makes a start one for updates. Source: systemd.offline-updates(7).
const GENERATOR: &str = "usr/lib/systemd/system-generators/systemd-system-update-generator";

pub(super) fn run(arguments: &Arguments, session: &mut Session) -> Result<ExitCode, Failure> {
    let _lock = held(session)?;
    session.reload()?;
    let root = session.config.installroot.clone();
    let folder = folder(session);
    let Some(mut state) = folder.state().map_err(|error| refused(&error))? else {
        return Err(Failure::work(NOTHING).hint("`slipway dnf upgrade --offline` stores one"));
    };
    if state.status == Status::TransactionIncomplete {
        return Err(Failure::work("the transaction was begun before, and did not end well")
            .hint("`slipway dnf offline log --number=-1` says why; `slipway dnf offline clean` forgets it"));
    }
    let installed = session.database.packages().map_err(failed)?;
    if let Err(error) = folder.check(&state, &installed) {
        if link::ours(&root)?.is_some_and(|known| known == folder) {
            link::remove(&root)?;
        }
        return Err(refused(&error));
    }
    let is_live = transaction::is_live(&root).map_err(failed)?;
    carried_out(&root, is_live, session)?;
    let what = match state.is_system_upgrade() {
        true => format!("upgrade it from release {} to {}", state.release, state.target),
        false => format!("do what was stored by\n\t{}", state.command),
    };
    let restarts = is_live && !is_forbidden();
    let question = match restarts {
        true => format!("The machine restarts now, to {what}"),
        false => format!("The next start of `{}` is to {what}", root.display()),
    };
    if !session.asks(&question) {
        return Err(Failure::work("the operation was aborted by the user"));
    }
    state.status = Status::Ready;
    state.power_off = arguments.poweroff;
    folder.write(&state)?;
    link::make(&root, &folder).map_err(|error| {
        Failure::work(error.to_string()).hint("another program prepared an update; let it finish, or remove the link")
    })?;
    if restarts {
        return restart(false, &session.host).map(|()| ExitCode::SUCCESS);
    }
    session.ui.data("The next start does it; nothing is restarted here.");
    Ok(ExitCode::SUCCESS)
}

/// Whether systemd would carry it out when `root` starts.
fn carried_out(root: &Path, is_live: bool, session: &Session) -> Result<(), Failure> {
    if is_live && !is_forbidden() && !session.host.runs_systemd() {
        return Err(Failure::environment(
            "this machine does not run systemd, which would restart it; nothing was prepared",
        )
        .hint("`slipway dnf offline clean` forgets the transaction; do it without `--offline`"));
    }
    let units = ["usr/lib/systemd/system", "etc/systemd/system"].map(|folder| root.join(folder));
    let is_there = |path: &Path| fs_err::symlink_metadata(path).is_ok();
    let is_masked =
        fs_err::read_link(root.join("etc/systemd/system").join(UNIT)).is_ok_and(|to| to == Path::new("/dev/null"));
    let is_wanted = units.iter().any(|folder| is_there(&folder.join("system-update.target.wants").join(UNIT)));
    let missing = match (is_there(&root.join(GENERATOR)), is_wanted, is_masked) {
        (true, true, false) => return Ok(()),
        (false, ..) => format!("it has no `/{GENERATOR}`, which makes a start one for updates"),
        (_, false, _) => format!("`system-update.target` of systemd does not want `{UNIT}`"),
        (.., true) => format!("`{UNIT}` is masked"),
    };
    Err(Failure::environment(format!(
        "nothing in `{}` would do the transaction at its start: {missing}",
        root.display()
    ))
    .hint("the package `slipway-dnf` brings the unit, and `systemd` the rest"))
}

/// Whether somebody wants to restart machines himself. Source: dnf5-offline(8).
pub(super) fn is_forbidden() -> bool {
    read(Variable::NoReboot).is_some()
}

/// Asks systemd for a restart, or to switch the machine off.
pub(super) fn restart(power_off: bool, host: &Host) -> Result<(), Failure> {
    let verb = if power_off { "poweroff" } else { "reboot" };
    let done = host.check(&Cmd::new(Tool::Systemctl).args(["--no-block", verb]));
    // The machine goes down, and this program with it: systemd ends it before `systemctl` has said so.
    if matches!(done, Err(RunError::Interrupted { .. })) {
        return Ok(());
    }
    done.map(drop).map_err(|error| {
        Failure::environment(format!("systemd was asked to restart the machine, and did not: {error}"))
            .hint(format!("all is prepared; `systemctl {verb}` restarts it"))
    })
}
