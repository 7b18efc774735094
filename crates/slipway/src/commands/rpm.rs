use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use rpm::{FileFlags, Package, Value};

use crate::commands::{rpm_query, rpm_verify};
use crate::context::Context;
use crate::explain::Failure;

/// Look into package files
#[derive(Subcommand)]
pub(crate) enum Command {
    Query(rpm_query::Arguments),
    Verify(rpm_verify::Arguments),
    /// List the files of packages
    #[command(after_help = "Example: slipway rpm files out/repository/current/packages/b/bash-*.rpm")]
    Files {
        /// Package files.
        #[arg(required = true, value_name = "PACKAGE")]
        packages: Vec<PathBuf>,
    },
    /// Show what changed in packages, the newest first
    #[command(after_help = "Example: slipway rpm changelog bash-5.3-1.x86_64.rpm")]
    Changelog {
        /// Package files.
        #[arg(required = true, value_name = "PACKAGE")]
        packages: Vec<PathBuf>,
    },
    /// Unpack packages below a folder, as an ordinary user
    ///
    /// Every file's digest is compared with the header's. Nothing is written outside of the folder or through a link.
    #[command(after_help = "Example: slipway rpm extract --to /tmp/root bash-5.3-1.x86_64.rpm")]
    Extract {
        /// Package files.
        #[arg(required = true, value_name = "PACKAGE")]
        packages: Vec<PathBuf>,
        /// The folder, which is made if it is not there.
        #[arg(long, value_name = "DIR", default_value = ".")]
        to: PathBuf,
    },
    /// Show in what two packages differ
    ///
    /// Compares tags by name, relations as a whole, and files by path. The exit code is 1 when they differ.
    #[command(after_help = "Example: slipway rpm diff old/bash-5.3-1.x86_64.rpm new/bash-5.3-2.x86_64.rpm")]
    Diff {
        /// The one package file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        Command::Query(arguments) => rpm_query::run(arguments, context)?,
        Command::Verify(arguments) => return rpm_verify::run(arguments, context),
        Command::Files { packages } => files(packages, context)?,
        Command::Changelog { packages } => changelog(packages, context)?,
        Command::Extract { packages, to } => extract(packages, to, context)?,
        Command::Diff { first, second } => return diff(first, second, context),
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads all of a package but its payload.
pub(crate) fn read(path: &Path) -> Result<Package, Failure> {
    let mut reader = BufReader::new(fs_err::File::open(path)?);
    Package::read(&mut reader).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::work(format!("`{}` cannot be read as a package: {error}", path.display()))
}

/// A tag's value in JSON: an array where the header has one.
pub(crate) fn json(value: Option<Value>) -> serde_json::Value {
    match value {
        None => serde_json::Value::Null,
        Some(Value::String(text)) => text.into(),
        Some(Value::Int16s(numbers)) => numbers.into(),
        Some(Value::Int32s(numbers)) => numbers.into(),
        Some(Value::Int64s(numbers)) => numbers.into(),
        Some(Value::Chars(numbers) | Value::Int8s(numbers)) => numbers.into(),
        Some(value @ Value::Binary(_)) => value.texts().concat().into(),
        Some(Value::Translated(texts)) => texts.into_iter().next().unwrap_or_default().into(),
        Some(Value::Strings(texts)) => texts.into(),
    }
}

fn files(packages: &[PathBuf], context: &Context) -> Result<(), Failure> {
    let mut answer = Vec::new();
    for path in packages {
        let package = read(path)?;
        let files = package.files().map_err(|error| unreadable(path, &error))?;
        if context.ui.json {
            let rows = files.iter().map(|file| {
                serde_json::json!({
                    "path": file.path, "mode": format!("{:06o}", file.mode), "user": file.user, "group": file.group,
                    "size": file.size, "mtime": file.mtime, "digest": file.digest.as_ref().map(ToString::to_string),
                    "link_target": file.link_target, "flags": flags(file.flags), "capabilities": file.capabilities,
                    "languages": file.languages, "hard_link": file.hard_link.map(|row| &files[row].path),
                })
            });
            answer
                .push(serde_json::json!({ "package": package.nevra().to_string(), "files": rows.collect::<Vec<_>>() }));
            continue;
        }
        for file in &files {
            let arrow = if file.link_target.is_empty() { String::new() } else { format!(" -> {}", file.link_target) };
            let marks = flags(file.flags).iter().map(|mark| format!(" %{mark}")).collect::<String>();
            context.ui.data(&format!(
                "{} {:<8} {:<8} {:>10} {}{arrow}{marks}",
                letters(file.mode),
                file.user,
                file.group,
                file.size,
                file.path
            ));
        }
    }
    if context.ui.json {
        context.ui.json(&answer);
    }
    Ok(())
}

/// What a file is marked as, in a spec's words.
fn flags(flags: FileFlags) -> Vec<&'static str> {
    let names = [
        (FileFlags::CONFIG, "config"),
        (FileFlags::NOREPLACE, "noreplace"),
        (FileFlags::MISSINGOK, "missingok"),
        (FileFlags::DOC, "doc"),
        (FileFlags::LICENSE, "license"),
        (FileFlags::README, "readme"),
        (FileFlags::GHOST, "ghost"),
        (FileFlags::ARTIFACT, "artifact"),
        (FileFlags::PUBKEY, "pubkey"),
    ];
    names.into_iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, name)| name).collect()
}

