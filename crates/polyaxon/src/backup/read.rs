//! Reads the file of a backup: once to verify all of it, once to pass on what is in it.
//!
//! Invariant: no name of an entry leads out of the folder that it is unpacked into.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tar::{Archive, Entry};

use super::hash::{Hash, Hashing};
use super::{ARTIFACTS, DATABASE, FORMAT, Files, HEADER, Header, MANIFEST, Manifest, Table};
use crate::output::progress::Progress;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is no backup of polyaxon", .path.display())]
    Foreign { path: PathBuf },
    #[error(
        "{} was written by a newer version ({version}) in a format that this one ({}) does not know",
        .path.display(),
        env!("CARGO_PKG_VERSION")
    )]
    Newer { path: PathBuf, version: String },
    #[error("{} is cut off: its end is missing", .path.display())]
    CutOff { path: PathBuf },
    #[error("{} is damaged: {what}", .path.display())]
    Damaged { path: PathBuf, what: String },
    #[error("cannot restore the records")]
    Store(#[from] polyaxon_store::Error),
    #[error("cannot write {}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

type Reader<'a> = Archive<GzDecoder<Counting<'a>>>;

/// A member of the archive.
type Member<'a, 'b> = Entry<'a, GzDecoder<Counting<'b>>>;

/// Moves the progress by the bytes of the file.
struct Counting<'a> {
    file: BufReader<File>,
    progress: &'a Progress,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}

/// What an entry is, by its name.
enum What {
    Header,
    /// A part of the table of this name.
    Part(String),
    /// A file, a folder or a link of a run, by its path within the artifacts.
    Artifact(PathBuf),
    Manifest,
}

/// Reads all of the file and compares it with its manifest.
pub(crate) fn verify(path: &Path, progress: &Progress) -> Result<Manifest, Error> {
    let damaged = |what: String| Error::Damaged { path: path.to_owned(), what };
    let mut tables: BTreeMap<String, (u64, u64, Hash)> = BTreeMap::new();
    let (mut files, mut hash) = (Files::default(), Hash::default());
    let mut manifest: Option<Manifest> = None;
    each(path, progress, &mut |what, entry| {
        let broken = |source| explain(path, source);
        match what {
            What::Header => {}
            What::Part(table) => {
                let text = read_text(entry).map_err(broken)?;
                let (rows, bytes, hash) = tables.entry(table).or_default();
                *rows += text.split(|byte| *byte == b'\n').count().saturating_sub(2) as u64;
                *bytes += text.len() as u64;
                hash.add(&text);
            }
            What::Artifact(_) if entry.header().entry_type().is_dir() => {}
            What::Artifact(name) => {
                let name = Path::new(ARTIFACTS).join(name);
                files.files += 1;
                if entry.header().entry_type().is_symlink() {
                    let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                    hash.add_name(name.as_os_str().as_bytes(), target.len() as u64);
                    hash.add(&target);
                } else {
                    files.bytes += entry.size();
                    hash.add_name(name.as_os_str().as_bytes(), entry.size());
                    io::copy(&mut Hashing { reader: entry, hash: &mut hash }, &mut io::sink()).map_err(broken)?;
                }
            }
            What::Manifest => {
                let text = read_text(entry).map_err(broken)?;
                manifest = serde_json::from_slice(&text).ok();
            }
        }
        Ok(())
    })?;
    let manifest = manifest.ok_or_else(|| Error::CutOff { path: path.to_owned() })?;
    for Table { name, rows, bytes, sha256 } in &manifest.tables {
        let (found_rows, found_bytes, hash) = tables.remove(name).unwrap_or_default();
        if (found_rows, found_bytes, hash.hex()) != (*rows, *bytes, sha256.clone()) {
            return Err(damaged(format!("the records of `{name}` are not those that were written")));
        }
    }
    if let Some((name, _)) = tables.pop_first() {
        return Err(damaged(format!("it has records of `{name}` that its manifest does not know")));
    }
    files.sha256 = hash.hex();
    match &manifest.artifacts {
        Some(written) if *written != files => Err(damaged("the artifacts are not those that were written".to_owned())),
        None if files.files > 0 => Err(damaged("it has artifacts that its manifest does not know".to_owned())),
        _ => Ok(manifest),
    }
}

/// Passes every part to `load` and puts the artifacts into `folder`. The file must have been verified.
pub(crate) fn unpack(
    path: &Path,
    folder: &Path,
    progress: &Progress,
    load: &mut dyn FnMut(&str, &str) -> polyaxon_store::Result<()>,
) -> Result<(), Error> {
    // Nothing can be written through a link that is made when all files are there.
    let mut links: Vec<(PathBuf, PathBuf)> = Vec::new();
    each(path, progress, &mut |what, entry| {
        let broken = |source| explain(path, source);
        match what {
            What::Header | What::Manifest => {}
            What::Part(table) => {
                let text = String::from_utf8(read_text(entry).map_err(broken)?).map_err(|_| Error::Damaged {
                    path: path.to_owned(),
                    what: format!("the records of `{table}` are no text"),
                })?;
                load(&table, &text)?;
            }
            What::Artifact(name) => {
                let target = folder.join(name);
                let failed = |source| Error::Write { path: target.clone(), source };
                let kind = entry.header().entry_type();
                if kind.is_symlink() {
                    let link = entry.link_name().map_err(broken)?.map(std::borrow::Cow::into_owned);
                    links.extend(link.map(|link| (target, link)));
                } else if kind.is_dir() {
                    fs::create_dir_all(&target).map_err(failed)?;
                } else if kind.is_file() {
                    if let Some(parent) = target.parent() {
                        fs::create_dir_all(parent).map_err(failed)?;
                    }
                    write_file(entry, &target).map_err(failed)?;
                }
            }
        }
        Ok(())
    })?;
    for (name, target) in links {
        std::os::unix::fs::symlink(target, &name).map_err(|source| Error::Write { path: name, source })?;
    }
    Ok(())
}

fn write_file(entry: &mut Entry<'_, impl Read>, target: &Path) -> io::Result<()> {
    let mut file = File::create_new(target)?;
    io::copy(entry, &mut file)?;
    file.set_permissions(fs::Permissions::from_mode(entry.header().mode()? & 0o777 | 0o600))?;
    let modified = std::time::UNIX_EPOCH + std::time::Duration::from_secs(entry.header().mtime()?);
    file.set_modified(modified)
}

/// Passes every entry on, until the end of the file.
fn each(
    path: &Path,
    progress: &Progress,
    visit: &mut dyn FnMut(What, &mut Member<'_, '_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(Error::Foreign { path: path.to_owned() });
    }
    let mut archive: Reader<'_> = Archive::new(GzDecoder::new(Counting { file: BufReader::new(file), progress }));
    let mut is_known = false;
    for entry in archive.entries().map_err(|source| explain(path, source))? {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(_) if !is_known => return Err(Error::Foreign { path: path.to_owned() }),
            Err(source) => return Err(explain(path, source)),
        };
        let name = entry.path().map_err(|source| explain(path, source))?.into_owned();
        let what = what(&name)
            .ok_or_else(|| Error::Damaged { path: path.to_owned(), what: format!("`{}`", name.display()) })
            .map_err(|error| if is_known { error } else { Error::Foreign { path: path.to_owned() } })?;
        if !is_known {
            check_header(path, &what, &mut entry)?;
            is_known = true;
        }
        visit(what, &mut entry)?;
    }
    if !is_known {
        return Err(Error::Foreign { path: path.to_owned() });
    }
    // The checksum of the compression stands behind the end of the archive.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|source| explain(path, source))?;
    Ok(())
}

