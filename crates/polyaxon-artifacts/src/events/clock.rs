//! Times of event rows: read and written by hand, because a plot needs half a million of them at once.
//!
//! Invariant: whatever [`read`] does not understand is left to the general reader, so both give the same instants.

use polyaxon_model::time::Timestamp;

/// Reads `2026-01-02 03:04:05.678901+00:00`, the form in which the official client writes.
pub(super) fn read(cell: &[u8]) -> Option<Timestamp> {
    let cell = cell.trim_ascii();
    read_official(cell).or_else(|| std::str::from_utf8(cell).ok()?.parse().ok())
}

fn read_official(cell: &[u8]) -> Option<Timestamp> {
    let (date, rest) = cell.split_at_checked(19)?;
    let separators = [date[4], date[7], date[10], date[13], date[16]];
    if !matches!(separators, [b'-', b'-', b' ' | b'T', b':', b':']) {
        return None;
    }
    let [year, month, day] = [number(&date[..4])?, number(&date[5..7])?, number(&date[8..10])?];
    let [hour, minute, second] = [number(&date[11..13])?, number(&date[14..16])?, number(&date[17..])?];
    if !(1..=12).contains(&month) || !(1..=28).contains(&day) && day > days_of(year, month) || day == 0 {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, zone) = match rest.split_first() {
        Some((b'.', rest)) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=6).contains(&digits) {
                return None;
            }
            (number(&rest[..digits])? * 10_i64.pow(6 - digits as u32), &rest[digits..])
        }
        _ => (0, rest),
    };
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    matches!(zone, b"+00:00" | b"Z").then(|| Timestamp::from_micros(seconds * 1_000_000 + fraction))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, byte| match byte {
        b'0'..=b'9' => Some(number * 10 + i64::from(byte - b'0')),
        _ => None,
    })
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 in the proleptic Gregorian calendar; years are counted from March, so that leap days come last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * month_from_march + 2) / 5 + 1)
}

/// Writes the form of the record: six digits of a fraction that is not zero, none otherwise.
pub(super) fn write(time: Timestamp, out: &mut Vec<u8>) {
    let micros = time.as_micros();
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let separated = [(year, 4, b'-'), (month, 2, b'-'), (day, 2, b' ')];
    let clock = [(second_of_day / 3600, 2, b':'), (second_of_day / 60 % 60, 2, b':'), (second_of_day % 60, 2, b'.')];
    for (number, width, separator) in separated.into_iter().chain(clock) {
        digits(number, width, out);
        out.push(separator);
    }
    if fraction == 0 {
        out.pop();
    } else {
        digits(fraction, 6, out);
    }
    out.extend_from_slice(b"+00:00");
}

fn digits(number: i64, width: u32, out: &mut Vec<u8>) {
    for power in (0..width).rev() {
        out.push(b'0' + (number / 10_i64.pow(power) % 10) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readers_agree() {
        for text in [
            "2026-01-02 03:04:05.678901+00:00",
            "2026-01-02T03:04:05Z",
            "2026-01-02 03:04:05.5+00:00",
            "2024-02-29 23:59:59.999999+00:00",
            "2000-02-29 00:00:00+00:00",
            "1969-12-31 23:59:59+00:00",
            "2026-12-31 00:00:00+00:00",
        ] {
            assert_eq!(
                read_official(text.as_bytes()).map(|time| time.to_string()).as_deref(),
                text.parse::<Timestamp>().ok().map(|time| time.to_string()).as_deref(),
                "{text}"
            );
        }
        for other in ["2026-01-02 03:04:05+02:00", "2026-02-29 00:00:00+00:00", "2026-13-01 00:00:00Z", "yesterday", ""]
        {
            assert_eq!(read_official(other.as_bytes()), None, "{other}");
        }
        assert_eq!(read(b"2026-01-02 03:04:05+02:00"), "2026-01-02T01:04:05Z".parse().ok());
        assert_eq!(read(b"2026-02-29 00:00:00+00:00"), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for micros in (-40..4000).map(|step| step * 86_399_123_457 + step % 2 * 876_543) {
            let time = Timestamp::from_micros(micros);
            let mut text = Vec::new();
            write(time, &mut text);
            assert_eq!(read_official(&text), Some(time), "{}", String::from_utf8_lossy(&text));
        }
    }
}
