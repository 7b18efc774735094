//! The sources of components: which are in the store, which are not, and which cannot be trusted.

use std::collections::BTreeMap;
use std::process::ExitCode;

use build::sources::{Access, Origin, measure};
use clap::{Args, Subcommand};
use host::transfer::redacted;
use store::Store;

use super::component::Select;
use crate::context::Context;
use crate::explain::Failure;
use crate::facts::{self, Remember};
use crate::sources::{self, PARALLEL, Problem, Wanted};
use crate::ui::{BuildProgress, Table};

/// Look at the sources of components, and fetch them
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say which sources are in the store, missing, differing, unpinned, or known by nothing but an MD5
    ///
    /// Reads no network. Ends with 1 if a source is missing or cannot be used.
    #[command(after_help = "Example: slipway sources check bash 'kernel*'")]
    Check {
        #[command(flatten)]
        select: Select,
        /// Read every source of the store again, and compare it with its digest.
        #[arg(long)]
        verify: bool,
        /// Show the sources that are in the store, too.
        #[arg(short, long)]
        all: bool,
    },
    /// Fetch the sources that are missing, and say what is not there then
    ///
    /// Addresses are asked in the order of the definition: `source-mirrors`, `lookaside-base-uri`, `lookaside-mirrors`, the
    /// source's own. What was interrupted goes on where it stopped.
    #[command(after_help = "Example: slipway sources fetch bash")]
    Fetch(Fetch),
}

#[derive(Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    select: Select,
    /// Files that are fetched at once.
    #[arg(short, long, value_name = "N", default_value_t = PARALLEL, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=64))]
    jobs: usize,
    /// Seconds until a server that says nothing is given up.
    #[arg(long, value_name = "S", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// One source, and how it stands.
struct Row {
    wanted: Wanted,
    state: &'static str,
    /// What is not so.
    note: Option<String>,
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        Command::Check { select, verify, all } => {
            let store = context.store()?;
            let (rows, unclear) = gather(select, context, &store, *verify)?;
            report(&rows, &unclear, *all, context)
        }
        Command::Fetch(arguments) => fetch(arguments, context),
    }
}

/// The sources of the chosen components, and the lines of files `sources` that cannot be understood.
fn gather(
    select: &Select,
    context: &Context,
    store: &Store,
    verify: bool,
) -> Result<(Vec<Row>, Vec<distro::Diagnostic>), Failure> {
    let distro = context.distro()?;
    let book = match select.needs_facts()? {
        true => Some(facts::gather(&distro, None, Remember::Use, context)?),
        false => None,
    };
    let (mut rows, mut unclear) = (Vec::new(), Vec::new());
    for component in select.choose(&distro, book.as_ref(), context)? {
        let (wanted, lines) = sources::of(component, &distro)?;
        unclear.extend(lines);
        for wanted in wanted {
            let (state, note) = stand(&wanted, store, verify)?;
            rows.push(Row { wanted, state, note });
        }
    }
    Ok((rows, unclear))
}

/// How a source stands, and what is not so.
fn stand(wanted: &Wanted, store: &Store, verify: bool) -> Result<(&'static str, Option<String>), Failure> {
    let note = wanted.explain().map(|(problem, _)| problem);
    match &wanted.problem {
        Some(Problem::Unpinned) => return Ok(("unpinned", note)),
        Some(Problem::Md5) => return Ok(("md5-only", note)),
        Some(Problem::Differs(_)) => return Ok(("differs", note)),
        Some(Problem::Refused(..)) => return Ok(("refused", note)),
        None => {}
    }
    let Some(pinned) = &wanted.source.checksum else { return Ok(("unpinned", None)) };
    if let Some(object) = pinned.find(store) {
        let path = store.object_path(&object);
        let length = fs_err::metadata(&path)?.len();
        if let Some(size) = wanted.source.size.filter(|size| *size != length) {
            return Ok(("differs", Some(format!("{length} bytes in the store, {size} in the lock"))));
        }
        if verify {
            let found = measure(&path, pinned.algorithm)?.asked;
            if found != *pinned {
                return Ok(("differs", Some(format!("{found} in the store: `{}` was damaged", path.display()))));
            }
        }
        return Ok(("present", None));
    }
    // What this machine has can be compared without a network.
    if let Origin::Local(path) = &wanted.source.origin {
        if !path.is_file() {
            return Ok(("missing", Some(format!("there is no `{}`", path.display()))));
        }
        let found = measure(path, pinned.algorithm)?.asked;
        if found != *pinned {
            return Ok(("differs", Some(format!("`{}` is {found}", path.display()))));
        }
    }
    Ok(("missing", None))
}