/// The mode as ls(1) shows it.
fn letters(mode: u32) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o020_000 => 'c',
        0o060_000 => 'b',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '-',
    };
    let mut text = String::from(kind);
    for (shift, special, mark) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift & 7;
        text.push(if bits & 4 == 0 { '-' } else { 'r' });
        text.push(if bits & 2 == 0 { '-' } else { 'w' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => mark,
            (true, false) => mark.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

fn changelog(packages: &[PathBuf], context: &Context) -> Result<(), Failure> {
    let mut answer = Vec::new();
    for path in packages {
        let package = read(path)?;
        let entries = package.header.changelog();
        if context.ui.json {
            let entries = entries
                .iter()
                .map(|entry| serde_json::json!({ "time": entry.time, "name": entry.name, "text": entry.text }));
            answer.push(
                serde_json::json!({ "package": package.nevra().to_string(), "changelog": entries.collect::<Vec<_>>() }),
            );
            continue;
        }
        for entry in entries {
            let day = rpm_query::day(entry.time);
            context.ui.data(&format!("* {day} {}\n{}\n", entry.name, entry.text));
        }
    }
    if context.ui.json {
        context.ui.json(&answer);
    }
    Ok(())
}

fn extract(packages: &[PathBuf], to: &Path, context: &Context) -> Result<(), Failure> {
    fs_err::create_dir_all(to)?;
    let mut answer = Vec::new();
    for path in packages {
        let mut reader = BufReader::with_capacity(1 << 16, fs_err::File::open(path)?);
        let (package, unpacked) = rpm::unpack(&mut reader, to)
            .map_err(|error| Failure::work(format!("`{}` cannot be unpacked: {error}", path.display())))?;
        for left_out in &unpacked.left_out {
            context.ui.note(&format!("`{left_out}` is left out: only root can make it"));
        }
        context.ui.note(&format!("{}: {} files, {} bytes", package.nevra(), unpacked.entries, unpacked.bytes));
        answer.push(serde_json::json!({
            "package": package.nevra().to_string(), "to": to, "entries": unpacked.entries, "bytes": unpacked.bytes,
            "left_out": unpacked.left_out,
        }));
    }
    if context.ui.json {
        context.ui.json(&answer);
    }
    Ok(())
}

fn diff(first: &Path, second: &Path, context: &Context) -> Result<ExitCode, Failure> {
    let differences = rpm::differences(&read(first)?, &read(second)?).map_err(|error| unreadable(second, &error))?;
    if context.ui.json {
        let all = differences.iter().map(|difference| {
            serde_json::json!({ "place": difference.place, "first": difference.first, "second": difference.second })
        });
        context.ui.json(&all.collect::<Vec<_>>());
    } else {
        for difference in &differences {
            context.ui.data(&difference.place);
            difference.first.iter().for_each(|line| context.ui.data(&format!("- {line}")));
            difference.second.iter().for_each(|line| context.ui.data(&format!("+ {line}")));
        }
    }
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
