//! `slipway dnf`: the package manager of a machine, with dnf5's commands, options and exit codes.
//!
//! The same program is run when the binary is called `dnf`, `dnf5`, `yum` or `tdnf`. What cannot be done yet is refused by
//! name, with the reason: see `refused`.

mod advisory;
mod advisory_choice;
mod autoremove;
mod builddep;
mod check;
mod check_upgrade;
mod clean;
mod config_manager;
mod configuration;
mod debuginfo_install;
mod distro_sync;
mod downgrade;
mod download;
mod group;
mod history;
mod info;
mod install;
mod leaves;
mod list;
mod makecache;
mod mark;
mod needs_restarting;
mod offline;
mod provides;
mod refused;
mod reinstall;
mod remove;
mod replay;
mod repo;
mod repoclosure;
mod repoquery;
mod reposync;
mod search;
mod session;
mod shown;
mod summary;
mod swap;
mod system_upgrade;
mod transact;
mod upgrade;
mod versionlock;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::explain::Failure;
use crate::ui::Ui;
use session::Session;

/// Names of the binary under which it is a package manager.
const NAMES: [&str; 4] = ["dnf", "dnf5", "yum", "tdnf"];

/// Manages the packages of this machine, or of a root in a folder
///
/// The commands, options, tables and exit codes are those of dnf5: 0 done, 1 it failed, 2 wrong usage, 100 upgrades are there.
#[derive(Parser)]
#[command(name = "dnf", version, arg_required_else_help = true, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "Example: slipway dnf --installroot /srv/root --use-host-config install bash")]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "dnf has a switch for each")]
pub(crate) struct Global {
    /// Answer every question with yes.
    #[arg(short = 'y', long, global = true, visible_alias = "yes")]
    assumeyes: bool,
    /// Answer every question with no.
    #[arg(long, global = true)]
    assumeno: bool,
    /// The configuration file.
    #[arg(short = 'c', long = "config", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set an option: `option=value`, or `repository.option=value`.
    #[arg(long, global = true, value_name = "OPTION=VALUE")]
    setopt: Vec<String>,
    /// Use these repositories and no others.
    #[arg(long = "repo", global = true, value_name = "ID,..", visible_alias = "repoid")]
    repo: Vec<String>,
    /// Use these repositories too.
    #[arg(long = "enable-repo", global = true, value_name = "ID,..", visible_alias = "enablerepo")]
    enable_repo: Vec<String>,
    /// Do not use these repositories.
    #[arg(long = "disable-repo", global = true, value_name = "ID,..", visible_alias = "disablerepo")]
    disable_repo: Vec<String>,
    /// Add a repository: its id and where it is.
    #[arg(long = "repofrompath", global = true, value_name = "ID,URL")]
    repo_from_path: Vec<String>,
    /// The root that is looked at and changed.
    #[arg(long, global = true, value_name = "DIR")]
    installroot: Option<PathBuf>,
    /// Take configuration and repositories from this machine, not from the root.
    #[arg(long, global = true)]
    use_host_config: bool,
    /// What `$releasever` is.
    #[arg(long, global = true, value_name = "VERSION")]
    releasever: Option<String>,
    /// The machine's architecture.
    #[arg(long, global = true, value_name = "ARCH")]
    forcearch: Option<String>,
    /// Do not see packages that match.
    #[arg(short = 'x', long, global = true, value_name = "SPEC,..", visible_alias = "excludepkgs")]
    exclude: Vec<String>,
    /// Ask for metadata again, whatever its age.
    #[arg(long, global = true)]
    refresh: bool,
    /// Use what was fetched before, and nothing else.
    #[arg(short = 'C', long, global = true)]
    cacheonly: bool,
    /// Do not check signatures of packages.
    #[arg(long = "no-gpgchecks", global = true, visible_alias = "nogpgcheck")]
    no_gpg_checks: bool,
    /// The best version, or an error.
    #[arg(long, global = true, overrides_with = "no_best")]
    best: bool,
    /// A version that is not the best will do.
    #[arg(long = "no-best", global = true, visible_alias = "nobest")]
    no_best: bool,
    /// Answer in JSON.
    #[arg(long, global = true, short_alias = 'j')]
    json: bool,
    /// No notes and no progress.
    #[arg(short = 'q', long, global = true)]
    quiet: bool,
    /// Say more; accepted for scripts, there is nothing more to say.
    #[arg(short = 'v', long, global = true)]
    verbose: bool,
    /// Do not load plugins; accepted for scripts, there are none.
    #[arg(long = "no-plugins", global = true, visible_alias = "noplugins")]
    no_plugins: bool,
    /// What is remembered with the transaction.
    #[arg(long, global = true, value_name = "TEXT")]
    comment: Option<String>,
    /// Tell which packages nothing needs any more after the transaction.
    #[arg(long, global = true)]
    show_new_leaves: bool,
    /// Write what the solver was asked: refused, since its answers say why themselves.
    #[arg(long, global = true, visible_alias = "debug-solver")]
    debugsolver: bool,
    /// Show the options of `[main]`, and where each comes from.
    #[arg(long)]
    dump_main_config: bool,
    /// Show the options of repositories, and where each comes from.
    #[arg(long, value_name = "ID,..")]
    dump_repo_config: Vec<String>,
    /// Show the variables.
    #[arg(long)]
    dump_variables: bool,
}

