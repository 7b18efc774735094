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

use std::process::ExitCode;

use clap::Subcommand;

use crate::context::Context;
use crate::explain::Failure;

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
