use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use update::config::{ConfigError, Place, edit};
use update::query::glob::Glob;

use super::session::{Session, failed};
use crate::explain::Failure;

/// Change the configuration: repositories, options, variables
#[derive(Subcommand)]
pub(super) enum Command {
    /// Add repositories: those of a file, or one that options describe
    #[command(
        after_help = "Example: slipway dnf config-manager addrepo --id base --set baseurl=https://example.org/base"
    )]
    Addrepo(Added),
    /// Set options of `[main]`, or of repositories
    #[command(after_help = "Example: slipway dnf config-manager setopt keepcache=1 base.enabled=0")]
    Setopt {
        /// `option=value`, or `repository.option=value`, where the repository may be a pattern.
        #[arg(required = true, value_name = "OPTION=VALUE")]
        options: Vec<String>,
        #[command(flatten)]
        folders: Folders,
    },
    /// Take back options
    #[command(after_help = "Example: slipway dnf config-manager unsetopt keepcache base.enabled")]
    Unsetopt {
        /// `option`, or `repository.option`.
        #[arg(required = true, value_name = "OPTION")]
        options: Vec<String>,
    },
    /// Set variables
    #[command(visible_alias = "addvar", after_help = "Example: slipway dnf config-manager setvar mirror=example.org")]
    Setvar {
        /// `variable=value`.
        #[arg(required = true, value_name = "VARIABLE=VALUE")]
        variables: Vec<String>,
        #[command(flatten)]
        folders: Folders,
    },
    /// Take back variables
    #[command(after_help = "Example: slipway dnf config-manager unsetvar mirror")]
    Unsetvar {
        /// Names.
        #[arg(required = true)]
        variables: Vec<String>,
    },
    /// Use repositories
    #[command(after_help = "Example: slipway dnf config-manager enable base")]
    Enable {
        /// Patterns of ids.
        #[arg(required = true)]
        repositories: Vec<String>,
        #[command(flatten)]
        folders: Folders,
    },
    /// Do not use repositories
    #[command(after_help = "Example: slipway dnf config-manager disable 'debug-*'")]
    Disable {
        /// Patterns of ids.
        #[arg(required = true)]
        repositories: Vec<String>,
        #[command(flatten)]
        folders: Folders,
    },
}

#[derive(Args, Clone, Copy)]
pub(super) struct Folders {
    /// Make folders that are not there.
    #[arg(long)]
    create_missing_dir: bool,
}

#[derive(Args)]
pub(super) struct Added {
    /// A file of repositories, or its address; it is checked before it is taken.
    #[arg(long, value_name = "FILE|URL", conflicts_with_all = ["id", "set", "add_or_replace"])]
    from_repofile: Option<String>,
    /// The id of the repository; made of its address if not said.
    #[arg(long)]
    id: Option<String>,
    /// An option of the repository.
    #[arg(long, value_name = "OPTION=VALUE")]
    set: Vec<String>,
    /// The file may be there already: the repository is added to it, or replaced in it.
    #[arg(long, conflicts_with = "overwrite")]
    add_or_replace: bool,
    /// The file may be there already, and is written over.
    #[arg(long)]
    overwrite: bool,
    /// The file's name; `.repo` is added where it is missing.
    #[arg(long, value_name = "NAME")]
    save_filename: Option<String>,
    #[command(flatten)]
    folders: Folders,
}

pub(super) fn run(command: &Command, session: &Session) -> Result<ExitCode, Failure> {
    let files = &session.config.files;
    let written = match command {
        Command::Addrepo(added) => vec![add(added, session)?],
        Command::Setopt { options, folders } => set_options(options, *folders, session)?,
        Command::Unsetopt { options } => unset_options(options, session)?,
        Command::Setvar { variables, folders } => set_variables(variables, *folders, session)?,
        Command::Unsetvar { variables } => {
            let mut gone = Vec::new();
            for name in variables {
                check_variable(name)?;
                let file = files.variables.join(name);
                match fs_err::remove_file(&file) {
                    Ok(()) => gone.push(file),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                        session
                            .ui
                            .note(&format!("the variable `{name}` is not set in `{}`", files.variables.display()));
                    }
                    Err(error) => return Err(failed(error)),
                }
            }
            gone
        }
        Command::Enable { repositories, folders } => switch(repositories, "1", *folders, session)?,
        Command::Disable { repositories, folders } => switch(repositories, "0", *folders, session)?,
    };
    if session.ui.json {
        session.ui.json(&written);
    } else {
        written.iter().for_each(|file| session.ui.note(&format!("changed: {}", file.display())));
    }
    Ok(ExitCode::SUCCESS)
}

