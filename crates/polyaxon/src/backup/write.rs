//! Writes the file of a backup, while the server may go on.
//!
//! Invariant: the file appears under its name when it is complete, never before.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use polyaxon_artifacts::layout::Layout;
use polyaxon_model::ids::RunId;
use polyaxon_store::dump::{Part, dump};
use tar::{Builder, EntryType, Header as Entry};

use super::hash::{Exactly, Hash, Hashing};
use super::{ARTIFACTS, DATABASE, FORMAT, Files, HEADER, Header, MANIFEST, Manifest, Table};
use crate::output::progress::Progress;

/// What goes into the file.
pub(crate) struct Contents<'a> {
    pub(crate) database: &'a str,
    pub(crate) layout: &'a Layout,
    pub(crate) with_artifacts: bool,
    pub(crate) created_at: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read the database")]
    Store(#[from] polyaxon_store::Error),
    #[error("cannot write {}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

type Archive = Builder<GzEncoder<BufWriter<File>>>;

/// Writes the file; what is there under its name is replaced.
pub(crate) fn write(path: &Path, contents: &Contents<'_>, progress: &Progress) -> Result<Manifest, Error> {
    let partial = path.with_file_name(format!("{}.partial", path.file_name().unwrap_or_default().to_string_lossy()));
    let written = write_partial(&partial, contents, progress).and_then(|manifest| {
        fs::rename(&partial, path).map_err(|source| Error::Write { path: path.to_owned(), source })?;
        Ok(manifest)
    });
    if written.is_err() {
        // If it cannot be removed either, the first error is the one to report.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn write_partial(partial: &Path, contents: &Contents<'_>, progress: &Progress) -> Result<Manifest, Error> {
    let failed = |source: io::Error| Error::Write { path: partial.to_owned(), source };
    // Records can hold secrets that users gave to their runs.
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(partial).map_err(failed)?;
    let mut archive = Builder::new(GzEncoder::new(BufWriter::new(file), Compression::fast()));
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let header = Header { format: FORMAT, version: version.clone(), created_at: contents.created_at.clone() };
    append(&mut archive, HEADER, &json(&header)).map_err(failed)?;

    let mut records = Records::default();
    let dumped = dump(contents.database, polyaxon_store::Options::default(), &mut |part| {
        progress.advance(part.text.len() as u64);
        records.add(&mut archive, part)
    });
    let dumped = dumped.map_err(|error| match error {
        polyaxon_store::Error::Copy { source } => failed(source),
        other => Error::Store(other),
    })?;
    let artifacts = if contents.with_artifacts {
        Some(append_artifacts(&mut archive, contents.layout, &records.runs, progress).map_err(failed)?)
    } else {
        None
    };
    let manifest = Manifest {
        version,
        created_at: contents.created_at.clone(),
        schema: dumped.schema,
        server: fs::read_to_string(contents.layout.server_id()).ok().map(|id| id.trim().to_owned()),
        tables: records.finish(),
        artifacts,
    };
    let finish = || {
        append(&mut archive, MANIFEST, &json(&manifest))?;
        let mut output = archive.into_inner()?.finish()?;
        output.flush()?;
        output.get_ref().sync_all()
    };
    finish().map_err(failed)?;
    Ok(manifest)
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

fn append(archive: &mut Archive, name: &str, text: &[u8]) -> io::Result<()> {
    let mut entry = Entry::new_gnu();
    entry.set_size(text.len() as u64);
    entry.set_mode(0o600);
    archive.append_data(&mut entry, name, text)
}

/// The tables that passed by.
#[derive(Default)]
struct Records {
    tables: Vec<(Table, Hash)>,
    /// The runs of the records: folders of others came later.
    runs: HashSet<String>,
}

impl Records {
    fn add(&mut self, archive: &mut Archive, part: &Part<'_>) -> io::Result<()> {
        if part.number == 1 {
            let table = Table { name: part.table.to_owned(), rows: 0, bytes: 0, sha256: String::new() };
            self.tables.push((table, Hash::default()));
        }
        if let Some((table, hash)) = self.tables.last_mut() {
            table.rows += part.rows;
            table.bytes += part.text.len() as u64;
            hash.add(part.text);
        }
        if part.table == "runs" {
            self.note_runs(part.text);
        }
        append(archive, &format!("{DATABASE}/{}/{:06}.jsonl", part.table, part.number), part.text)
    }

    fn note_runs(&mut self, text: &[u8]) {
        let mut lines = text.split(|byte| *byte == b'\n');
        let columns: Vec<String> = serde_json::from_slice(lines.next().unwrap_or_default()).unwrap_or_default();
        let Some(place) = columns.iter().position(|column| column == "uuid") else { return };
        for line in lines.filter(|line| !line.is_empty()) {
            let row: Vec<serde_json::Value> = serde_json::from_slice(line).unwrap_or_default();
            let id = row.get(place).and_then(serde_json::Value::as_str).and_then(|text| text.parse::<RunId>().ok());
            self.runs.extend(id.map(RunId::to_hex));
        }
    }

    fn finish(self) -> Vec<Table> {
        self.tables.into_iter().map(|(table, hash)| Table { sha256: hash.hex(), ..table }).collect()
    }
}

/// Files in the order of their names, so that the index of a log comes before the bytes that it speaks of.
fn append_artifacts(
    archive: &mut Archive,
    layout: &Layout,
    runs: &HashSet<String>,
    progress: &Progress,
) -> io::Result<Files> {
    let (mut files, mut hash) = (Files::default(), Hash::default());
    let store = layout.store();
    // From the last to the first: folders are put back in the order of their names.
    let mut waiting: Vec<PathBuf> = entries(&store)?;
    waiting.retain(|path| path.file_name().is_some_and(|name| runs.contains(name.to_string_lossy().as_ref())));
    while let Some(path) = waiting.pop() {
        // What vanishes meanwhile was deleted by somebody who may.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let name = Path::new(ARTIFACTS).join(path.strip_prefix(&store).unwrap_or(&path));
        let mut entry = Entry::new_gnu();
        entry.set_metadata_in_mode(&metadata, tar::HeaderMode::Complete);
        entry.set_uid(0);
        entry.set_gid(0);
        if metadata.is_dir() {
            archive.append_data(&mut entry, &name, io::empty())?;
            waiting.extend(entries(&path)?);
        } else if metadata.is_file() {
            let Ok(file) = File::open(&path) else { continue };
            let size = file.metadata()?.len();
            entry.set_size(size);
            hash.add_name(name.as_os_str().as_bytes(), size);
            let reader = Exactly { reader: file, left: size };
            archive.append_data(&mut entry, &name, Hashing { reader, hash: &mut hash })?;
            (files.files, files.bytes) = (files.files + 1, files.bytes + size);
            progress.advance(size);
        } else if metadata.is_symlink() {
            let Ok(target) = fs::read_link(&path) else { continue };
            let text = target.as_os_str().as_bytes();
            hash.add_name(name.as_os_str().as_bytes(), text.len() as u64);
            hash.add(text);
            entry.set_entry_type(EntryType::Symlink);
            entry.set_size(0);
            archive.append_link(&mut entry, &name, &target)?;
            files.files += 1;
        }
    }
    files.sha256 = hash.hex();
    Ok(files)
}

/// The entries of a folder, from the last name to the first; none when it is not there.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let read = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let mut paths: Vec<PathBuf> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_by(|one, other| other.cmp(one));
    Ok(paths)
}
