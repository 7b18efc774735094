use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use host::Host;
use update::config::{Config, ConfigError, Key, Overrides};
use update::keys::KeyOffer;
use update::reasons::Reasons;
use update::{DatabaseFile, Freshness, Machine, Sack, SyncError, Synced};

use super::Global;
use crate::explain::Failure;
use crate::ui::Ui;

/// What every command of `dnf` has at hand.
pub(super) struct Session {
    pub(super) ui: Ui,
    pub(super) host: Host,
    pub(super) config: Config,
    pub(super) now: u64,
    pub(super) database: DatabaseFile,
    pub(super) reasons: Reasons,
    /// The release of the distribution that is installed, where the root says it.
    pub(super) release: Option<String>,
    /// The command line, without what is secret.
    pub(super) command: String,
    /// What is remembered with a transaction.
    pub(super) comment: String,
    /// Whether packages that nothing needs any more are told.
    pub(super) shows_new_leaves: bool,
    freshness: Freshness,
}

impl Session {
    pub(super) fn new(global: &Global, command: String, ui: &Ui) -> Result<Session, Failure> {
        let host = Host::detect().map_err(|error| Failure::work(error.to_string()))?;
        host.on_interrupt();
        let root = global.installroot.clone().unwrap_or_else(|| PathBuf::from("/"));
        let database = DatabaseFile::read(&root).map_err(failed)?;
        let release = |root: &Path| database.release().or_else(|| release_of(root));
        let config = Config::load(&overrides(global, &host)?, &release).map_err(configuration)?;
        let release = release(&root);
        for warning in &config.warnings {
            ui.note(&format!("warning: {warning}"));
        }
        let reasons = Reasons::load(&config.folder(Key::PersistDir)).map_err(failed)?;
        let freshness = match (global.cacheonly || config.main.flag(Key::CacheOnly), global.refresh) {
            (true, true) => return Err(Failure::usage("`--cacheonly` and `--refresh` contradict each other")),
            (true, false) => Freshness::CacheOnly,
            (false, true) => Freshness::Refresh,
            (false, false) => Freshness::AsConfigured,
        };
        Ok(Session {
            ui: ui.clone(),
            host,
            config,
            now: host::clock::unix_now(),
            database,
            reasons,
            release,
            command,
            comment: global.comment.clone().unwrap_or_default(),
            shows_new_leaves: global.show_new_leaves,
            freshness,
        })
    }

    /// Reads anew what is installed: another process may have changed it.
    pub(super) fn reload(&mut self) -> Result<(), Failure> {
        self.database = DatabaseFile::read(&self.config.installroot).map_err(failed)?;
        self.reasons = Reasons::load(&self.config.folder(Key::PersistDir)).map_err(failed)?;
        Ok(())
    }

