use pkg::SourceDateEpoch;

/// 1980-01-01, the first day of FAT.
const FIRST: u64 = 315_532_800;
/// 2107-12-31 23:59:58, its last moment.
const LAST: u64 = 4_354_819_198;

/// Date and time as FAT has them: (year from 1980, month, day) and (hour, minute, half seconds) in 16 bits each, here in UTC.
pub(super) fn dos_time(at: SourceDateEpoch) -> (u16, u16) {
    let seconds = at.0.clamp(FIRST, LAST);
    let (days, second) = (seconds / 86400, seconds % 86400);
    // Days since 0000-03-01, split into 400-year eras; months count from March, so that leap days come last.
    let day = days + 719_468;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let date = (year - 1980) << 9 | month << 5 | day_of_month;
    let time = (second / 3600) << 11 | (second / 60 % 60) << 5 | ((second % 60) / 2);
    (date as u16, time as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (at, (year, month, day), (hour, minute, second)) in [
            (0, (1980, 1, 1), (0, 0, 0)),
            (951_782_400, (2000, 2, 29), (0, 0, 0)),
            (1_700_000_001, (2023, 11, 14), (22, 13, 20)),
            (u64::MAX, (2107, 12, 31), (23, 59, 58)),
        ] {
            let expected = ((year - 1980) << 9 | month << 5 | day, hour << 11 | minute << 5 | (second / 2));
            assert_eq!(dos_time(SourceDateEpoch(at)), expected, "{at}");
        }
    }
}
