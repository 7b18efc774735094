//! What was done to a machine: a line of JSON for each transaction in `PERSISTDIR/history.jsonl`, the newest last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::reasons::Reason;

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// Counted from 1.
    pub id: u64,
    /// When, in seconds since 1970.
    pub time: u64,
    /// The command line, without what is secret.
    pub command: String,
    /// What somebody wanted to be remembered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Packages that came and went.
    pub changes: Vec<Change>,
    /// Groups and environments that came and went.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<crate::groups::Change>,
}

/// A package that came or went.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// How.
    pub action: Action,
    /// `name-[epoch:]version-release.arch`.
    pub package: String,
    /// The id of the repository that it came from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub repository: String,
    /// Why it is, or was, there.
    pub reason: Reason,
}

/// How a package came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the words are dnf's")]
pub enum Action {
    Install,
    Upgrade,
    Downgrade,
    Reinstall,
    Remove,
    Replaced,
    ReasonChange,
}

impl Action {
    /// In dnf5's words.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Install => "Install",
            Action::Upgrade => "Upgrade",
            Action::Downgrade => "Downgrade",
            Action::Reinstall => "Reinstall",
            Action::Remove => "Remove",
            Action::Replaced => "Replaced",
            Action::ReasonChange => "Reason Change",
        }
    }

    /// Whether the package is there afterwards.
    pub fn comes(self) -> bool {
        matches!(self, Action::Install | Action::Upgrade | Action::Downgrade | Action::Reinstall)
    }
}

fn file(persist: &Path) -> PathBuf {
    persist.join("history.jsonl")
}

/// All transactions, the oldest first.
pub fn load(persist: &Path) -> std::io::Result<Vec<Entry>> {
    let text = match fs_err::read_to_string(file(persist)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let wrong = |error| std::io::Error::other(format!("`{}`:{number}: {error}", file(persist).display()));
            serde_json::from_str(line).map_err(wrong)
        })
        .collect()
}

/// Adds a transaction; it gets the next number.
pub fn append(persist: &Path, mut entry: Entry) -> std::io::Result<u64> {
    let mut all = load(persist)?;
    entry.id = all.last().map_or(0, |last| last.id) + 1;
    let id = entry.id;
    all.push(entry);
    let mut text = String::new();
    for entry in &all {
        text.push_str(&serde_json::to_string(entry)?);
        text.push('\n');
    }
    crate::reasons::replace(&file(persist), text.as_bytes())?;
    Ok(id)
}

/// The packages that have to be there, and those that must not, so that `entries` never happened; both by `name.arch`-less
/// nevra. Later changes of one package win over earlier ones, as going back undoes the newest first.
pub fn undo(entries: &[&Entry]) -> Wanted {
    let mut wanted = Wanted::default();
    for entry in entries.iter().rev() {
        for change in &entry.changes {
            match change.action {
                Action::ReasonChange => {}
                action if action.comes() && action != Action::Reinstall => wanted.set(change, false),
                Action::Reinstall => {}
                _ => wanted.set(change, true),
            }
        }
    }
    wanted
}

/// The same so that `entries` happen once more.
pub fn redo(entries: &[&Entry]) -> Wanted {
    let mut wanted = Wanted::default();
    for entry in entries {
        for change in entry.changes.iter().filter(|change| change.action != Action::ReasonChange) {
            wanted.set(change, change.action.comes());
        }
    }
    wanted
}

/// What a machine has to have and not to have, by nevra, with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    packages: BTreeMap<String, (bool, Reason)>,
}

impl Wanted {
    fn set(&mut self, change: &Change, there: bool) {
        self.packages.insert(change.package.clone(), (there, change.reason));
    }

    /// The packages that have to be there.
    pub fn there(&self) -> impl Iterator<Item = (&str, Reason)> {
        let there = self.packages.iter().filter(|(_, (there, _))| *there);
        there.map(|(package, (_, reason))| (package.as_str(), *reason))
    }

    /// The packages that must not be there.
    pub fn gone(&self) -> impl Iterator<Item = &str> {
        self.packages.iter().filter(|(_, (there, _))| !there).map(|(package, _)| package.as_str())
    }
}

/// `1970-01-01 00:00:00`, in UTC.
pub fn date(time: u64) -> String {
    let (days, rest) = (time / 86_400, time % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// `Thu Jan 01 1970`, as changelogs have it.
pub fn day(time: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil(time / 86_400);
    let name = DAYS[usize::try_from(time / 86_400 % 7).unwrap_or_default()];
    let month = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
    format!("{name} {month} {day:02} {year}")
}

/// Year, month and day of a day since 1970. Source: the proleptic Gregorian calendar, eras of 400 years that begin in March.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The day of a date, counted from 1970; none where there is no such date.
pub(crate) fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that the day that is there every four years is their last.
    let shifted_year = year - u64::from(month <= 2);
    let shifted_month = (month + 9) % 12;
    let of_years = shifted_year * 365 + shifted_year / 4 - shifted_year / 100 + shifted_year / 400;
    let days = of_years + (shifted_month * 306 + 5) / 10 + day - 1 - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(changes: &[(Action, &str)]) -> Entry {
        let change = |(action, package): &(Action, &str)| Change {
            action: *action,
            package: (*package).to_owned(),
            repository: "base".to_owned(),
            reason: Reason::User,
        };
        let changes = changes.iter().map(change).collect();
        Entry {
            id: 0,
            time: 1_750_000_000,
            command: "install a".to_owned(),
            comment: String::new(),
            changes,
            groups: Vec::new(),
        }
    }

    #[test]
    fn files_transactions_are_numbered_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load(folder.path()).unwrap(), []);
        let first = entry(&[(Action::Install, "a-1-1.noarch")]);
        assert_eq!(append(folder.path(), first.clone()).unwrap(), 1);
        assert_eq!(append(folder.path(), first.clone()).unwrap(), 2);
        assert_eq!(load(folder.path()).unwrap()[1], Entry { id: 2, ..first });
        fs_err::write(file(folder.path()), "{}\n").unwrap();
        assert!(load(folder.path()).unwrap_err().to_string().contains("history.jsonl`:1:"));
    }

    #[test]
    fn going_back_undoes_the_newest_first() {
        let one = entry(&[(Action::Install, "a-1-1.noarch")]);
        let two = entry(&[(Action::Upgrade, "a-2-1.noarch"), (Action::Replaced, "a-1-1.noarch")]);
        let wanted = undo(&[&two]);
        assert_eq!(wanted.there().map(|(nevra, _)| nevra).collect::<Vec<_>>(), ["a-1-1.noarch"]);
        assert_eq!(wanted.gone().collect::<Vec<_>>(), ["a-2-1.noarch"]);
        let wanted = undo(&[&one, &two]);
        assert_eq!(wanted.there().count(), 0);
        assert_eq!(wanted.gone().collect::<Vec<_>>(), ["a-1-1.noarch", "a-2-1.noarch"]);
        assert_eq!(redo(&[&two]).there().map(|(nevra, _)| nevra).collect::<Vec<_>>(), ["a-2-1.noarch"]);
    }

    #[test]
    fn times_are_dates() {
        for (time, text) in
            [(0, "1970-01-01 00:00:00"), (1_750_000_000, "2025-06-15 15:06:40"), (951_782_400, "2000-02-29 00:00:00")]
        {
            assert_eq!(date(time), text);
        }
        assert_eq!(day(1_750_000_000), "Sun Jun 15 2025");
    }
}