#[derive(Subcommand)]
enum Command {
    #[command(visible_alias = "ls")]
    List(list::Arguments),
    Info(info::Arguments),
    #[command(visible_alias = "se")]
    Search(search::Arguments),
    #[command(visible_alias = "rq")]
    Repoquery(Box<repoquery::Arguments>),
    #[command(visible_aliases = ["whatprovides", "prov"])]
    Provides(provides::Arguments),
    Repolist(repo::ListArguments),
    #[command(hide = true)]
    Repoinfo(repo::InfoArguments),
    #[command(subcommand)]
    Repo(repo::Command),
    Repoclosure(repoclosure::Arguments),
    Makecache(makecache::Arguments),
    Clean(clean::Arguments),
    Check(check::Arguments),
    #[command(name = "check-upgrade", visible_alias = "check-update")]
    CheckUpgrade(check_upgrade::Arguments),
    #[command(visible_alias = "in")]
    Install(install::Arguments),
    #[command(visible_aliases = ["erase", "rm"])]
    Remove(remove::Arguments),
    #[command(visible_aliases = ["update", "up"])]
    Upgrade(upgrade::Arguments),
    Downgrade(downgrade::Arguments),
    Reinstall(reinstall::Arguments),
    #[command(name = "distro-sync", visible_aliases = ["dsync", "distrosync"])]
    DistroSync(distro_sync::Arguments),
    Autoremove(autoremove::Arguments),
    Swap(swap::Arguments),
    Mark(mark::Arguments),
    #[command(subcommand)]
    Versionlock(versionlock::Command),
    Download(download::Arguments),
    #[command(subcommand)]
    History(history::Command),
    #[command(subcommand, visible_alias = "updateinfo")]
    Advisory(advisory::Command),
    #[command(subcommand, visible_alias = "grp")]
    Group(group::Command),
    #[command(subcommand)]
    Environment(group::EnvironmentCommand),
    Leaves(leaves::Arguments),
    #[command(name = "needs-restarting")]
    NeedsRestarting(needs_restarting::Arguments),
    #[command(name = "debuginfo-install")]
    DebuginfoInstall(debuginfo_install::Arguments),
    #[command(visible_alias = "build-dep")]
    Builddep(Box<builddep::Arguments>),
    Reposync(reposync::Arguments),
    Replay(replay::Arguments),
    #[command(subcommand)]
    Offline(offline::Command),
    #[command(subcommand, name = "system-upgrade")]
    SystemUpgrade(system_upgrade::Command),
    #[command(subcommand, name = "offline-upgrade")]
    OfflineUpgrade(system_upgrade::Upgrade),
    #[command(subcommand, name = "offline-distrosync")]
    OfflineDistroSync(system_upgrade::DistroSync),
    #[command(subcommand, name = "config-manager")]
    ConfigManager(config_manager::Command),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

/// Manage the packages of this machine, or of a root in a folder, as dnf5 does
#[derive(Args)]
#[command(disable_help_flag = true)]
#[command(after_help = "Example: slipway dnf --installroot /srv/root --use-host-config install bash")]
pub(crate) struct Arguments {
    /// A command of dnf and its options; `slipway dnf --help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// Whether the binary was called by the name of a package manager.
pub(crate) fn is_called(program: Option<&OsString>) -> bool {
    let name = program.and_then(|program| Path::new(program).file_name()?.to_str());
    name.is_some_and(|name| NAMES.contains(&name))
}

/// Runs as `slipway dnf`, whose options are dnf's and not Slipway's.
pub(crate) fn main(arguments: &[OsString]) -> ExitCode {
    run("slipway dnf", arguments, &Ui::new(false, false))
}

/// Runs as `slipway dnf` behind options of Slipway.
pub(crate) fn run_after(arguments: &Arguments, ui: &Ui) -> ExitCode {
    run("slipway dnf", &arguments.arguments, ui)
}

/// Runs under the name of a package manager.
pub(crate) fn main_as(program: &OsString, arguments: &[OsString]) -> ExitCode {
    let name = Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or("dnf").to_owned();
    run(&name, arguments, &Ui::new(false, false))
}

/// The description of the command line, for the reference page.
pub(crate) fn command() -> clap::Command {
    Cli::command().bin_name("slipway dnf")
}

fn run(name: &str, arguments: &[OsString], ui: &Ui) -> ExitCode {
    let described = Cli::command().bin_name(name.to_owned());
    let all = std::iter::once(OsString::from(name)).chain(arguments.iter().cloned());
    let mut cli = match described.try_get_matches_from(all).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    cli.global.json |= ui.json;
    cli.global.quiet |= ui.quiet;
    let ui = Ui::new(cli.global.json, cli.global.quiet);
    dispatch(&cli, arguments, &ui).unwrap_or_else(|failure| {
        ui.error(&failure.to_string());
        ExitCode::from(failure.code)
    })
}

fn dispatch(cli: &Cli, arguments: &[OsString], ui: &Ui) -> Result<ExitCode, Failure> {
    if let Some(Command::Other(words)) = &cli.command {
        return Err(refused::failure(words));
    }
    if cli.global.debugsolver {
        return Err(refused::debug_solver());
    }
    if let Some(Command::Offline(offline::Command::Execute)) = &cli.command {
        return offline::execute(&cli.global, ui);
    }
    let mut session = Session::new(&cli.global, shown(arguments), ui)?;
    if configuration::is_asked(&cli.global) {
        return configuration::run(&cli.global, &session);
    }
    let Some(command) = &cli.command else {
        return Err(Failure::usage("no command was given").hint("`slipway dnf --help` lists them"));
    };
    match command {
        Command::List(arguments) => list::run(arguments, &session),
        Command::Info(arguments) => info::run(arguments, &session),
        Command::Search(arguments) => search::run(arguments, &session),
        Command::Repoquery(arguments) => repoquery::run(arguments, &session),
        Command::Provides(arguments) => provides::run(arguments, &session),
        Command::Repolist(arguments) => repo::list(arguments, &session),
        Command::Repoinfo(arguments) => repo::info(arguments, &session),
        Command::Repo(command) => repo::run(command, &session),
        Command::Repoclosure(arguments) => repoclosure::run(arguments, &session),
        Command::Makecache(arguments) => makecache::run(arguments, &session),
        Command::Clean(arguments) => clean::run(arguments, &session),
        Command::Check(arguments) => check::run(arguments, &session),
        Command::CheckUpgrade(arguments) => check_upgrade::run(arguments, &session),
        Command::Install(arguments) => install::run(arguments, &mut session),
        Command::Remove(arguments) => remove::run(arguments, &mut session),
        Command::Upgrade(arguments) => upgrade::run(arguments, &mut session),
        Command::Downgrade(arguments) => downgrade::run(arguments, &mut session),
        Command::Reinstall(arguments) => reinstall::run(arguments, &mut session),
        Command::DistroSync(arguments) => distro_sync::run(arguments, &mut session),
        Command::Autoremove(arguments) => autoremove::run(arguments, &mut session),
        Command::Swap(arguments) => swap::run(arguments, &mut session),
        Command::Mark(arguments) => mark::run(arguments, &mut session),
        Command::Versionlock(command) => versionlock::run(command, &session),
        Command::Download(arguments) => download::run(arguments, &session),
        Command::History(command) => history::run(command, &mut session),
        Command::Advisory(command) => advisory::run(command, &session),
        Command::Group(command) => group::run(command, &mut session),
        Command::Environment(command) => group::run_environment(command, &mut session),
        Command::Leaves(arguments) => leaves::run(arguments, &session),
        Command::NeedsRestarting(arguments) => needs_restarting::run(arguments, &session),
        Command::DebuginfoInstall(arguments) => debuginfo_install::run(arguments, &mut session),
        Command::Builddep(arguments) => builddep::run(arguments, &mut session),
        Command::Reposync(arguments) => reposync::run(arguments, &session),
        Command::Replay(arguments) => replay::run(arguments, &mut session),
        Command::Offline(command) => offline::run(command, &mut session),
        Command::SystemUpgrade(command) => system_upgrade::run(command, &mut session),
        Command::OfflineUpgrade(command) => system_upgrade::run_upgrade(command, &mut session),
        Command::OfflineDistroSync(command) => system_upgrade::run_distro_sync(command, &mut session),
        Command::ConfigManager(command) => config_manager::run(command, &session),
        Command::Other(words) => Err(refused::failure(words)),
    }
}

/// The command line as the history keeps it: addresses without passwords, and no options that are secret.
fn shown(arguments: &[OsString]) -> String {
    let words = arguments.iter().map(|word| word.to_string_lossy());
    let words = words.map(|word| match word.split_once("password=").or_else(|| word.split_once("username=")) {
        Some((before, _)) => format!("{before}***"),
        None => update::config::redacted(&word),
    });
    words.collect::<Vec<_>>().join(" ")
}
