//! Event files (`events/<kind>/<name>.plx`): what a job tracked over time, in both forms that the official client writes.
//!
//! * [`read`] a file to a [`Series`] · [`tail`] only what was appended · [`write_columns`] what clients plot · [`sample`] thinned out · [`summary`] what lineage shows · [`find`] which exist
//!
//! Must not know how lineage rows or answers are stored.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use polyaxon_model::artifact::{EVENT_SUFFIX, EVENTS, RESOURCES};
use polyaxon_model::time::Timestamp;

mod clock;
mod columns;
mod read;
mod sample;
mod summary;
mod tail;

pub use columns::write_columns;
pub use read::{parse, read, read_bytes, read_file};
pub use sample::sample;
pub use summary::{last_value, summary};
pub use tail::{Appended, Tail, tail};

/// The rows of one event file in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The kind that the file names itself, else the one of its folder.
    pub kind: String,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub step: Option<i64>,
    pub timestamp: Timestamp,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NaN when the job tracked no finite number.
    Number(f64),
    /// JSON text for object kinds, plain text for text kinds.
    Text(String),
}

/// The kinds whose files are JSON lines.
pub const TEXT_KINDS: [&str; 4] = ["html", "text", "chart", "span"];

/// One event file of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFile {
    /// The kind of the folder, for example `metric`.
    pub kind: String,
    pub name: String,
    /// Below the run's folder: `events/metric/loss.plx`.
    pub path: String,
    /// Whether it lies in `resources/`: measurements of the machine, not of the job.
    pub is_resource: bool,
    pub modified: SystemTime,
    pub length: u64,
}

/// Every event file below a run's folder, in order of their paths.
pub fn find(run_folder: &Path) -> Vec<EventFile> {
    let mut files = Vec::new();
    for (folder, is_resource) in [(EVENTS, false), (RESOURCES, true)] {
        let Ok(kinds) = fs::read_dir(run_folder.join(folder)) else { continue };
        for kind in kinds.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            let kind_name = kind.file_name().to_string_lossy().into_owned();
            let prefix = format!("{folder}/{kind_name}");
            collect(&kind.path(), &prefix, "", &kind_name, is_resource, &mut files);
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Names may contain `/`: the client makes folders of them.
fn collect(folder: &Path, prefix: &str, parent: &str, kind: &str, is_resource: bool, files: &mut Vec<EventFile>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            collect(&entry.path(), prefix, &format!("{parent}{file_name}/"), kind, is_resource, files);
        } else if let Some(stem) = file_name.strip_suffix(EVENT_SUFFIX)
            && metadata.is_file()
        {
            files.push(EventFile {
                kind: kind.to_owned(),
                name: format!("{parent}{stem}"),
                path: format!("{prefix}/{parent}{file_name}"),
                is_resource,
                modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                length: metadata.len(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_with_their_kinds_and_nested_names() {
        let folder = tempfile::tempdir().unwrap();
        for path in
            ["events/metric/loss.plx", "events/metric/train/acc.plx", "resources/metric/cpu.plx", "events/x.plx"]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "step|timestamp|metric").unwrap();
        }
        let found: Vec<_> =
            find(folder.path()).into_iter().map(|file| (file.kind, file.name, file.is_resource)).collect();
        let expected = [("metric", "loss", false), ("metric", "train/acc", false), ("metric", "cpu", true)];
        assert_eq!(found, expected.map(|(kind, name, resource)| (kind.to_owned(), name.to_owned(), resource)));
    }
}