fn fetch(arguments: &Fetch, context: &Context) -> Result<ExitCode, Failure> {
    let store = context.store()?;
    let (mut rows, unclear) = gather(&arguments.select, context, &store, false)?;
    let distro = context.distro()?;
    let arch = crate::pipeline::arch();
    let manner = host::transfer::Manner { timeout_s: arguments.timeout, ..sources::manner() };
    let mut by_suite: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.wanted.problem.is_none()) {
        let suite = row.wanted.suite.clone().unwrap_or_else(|| distro.stage0.suite.clone());
        by_suite.entry(suite).or_default().push(index);
    }
    let progress = BuildProgress::new(&context.ui, 0);
    for (suite, indices) in by_suite {
        let wanted: Vec<_> = indices.iter().map(|index| rows[*index].wanted.source.clone()).collect();
        let access = Access { suite: &suite, arch: &arch, parallel: arguments.jobs, manner: &manner };
        let fetched = build::sources::fetch_each(&wanted, &access, &context.host, &store, &progress);
        for (index, fetched) in indices.into_iter().zip(fetched) {
            let row = &mut rows[index];
            match fetched {
                Ok(_) => (row.state, row.note) = ("present", None),
                Err(build::BuildError::Interrupted) => return Err(Failure::interrupted()),
                Err(error) => {
                    let state = match &error {
                        build::BuildError::SourceDiffers { .. } => "differs",
                        build::BuildError::SourceSignature { .. } | build::BuildError::SourceKey { .. } => "unsigned",
                        _ => "missing",
                    };
                    (row.state, row.note) = (state, Some(Failure::from(error).to_string()));
                }
            }
        }
    }
    report(&rows, &unclear, false, context)
}

fn report(rows: &[Row], unclear: &[distro::Diagnostic], all: bool, context: &Context) -> Result<ExitCode, Failure> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(row.state).or_default() += 1;
    }
    let is_sound = unclear.is_empty() && rows.iter().all(|row| row.state == "present");
    if context.ui.json {
        let rows: Vec<_> = rows.iter().map(described).collect();
        let unclear: Vec<_> = unclear
            .iter()
            .map(|problem| serde_json::json!({ "at": problem.at.as_ref().map(ToString::to_string), "problem": problem.message }))
            .collect();
        context.ui.json(&serde_json::json!({ "sources": rows, "counts": counts, "unclear": unclear }));
    } else {
        let mut table = Table::new(&["state", "component", "file", "digest", "at"]);
        for row in rows.iter().filter(|row| all || row.state != "present") {
            let source = &row.wanted.source;
            table.row([
                row.state.to_owned(),
                source.component.clone(),
                source.file_name.clone(),
                source.checksum.as_ref().map(ToString::to_string).unwrap_or_default(),
                format!("{}:{}", row.wanted.at.file.display(), row.wanted.at.line),
            ]);
        }
        if rows.iter().any(|row| all || row.state != "present") {
            context.ui.data(&table.text());
        }
        // What a state does not say by itself.
        let noted = rows.iter().filter(|row| !matches!(row.state, "unpinned" | "md5-only"));
        for note in noted.filter_map(|row| row.note.as_ref()) {
            context.ui.error(note);
        }
        for problem in unclear {
            context.ui.error(&problem.to_string());
        }
        let counted: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
        context.ui.note(&format!("{} sources: {}", rows.len(), counted.join(", ")));
        let first = |state: &str| rows.iter().find(|row| row.state == state);
        for state in ["md5-only", "unpinned", "missing"] {
            let hint = match first(state).map(|row| &row.wanted) {
                Some(wanted) if state == "missing" => {
                    format!("`slipway sources fetch {}` fetches", wanted.source.component)
                }
                Some(wanted) => wanted.explain().map(|(_, hint)| hint).unwrap_or_default(),
                None => continue,
            };
            context.ui.note(&format!("hint: {hint}"));
        }
    }
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn described(row: &Row) -> serde_json::Value {
    let source = &row.wanted.source;
    let (kind, from): (_, Vec<String>) = match &source.origin {
        Origin::DebianSource(name) => ("debian-source", vec![name.clone()]),
        Origin::DebianBinary(name) => ("debian-binary", vec![name.clone()]),
        Origin::Local(path) => ("local", vec![path.display().to_string()]),
        Origin::Remote(addresses) => ("remote", addresses.iter().map(|address| redacted(address)).collect()),
        Origin::Git { uri, commit } => ("git", vec![redacted(uri), commit.clone()]),
    };
    serde_json::json!({
        "component": source.component, "file": source.file_name, "state": row.state,
        "digest": source.checksum.as_ref().map(|sum| format!("{}:{}", sum.algorithm, sum.hex)),
        "size": source.size, "at": format!("{}:{}", row.wanted.at.file.display(), row.wanted.at.line),
        "origin": kind, "from": from, "signed": source.signature.is_some(), "note": row.note,
        "hint": row.wanted.explain().map(|(_, hint)| hint),
    })
}
