use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use update::config::Key;
use update::groups::{Change, State};
use update::history::Action;
use update::query::checks;
use update::reasons::Reason;
use update::resolve::{self, Incoming, Job, Outcome, Outgoing, Step};
use update::transaction::{self, Doing};
use update::{Candidate, Origin, Sack};

use super::session::{Session, failed};
use super::{shown, versionlock};
use crate::context;
use crate::explain::Failure;
use crate::ui::Steps;

/// What every command takes that changes packages.
#[derive(Args, Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "dnf has a switch for each")]
pub(super) struct How {
    /// Installed packages may be removed to make room.
    #[arg(long)]
    allowerasing: bool,
    /// Leave out what cannot be installed.
    #[arg(long)]
    skip_broken: bool,
    /// Leave out what there is not.
    #[arg(long)]
    skip_unavailable: bool,
    /// Fetch the packages, and go no further.
    #[arg(long)]
    downloadonly: bool,
    /// Do it at the next boot: refused, since nothing carries it out then yet.
    #[arg(long)]
    offline: bool,
}

impl How {
    /// Whether what there is not is left out.
    pub(super) fn skips_unavailable(&self, session: &Session) -> bool {
        self.skip_unavailable || session.config.main.flag(Key::SkipUnavailable)
    }
}

/// Resolves a job, shows what it comes to, asks, and does it.
pub(super) fn carry_out(mut job: Job, how: &How, session: &mut Session) -> Result<ExitCode, Failure> {
    if how.offline {
        return Err(super::refused::offline());
    }
    let root = session.config.installroot.clone();
    let asks_only = session.config.main.flag(Key::AssumeNo);
    // What is found out before the question is still true after it.
    let is_refused = transaction::is_live(&root).map_err(failed)? && !session.host.is_privileged();
    let _lock = match asks_only || is_refused {
        true => None,
        false => Some(session.with(transaction::lock).map_err(|error| stopped(&error))?),
    };
    session.reload()?;
    job.allow_erasing |= how.allowerasing;
    job.skip_broken |= how.skip_broken;
    job.skip_unavailable |= how.skip_unavailable;
    job.locked = versionlock::load(session)?.iter().filter_map(|text| text.parse().ok()).collect();
    let repositories = session.repositories(&[])?;
    let installed = session.database.packages().map_err(failed)?;
    let outcome = session
        .with(|machine| resolve::resolve(&job, &installed, &repositories, &session.reasons, machine))
        .map_err(|error| refused(&error))?;
    outcome.notes.iter().for_each(|note| session.ui.note(note));
    if outcome.is_nothing() {
        if session.ui.json {
            session.ui.json(&json(&outcome, None));
        } else {
            session.ui.data("Nothing to do.");
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !session.ui.json {
        session.ui.data(&table(&outcome));
    }
    if session.shows_new_leaves {
        new_leaves(&outcome, session)?;
    }
    if is_refused && !asks_only && !how.downloadonly {
        return Err(not_root());
    }
    if !session.asks("") {
        if session.ui.json {
            session.ui.json(&json(&outcome, None));
        }
        return Err(Failure::work("the operation was aborted by the user"));
    }
    let steps = Steps::new(&session.ui);
    let files = session
        .with(|machine| transaction::fetch(&outcome, &repositories, &session.database, &|_, _| {}, machine))
        .map_err(|error| stopped(&error))?;
    if how.downloadonly || session.config.main.list(Key::TsFlags).iter().any(|flag| flag == "test") {
        session.ui.note(&format!("{} packages are fetched and verified; nothing was changed", files.len()));
        return Ok(ExitCode::SUCCESS);
    }
    let store =
        store::Store::open(context::store_folder().unwrap_or_else(|| PathBuf::from("/var/cache/slipway/store")))?;
    let doing = Doing {
        command: session.command.clone(),
        comment: session.comment.clone(),
        fetched: &|_, _| {},
        progress: &|done, all, name| steps.say(&format!("[{done}/{all}] {name}")),
    };
    let done = session
        .with(|machine| transaction::run(&outcome, &files, &session.reasons, &doing, &store, machine))
        .map_err(|error| stopped(&error))?;
    drop(steps);
    done.notes.iter().for_each(|note| session.ui.note(note));
    if session.ui.json {
        session.ui.json(&json(&outcome, Some(done.id)));
    }
    if !done.failed.is_empty() {
        return Err(Failure::work(format!("these packages stayed as they were: {}", done.failed.join(", ")))
            .hint("the notes above say which scriptlet failed, and what it printed"));
    }
    if !session.ui.json {
        session.ui.data("Complete!");
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells which installed packages nothing needs any more once the outcome is there.
fn new_leaves(outcome: &Outcome, session: &Session) -> Result<(), Failure> {
    let sack = session.sack(&[], true)?;
    let coming: Vec<&pkg::Nevra> =
        outcome.steps.iter().filter_map(|step| step.new.as_ref()).map(|new| &new.nevra).collect();
    let going: Vec<&pkg::Nevra> = outcome
        .steps
        .iter()
        .flat_map(|step| &step.old)
        .map(|old| &old.nevra)
        .filter(|old| !coming.contains(old))
        .collect();
    let names = |sack: &Sack| -> BTreeSet<String> {
        checks::leaves(sack).into_iter().map(|place| sack.package(place).nevra.to_string()).collect()
    };
    let before = names(&sack);
    let mut seen = BTreeSet::new();
    let after = sack.all().filter(|place| {
        let nevra = &sack.package(*place).nevra;
        let stays = sack.is_installed(*place) && !going.contains(&nevra);
        (stays || coming.contains(&nevra)) && seen.insert(nevra.to_string())
    });
    let after = after.map(|place| {
        let origin = Origin::Installed { time: 0, reason: Reason::User, from: String::new(), number: 0 };
        Candidate { package: sack.package(place).clone(), origin }
    });
    let after = names(&Sack::new(after.collect(), Vec::new()));
    let new: Vec<&String> = after.difference(&before).collect();
    if !new.is_empty() {
        let lines: Vec<String> = new.iter().map(|name| format!("  {name}")).collect();
        session.ui.note(&format!("new leaves:\n{}", lines.join("\n")));
    }
    Ok(())
}

/// The running system is root's.
pub(super) fn not_root() -> Failure {
    failed(transaction::TransactionError::NotRoot)
        .with_code(4)
        .hint("become root, name a root with `--installroot`, or look at the table alone with `--assumeno`")
}

/// A transaction that was not done; on a full disk the machine's owner has to act.
fn stopped(error: &transaction::TransactionError) -> Failure {
    match error.is_full() {
        true => Failure::environment(error.to_string())
            .hint("make room and say it again; `slipway dnf clean packages` removes package files that were fetched"),
        false => failed(error),
    }
}

fn refused(error: &resolve::ResolveError) -> Failure {
    let message = error.to_string();
    match error {
        resolve::ResolveError::Unknown(_) | resolve::ResolveError::NotInstalled(_) => {
            Failure::work(format!("failed to resolve the transaction:\n{message}"))
                .hint("`--skip-unavailable` leaves out what there is not")
        }
        resolve::ResolveError::Unsolvable(_) => Failure::work(format!("failed to resolve the transaction:\n{message}"))
            .hint("`--skip-broken` leaves out what cannot be installed, `--allowerasing` makes room"),
        resolve::ResolveError::Extra(_) => {
            Failure::work(format!("failed to replay the transaction:\n{message}")).hint("`--ignore-extras` lets them")
        }
        _ => Failure::work(message),
    }
}

/// A title, its line in the summary, and whether a step belongs to it.
type Section = (&'static str, &'static str, fn(&Step) -> bool);

/// Titles of the sections and of the summary, and which steps belong to each.
const SECTIONS: &[Section] = &[
    ("Installing", "Installing", |step| {
        is_install(step) && !step.reason.is_removable() && step.reason != Reason::Group
    }),
    ("Installing dependencies", "Installing", |step| is_install(step) && step.reason == Reason::Dependency),
    ("Installing weak dependencies", "Installing", |step| is_install(step) && step.reason == Reason::WeakDependency),
    ("Upgrading", "Upgrading", |step| step.action == Action::Upgrade),
    ("Installing group/module packages", "Installing", |step| is_install(step) && step.reason == Reason::Group),
    ("Downgrading", "Downgrading", |step| step.action == Action::Downgrade),
    ("Reinstalling", "Reinstalling", |step| step.action == Action::Reinstall),
    ("Removing", "Removing", |step| step.action == Action::Remove && !step.unneeded),
    ("Removing unused dependencies", "Removing", |step| step.action == Action::Remove && step.unneeded),
];

fn is_install(step: &Step) -> bool {
    step.action == Action::Install
}

/// What happens, as dnf5 shows it.
fn table(outcome: &Outcome) -> String {
    let mut rows: Vec<[String; 5]> = vec![["Package", "Arch", "Version", "Repository", "Size"].map(str::to_owned)];
    let mut titles: Vec<(usize, String)> = Vec::new();
    let mut summary: Vec<(&str, usize)> = Vec::new();
    let mut replacing = 0;
    for (title, total, belongs) in SECTIONS {
        let steps: Vec<&Step> = outcome.steps.iter().filter(|step| belongs(step)).collect();
        if steps.is_empty() {
            continue;
        }
        titles.push((rows.len(), format!("{title}:")));
        match summary.iter_mut().find(|(name, _)| name == total) {
            Some((_, count)) => *count += steps.len(),
            None => summary.push((total, steps.len())),
        }
        for step in steps {
            match &step.new {
                Some(new) => {
                    rows.push(incoming(new));
                    rows.extend(step.old.iter().map(|old| outgoing(old, "   replacing ")));
                    replacing += step.old.len();
                }
                None => rows.extend(step.old.iter().map(|old| outgoing(old, " "))),
            }
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(width);
    let mut text = String::new();
    for (index, [name, arch, version, repository, size]) in rows.iter().enumerate() {
        if let Some((_, title)) = titles.iter().find(|(at, _)| *at == index) {
            text.push_str(&format!("{title}\n"));
        }
        text.push_str(&format!("{name:a$} {arch:b$} {version:c$} {repository:d$} {size:>e$}\n"));
    }
    text.push_str(&group_lines(outcome));
    if !outcome.reasons.is_empty() {
        text.push_str("Changing reason:\n");
        outcome.reasons.iter().for_each(|(nevra, reason)| text.push_str(&format!(" {nevra} -> {}\n", reason.as_str())));
    }
    if replacing > 0 {
        summary.push(("Replacing", replacing));
    }
    text.push_str("\nTransaction Summary:\n");
    for (name, count) in summary {
        let noun = if count == 1 { "package" } else { "packages" };
        text.push_str(&format!(" {:<16} {count:>4} {noun}\n", format!("{name}:")));
    }
    let sizes =
        |pick: fn(&Incoming) -> u64| outcome.steps.iter().filter_map(|step| step.new.as_ref()).map(pick).sum::<u64>();
    let (size, grows) = (sizes(|new| new.size), sizes(|new| new.installed_size));
    let shrinks: u64 = outcome.steps.iter().flat_map(|step| &step.old).map(|old| old.installed_size).sum();
    if size > 0 {
        text.push_str(&format!("\nTotal size of inbound packages is {}.\n", shown::bytes(size)));
    }
    let (verb, difference) =
        if grows >= shrinks { ("extra will be used", grows - shrinks) } else { ("will be freed", shrinks - grows) };
    text.push_str(&format!(
        "After this operation, {} {verb} (install {}, remove {}).",
        shown::bytes(difference),
        shown::bytes(grows),
        shown::bytes(shrinks)
    ));
    text
}

/// Groups and environments that change.
fn group_lines(outcome: &Outcome) -> String {
    let kind = |change: &Change| match &change.after {
        _ if change.is_environment() => "environmental groups",
        Some(State::Group(group)) if change.before.is_none() && group.reason == Reason::Dependency => {
            "groups dependencies"
        }
        _ => "groups",
    };
    let mut text = String::new();
    for (action, verb) in [("Install", "Installing"), ("Upgrade", "Upgrading"), ("Remove", "Removing")] {
        for title in ["groups", "groups dependencies", "environmental groups"] {
            let fits = |change: &&Change| change.action() == action && kind(change) == title;
            let names: Vec<String> =
                outcome.groups.iter().filter(fits).map(|one| format!(" {}\n", one.name())).collect();
            if !names.is_empty() {
                text.push_str(&format!("{verb} {title}:\n{}", names.concat()));
            }
        }
    }
    text
}

fn version(evr: &pkg::Evr) -> String {
    format!("{}:{}-{}", evr.epoch, evr.version, evr.release)
}

fn incoming(new: &Incoming) -> [String; 5] {
    let nevra = &new.nevra;
    let name = format!(" {}", nevra.name);
    [name, nevra.arch.to_string(), version(&nevra.evr), new.repository.clone(), shown::aligned(new.installed_size)]
}

fn outgoing(old: &Outgoing, prefix: &str) -> [String; 5] {
    let nevra = &old.nevra;
    let repository = if old.repository.is_empty() { "<unknown>" } else { &old.repository };
    let name = format!("{prefix}{}", nevra.name);
    [name, nevra.arch.to_string(), version(&nevra.evr), repository.to_owned(), shown::aligned(old.installed_size)]
}

fn json(outcome: &Outcome, id: Option<u64>) -> serde_json::Value {
    let steps = outcome.steps.iter().map(|step| {
        let old: Vec<String> = step.old.iter().map(|old| old.nevra.to_string()).collect();
        serde_json::json!({
            "action": step.action, "new": step.new.as_ref().map(|new| new.nevra.to_string()),
            "repository": step.new.as_ref().map(|new| new.repository.clone()), "old": old, "reason": step.reason,
            "is_unneeded": step.unneeded, "size": step.new.as_ref().map(|new| new.size),
            "install_size": step.new.as_ref().map(|new| new.installed_size),
        })
    });
    let groups = outcome.groups.iter().map(|change| {
        let kind = if change.is_environment() { "environment" } else { "group" };
        serde_json::json!({ "action": change.action(), "kind": kind, "id": change.id, "name": change.name() })
    });
    let reasons = outcome
        .reasons
        .iter()
        .map(|(nevra, reason)| serde_json::json!({ "package": nevra.to_string(), "reason": reason }));
    serde_json::json!({
        "transaction": id, "steps": steps.collect::<Vec<_>>(), "groups": groups.collect::<Vec<_>>(),
        "reasons": reasons.collect::<Vec<_>>(), "notes": outcome.notes,
    })
}
