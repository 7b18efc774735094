use std::path::PathBuf;

use clap::Args;
use rpm::{Package, Value};

use crate::commands::rpm::{json, read};
use crate::context::Context;
use crate::explain::Failure;

/// Show what packages say of themselves, by rpm's tag names
///
/// Without `--tags`, the tags that people look for; with `--json`, all that have a value. Several tags give a line for each
/// element of the longest, as `rpm --qf` does with brackets; what is missing is `(none)`.
#[derive(Args)]
#[command(after_help = "Example: slipway rpm query --tags NEVRA,REQUIRENEVRS bash-5.3-1.x86_64.rpm")]
pub(crate) struct Arguments {
    /// Package files.
    #[arg(required = true, value_name = "PACKAGE")]
    packages: Vec<PathBuf>,
    /// Tags by rpm's names, such as `NAME`, `REQUIRENEVRS`, `FILENAMES`; case does not matter.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    tags: Vec<String>,
}

/// What is shown when no tags are asked for, and what it is called.
const USUAL: [(&str, &str); 14] = [
    ("Name", "name"),
    ("Epoch", "epoch"),
    ("Version", "version"),
    ("Release", "release"),
    ("Architecture", "arch"),
    ("Size", "longsize"),
    ("License", "license"),
    ("Source RPM", "sourcerpm"),
    ("Build time", "buildtime"),
    ("Build host", "buildhost"),
    ("Vendor", "vendor"),
    ("URL", "url"),
    ("Format", "rpmformat"),
    ("Summary", "summary"),
];

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    if let Some(unknown) = arguments.tags.iter().find(|name| !rpm::is_tag_name(name)) {
        let failure = Failure::usage(format!("rpm has no tag `{unknown}`"));
        return Err(failure.hint("`slipway rpm query --json PACKAGE` shows the tags that a package has"));
    }
    let mut answer = Vec::new();
    for path in &arguments.packages {
        let package = read(path)?;
        if context.ui.json {
            let names = if arguments.tags.is_empty() { package.tag_names() } else { arguments.tags.clone() };
            let tags = names.into_iter().map(|name| {
                let value = json(package.query(&name));
                (name.to_ascii_lowercase(), value)
            });
            answer.push(serde_json::Value::Object(tags.collect()));
        } else if arguments.tags.is_empty() {
            show(&package, context);
        } else {
            rows(&package, &arguments.tags).iter().for_each(|row| context.ui.data(row));
        }
    }
    if context.ui.json {
        context.ui.json(&answer);
    }
    Ok(())
}

fn show(package: &Package, context: &Context) {
    for (title, tag) in USUAL {
        let value = package.query(tag).map(|value| value.texts().join(" "));
        let value = match (tag, value) {
            ("buildtime", Some(time)) => day(time.parse().unwrap_or_default()),
            ("rpmformat", None) => "4".to_owned(),
            (_, Some(value)) => value,
            (_, None) => continue,
        };
        context.ui.data(&format!("{title:<13}: {value}"));
    }
    if let Some(description) = package.query("description") {
        context.ui.data(&format!("Description  :\n{}", description.texts().concat()));
    }
}

/// A line for each element of the longest tag; tags of one element stand in each.
fn rows(package: &Package, tags: &[String]) -> Vec<String> {
    let none = || vec!["(none)".to_owned()];
    let columns: Vec<Vec<String>> = tags
        .iter()
        .map(|tag| package.query(tag).as_ref().map(Value::texts).filter(|texts| !texts.is_empty()).unwrap_or_else(none))
        .collect();
    let height = columns.iter().map(Vec::len).max().unwrap_or_default();
    let cell = |column: &Vec<String>, row: usize| {
        let text = if column.len() == 1 { column.first() } else { column.get(row) };
        text.cloned().unwrap_or_else(|| "(none)".to_owned())
    };
    (0..height).map(|row| columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>().join("\t")).collect()
}

/// A day as `2026-11-20`, in UTC. Source: Howard Hinnant's algorithm of days from civil dates.
pub(crate) fn day(seconds: u64) -> String {
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_709_251_199, "2024-02-29"),
            (1_750_000_000, "2025-06-15"),
            (4_102_444_800, "2100-01-01"),
        ] {
            assert_eq!(day(seconds), expected);
        }
    }
}
