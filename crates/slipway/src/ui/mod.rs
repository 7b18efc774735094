//! The only place that prints. Standard output is data, standard error is for people.

mod progress;
mod table;

use std::io::{IsTerminal, Write};

pub(crate) use progress::{BuildProgress, Steps};
pub(crate) use table::{Shape, Table};

/// How to talk to whoever called.
#[derive(Clone, Debug)]
pub(crate) struct Ui {
    /// Data as JSON instead of text.
    pub(crate) json: bool,
    /// No notes and no progress.
    pub(crate) quiet: bool,
    /// Whether standard error is a terminal, on which progress can be redrawn.
    pub(crate) terminal: bool,
}

impl Ui {
    pub(crate) fn new(json: bool, quiet: bool) -> Ui {
        Ui { json, quiet, terminal: std::io::stderr().is_terminal() && !quiet }
    }

    /// One line of data, or several.
    pub(crate) fn data(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // A reader that closed the pipe has had enough.
        let _ = writeln!(out, "{}", text.trim_end_matches('\n'));
    }

    /// Text of data that has its own line ends.
    pub(crate) fn data_as_is(&self, text: &str) {
        let _ = write!(std::io::stdout().lock(), "{text}");
    }

    /// The start of a line in which somebody is to answer.
    pub(crate) fn ask(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "{text}");
        let _ = err.flush();
    }

    /// Data as JSON.
    pub(crate) fn json(&self, value: &impl serde::Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.data(&text),
            Err(error) => self.error(&format!("the answer cannot be written as JSON: {error}")),
        }
    }

    /// A line for people.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// An error. With `--json` it is an object on standard error.
    pub(crate) fn error(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = if self.json {
            writeln!(err, "{}", serde_json::json!({ "error": text }))
        } else {
            writeln!(err, "error: {text}")
        };
    }
}