/// An error of a file or argument.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn wrong(error: ConfigError) -> Failure {
    Failure::work(format!("{error}; nothing was written"))
}

fn folder(path: &Path, folders: Folders) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    if !folders.create_missing_dir {
        return Err(
            Failure::work(format!("there is no folder `{}`", path.display())).hint("`--create-missing-dir` makes it")
        );
    }
    fs_err::create_dir_all(path).map_err(failed)
}

fn pair(argument: &str) -> Result<(String, String), Failure> {
    let (key, value) = argument
        .split_once('=')
        .ok_or_else(|| Failure::usage(format!("`{argument}` has no `=`: it is `option=value`")))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// The repository and the option of `repository.option`; no repository is `[main]`.
fn split(key: &str) -> Result<(Option<&str>, &str), Failure> {
    match key.rsplit_once('.') {
        None => Ok((None, key)),
        Some((id, option)) if !id.is_empty() && !option.is_empty() => Ok((Some(id), option)),
        Some(_) => Err(Failure::usage(format!("`{key}` is neither `option` nor `repository.option`"))),
    }
}

/// The ids of repositories that a pattern means.
fn matching(pattern: &str, session: &Session) -> Result<Vec<String>, Failure> {
    let glob = Glob::new(pattern);
    let ids = session.config.repositories.iter().map(|repository| &repository.id);
    let found: Vec<String> = ids.filter(|id| glob.matches(id)).cloned().collect();
    match found.is_empty() {
        true => {
            Err(Failure::work(format!("no repository matches `{pattern}`"))
                .hint("`slipway dnf repolist --all` lists them"))
        }
        false => Ok(found),
    }
}

fn set_options(options: &[String], folders: Folders, session: &Session) -> Result<Vec<PathBuf>, Failure> {
    let mut main: Vec<(String, String)> = Vec::new();
    // Each with the repository that it is for.
    let mut repositories = Vec::new();
    for argument in options {
        let (key, value) = pair(argument)?;
        let (pattern, option) = split(&key)?;
        let place = if pattern.is_some() { Place::Repository } else { Place::Main };
        edit::check_option(option, &value, place)
            .map_err(|problem| Failure::work(format!("`{key}` cannot be set: {problem}; nothing was written")))?;
        match pattern {
            None => main.push((option.to_owned(), value)),
            Some(pattern) => {
                let ids = matching(pattern, session)?.into_iter();
                repositories.extend(ids.map(|id| (id, (option.to_owned(), value.clone()))));
            }
        }
    }
    twice(main.iter().map(|(key, value)| (key.clone(), value)))?;
    twice(repositories.iter().map(|(id, (key, value))| (format!("{id}.{key}"), value)))?;
    let files = &session.config.files;
    let mut written = Vec::new();
    // Both texts are made before one of them is written.
    let mut texts = Vec::new();
    if !main.is_empty() {
        let text = edit::set(&edit::read(&files.main).map_err(wrong)?, &files.main, "main", &main).map_err(wrong)?;
        texts.push((files.main.clone(), text));
    }
    if !repositories.is_empty() {
        let mut text = edit::read(&files.overrides).map_err(wrong)?;
        for (id, option) in repositories {
            text = edit::set(&text, &files.overrides, &id, &[option]).map_err(wrong)?;
        }
        texts.push((files.overrides.clone(), text));
    }
    for (file, text) in texts {
        folder(file.parent().unwrap_or(Path::new("/")), folders)?;
        edit::write(&file, &text).map_err(failed)?;
        written.push(file);
    }
    Ok(written)
}

/// Refuses two values of one option.
fn twice<'a>(options: impl Iterator<Item = (String, &'a String)>) -> Result<(), Failure> {
    let mut known = std::collections::BTreeMap::new();
    for (key, value) in options {
        if let Some(other) = known.insert(key.clone(), value).filter(|other| *other != value) {
            return Err(Failure::usage(format!("`{key}` is set twice: to `{other}` and to `{value}`")));
        }
    }
    Ok(())
}

