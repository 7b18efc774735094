//! Moments as RFC 3339 writes them.

/// Seconds since 1970 of a moment such as `2026-02-24T00:00:00-08:00`; fractions of a second are left out.
pub fn parse(text: &str) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = crate::overlay::Date::parse(date)?;
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at(zone_at);
    let time = time.split('.').next()?;
    let [hour, minute, second] = numbers::<3>(time)?;
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign, zone) => {
            let [hours, minutes] = numbers::<2>(zone)?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if sign == "-" { -seconds } else { seconds }
        }
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days_since_1970(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    u64::try_from(days * 86400 + hour * 3600 + minute * 60 + second - offset).ok()
}

fn numbers<const N: usize>(text: &str) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(':');
    for number in &mut numbers {
        let part = parts.next()?;
        if part.len() != 2 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Days of the Gregorian calendar, counted in eras of 400 years that start in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    #[test]
    fn moments_are_seconds_since_1970() {
        // As `date --date TEXT +%s` says.
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-02-24T00:00:00-08:00", Some(1_771_920_000)),
            ("2024-02-29T12:30:45.5+05:30", Some(1_709_190_045)),
            ("2026-11-01T00:00:00Z", Some(1_793_491_200)),
            ("2026-02-24", None),
            ("2026-02-24T00:00:00", None),
            ("2026-02-24T25:00:00Z", None),
            ("2026-02-24T00:00Z", None),
            ("yesterday at noon", None),
        ] {
            assert_eq!(super::parse(text), seconds, "{text}");
        }
    }
}
