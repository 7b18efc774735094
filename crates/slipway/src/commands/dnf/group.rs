use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use update::config::Key;
use update::groups::{self, Asked, Available, Comps, InstalledGroups, Kind, Plan};
use update::query::glob::Glob;
use update::resolve::Job;

use super::session::{Session, failed};
use super::shown;
use super::transact::{How, carry_out};
use crate::explain::Failure;

/// Manage groups of packages
#[derive(Subcommand)]
pub(super) enum Command {
    /// List groups
    #[command(after_help = "Example: slipway dnf group list --hidden")]
    List(Listing),
    /// Show what groups are made of
    #[command(after_help = "Example: slipway dnf group info core")]
    Info(Listing),
    /// Install groups or environments, and their packages
    #[command(after_help = "Example: slipway dnf --installroot /srv/root group install core")]
    Install(Changing),
    /// Remove groups or environments, and packages that came with them and with no other
    #[command(after_help = "Example: slipway dnf --installroot /srv/root group remove core")]
    Remove(Changing),
    /// Upgrade groups or environments and their packages, and install what is new in them
    #[command(after_help = "Example: slipway dnf --installroot /srv/root group upgrade core")]
    Upgrade(Changing),
}

/// Manage environments: groups of groups
#[derive(Subcommand)]
pub(super) enum EnvironmentCommand {
    /// List environments
    #[command(after_help = "Example: slipway dnf environment list")]
    List(Listing),
    /// Show what environments are made of
    #[command(after_help = "Example: slipway dnf environment info server")]
    Info(Listing),
    /// Install environments, their groups and packages
    #[command(after_help = "Example: slipway dnf --installroot /srv/root environment install server")]
    Install(Changing),
    /// Remove environments, and groups that came with them and with no other
    #[command(after_help = "Example: slipway dnf --installroot /srv/root environment remove server")]
    Remove(Changing),
    /// Upgrade environments and their groups
    #[command(after_help = "Example: slipway dnf --installroot /srv/root environment upgrade server")]
    Upgrade(Changing),
}

#[derive(Args)]
pub(super) struct Listing {
    /// Ids or names, or patterns; all if not said.
    words: Vec<String>,
    /// Only what is not installed.
    #[arg(long, conflicts_with = "installed")]
    available: bool,
    /// Only what is installed.
    #[arg(long)]
    installed: bool,
    /// Also groups that are hidden.
    #[arg(long)]
    hidden: bool,
    /// Only groups with packages like these.
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    contains_pkgs: Vec<String>,
}

