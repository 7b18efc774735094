//! `slipway spec`: questions to specs, without rpm, root or network.

mod each;
mod eval;
mod inputs;
mod lint;
mod parse;
mod problem;
mod query;
mod setting;
mod tree_macros;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

pub(crate) use self::setting::Shared;
pub(crate) use self::tree_macros::collect_from;
use crate::context::Context;
use crate::explain::Failure;
use crate::ui::Ui;

pub(crate) use inputs::Macros;

/// Ask specs: what they say, how they expand, how they are built up, what is wrong with them
#[derive(Subcommand)]
pub(crate) enum Command {
    Query(query::Arguments),
    Parse(parse::Arguments),
    Eval(eval::Arguments),
    Lint(lint::Arguments),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        Command::Query(arguments) => query::run(arguments, context)?,
        Command::Parse(arguments) => parse::run(arguments, context)?,
        Command::Eval(arguments) => eval::run(arguments, context)?,
        Command::Lint(arguments) => lint::run(arguments, context)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What one spec says, evaluated with the macro files that `arguments` name, or with those of `configuration` (a folder as
/// `/usr/lib/rpm`), or else with those of the definition that is here.
pub(crate) fn evaluated(
    path: &Path,
    arguments: &Macros,
    configuration: Option<&Path>,
    ui: &Ui,
) -> Result<spec::Evaluated, Failure> {
    let context = Context::plain(ui)?;
    let mut arguments = arguments.clone();
    if arguments.macros.is_empty() && arguments.macros_from.is_none() {
        arguments.macros.extend(configuration.map(Path::to_owned));
    }
    let setting = setting::Setting::new(&arguments, &context)?;
    let file = inputs::SpecFile { path: path.to_owned() };
    let text = file.text()?;
    let environment = setting.of(&file, spec::Undefined::Warn);
    spec::evaluate(&text, &spec::Origin::new(file.name()), &environment)
        .map_err(|error| Failure::work(problem::Problem::of(&file.name(), &text, &error).text))
}
