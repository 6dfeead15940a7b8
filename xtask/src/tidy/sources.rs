//! The files that people write: everything in the checkout but what tools put there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace;

const SKIPPED: [&str; 8] =
    [".git", ".venv", ".polyaxon", ".pytest_cache", "target", "node_modules", "__pycache__", "dist"];

pub(super) struct Source {
    /// Relative to the root of the checkout.
    pub(super) path: String,
    pub(super) text: String,
}

/// Returns all files whose name ends with one of the given endings, sorted by path.
pub(super) fn ending_with(endings: &[&str]) -> Vec<Source> {
    let mut paths = vec![];
    collect(workspace::root(), &mut paths);
    paths.sort();
    let is_wanted = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        endings.iter().any(|ending| name.ends_with(ending))
    };
    paths.into_iter().filter(is_wanted).filter_map(|path| read(&path)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !SKIPPED.contains(&&*entry.file_name().to_string_lossy()) {
            collect(&entry.path(), paths);
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
}

/// Returns None for a file that is not text.
fn read(path: &Path) -> Option<Source> {
    let text = String::from_utf8(fs::read(path).unwrap()).ok()?;
    let path = path.strip_prefix(workspace::root()).unwrap().to_string_lossy().into_owned();
    Some(Source { path, text })
}
