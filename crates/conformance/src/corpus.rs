//! The cases that the repository holds.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value as Json;

use crate::case::Case;

/// Where the recorded cases are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

/// Every recorded case, by group and name.
pub fn cases() -> Result<Vec<Case>> {
    let mut groups = Vec::new();
    for entry in fs::read_dir(folder()).context("the corpus is missing")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            groups.push(path);
        }
    }
    groups.sort();
    let mut cases = Vec::new();
    for group in groups {
        let text = fs::read_to_string(&group).with_context(|| format!("cannot read {}", group.display()))?;
        for line in text.lines() {
            cases.push(Case::from_line(line).with_context(|| format!("in {}", group.display()))?);
        }
    }
    Ok(cases)
}

/// The facts that all cases share: the run, agents, connections.
pub fn fixed() -> Result<Json> {
    Ok(serde_json::from_str(include_str!("../data/fixed.json"))?)
}
