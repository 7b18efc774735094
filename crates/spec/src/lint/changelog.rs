//! `%changelog`: newest first, days that exist.

use super::subject::Subject;
use super::{Code, Finding};
use crate::parse::entry_date;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for section in subject.document.sections().iter().filter(|section| section.name == "changelog") {
        let mut newer: Option<(i64, &str)> = None;
        let mut at = section.span.start;
        for (index, line) in subject.part(&section.span).split_inclusive('\n').enumerate() {
            let start = at;
            at += line.len();
            let Some(heading) = line.strip_prefix('*').filter(|_| index > 0) else { continue };
            if heading.contains('%') || !heading.starts_with([' ', '\t']) {
                continue;
            }
            let Some((time, is_day)) = entry_date(heading) else {
                // A list in an entry's text may begin with an asterisk, too.
                if newer.is_none() {
                    let message = format!("the date of `*{}` cannot be read", heading.trim_end());
                    findings.push(subject.finding(Code::ChangelogDate, start, message));
                }
                continue;
            };
            let date = date_text(heading);
            if !is_day {
                let message = format!("there is no such day: `{date}`; that date is a {}", weekday(time));
                findings.push(subject.finding(Code::ChangelogDate, start, message));
            }
            if let Some((above, above_date)) = newer
                && above < time
            {
                let message = format!("the entry of `{date}` is newer than that of `{above_date}` above it");
                findings.push(subject.finding(Code::ChangelogOrder, start, message));
            }
            newer = Some((time, date));
        }
    }
}

/// The date's words: `Mon Jun 2 2025`, or six with a time of day.
fn date_text(heading: &str) -> &str {
    let heading = heading.trim();
    let words = heading.split_ascii_whitespace().nth(3).map_or(4, |word| if word.contains(':') { 6 } else { 4 });
    let last = heading.split_ascii_whitespace().take(words).last().unwrap_or("");
    &heading[..last.as_ptr() as usize - heading.as_ptr() as usize + last.len()]
}

fn weekday(time: i64) -> &'static str {
    const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    DAYS.get(crate::calendar::weekday(time.div_euclid(86_400)) as usize).copied().unwrap_or("day")
}
