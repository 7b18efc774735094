use std::process::ExitCode;

use update::config::{Key, Place};

use super::Global;
use super::session::Session;
use crate::explain::Failure;

/// Whether one of the `--dump` options was given.
pub(super) fn is_asked(global: &Global) -> bool {
    global.dump_main_config || global.dump_variables || !global.dump_repo_config.is_empty()
}

/// Shows what is configured, and where each value comes from. Secrets are not shown.
pub(super) fn run(global: &Global, session: &Session) -> Result<ExitCode, Failure> {
    let config = &session.config;
    let mut all = serde_json::Map::new();
    if global.dump_main_config {
        let rows = Key::ALL
            .iter()
            .filter(|key| key.place() != Place::Repository)
            .map(|key| (*key, config.main.text(*key).to_owned(), config.main.origin(*key).to_string()));
        all.insert("main".to_owned(), section(session, "[main]", rows.collect()));
    }
    for id in global.dump_repo_config.iter().flat_map(|ids| ids.split(',')) {
        let found = config.repositories.iter().find(|repository| repository.id == id);
        let repository = found.ok_or_else(|| Failure::work(format!("no repository matches `{id}`")))?;
        let rows = Key::ALL
            .iter()
            .filter(|key| key.place() != Place::Main)
            .map(|key| (*key, repository.text(*key), repository.origin_of(*key).to_string()));
        all.insert(id.to_owned(), section(session, &format!("[{id}]"), rows.collect()));
    }
    if global.dump_variables {
        let lines: Vec<String> = config.variables.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        if !session.ui.json {
            session.ui.data(&format!("======== Variables: ========\n{}", lines.join("\n")));
        }
        let values = config.variables.iter().map(|(name, value)| (name.to_owned(), value.into()));
        all.insert("variables".to_owned(), serde_json::Value::Object(values.collect()));
    }
    if session.ui.json {
        session.ui.json(&all);
    }
    Ok(ExitCode::SUCCESS)
}

fn section(session: &Session, title: &str, rows: Vec<(Key, String, String)>) -> serde_json::Value {
    let shown = |key: Key, text: String| match key.is_secret() && !text.is_empty() {
        true => "***".to_owned(),
        false => text.split(['\n', ' ']).map(update::config::redacted).collect::<Vec<_>>().join(" "),
    };
    let mut values = serde_json::Map::new();
    let mut lines = vec![title.to_owned()];
    for (key, text, origin) in rows {
        let text = shown(key, text);
        lines.push(format!("{} = {text}  # {origin}", key.name()));
        values.insert(key.name().to_owned(), serde_json::json!({ "value": text, "origin": origin }));
    }
    if !session.ui.json {
        session.ui.data(&lines.join("\n"));
    }
    serde_json::Value::Object(values)
}