fn unset_options(options: &[String], session: &Session) -> Result<Vec<PathBuf>, Failure> {
    let files = &session.config.files;
    let (before_main, before) = (edit::read(&files.main).map_err(wrong)?, edit::read(&files.overrides).map_err(wrong)?);
    let (mut main, mut overrides) = (before_main.clone(), before.clone());
    for key in options {
        let (pattern, option) = split(key)?;
        let mut count = 0;
        match pattern {
            None => (main, count) = edit::unset(&main, &files.main, "main", &[option.to_owned()]).map_err(wrong)?,
            Some(pattern) => {
                let glob = Glob::new(pattern);
                for section in edit::sections(&overrides, &files.overrides).map_err(wrong)? {
                    if glob.matches(&section) {
                        let (text, lines) =
                            edit::unset(&overrides, &files.overrides, &section, &[option.to_owned()]).map_err(wrong)?;
                        overrides = text;
                        count += lines;
                    }
                }
            }
        }
        if count == 0 {
            let file = if pattern.is_some() { &files.overrides } else { &files.main };
            session.ui.note(&format!("`{key}` is not set in `{}`", file.display()));
        }
    }
    let mut written = Vec::new();
    for (file, old, new) in [(&files.main, &before_main, &main), (&files.overrides, &before, &overrides)] {
        if old != new {
            edit::write(file, new).map_err(failed)?;
            written.push(file.clone());
        }
    }
    Ok(written)
}

fn check_variable(name: &str) -> Result<(), Failure> {
    match !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        true => Ok(()),
        false => Err(Failure::usage(format!("the name of a variable has only letters, digits and `_`: `{name}`"))),
    }
}

fn set_variables(variables: &[String], folders: Folders, session: &Session) -> Result<Vec<PathBuf>, Failure> {
    let to = &session.config.files.variables;
    let mut pairs = Vec::new();
    for argument in variables {
        let (name, value) = pair(argument)?;
        check_variable(&name)?;
        if matches!(name.as_str(), "releasever_major" | "releasever_minor") {
            return Err(Failure::work(format!("`{name}` cannot be set: it follows from `releasever`")));
        }
        if value.contains('\n') {
            return Err(Failure::usage(format!("the value of `{name}` has more than one line")));
        }
        pairs.push((name, value));
    }
    twice(pairs.iter().map(|(name, value)| (name.clone(), value)))?;
    folder(to, folders)?;
    let mut written = Vec::new();
    for (name, value) in pairs {
        let file = to.join(name);
        edit::write(&file, &format!("{value}\n")).map_err(failed)?;
        written.push(file);
    }
    Ok(written)
}

fn switch(patterns: &[String], value: &str, folders: Folders, session: &Session) -> Result<Vec<PathBuf>, Failure> {
    let options: Vec<String> = patterns.iter().map(|pattern| format!("{pattern}.enabled={value}")).collect();
    set_options(&options, folders, session)
}

fn add(added: &Added, session: &Session) -> Result<PathBuf, Failure> {
    let to = session.config.files.repositories.first().cloned();
    let to = to.ok_or_else(|| Failure::work("no folder of repository files is configured (`reposdir`)"))?;
    let (name, text) = match &added.from_repofile {
        Some(from) => {
            let text = text_of(from, session)?;
            edit::check_repositories(&text, Path::new(from)).map_err(wrong)?;
            (from.rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default().to_owned(), text)
        }
        None => {
            let (id, text) = described(added)?;
            (id, text)
        }
    };
    let name = added.save_filename.clone().unwrap_or(name);
    let name = if name.ends_with(".repo") { name } else { format!("{name}.repo") };
    if name == ".repo" || name.contains('/') {
        return Err(
            Failure::usage(format!("`{name}` cannot be the name of a file")).hint("`--save-filename` says another")
        );
    }
    let file = to.join(&name);
    if file.exists() && !added.overwrite && !added.add_or_replace {
        return Err(Failure::work(format!("`{}` is there already; nothing was written", file.display()))
            .hint("`--add-or-replace` adds to it, `--overwrite` replaces it"));
    }
    let ids = edit::sections(&text, &file).map_err(wrong)?;
    for known in session.config.repositories.iter().filter(|known| ids.contains(&known.id)) {
        let origin = known.origin.to_string();
        if !origin.starts_with(&format!("{}:", file.display())) {
            return Err(Failure::work(format!(
                "the repository `{}` is described already, at {origin}; nothing was written",
                known.id
            ))
            .hint("`--id` says another id"));
        }
    }
    let text = match added.add_or_replace && file.exists() {
        false => text,
        true => replaced(&edit::read(&file).map_err(wrong)?, &text, &ids, &file)?,
    };
    folder(&to, added.folders)?;
    edit::write(&file, &text).map_err(failed)?;
    Ok(file)
}