    /// Does something with what `update` acts with.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Machine<'_>) -> T) -> T {
        let consent = |offer: &KeyOffer| self.consents(offer);
        let note = |text: &str| self.ui.note(text);
        work(&Machine { host: &self.host, config: &self.config, now: self.now, consent: &consent, note: &note })
    }

    /// The enabled repositories, with their documents of `kinds`. One that cannot be had ends the command, unless it says
    /// `skip_if_unavailable`.
    pub(super) fn repositories(&self, kinds: &[&str]) -> Result<Vec<Synced>, Failure> {
        self.repositories_at(kinds, self.freshness)
    }

    pub(super) fn repositories_at(&self, kinds: &[&str], freshness: Freshness) -> Result<Vec<Synced>, Failure> {
        let mut all = Vec::new();
        let mut kinds = kinds.to_vec();
        kinds.push("primary");
        for repository in self.config.enabled() {
            match self.with(|machine| update::sync(repository, &kinds, freshness, machine)) {
                Ok(synced) => all.push(synced),
                Err(error) if repository.flag(Key::SkipIfUnavailable) && may_be_skipped(&error) => {
                    self.ui.note(&format!("warning: {error}\nwarning: `{}` is skipped, as it allows", repository.id));
                }
                Err(error) if error.is_full() => return Err(out_of_room(error)),
                Err(error) if may_be_skipped(&error) => {
                    let id = &repository.id;
                    return Err(failed(error).hint(format!(
                        "`--disable-repo={id}` goes on without it; with `skip_if_unavailable=1` it may always be missing"
                    )));
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(all)
    }

    /// What is installed and, where wanted, what the repositories have.
    pub(super) fn sack(&self, kinds: &[&str], available: bool) -> Result<Sack, Failure> {
        let repositories = if available { self.repositories(kinds)? } else { Vec::new() };
        let installed = self.database.packages().map_err(failed)?;
        self.with(|machine| Sack::load(installed, repositories, kinds, &self.reasons, machine)).map_err(failed)
    }

    fn consents(&self, offer: &KeyOffer) -> bool {
        let mut text = format!("the repository `{}` wants its key to be accepted:\n", offer.repository);
        for user in &offer.user_ids {
            text.push_str(&format!("  user id      {user}\n"));
        }
        text.push_str(&format!("  fingerprint  {}\n  from         {}", offer.fingerprint, offer.url));
        self.asks(&text)
    }

    /// Asks a question; the configuration or the command line may have answered it.
    pub(super) fn asks(&self, text: &str) -> bool {
        let main = &self.config.main;
        self.ui.note(text);
        if main.flag(Key::AssumeNo) || main.flag(Key::AssumeYes) {
            return !main.flag(Key::AssumeNo);
        }
        if !std::io::stdin().is_terminal() {
            self.ui.note("nobody is there to ask; say `-y` to agree");
            return false;
        }
        let default = main.flag(Key::DefaultYes);
        self.ui.ask(if default { "Is this ok [Y/n]: " } else { "Is this ok [y/N]: " });
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        match answer.trim().to_ascii_lowercase().as_str() {
            "" => default,
            answer => matches!(answer, "y" | "yes"),
        }
    }
}

/// Whether an unavailable repository is the problem, and not this machine.
fn may_be_skipped(error: &SyncError) -> bool {
    matches!(
        error,
        SyncError::Unreachable { .. }
            | SyncError::NoAddress { .. }
            | SyncError::Variable { .. }
            | SyncError::Mirrors { .. }
            | SyncError::Signature { .. }
            | SyncError::Document { .. }
            | SyncError::NotCached { .. }
    )
}

fn overrides(global: &Global, host: &Host) -> Result<Overrides, Failure> {
    let mut setopt = Vec::new();
    if global.installroot.is_none()
        && !host.is_privileged()
        && let Some(cache) = host::environment::cache_home()
    {
        // Others may only read the machine's own cache.
        setopt.push(format!("cachedir={}", cache.join("slipway/dnf").display()));
    }
    setopt.extend(global.setopt.iter().cloned());
    let switches = [
        (global.assumeyes, "assumeyes=1"),
        (global.assumeno, "assumeno=1"),
        (global.best, "best=1"),
        (global.no_best, "best=0"),
        (global.no_gpg_checks, "gpgcheck=0"),
        (global.no_gpg_checks, "*.gpgcheck=0"),
    ];
    setopt.extend(switches.into_iter().filter(|(on, _)| *on).map(|(_, option)| option.to_owned()));
    setopt.extend(global.exclude.iter().map(|words| format!("excludepkgs={words}")));
    let mut from_path = Vec::new();
    for argument in &global.repo_from_path {
        let (id, url) =
            argument.split_once(',').filter(|(id, url)| !id.is_empty() && !url.is_empty()).ok_or_else(|| {
                Failure::usage(format!("`--repofrompath` is `ID,URL`, not `{}`", update::config::redacted(argument)))
            })?;
        from_path.push((id.to_owned(), url.to_owned()));
    }
    let enable = global.enable_repo.iter().map(|ids| (ids.clone(), true));
    let disable = global.disable_repo.iter().map(|ids| (ids.clone(), false));
    Ok(Overrides {
        config: global.config.clone(),
        installroot: global.installroot.clone(),
        use_host_config: global.use_host_config,
        releasever: global.releasever.clone(),
        arch: global.forcearch.clone(),
        setopt,
        only: global.repo.clone(),
        enable: disable.chain(enable).collect(),
        from_path,
    })
}

/// `VERSION_ID` of os-release(5).
fn release_of(root: &Path) -> Option<String> {
    let files = ["etc/os-release", "usr/lib/os-release"];
    let text = files.iter().find_map(|file| fs_err::read_to_string(root.join(file)).ok())?;
    let line = text.lines().find_map(|line| line.strip_prefix("VERSION_ID="))?;
    Some(line.trim().trim_matches(['"', '\'']).to_owned()).filter(|version| !version.is_empty())
}

/// An error of `update` as people see it.
pub(super) fn failed(error: impl std::error::Error) -> Failure {
    Failure::work(error.to_string())
}

/// The same where a disk was full: the machine's owner has to act.
pub(super) fn out_of_room(error: impl std::error::Error) -> Failure {
    Failure::environment(error.to_string())
        .hint("make room and say it again; `slipway dnf clean packages` removes package files that were fetched")
}

fn configuration(error: ConfigError) -> Failure {
    let message = error.to_string();
    match error {
        ConfigError::Argument { .. } => Failure::usage(message),
        ConfigError::NoRepository { known, .. } if !known.is_empty() => {
            Failure::work(message).hint(format!("there are {}", known.join(", ")))
        }
        ConfigError::NoRepository { .. } => Failure::work(message)
            .hint("no repository is configured; `--use-host-config` takes this machine's into another root"),
        _ => Failure::work(message),
    }
}
