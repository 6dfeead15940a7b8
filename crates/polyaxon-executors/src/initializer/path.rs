//! `polyaxon initializer path` (and `artifacts`): copies files and folders of a store on this machine.
//!
//! A source that does not exist is an error: a job should not start without its data.

use std::io::Write;
use std::path::Path;

use polyaxon_artifacts::tree;

use super::arguments::{Arguments, Options};
use super::error::{Error, Result};

pub(super) const OPTIONS: Options = &[
    ("connection-name", true),
    ("connection-kind", true),
    ("path-from", true),
    ("path-to", true),
    ("is-file", false),
    ("check-path", false),
    ("raise-errors", false),
    ("sync-fw", false),
];

pub(super) fn copy(arguments: &Arguments, output: &mut dyn Write) -> Result<()> {
    let from = Path::new(arguments.require("path-from")?);
    let to = Path::new(arguments.require("path-to")?);
    if !from.exists() {
        return Err(Error::NothingToCopy { from: from.to_owned(), to: to.to_owned() });
    }
    if arguments.has("is-file") && !from.is_file() {
        let reason = format!("`{}` is not a file", from.display());
        return Err(Error::BadOption { option: "path-from", reason });
    }
    copy_between(from, to)?;
    let kind = arguments.get("connection-kind").unwrap_or("host_path");
    let _ = writeln!(output, "{kind} path is initialized, path: `{}`", to.display());
    Ok(())
}

/// Copies unless both names mean the same place, as they do for the run's own folder in the store.
pub(super) fn copy_between(from: &Path, to: &Path) -> Result<()> {
    if let (Ok(real_from), Ok(real_to)) = (from.canonicalize(), to.canonicalize()) {
        if real_from == real_to {
            return Ok(());
        }
        // A folder copied into itself would never end.
        if real_to.starts_with(&real_from) {
            let reason = format!("`{}` lies inside of `{}`", to.display(), from.display());
            return Err(Error::BadOption { option: "path-to", reason });
        }
    }
    tree::copy(from, to).map_err(|source| Error::Copy { from: from.to_owned(), source })
}
