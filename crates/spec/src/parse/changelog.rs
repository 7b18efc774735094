//! `%changelog`: entries such as `* Mon Jun 06 2016 Somebody <mail> - 1.0-1`.

use super::reader::Strip;
use super::{Next, Parser};
use crate::ErrorKind;
use crate::answer::ChangelogEntry;
use crate::calendar;
use crate::macros::Outcome;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// As many days as each month can have.
const LENGTHS: [i64; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Parser {
    pub(super) fn changelog_section(&mut self) -> Outcome<Next> {
        if self.changelog.as_ref().is_some_and(|entries| !entries.is_empty()) {
            return Err(self.changelog_error("there is a second one"));
        }
        let start = self.reader.position();
        let mut text = String::new();
        let next = self.lines(Strip::Comments, |line| text.push_str(line))?;
        let end = self.reader.position();
        self.engine.set_position(start);
        let mut entries = Vec::new();
        // As rpm: what cannot be read ends the list, and the spec is still good.
        match self.entries(&text, &mut entries) {
            Err(error) if matches!(*error.kind, ErrorKind::Section(_)) => self.engine.warn(error.kind.to_string()),
            other => other?,
        }
        self.engine.set_position(end);
        self.changelog = Some(entries);
        Ok(next)
    }

    fn changelog_error(&self, problem: &str) -> Box<crate::SpecError> {
        self.engine.fail(ErrorKind::Section(format!("`%changelog`: {problem}")))
    }

    fn entries(&self, text: &str, entries: &mut Vec<ChangelogEntry>) -> Outcome {
        let age = self.engine.expand_number("%{?_changelog_trimage}")?;
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let Some(entry) = rest.strip_prefix('*') else {
                return Err(self.changelog_error("an entry must begin with `*`"));
            };
            let Some((heading, body)) = entry.split_once('\n') else {
                return Err(self.changelog_error("an entry has nothing but its heading"));
            };
            let (time, author) = self.heading_of_entry(heading)?;
            if entries.last().is_some_and(|newer| newer.time < time) {
                return Err(self.changelog_error(&format!("`*{heading}` is newer than the entry before it")));
            }
            let body = body.trim_start();
            if body.is_empty() {
                return Err(self.changelog_error(&format!("`*{heading}` says nothing")));
            }
            // An asterisk that begins the text itself, as in an empty entry, begins no new one.
            let after_first = body.char_indices().nth(1).map_or(body.len(), |(index, _)| index);
            let end = body[after_first - 1..].find("\n*").map_or(body.len(), |offset| after_first + offset);
            if age > 0 && entries.first().is_some_and(|newest| newest.time - age > time) {
                break;
            }
            entries.push(ChangelogEntry { time, author, text: body[..end].trim_end().to_owned() });
            rest = &body[end..];
        }
        Ok(())
    }

    fn heading_of_entry(&self, heading: &str) -> Outcome<(i64, String)> {
        let bad = || self.changelog_error(&format!("the date of `*{heading}` cannot be read"));
        let (date, author) = Date::read(heading).ok_or_else(bad)?;
        let days = calendar::days_from_civil(date.year, date.month, date.day);
        let (year, month, day) = calendar::civil_from_days(days);
        let same = (year, i64::from(month), i64::from(day)) == (date.year, date.month, date.day);
        if !same || calendar::weekday(days) != date.weekday {
            self.engine.warn(format!("there is no such day in `%changelog`: {}", heading.trim()));
        }
        if author.is_empty() {
            return Err(self.changelog_error(&format!("`*{heading}` names nobody")));
        }
        Ok((days * 86_400 + date.second_of_day, author.to_owned()))
    }
}

/// The time of an entry by its heading, and whether weekday and date agree.
pub(super) fn entry_date(heading: &str) -> Option<(i64, bool)> {
    let (date, _) = Date::read(heading)?;
    let days = calendar::days_from_civil(date.year, date.month, date.day);
    let (year, month, day) = calendar::civil_from_days(days);
    let same = (year, i64::from(month), i64::from(day)) == (date.year, date.month, date.day);
    Some((days * 86_400 + date.second_of_day, same && calendar::weekday(days) == date.weekday))
}

struct Date {
    weekday: u32,
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

impl Date {
    /// Reads `Mon Jun 6 2016` or `Thu Oct  6 06:48:39 CEST 2016`; the time zone's name is not looked up. Returns what is
    /// behind it, too.
    fn read(text: &str) -> Option<(Date, &str)> {
        let mut rest = text;
        let mut word = || {
            rest = rest.trim_start();
            let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
            let word = &rest[..end];
            rest = &rest[end..];
            (!word.is_empty()).then_some(word)
        };
        let weekday = word()?;
        let weekday = u32::try_from(DAYS.iter().position(|day| *day == weekday)?).ok()?;
        let month = word()?;
        let month = MONTHS.iter().position(|name| *name == month)?;
        let day: i64 = word()?.parse().ok()?;
        if !(0..=LENGTHS[month]).contains(&day) {
            return None;
        }
        let mut year = word()?;
        // Noon, so that the day is right in every time zone.
        let mut second_of_day = 12 * 3_600;
        if year.find(':').is_some_and(|colon| colon == 1 || colon == 2) {
            let mut parts = year.split(':').map(str::parse::<i64>);
            let mut part = |limit: i64| parts.next()?.ok().filter(|number| (0..=limit).contains(number));
            second_of_day = part(23)? * 3_600 + part(59)? * 60 + part(59)?;
            word()?;
            year = word()?;
        }
        let year: i64 = year.parse().ok().filter(|year| (1990..3000).contains(year))?;
        let month = i64::try_from(month).ok()? + 1;
        Some((Date { weekday, year, month, day, second_of_day }, rest.trim()))
    }
}
