//! The file of a backup: a `.tar.gz` that begins with what it is, and ends with what must be in it.
//!
//! ```text
//! polyaxon-backup.json             format and version, so that a stranger knows what to do with it
//! database/<table>/000001.jsonl    records, as `polyaxon_store::dump` tells them
//! artifacts/<run>/...              files of runs
//! manifest.json                    counts and hashes; without it the file was cut off
//! ```

pub(crate) mod hash;
pub(crate) mod read;
pub(crate) mod write;

use serde::{Deserialize, Serialize};

pub(crate) const HEADER: &str = "polyaxon-backup.json";
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const DATABASE: &str = "database";
pub(crate) const ARTIFACTS: &str = "artifacts";

/// Grows when an older program could not restore what is written.
pub(crate) const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) format: u32,
    pub(crate) version: String,
    pub(crate) created_at: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) version: String,
    pub(crate) created_at: String,
    /// The number of migrations that the records have seen.
    pub(crate) schema: usize,
    /// The id under which the server of the home executes runs.
    pub(crate) server: Option<String>,
    pub(crate) tables: Vec<Table>,
    /// None when they were left out.
    pub(crate) artifacts: Option<Files>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Of all its parts, one after the other.
    pub(crate) sha256: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Files {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Of names, sizes and contents, in the order of the archive.
    pub(crate) sha256: String,
}

impl Manifest {
    pub(crate) fn rows(&self, table: &str) -> u64 {
        self.tables.iter().find(|known| known.name == table).map_or(0, |known| known.rows)
    }

    pub(crate) fn database_bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes).sum()
    }
}