/// `old` without the sections of `ids`, and `new` behind it.
fn replaced(old: &str, new: &str, ids: &[String], file: &Path) -> Result<String, Failure> {
    edit::sections(old, file).map_err(wrong)?;
    let mut kept = String::new();
    let mut keeps = true;
    for line in old.lines() {
        if let Some((name, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            keeps = !ids.iter().any(|id| id == name.trim());
        }
        if keeps {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    Ok(if kept.trim().is_empty() { new.to_owned() } else { format!("{}\n\n{new}", kept.trim_end()) })
}

fn text_of(from: &str, session: &Session) -> Result<String, Failure> {
    match from.contains("://") {
        false => edit::read(Path::new(from)).map_err(wrong).and_then(|text| match Path::new(from).exists() {
            true => Ok(text),
            false => Err(Failure::work(format!("there is no file `{from}`"))),
        }),
        true => {
            let bytes = session.with(|machine| update::fetch_text(from, machine)).map_err(failed)?;
            String::from_utf8(bytes)
                .map_err(|_| Failure::work(format!("`{}` is no text", update::config::redacted(from))))
        }
    }
}

/// The id and the text of a repository that options describe.
fn described(added: &Added) -> Result<(String, String), Failure> {
    let mut options = Vec::new();
    for argument in &added.set {
        let (key, value) = pair(argument)?;
        edit::check_option(&key, &value, Place::Repository)
            .map_err(|problem| Failure::work(format!("`{key}` cannot be set: {problem}; nothing was written")))?;
        options.push((key, value));
    }
    twice(options.iter().map(|(key, value)| (key.clone(), value)))?;
    let address = ["baseurl", "mirrorlist", "metalink"].iter().find_map(|name| {
        let (_, value) = options.iter().find(|(key, value)| key == name && !value.is_empty())?;
        Some(value.split([' ', ',', '\n']).find(|word| !word.is_empty())?.to_owned())
    });
    let Some(address) = address else {
        return Err(Failure::usage("nothing says where the repository is")
            .hint("`--set baseurl=..`, `--set mirrorlist=..`, `--set metalink=..` or `--from-repofile`"));
    };
    let id = added.id.clone().unwrap_or_else(|| id_of(&address));
    edit::check_id(&id).map_err(Failure::usage)?;
    let mut lines = vec![format!("[{id}]")];
    for (key, value) in [("name", id.clone()), ("enabled", "1".to_owned())] {
        if !options.iter().any(|(known, _)| known == key) {
            lines.push(format!("{key}={value}"));
        }
    }
    lines.extend(options.iter().map(|(key, value)| format!("{key}={}", value.replace('\n', "\n    "))));
    Ok((id, format!("{}\n", lines.join("\n"))))
}

/// The id of a repository that has only an address: what follows the scheme, `_` for what cannot be in an id.
fn id_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest).trim_matches('/');
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let mut id = String::new();
    for c in rest.chars().take(200) {
        match c.is_ascii_alphanumeric() || "-.".contains(c) {
            true => id.push(c),
            false if !id.ends_with('_') => id.push('_'),
            false => {}
        }
    }
    id.trim_matches(['.', ',', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_of_addresses() {
        for (address, id) in [
            ("https://www.example.org/base/$releasever/", "example.org_base_releasever"),
            ("file:///srv/repository", "srv_repository"),
            ("https://u:p@h/x", "h_x"),
        ] {
            assert_eq!(id_of(address), id);
        }
    }

    #[test]
    fn a_repository_is_replaced_in_its_file_alone() {
        let old = "# top\n[a]\nbaseurl=x\n\n[b]\nbaseurl=y\n";
        let new = replaced(old, "[b]\nbaseurl=z\n", &["b".to_owned()], Path::new("f")).unwrap();
        assert_eq!(new, "# top\n[a]\nbaseurl=x\n\n[b]\nbaseurl=z\n");
    }
}
