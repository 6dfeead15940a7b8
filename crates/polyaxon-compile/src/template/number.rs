//! Numbers as Python writes them: `1_000`, `0x10`, `.5`, `1e3`; not `007`, `1_`, `5x`.

use polyaxon_spec::node::{Node, Value};

/// A number with a sign before it; nothing else takes a sign.
pub(super) fn signed(node: Node, negative: bool) -> Option<Node> {
    Some(match node.value {
        Value::Int(value) if negative => Node::int(value.checked_neg()?),
        Value::Float(value) if negative => Node::float(-value),
        Value::Int(_) | Value::Float(_) => node,
        _ => return None,
    })
}

/// A number without sign.
pub(super) fn number(token: &str) -> Option<Value> {
    let lower = token.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            // `0x_1` is allowed.
            let digits = without_underscores(digits.strip_prefix('_').unwrap_or(digits), radix)?;
            return i128::from_str_radix(&digits, radix).ok().map(Value::Int);
        }
    }
    if lower.contains(['.', 'e']) {
        return float(&lower).map(Value::Float);
    }
    let digits = without_underscores(&lower, 10)?;
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().any(|digit| digit != b'0') {
        return None;
    }
    digits.parse().ok().map(Value::Int)
}

fn float(token: &str) -> Option<f64> {
    let (mantissa, exponent) = match token.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (token, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (mantissa, ""),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let part = |digits: &str| if digits.is_empty() { Some(String::new()) } else { without_underscores(digits, 10) };
    let mut text = format!("0{}.{}0", part(whole)?, part(fraction)?);
    if let Some(exponent) = exponent {
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", exponent.strip_prefix('+').unwrap_or(exponent)),
        };
        text += &format!("e{sign}{}", without_underscores(digits, 10)?);
    }
    text.parse().ok()
}

/// Digits with single underscores between them.
fn without_underscores(digits: &str, radix: u32) -> Option<String> {
    let mut out = String::new();
    for group in digits.split('_') {
        if group.is_empty() || !group.chars().all(|char| char.is_digit(radix)) {
            return None;
        }
        out.push_str(group);
    }
    Some(out)
}