#[derive(Args)]
pub(super) struct Changing {
    /// Ids or names, or patterns.
    #[arg(required = true)]
    words: Vec<String>,
    /// Optional packages, too.
    #[arg(long)]
    with_optional: bool,
    /// Packages stay as they are.
    #[arg(long)]
    no_packages: bool,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(command: &Command, session: &mut Session) -> Result<ExitCode, Failure> {
    match command {
        Command::List(listing) => list(&groups_of(listing, session)?, listing, session),
        Command::Info(listing) => info(&groups_of(listing, session)?, listing, session),
        Command::Install(changing) => change(changing, Verb::Install, false, session),
        Command::Remove(changing) => change(changing, Verb::Remove, false, session),
        Command::Upgrade(changing) => change(changing, Verb::Upgrade, false, session),
    }
}

pub(super) fn run_environment(command: &EnvironmentCommand, session: &mut Session) -> Result<ExitCode, Failure> {
    match command {
        EnvironmentCommand::List(listing) => list(&environments_of(listing, session)?, listing, session),
        EnvironmentCommand::Info(listing) => info(&environments_of(listing, session)?, listing, session),
        EnvironmentCommand::Install(changing) => change(changing, Verb::Install, true, session),
        EnvironmentCommand::Remove(changing) => change(changing, Verb::Remove, true, session),
        EnvironmentCommand::Upgrade(changing) => change(changing, Verb::Upgrade, true, session),
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Install,
    Remove,
    Upgrade,
}

fn change(changing: &Changing, verb: Verb, only: bool, session: &mut Session) -> Result<ExitCode, Failure> {
    let words = changing.words.clone();
    let (with_optional, no_packages) = (changing.with_optional, changing.no_packages);
    let asked = Asked { with_optional, no_packages, environments_only: only, ..Asked::default() };
    let asked = match verb {
        Verb::Install => Asked { install: words, ..asked },
        Verb::Remove => Asked { remove: words, ..asked },
        Verb::Upgrade => Asked { upgrade: words, ..asked },
    };
    let freed = session.config.main.flag(Key::CleanRequirements);
    let groups = plan(&asked, &changing.how, session)?;
    carry_out(Job { groups, freed: freed && matches!(verb, Verb::Remove), ..Job::default() }, &changing.how, session)
}

/// What words that mean groups come to; the words of `install @group` are without `@`.
pub(super) fn plan(asked: &Asked, how: &How, session: &Session) -> Result<Plan, Failure> {
    let available = match asked.install.is_empty() && asked.upgrade.is_empty() {
        true => Available::default(),
        false => available(session)?,
    };
    let mut plan = groups::plan(asked, &available, &installed(session)?);
    plan.notes.iter().for_each(|note| session.ui.note(note));
    plan.notes.clear();
    if plan.unknown.is_empty() {
        return Ok(plan);
    }
    let lines: Vec<String> = plan.unknown.iter().map(|word| format!("no match for argument: {word}")).collect();
    if how.skips_unavailable(session) {
        lines.iter().for_each(|line| session.ui.note(line));
        return Ok(plan);
    }
    Err(Failure::work(format!("failed to resolve the transaction:\n{}", lines.join("\n")))
        .hint("`slipway dnf group list --hidden` lists all groups"))
}

/// The words of a command, and those of them that mean groups (`@group`).
pub(super) fn split(words: &[String]) -> (Vec<String>, Vec<String>) {
    let (groups, words): (Vec<String>, Vec<String>) = words.iter().cloned().partition(|word| word.starts_with('@'));
    (words, groups.iter().map(|word| word.trim_start_matches(['@', '^']).to_owned()).collect())
}

fn available(session: &Session) -> Result<Available, Failure> {
    let repositories = session.repositories(&["group", "group_gz"])?;
    session.with(|machine| groups::load(&repositories, machine)).map_err(failed)
}

fn installed(session: &Session) -> Result<InstalledGroups, Failure> {
    InstalledGroups::load(&session.config.folder(Key::PersistDir)).map_err(failed)
}

/// A group or an environment, as it is shown.
struct Row {
    id: String,
    name: String,
    description: String,
    order: (u32, String),
    is_installed: bool,
    is_visible: bool,
    lang_only: String,
    repositories: Vec<String>,
    /// Titles, and what belongs to each.
    parts: Vec<(&'static str, Vec<String>)>,
    is_environment: bool,
}

fn fits(row: &Row, listing: &Listing, label_fits: bool) -> bool {
    let is_seen = if listing.words.is_empty() { row.is_visible || listing.hidden } else { label_fits };
    let is_there = (!listing.installed || row.is_installed) && (!listing.available || !row.is_installed);
    let has = listing.contains_pkgs.is_empty()
        || listing
            .contains_pkgs
            .iter()
            .map(|name| Glob::new(name).ignoring_case())
            .any(|glob| row.parts.iter().flat_map(|(_, names)| names).any(|name| glob.matches(name)));
    is_seen && is_there && has
}

fn groups_of(listing: &Listing, session: &Session) -> Result<Vec<Row>, Failure> {
    let known = installed(session)?;
    let mut all = Available::default();
    for group in known.groups.values().filter_map(groups::Group::description) {
        all.add("@System", Comps { groups: vec![group], ..Comps::default() });
    }
    if !listing.installed {
        let others = available(session)?.groups.into_iter().filter(|(group, _)| all.group(&group.label.id).is_none());
        let others: Vec<_> = others.collect();
        all.groups.extend(others);
    }
    let mut rows = Vec::new();
    for (group, repositories) in &all.groups {
        let of = |kind: Kind| {
            let names = group.packages.iter().filter(|package| Kind::of(&package.kind) == kind);
            let mut names: Vec<String> = names.map(|package| package.name.clone()).collect();
            names.sort();
            names.dedup();
            names
        };
        let label = &group.label;
        let row = Row {
            id: label.id.clone(),
            name: label.name.clone(),
            description: label.description.clone(),
            order: (groups::order(label).0, label.id.clone()),
            is_installed: known.groups.contains_key(&label.id),
            is_visible: group.is_visible,
            lang_only: group.lang_only.clone(),
            repositories: repositories.clone(),
            parts: vec![
                ("Mandatory packages", of(Kind::Mandatory)),
                ("Default packages", of(Kind::Default)),
                ("Optional packages", of(Kind::Optional)),
                ("Conditional packages", of(Kind::Conditional)),
            ],
            is_environment: false,
        };
        if fits(&row, listing, listing.words.iter().any(|word| groups::means(word, label))) {
            rows.push(row);
        }
    }
    rows.sort_by(|one, other| one.order.cmp(&other.order));
    Ok(rows)
}

fn environments_of(listing: &Listing, session: &Session) -> Result<Vec<Row>, Failure> {
    let known = installed(session)?;
    let mut all = Available::default();
    for environment in known.environments.values().filter_map(groups::Environment::description) {
        all.add("@System", Comps { environments: vec![environment], ..Comps::default() });
    }
    if !listing.installed {
        let others = available(session)?.environments.into_iter();
        let others: Vec<_> = others.filter(|(one, _)| all.environment(&one.label.id).is_none()).collect();
        all.environments.extend(others);
    }
    let mut rows = Vec::new();
    for (environment, repositories) in &all.environments {
        let options = |wanted: bool| {
            let options = environment.options.iter().filter(|(_, is_default)| *is_default == wanted);
            options.map(|(id, _)| id.clone()).collect()
        };
        let label = &environment.label;
        let row = Row {
            id: label.id.clone(),
            name: label.name.clone(),
            description: label.description.clone(),
            order: (groups::order(label).0, label.id.clone()),
            is_installed: known.environments.contains_key(&label.id),
            is_visible: true,
            lang_only: String::new(),
            repositories: repositories.clone(),
            parts: vec![
                ("Required groups", environment.groups.clone()),
                ("Default groups", options(true)),
                ("Optional groups", options(false)),
            ],
            is_environment: true,
        };
        if fits(&row, listing, listing.words.iter().any(|word| groups::means(word, label))) {
            rows.push(row);
        }
    }
    rows.sort_by(|one, other| one.order.cmp(&other.order));
    Ok(rows)
}

/// Words that mean nothing are an error.
fn checked(rows: &[Row], listing: &Listing) -> Result<(), Failure> {
    match rows.is_empty() && !listing.words.is_empty() {
        true => Err(Failure::work(format!("no match for argument: {}", listing.words.join(", ")))),
        false => Ok(()),
    }
}

fn list(rows: &[Row], listing: &Listing, session: &Session) -> Result<ExitCode, Failure> {
    checked(rows, listing)?;
    if session.ui.json {
        let row = |row: &Row| json!({ "id": row.id, "name": row.name, "is_installed": row.is_installed });
        session.ui.json(&rows.iter().map(row).collect::<Vec<_>>());
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| vec![row.id.clone(), row.name.clone(), yes(row.is_installed)]).collect();
    session.ui.data(&shown::table(&[("ID                  ", false), ("Name", false), ("Installed", true)], &cells));
    if !rows.iter().any(|row| row.is_environment) {
        let there = rows.iter().filter(|row| row.is_installed).count();
        let (all, rest) = (rows.len(), rows.len() - there);
        session.ui.data(&format!("Groups: {all} ({there} installed, {rest} available)"));
    }
    Ok(ExitCode::SUCCESS)
}

fn info(rows: &[Row], listing: &Listing, session: &Session) -> Result<ExitCode, Failure> {
    checked(rows, listing)?;
    if session.ui.json {
        session.ui.json(&rows.iter().map(json_of).collect::<Vec<_>>());
        return Ok(ExitCode::SUCCESS);
    }
    for row in rows {
        let order = if row.order.0 == u32::MAX { String::new() } else { row.order.0.to_string() };
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let mut facts = vec![
            (0, "Id                  ", row.id.clone()),
            (0, "Name", row.name.clone()),
            (0, "Description", row.description.clone()),
        ];
        if row.is_environment {
            facts.push((0, "Order", order));
            facts.push((0, "Installed", if row.is_installed { "True" } else { "False" }.to_owned()));
        } else {
            facts.push((0, "Installed", yes(row.is_installed)));
            facts.push((0, "Order", order));
            facts.push((0, "Langonly", row.lang_only.clone()));
            facts.push((0, "Uservisible", yes(row.is_visible)));
        }
        facts.push((0, "Repositories", row.repositories.join(", ")));
        let parts = row.parts.iter().filter(|(_, names)| !names.is_empty());
        facts.extend(parts.map(|(title, names)| (0, *title, names.join("\n"))));
        session.ui.data_as_is(&format!("{}\n\n", shown::facts(&facts)));
    }
    Ok(ExitCode::SUCCESS)
}

fn json_of(row: &Row) -> Value {
    let mut value = json!({
        "id": row.id, "name": row.name, "description": row.description, "is_installed": row.is_installed,
        "repositories": row.repositories,
    });
    if !row.is_environment {
        value["is_visible"] = row.is_visible.into();
        value["langonly"] = row.lang_only.as_str().into();
    }
    for (title, names) in &row.parts {
        value[title.to_lowercase().replace(' ', "_")] = names.clone().into();
    }
    value
}
