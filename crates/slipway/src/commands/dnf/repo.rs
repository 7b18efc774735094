use std::process::ExitCode;

use clap::{Args, Subcommand};
use update::config::{Key, Repository, redacted};
use update::history::date;
use update::query::glob::Glob;

use super::session::Session;
use super::shown;
use crate::explain::Failure;
use crate::ui::Table;

/// Show repositories
#[derive(Subcommand)]
pub(super) enum Command {
    /// List repositories
    #[command(after_help = "Example: slipway dnf repo list --all")]
    List(ListArguments),
    /// Show what is known of repositories
    #[command(after_help = "Example: slipway dnf repo info base")]
    Info(InfoArguments),
}

/// List repositories
#[derive(Args)]
#[command(after_help = "Example: slipway dnf repolist --all")]
pub(super) struct ListArguments {
    /// Patterns of ids.
    ids: Vec<String>,
    /// Also those that are not used.
    #[arg(long)]
    all: bool,
    /// Those that are used; the default.
    #[arg(long)]
    enabled: bool,
    /// Those that are not used.
    #[arg(long)]
    disabled: bool,
}

/// Show what is known of repositories
#[derive(Args)]
pub(super) struct InfoArguments {
    #[command(flatten)]
    list: ListArguments,
}

pub(super) fn run(command: &Command, session: &Session) -> Result<ExitCode, Failure> {
    match command {
        Command::List(arguments) => list(arguments, session),
        Command::Info(arguments) => info(arguments, session),
    }
}

fn chosen<'a>(arguments: &ListArguments, session: &'a Session) -> Result<Vec<&'a Repository>, Failure> {
    // `dnf repolist all` is how yum says `--all`.
    let word = arguments.ids.first().map(String::as_str).filter(|word| ["all", "enabled", "disabled"].contains(word));
    let ids: Vec<Glob> = arguments.ids.iter().skip(usize::from(word.is_some())).map(|id| Glob::new(id)).collect();
    let all = arguments.all || word == Some("all");
    let disabled = arguments.disabled || word == Some("disabled");
    let repositories = session.config.repositories.iter();
    let found: Vec<&Repository> = repositories
        .filter(|repository| if ids.is_empty() { all || repository.enabled != disabled } else { true })
        .filter(|repository| ids.is_empty() || ids.iter().any(|id| id.matches(&repository.id)))
        .collect();
    if found.is_empty() && !ids.is_empty() {
        return Err(Failure::work("no matching repositories found"));
    }
    Ok(found)
}

pub(super) fn list(arguments: &ListArguments, session: &Session) -> Result<ExitCode, Failure> {
    let found = chosen(arguments, session)?;
    let status = |repository: &Repository| if repository.enabled { "enabled" } else { "disabled" };
    if session.ui.json {
        let rows = found.iter().map(|repository| {
            serde_json::json!({ "id": repository.id, "name": repository.name(), "is_enabled": repository.enabled })
        });
        session.ui.json(&rows.collect::<Vec<_>>());
        return Ok(ExitCode::SUCCESS);
    }
    let with_status = arguments.all || arguments.disabled || !arguments.ids.is_empty();
    let mut head = vec!["repo id", "repo name"];
    if with_status {
        head.push("status");
    }
    let mut table = Table::plain(&head);
    for repository in found {
        let mut row = vec![repository.id.clone(), repository.name()];
        if with_status {
            row.push(status(repository).to_owned());
        }
        table.row(row);
    }
    session.ui.data(&table.text());
    Ok(ExitCode::SUCCESS)
}

pub(super) fn info(arguments: &InfoArguments, session: &Session) -> Result<ExitCode, Failure> {
    let found = chosen(&arguments.list, session)?;
    let sack = session.sack(&[], true)?;
    let mut values = Vec::new();
    for repository in found {
        let synced = sack.repositories().iter().find(|synced| synced.repository.id == repository.id);
        let places: Vec<_> = sack.available().filter(|place| sack.repository_id(*place) == repository.id).collect();
        let size: u64 = places.iter().map(|place| sack.package(*place).sizes.package).sum();
        let flag = |key| repository.flag(key).to_string();
        let urls = |key: Key| repository.list(key).iter().map(|url| redacted(url)).collect::<Vec<_>>().join(", ");
        let expire = match repository.seconds(Key::MetadataExpire) {
            u64::MAX => "never".to_owned(),
            seconds => format!("{seconds} seconds"),
        };
        let mut lines = vec![
            ("Repo ID", repository.id.clone()),
            ("Name", repository.name()),
            ("Status", if repository.enabled { "enabled" } else { "disabled" }.to_owned()),
            ("Priority", repository.number(Key::Priority).to_string()),
            ("Cost", repository.number(Key::Cost).to_string()),
            ("Exclude packages", repository.patterns(Key::Exclude).join(", ")),
            ("Include packages", repository.patterns(Key::IncludePackages).join(", ")),
            ("Metadata expire", expire),
            ("Skip if unavailable", flag(Key::SkipIfUnavailable)),
            ("Configured in", repository.origin.to_string()),
            ("Base URL", urls(Key::BaseUrl)),
            ("Mirror list", urls(Key::MirrorList)),
            ("Metalink", urls(Key::Metalink)),
            ("Keys", urls(Key::GpgKey)),
            ("Verify repodata", flag(Key::RepoGpgCheck)),
            ("Verify packages", flag(Key::GpgCheck)),
        ];
        if let Some(synced) = synced {
            lines.push(("Asked for", synced.asked_at().map(date).unwrap_or_default()));
            lines.push(("Available packages", places.len().to_string()));
            lines.push(("Size", shown::bytes(size)));
            lines.push(("Revision", synced.repomd.revision.clone()));
            let updated = synced.repomd.data.iter().map(|data| data.timestamp).max();
            lines.push(("Updated", updated.map(date).unwrap_or_default()));
            lines.push(("State", synced.state.to_string()));
        }
        lines.retain(|(_, value)| !value.is_empty());
        if !session.ui.json {
            let text = lines.iter().map(|(name, value)| format!("{name:<20} : {value}")).collect::<Vec<_>>().join("\n");
            session.ui.data(&format!("{text}\n "));
        }
        let key = |name: &str| name.to_lowercase().replace(' ', "_");
        let map = lines.into_iter().map(|(name, value)| (key(name), serde_json::Value::from(value)));
        values.push(serde_json::Value::Object(map.collect()));
    }
    if session.ui.json {
        session.ui.json(&values);
    }
    Ok(ExitCode::SUCCESS)
}
