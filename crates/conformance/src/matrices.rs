//! The recorded cases of matrices, for the tests of searches and of the engine that plays them.

use serde_json::Value as Json;

const CASES: &str = include_str!("../../polyaxon-tuning/tests/data/matrix-cases.json");
const ROWS: &str = include_str!("../../polyaxon-spec/tests/data/matrix-rows.json");

/// The cases of one group of `matrix-cases.json`.
///
/// # Panics
/// When there is no such group: a test of nothing would succeed.
pub fn cases(group: &str) -> Vec<Json> {
    let all: Json = serde_json::from_str(CASES).expect("the recorded cases are valid JSON");
    all[group].as_array().expect("a group of the recorded cases").clone()
}

/// The recorded rows of grids and mappings.
pub fn rows() -> Vec<Json> {
    serde_json::from_str(ROWS).expect("the recorded rows are valid JSON")
}

/// Whether two configurations are the same, numbers up to rounding.
pub fn is_close(expected: &Json, got: &Json) -> bool {
    match (expected, got) {
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && is_close(a, b))
        }
        _ => match (expected.as_f64(), got.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs().max(1.0),
            _ => expected == got,
        },
    }
}
