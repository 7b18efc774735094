use std::path::{Path, PathBuf};
use std::process::ExitCode;

use host::Host;
use update::history::Change;
use update::offline::log::{self, Attempt, End};
use update::offline::{Folder, OfflineError, State, Status, link};
use update::resolve::Outcome;
use update::transaction::{self, Done};
use update::{DatabaseFile, stored};

use super::{reboot, refused};
use crate::commands::dnf::session::{Session, failed};
use crate::commands::dnf::transact::{complete, stopped, told};
use crate::commands::dnf::{Global, summary};
use crate::explain::Failure;
use crate::ui::Ui;

/// Does what waits, in the order that systemd.offline-updates(7) asks for: the link goes first, so that whatever happens
/// here the next start is an ordinary one, and a restart ends it however it went.
pub(in crate::commands::dnf) fn run(global: &Global, ui: &Ui) -> Result<ExitCode, Failure> {
    let root = global.installroot.clone().unwrap_or_else(|| PathBuf::from("/"));
    let Some(folder) = link::ours(&root)? else {
        ui.note("`/system-update` does not lead to a transaction of this program; nothing was done");
        return Ok(ExitCode::SUCCESS);
    };
    link::remove(&root)?;
    let host = Host::detect().map_err(|error| Failure::environment(error.to_string()))?;
    let done = recorded(&folder, global, &host, ui);
    let is_live = transaction::is_live(&root).map_err(failed)?;
    if !is_live || reboot::is_forbidden() {
        return done.map(|_| ExitCode::SUCCESS);
    }
    let power_off = matches!(done, Ok(true));
    let restarted = reboot::restart(power_off, &host);
    done.and(restarted).map(|()| ExitCode::SUCCESS)
}

/// Does it, and writes down what became of it; tells whether the machine is to be switched off.
fn recorded(folder: &Folder, global: &Global, host: &Host, ui: &Ui) -> Result<bool, Failure> {
    let persist = folder.path().parent().unwrap_or(Path::new("/")).to_owned();
    let state = folder.state();
    let known = state.as_ref().ok().and_then(Option::as_ref);
    let text = |pick: fn(&State) -> &String| known.map(pick).cloned().unwrap_or_default();
    let mut attempt = Attempt {
        time: host::clock::unix_now(),
        boot: host.boot_id().unwrap_or_default(),
        command: text(|state| &state.command),
        release: text(|state| &state.release),
        target: text(|state| &state.target),
        end: End::Unknown,
        lines: Vec::new(),
    };
    log::begin(&persist, &attempt)?;
    let power_off = known.is_some_and(|state| state.power_off);
    let done = match state {
        Ok(Some(state)) => attempted(folder, state, global, &persist, ui, &mut attempt.lines),
        Ok(None) => Err(Failure::work(super::NOTHING)),
        Err(error) => Err(refused(&error)),
    };
    attempt.end = match &done {
        Ok(done) => End::Done(done.id),
        Err(failure) => End::Failed(failure.to_string()),
    };
    log::finish(&persist, &attempt)?;
    done?;
    folder.clean()?;
    Ok(power_off)
}

fn attempted(
    folder: &Folder,
    mut state: State,
    global: &Global,
    persist: &Path,
    ui: &Ui,
    lines: &mut Vec<String>,
) -> Result<Done, Failure> {
    if state.status != Status::Ready {
        return Err(
            Failure::work("nobody said that this start shall do it").hint("`slipway dnf offline reboot` says so")
        );
    }
    state.status = Status::TransactionIncomplete;
    folder.write(&state)?;
    let mut session = session(&state, global, persist, ui)?;
    let _lock = session.with(transaction::lock).map_err(|error| stopped(&error))?;
    session.reload()?;
    let installed = session.database.packages().map_err(failed)?;
    let items = folder.check(&state, &installed).map_err(|error| refused(&error))?;
    let file = folder.transaction_file();
    let outcome = stored::outcome(&items, &state.groups, &installed, &session.reasons, &file)
        .map_err(|error| refused(&OfflineError::from(error)))?;
    ui.data(&summary::table(&outcome));
    let changes = session.with(|machine| transaction::changes(&outcome, &session.reasons, machine));
    lines.extend(changes.iter().map(line));
    let done = done(&outcome, &session)?;
    lines.extend(done.notes.iter().cloned());
    told(&done)?;
    ui.data("Complete!");
    Ok(done)
}

/// The packages were found to be those that were stored, whose signatures were checked then; here each is also what its own
/// digests say.
fn done(outcome: &Outcome, session: &Session) -> Result<Done, Failure> {
    let files = session
        .with(|machine| transaction::fetch(outcome, &[], &DatabaseFile::default(), &|_, _| {}, machine))
        .map_err(|error| stopped(&error))?;
    complete(outcome, &files, session)
}

/// As at the time when it was stored, but without repositories and without anybody to ask.
fn session(state: &State, global: &Global, persist: &Path, ui: &Ui) -> Result<Session, Failure> {
    let root = global.installroot.clone().unwrap_or_else(|| PathBuf::from("/"));
    let inside = persist.strip_prefix(&root).map_or_else(|_| persist.to_owned(), |path| Path::new("/").join(path));
    let mut global = Global { assumeyes: true, assumeno: false, cacheonly: true, refresh: false, ..global.clone() };
    global.comment = Some(state.comment.clone());
    global.releasever = Some(state.target.clone()).filter(|target| !target.is_empty());
    global.setopt.extend([
        format!("persistdir={}", inside.display()),
        // A folder that is never there: no repository is asked, and none that is described badly is in the way.
        "reposdir=/run/slipway/no-repositories".to_owned(),
        "localpkg_gpgcheck=0".to_owned(),
        format!("tsflags={}", state.ts_flags.join(" ")),
    ]);
    Session::new(&global, state.command.clone(), ui)
}

fn line(change: &Change) -> String {
    format!("  {:<13} {}", change.action.as_str(), change.package)
}
