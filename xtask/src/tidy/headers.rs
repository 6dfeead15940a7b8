//! Every source file says first what it is.

use super::{expect_none, sources};

#[test]
fn every_source_file_says_what_it_is() {
    let findings: Vec<String> = sources::ending_with(&[".rs", ".py", ".sh"])
        .into_iter()
        .filter(|source| !says_what_it_is(&source.path, &source.text))
        .map(|source| source.path)
        .collect();
    expect_none("these files must begin with their purpose (`//!`, a docstring, a comment):", &findings);
}

fn says_what_it_is(path: &str, text: &str) -> bool {
    let first = text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
    match path.rsplit('.').next() {
        Some("rs") => text.starts_with("//! "),
        Some("py") => first.starts_with("\"\"\""),
        _ => first.starts_with("# "),
    }
}
