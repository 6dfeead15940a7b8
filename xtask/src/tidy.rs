//! The rules of STYLE.md that a program can check, each of them a test.

mod dependencies;
mod floors;
mod headers;
mod lengths;
mod licences;
mod sources;
mod words;

/// Fails with all findings at once.
#[track_caller]
fn expect_none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}\n  {}", findings.join("\n  "));
}
