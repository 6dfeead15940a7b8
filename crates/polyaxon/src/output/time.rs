//! Times and sizes for people: local time and how long ago; JSON keeps what the server sent.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// `3m ago`; the text itself when it is no time.
pub(crate) fn ago(text: &str, now: Timestamp) -> String {
    match read(text) {
        Some(time) => match now.duration_since(time) {
            passed if passed.as_secs() < 1 => "now".to_owned(),
            passed => format!("{} ago", duration(passed)),
        },
        None => text.to_owned(),
    }
}

/// `2026-01-31 12:00:05 (3m ago)` in local time.
pub(crate) fn local(text: &str, now: Timestamp) -> String {
    match read(text) {
        Some(time) => {
            let zoned = time.to_zoned(TimeZone::system());
            format!("{} ({})", zoned.strftime("%Y-%m-%d %H:%M:%S"), ago(text, now))
        }
        None => text.to_owned(),
    }
}

/// The two largest units of a duration: `45s`, `3m 5s`, `2h 10m`, `4d 3h`.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => two(seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// A duration field of the API: seconds with two decimals.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.1}s") } else { duration(SignedDuration::from_secs(seconds as i64)) }
}

/// `12 B`, `3.4 KiB`, `1.0 GiB`.
pub(crate) fn bytes(size: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1_024 {
        return format!("{size} B");
    }
    let mut value = size as f64 / 1_024.0;
    let mut unit = 0;
    while value >= 1_024.0 && unit + 1 < units.len() {
        value /= 1_024.0;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

fn two(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 { format!("{large}{large_unit}") } else { format!("{large}{large_unit} {small}{small_unit}") }
}

fn read(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_their_two_largest_units() {
        for (seconds, expected) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (185, "3m 5s"), (7_800, "2h 10m"), (356_400, "4d 3h")]
        {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn times_are_relative_and_bad_ones_stay() {
        let now: Timestamp = "2026-01-01T00:10:00Z".parse().unwrap();
        assert_eq!(ago("2026-01-01T00:07:00.5Z", now), "2m 59s ago");
        assert_eq!(ago("2026-01-01T00:10:05Z", now), "now");
        assert_eq!(ago("soon", now), "soon");
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!([bytes(0), bytes(1_023), bytes(1_536), bytes(5 << 30)], ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
    }
}
