//! Which files are left out of an upload: `.polyaxonignore` of the current folder or of the uploaded one, else a built-in list.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::failure::Failure;

const FILE: &str = ".polyaxonignore";

/// The official list, without `lib`, `lib64`, `var`, `parts`, `sdist`, `dist/`, `eggs`, `*.so`, `*.spec`, `*.manifest`,
/// `.project` and `.settings`: those drop people's code without a word.
const BUILT_IN: &[&str] = &[
    "/.polyaxon",
    ".git",
    ".eggs",
    "*.pyc",
    "*.swp",
    ".DS_Store",
    "__pycache__/",
    ".pytest_cache/",
    "*.py[cod]",
    "*$py.class",
    ".mypy_cache/",
    ".ruff_cache/",
    ".vscode/",
    ".mr.developer.cfg",
    ".pydevproject",
    ".idea/",
    "*~",
    ".Python",
    "pydist/",
    "*.egg-info/",
    ".installed.cfg",
    "*.egg",
    ".ipynb_checkpoints",
    ".python-version",
    ".venv/",
    ".virtualenvs/",
    "node_modules/",
];

/// The rules for a folder. Matching ignores case, as the official client's does.
pub(crate) fn rules(root: &Path) -> Result<Gitignore, Failure> {
    let current = std::env::current_dir().unwrap_or_default();
    let file = [current.join(FILE), root.join(FILE)].into_iter().find(|path| path.is_file());
    let mut builder = GitignoreBuilder::new(root);
    let unusable = |error: ignore::Error| Failure::usage(format!("cannot use {FILE}: {error}"));
    builder.case_insensitive(true).map_err(unusable)?;
    match file {
        Some(path) => {
            if let Some(error) = builder.add(&path) {
                return Err(unusable(error));
            }
        }
        None => {
            for rule in BUILT_IN {
                builder.add_line(None, rule).map_err(unusable)?;
            }
        }
    }
    builder.build().map_err(unusable)
}
