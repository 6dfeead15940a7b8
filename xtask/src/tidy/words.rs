//! Words that must not reach the repository: unfinished code, and names of one machine.

use super::{expect_none, sources};
use crate::workspace;

/// Written in two halves, so that this file passes its own rule.
const UNFINISHED: [&str; 6] = [
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
    concat!("d", "bg!("),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX:"),
];
const MACHINE_FOLDERS: [&str; 2] = [concat!("/ro", "ot/"), concat!("/Us", "ers/")];

/// Recorded from another program, whose examples mount such folders.
const RECORDED: &str = "crates/conformance/data/";

const TEXT: [&str; 15] = [
    ".rs", ".py", ".sh", ".toml", ".lock", ".md", ".yaml", ".yml", ".json", ".sql", ".ts", ".tsx", ".css", ".html",
    "run",
];

#[test]
fn no_unfinished_code() {
    let endings = [".rs", ".py", ".sh", ".ts", ".tsx", ".sql", ".toml"];
    expect_none("finish these before they land:", &occurrences(&endings, &UNFINISHED));
}

#[test]
fn nothing_names_one_machine() {
    let checkout = format!("{}/", workspace::root().display());
    let mut words = MACHINE_FOLDERS.to_vec();
    words.push(&checkout);
    expect_none("these lines name a folder of one machine:", &occurrences(&TEXT, &words));
}

/// Crates may only come from crates.io: a mirror's name in the lock file would not work elsewhere.
#[test]
fn every_crate_comes_from_crates_io() {
    let lock = sources::ending_with(&["Cargo.lock"]);
    let is_foreign = |line: &&str| {
        line.starts_with("source = ") && *line != "source = \"registry+https://github.com/rust-lang/crates.io-index\""
    };
    let findings: Vec<String> =
        lock.iter().flat_map(|source| source.text.lines().filter(is_foreign)).map(str::to_owned).collect();
    expect_none("these crates come from elsewhere:", &findings);
}

fn occurrences(endings: &[&str], words: &[&str]) -> Vec<String> {
    let mut findings = vec![];
    for source in sources::ending_with(endings) {
        if source.path.starts_with(RECORDED) {
            continue;
        }
        for (index, line) in source.text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                findings.push(format!("{}:{}: {word}", source.path, index + 1));
            }
        }
    }
    findings
}
