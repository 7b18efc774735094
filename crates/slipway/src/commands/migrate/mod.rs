//! `slipway migrate`: files written for other tools, rewritten.

mod rewrite;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use crate::context::Context;
use crate::explain::Failure;
use rewrite::rewrite;

/// Rewrite files that were made for other tools
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Rewrite calls of tdnf and yum in scripts and Dockerfiles to dnf's
    ///
    /// What cannot be rewritten is told with its line and left as it is; the exit code is then 1. Files that were rewritten
    /// once are not changed again.
    #[command(after_help = "Example: slipway migrate tdnf Dockerfile build.sh")]
    Tdnf {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Change nothing; say what would be.
        #[arg(long)]
        check: bool,
    },
}

/// A file of text is not larger than this.
const BYTES_MAX: u64 = 16 << 20;

pub(crate) fn run(command: &Command, context: &Context) -> Result<ExitCode, Failure> {
    let Command::Tdnf { files, check } = command;
    let ui = &context.ui;
    let (mut answers, mut is_clean) = (Vec::new(), true);
    for file in files {
        let meta = fs_err::metadata(file)?;
        if !meta.is_file() || meta.len() > BYTES_MAX {
            return Err(Failure::usage(format!("`{}` is no file of text", file.display())));
        }
        let bytes = fs_err::read(file)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::usage(format!("`{}` is no file of text: it is not UTF-8", file.display())))?;
        let done = rewrite(&text);
        let is_changed = done.text != text;
        if is_changed && !check {
            // Beside it and renamed, so that there is the old file or the new one; its mode stays.
            let new = PathBuf::from(format!("{}.slipway-new", file.display()));
            fs_err::write(&new, &done.text)?;
            fs_err::set_permissions(&new, meta.permissions())?;
            fs_err::rename(&new, fs_err::canonicalize(file)?)?;
        }
        is_clean &= done.left.is_empty() && !(*check && is_changed);
        for change in &done.changes {
            ui.note(&format!("{}:{}: {} -> {}", file.display(), change.line, change.from, change.to));
        }
        for left in &done.left {
            ui.note(&format!("{}:{}: left as it is: {}: {}", file.display(), left.line, left.word, left.why));
        }
        let changes =
            done.changes.iter().map(|one| serde_json::json!({ "line": one.line, "from": one.from, "to": one.to }));
        let left =
            done.left.iter().map(|one| serde_json::json!({ "line": one.line, "word": one.word, "why": one.why }));
        answers.push(serde_json::json!({
            "file": file, "is_changed": is_changed, "changes": changes.collect::<Vec<_>>(), "left": left.collect::<Vec<_>>(),
        }));
        if !ui.json {
            let verb = match (is_changed, check) {
                (false, _) => "unchanged",
                (true, true) => "would change",
                (true, false) => "rewritten",
            };
            ui.data(&format!("{}: {verb}, {} changes, {} left", file.display(), done.changes.len(), done.left.len()));
        }
    }
    if ui.json {
        ui.json(&answers);
    }
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