fn check_header(path: &Path, what: &What, entry: &mut Entry<'_, impl Read>) -> Result<(), Error> {
    let foreign = || Error::Foreign { path: path.to_owned() };
    if !matches!(what, What::Header) {
        return Err(foreign());
    }
    let text = read_text(entry).map_err(|source| explain(path, source))?;
    let header: Header = serde_json::from_slice(&text).map_err(|_| foreign())?;
    if header.format > FORMAT {
        return Err(Error::Newer { path: path.to_owned(), version: header.version });
    }
    Ok(())
}

fn what(name: &Path) -> Option<What> {
    let mut parts = Vec::new();
    for component in name.components() {
        match component {
            Component::Normal(part) => parts.push(part),
            _ => return None,
        }
    }
    match parts.as_slice() {
        [one] if *one == HEADER => Some(What::Header),
        [one] if *one == MANIFEST => Some(What::Manifest),
        [top, table, _] if *top == DATABASE => Some(What::Part(table.to_str()?.to_owned())),
        [top, rest @ ..] if *top == ARTIFACTS && !rest.is_empty() => Some(What::Artifact(rest.iter().collect())),
        _ => None,
    }
}

/// Texts of records are read whole; a row more makes a part larger than usual.
fn read_text(entry: &mut Entry<'_, impl Read>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    entry.read_to_end(&mut text)?;
    Ok(text)
}

fn explain(path: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::UnexpectedEof => Error::CutOff { path: path.to_owned() },
        // What tar and gzip call broken.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
            let text = source.to_string();
            if text.contains("unexpected EOF") || text.contains("unexpected end of file") {
                return Error::CutOff { path: path.to_owned() };
            }
            Error::Damaged { path: path.to_owned(), what: text }
        }
        _ => Error::Read { path: path.to_owned(), source },
    }
}
