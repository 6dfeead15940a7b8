//! No file is longer than a reader can hold in mind.

use super::{expect_none, sources};

/// Beyond the soft limit a file needs a line in [`LONG_FILES`]; beyond the hard one it must be split.
const SOFT_LIMIT: usize = 400;
const HARD_LIMIT: usize = 600;

/// Files between the limits, with the reason why they are one concept.
const LONG_FILES: &[(&str, &str)] = &[
    ("crates/polyaxon-spec/src/guidance.rs", "one table of advice and examples"),
    ("crates/polyaxon/src/args/ops.rs", "the options of one command group, nearly all of it help"),
    ("crates/polyaxon-engine/src/lifecycle.rs", "the transition table is one match"),
    ("crates/polyaxon-runtime/src/driver.rs", "the one loop, with everything that wakes it"),
];

#[test]
fn no_file_is_too_long() {
    let mut findings = vec![];
    for source in sources::ending_with(&[".rs", ".py", ".ts", ".tsx", ".css", ".sql", ".sh"]) {
        let lines = source.text.lines().count();
        if lines > HARD_LIMIT {
            findings.push(format!("{} has {lines} lines: split it (the limit is {HARD_LIMIT})", source.path));
        } else if lines > SOFT_LIMIT && !LONG_FILES.iter().any(|(path, _)| *path == source.path) {
            findings
                .push(format!("{} has {lines} lines: split it or list it in LONG_FILES with a reason", source.path));
        }
    }
    expect_none("files are one concept, at most 400 lines:", &findings);
}

#[test]
fn the_list_of_long_files_is_true() {
    let sources = sources::ending_with(&[".rs", ".py", ".ts", ".tsx", ".css", ".sql", ".sh"]);
    let is_long = |path: &str| sources.iter().any(|it| it.path == path && it.text.lines().count() > SOFT_LIMIT);
    let findings: Vec<String> =
        LONG_FILES.iter().filter(|(path, _)| !is_long(path)).map(|(path, _)| (*path).to_owned()).collect();
    expect_none("these files are not long any more, remove them from LONG_FILES:", &findings);
}
