//! Days and dates of the Gregorian calendar, without a time zone.

/// Days from 1970-01-01 to a date; months count from 1 and may run over.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let months = year * 12 + month - 1;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    // Years begin in March, so that the leap day is the last.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month (from 1) and day of a number of days since 1970-01-01.
pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year_of_era + era * 400 + carry, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

/// 0 for Sunday.
pub(crate) fn weekday(days: i64) -> u32 {
    u32::try_from((days + 4).rem_euclid(7)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        for (date, days, day_of_week) in
            [((1970, 1, 1), 0, 4), ((2000, 2, 29), 11_016, 2), ((2026, 11, 20), 20_777, 5), ((1969, 12, 31), -1, 3)]
        {
            assert_eq!(days_from_civil(date.0, i64::from(date.1), i64::from(date.2)), days);
            assert_eq!(civil_from_days(days), date);
            assert_eq!(weekday(days), day_of_week);
        }
    }
}
