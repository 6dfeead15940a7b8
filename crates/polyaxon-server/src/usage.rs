//! What this process uses of the machine, as the system tells it. What it does not tell is zero.

/// A look at the process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub memory_bytes: i64,
    pub open_files: i64,
    pub processor_seconds: f64,
}

pub(crate) fn now() -> Usage {
    Usage {
        memory_bytes: resident_bytes().unwrap_or_default(),
        open_files: std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as i64),
        processor_seconds: processor_seconds().unwrap_or_default(),
    }
}

fn resident_bytes() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as i64)
}

/// User and system time are the 14th and 15th word; the second one may contain blanks and ends with a bracket.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut words = text.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = words.next()?.parse().ok()?;
    let system: u64 = words.next()?.parse().ok()?;
    Some((user + system) as f64 / rustix::param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn this_test_uses_memory_and_files() {
        let usage = now();
        assert!(usage.memory_bytes > 1_000_000 && usage.open_files > 2, "{usage:?}");
    }
}
