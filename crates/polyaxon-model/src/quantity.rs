//! Resource quantities as people write them: `100m` cores, `1Gi` bytes.

/// Cores: a number, or thousandths with `m`.
pub fn cpu_cores(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.strip_suffix('m') {
        Some(thousandths) => number(thousandths).map(|value| value / 1000.0),
        None => number(text),
    }
}

/// Bytes: a number with an optional decimal (`k M G T P E`) or binary (`Ki Mi …`) unit.
pub fn memory_bytes(text: &str) -> Option<f64> {
    let text = text.trim();
    let split = text.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let (prefix, base) = match unit.strip_suffix('i') {
        Some(prefix) => (prefix, 1024.0_f64),
        None => (unit, 1000.0),
    };
    let power = match prefix {
        "" if base == 1000.0 => 0,
        "k" | "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        "E" => 6,
        _ => return None,
    };
    number(digits).map(|value| value * base.powi(power))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!((cpu_cores("100m"), cpu_cores("0.5"), cpu_cores("x")), (Some(0.1), Some(0.5), None));
        for (text, bytes) in [
            ("12", Some(12.0)),
            ("1k", Some(1000.0)),
            ("512Mi", Some(536_870_912.0)),
            ("1.5Gi", Some(1_610_612_736.0)),
            ("2G", Some(2e9)),
            ("1i", None),
            ("Gi", None),
            ("1Q", None),
        ] {
            assert_eq!(memory_bytes(text), bytes, "{text}");
        }
    }
}
