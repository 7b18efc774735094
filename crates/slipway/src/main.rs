//! Slipway: makes and maintains a cloud Linux distribution.
//!
//! `pipeline` is the whole factory on one page; each command is a file in `commands`; `ui` is the only place that prints;
//! `explain` gives errors their place and their advice.

mod archives;
mod commands;
mod context;
mod defaults;
mod distgit;
mod explain;
mod facts;
mod git;
mod local_commits;
mod machine;
mod pipeline;
mod rendering;
mod sources;
mod ui;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main()
}
