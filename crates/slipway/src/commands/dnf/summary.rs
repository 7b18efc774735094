//! What a transaction comes to, as dnf5 shows it.

use update::groups::{Change, State};
use update::history::Action;
use update::reasons::Reason;
use update::resolve::{Incoming, Outcome, Outgoing, Step};

use super::shown;

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
pub(super) fn table(outcome: &Outcome) -> String {
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

pub(super) fn json(outcome: &Outcome, id: Option<u64>) -> serde_json::Value {
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
