//! `date`, by a clock that stands still.

use crate::calendar;

/// `date +FORMAT` at the environment's clock, in UTC.
pub(super) fn run(words: &[&str], clock: pkg::SourceDateEpoch) -> Result<String, String> {
    let mut seconds = i64::try_from(clock.0).unwrap_or(0);
    let mut format = "%a %b %e %H:%M:%S UTC %Y";
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(given) = word.strip_prefix('+') {
            format = given;
        } else if let Some(given) = word.strip_prefix("-d").or_else(|| word.strip_prefix("--date=")) {
            let given = if given.is_empty() { *words.next().ok_or("`date -d` lacks its value")? } else { given };
            seconds = moment(given, seconds).ok_or_else(|| format!("the date `{given}` is not evaluated"))?;
        } else if !matches!(*word, "-u" | "--utc" | "--universal") {
            return Err(format!("`date {word}` is not evaluated"));
        }
    }
    let days = seconds.div_euclid(86_400);
    let second = seconds.rem_euclid(86_400);
    let (year, month, day) = calendar::civil_from_days(days);
    let names = |list: &[&str], index: u32| list.get(index as usize).map_or("", |name| name).to_owned();
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut output = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            output.push(letter);
            continue;
        }
        output.push_str(&match letters.next() {
            Some('Y') => format!("{year}"),
            Some('y') => format!("{:02}", year.rem_euclid(100)),
            Some('m') => format!("{month:02}"),
            Some('d') => format!("{day:02}"),
            Some('e') => format!("{day:2}"),
            Some('H') => format!("{:02}", second / 3_600),
            Some('M') => format!("{:02}", second / 60 % 60),
            Some('S') => format!("{:02}", second % 60),
            Some('s') => format!("{seconds}"),
            Some('F') => format!("{year}-{month:02}-{day:02}"),
            Some('T') => format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60),
            Some('j') => format!("{:03}", days - calendar::days_from_civil(year, 1, 1) + 1),
            Some('a') => names(&DAYS, calendar::weekday(days)),
            Some('b' | 'h') => names(&MONTHS, month - 1),
            Some('%') => "%".to_owned(),
            other => return Err(format!("`%{}` of `date` is not evaluated", other.unwrap_or(' '))),
        });
    }
    Ok(output + "\n")
}

/// `@SECONDS`, `YYYY-MM-DD`, `YYYYMMDD`, or `2 years ago` and its like, counted from `now`.
fn moment(text: &str, now: i64) -> Option<i64> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok();
    }
    if let [count, unit, "ago"] = text.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        let count: i64 = count.parse().ok().filter(|count| (0..100_000).contains(count))?;
        let (days, second) = (now.div_euclid(86_400), now.rem_euclid(86_400));
        let (year, month, day) = calendar::civil_from_days(days);
        let months = match unit.trim_end_matches('s') {
            "day" => return Some(now - count * 86_400),
            "week" => return Some(now - count * 7 * 86_400),
            "month" => count,
            "year" => count * 12,
            _ => return None,
        };
        let month = year * 12 + i64::from(month) - 1 - months;
        let first = calendar::days_from_civil(month.div_euclid(12), month.rem_euclid(12) + 1, 1);
        return Some((first + i64::from(day) - 1) * 86_400 + second);
    }
    let digits: String = text.chars().filter(|letter| *letter != '-').collect();
    if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(
        calendar::days_from_civil(digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?)
            * 86_400,
    )
}
