use std::process::ExitCode;

use clap::Args;
use update::config::Key;
use update::history::date;
use update::offline::log::{self, Attempt, End};

use crate::commands::dnf::session::{Session, failed};
use crate::explain::Failure;

#[derive(Args)]
pub(in crate::commands::dnf) struct Arguments {
    /// Show this attempt: counted from 1, or back from -1.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    number: Option<i64>,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let all = log::load(&session.config.folder(Key::PersistDir)).map_err(failed)?;
    if let Some(number) = arguments.number {
        let attempt = chosen(&all, number).ok_or_else(|| {
            Failure::work(format!("there is no attempt {number}: {} are in the log", all.len()))
                .hint("`slipway dnf offline log` lists them")
        })?;
        if session.ui.json {
            session.ui.json(attempt);
        } else {
            session.ui.data(&whole(attempt));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if session.ui.json {
        session.ui.json(&all);
    } else if all.is_empty() {
        session.ui.data("No logs were found.");
    } else {
        session.ui.data("Starts of the machine with an offline transaction:");
        let lines = (1..).zip(&all).map(|(number, one)| format!("{number} / {}: {}", one.boot, line(one)));
        session.ui.data(&lines.collect::<Vec<_>>().join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen(all: &[Attempt], number: i64) -> Option<&Attempt> {
    let count = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let index = if number < 0 { count + number } else { number - 1 };
    usize::try_from(index).ok().and_then(|index| all.get(index))
}

fn line(attempt: &Attempt) -> String {
    format!("{} {}→{} {}", date(attempt.time), attempt.release, attempt.target, attempt.end.as_str())
}

fn whole(attempt: &Attempt) -> String {
    let end = match &attempt.end {
        End::Unknown => "cut off: the machine went down while it was done".to_owned(),
        End::Done(id) => format!("done, as transaction {id} of the history"),
        End::Failed(why) => format!("failed: {why}"),
    };
    let mut text = format!(
        "Begin time   : {}\nBoot         : {}\nCommand line : {}\nRelease      : {}→{}\nEnd          : {end}\n",
        date(attempt.time),
        attempt.boot,
        attempt.command,
        attempt.release,
        attempt.target
    );
    attempt.lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_from_both_ends() {
        let attempt = |time| Attempt {
            time,
            boot: String::new(),
            command: String::new(),
            release: String::new(),
            target: String::new(),
            end: End::Unknown,
            lines: Vec::new(),
        };
        let all = [attempt(10), attempt(20), attempt(30)];
        for (number, time) in
            [(1, Some(10)), (3, Some(30)), (-1, Some(30)), (-3, Some(10)), (0, None), (4, None), (-4, None)]
        {
            assert_eq!(chosen(&all, number).map(|one| one.time), time, "{number}");
        }
    }
}
