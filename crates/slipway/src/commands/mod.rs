//! The commands, a file each.

mod boot;
mod build;
mod check;
mod clean;
mod component;
mod component_diff;
mod component_render;
mod divergence;
mod dnf;
mod graph;
mod image;
mod image_test;
mod lock;
mod log;
mod migrate;
mod new;
mod reference;
mod repo;
mod rpm;
mod rpm_query;
mod rpm_verify;
mod shell;
mod sources;
pub(crate) mod spec;
mod update;
mod why;
mod why_changed;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::context::Context;
use crate::explain::Failure;
use crate::ui::Ui;

/// Makes and maintains a cloud Linux distribution: definition, packages, repository, images.
#[derive(Parser)]
#[command(name = "slipway", version, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "Example: slipway check && slipway build --all && slipway image build vm-base && slipway boot vm-base"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
pub(crate) struct Global {
    /// The folder of the definition: the one that holds `distro.toml` or `azldev.toml`, or `distro/distro.toml`. Found from the current folder upwards if not said.
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// The store; `$XDG_CACHE_HOME/slipway` or `~/.cache/slipway` if not said.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Where results are put; `out` beside the definition if not said.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No notes and no progress.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Subcommand)]
enum Command {
    New(new::Arguments),
    Check(check::Arguments),
    Build(build::Arguments),
    #[command(subcommand)]
    Component(component::Command),
    Divergence(divergence::Arguments),
    Graph(graph::Arguments),
    #[command(subcommand)]
    Repo(repo::Command),
    #[command(subcommand)]
    Image(image::Command),
    Boot(boot::Arguments),
    #[command(subcommand)]
    Rpm(rpm::Command),
    Log(log::Arguments),
    Shell(shell::Arguments),
    Why(why::Arguments),
    WhyChanged(why_changed::Arguments),
    #[command(subcommand)]
    Spec(spec::Command),
    Lock(lock::Arguments),
    #[command(subcommand)]
    Sources(sources::Command),
    Update(update::Arguments),
    Clean(clean::Arguments),
    Dnf(dnf::Arguments),
    #[command(subcommand)]
    Migrate(migrate::Command),
    #[command(hide = true)]
    Reference(reference::Arguments),
}

/// Runs the command that the arguments name.
pub(crate) fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    match &arguments[..] {
        [program, rest @ ..] if dnf::is_called(Some(program)) => return dnf::main_as(program, rest),
        // Its options are dnf's, some of which Slipway has for something else.
        [_, word, rest @ ..] if word == "dnf" => return dnf::main(rest),
        _ => {}
    }
    let cli = Cli::parse();
    let ui = Ui::new(cli.global.json, cli.global.quiet);
    let done = Context::new(&cli.global).and_then(|context| run(&cli.command, &context));
    done.unwrap_or_else(|failure: Failure| {
        ui.error(&failure.to_string());
        ExitCode::from(failure.code)
    })
}

fn run(command: &Command, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        Command::New(arguments) => new::run(arguments, context)?,
        Command::Check(arguments) => return check::run(arguments, context),
        Command::Build(arguments) => build::run(arguments, context)?,
        Command::Component(command) => component::run(command, context)?,
        Command::Divergence(arguments) => divergence::run(arguments, context)?,
        Command::Graph(arguments) => graph::run(arguments, context)?,
        Command::Repo(command) => repo::run(command, context)?,
        Command::Image(command) => image::run(command, context)?,
        Command::Boot(arguments) => boot::run(arguments, context)?,
        Command::Rpm(command) => return rpm::run(command, context),
        Command::Log(arguments) => log::run(arguments, context)?,
        Command::Shell(arguments) => return shell::run(arguments, context),
        Command::Why(arguments) => why::run(arguments, context)?,
        Command::WhyChanged(arguments) => why_changed::run(arguments, context)?,
        Command::Spec(command) => return spec::run(command, context),
        Command::Lock(arguments) => lock::run(arguments, context)?,
        Command::Sources(command) => return sources::run(command, context),
        Command::Update(arguments) => update::run(arguments, context)?,
        Command::Clean(arguments) => clean::run(arguments, context)?,
        Command::Migrate(command) => return migrate::run(command, context),
        Command::Dnf(arguments) => return Ok(dnf::run_after(arguments, &context.ui)),
        Command::Reference(arguments) => reference::run(arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}
