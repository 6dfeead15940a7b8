//! A tar or tar.gz into a folder of a run: everything is unpacked and checked beside it, then moved into its place.
//!
//! Invariant: an archive that is refused, cut off or too large leaves nothing behind, and nothing of it was visible.

use std::cell::Cell;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use polyaxon_model::artifact::RelativePath;
use rustix::fs::FileType;
use tar::{Entry, EntryType};

use super::gauge::{Allowed, Counted};
use crate::error::{Error, Result};
use crate::folder::{Existing, Folder};

/// How much an archive may unpack to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub entries: u64,
    pub bytes: u64,
    /// Unpacked bytes for each packed one, once `free_bytes` are unpacked: what is far beyond it is a bomb.
    pub ratio: u64,
    /// So many bytes may come out of an archive of any size.
    pub free_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { entries: 1_000_000, bytes: 64 << 30, ratio: 250, free_bytes: 4 << 30 }
    }
}

/// Where an archive goes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Nothing is written outside of it, whatever links lead there.
    pub root: &'a Path,
    pub relative: &'a RelativePath,
    /// A folder on the same file system, where the files wait until the archive is known to be whole.
    pub staging: &'a Path,
    pub existing: Existing,
}

/// Unpacks a tar or tar.gz, merging with what is there.
pub fn unpack(input: impl Read, target: Target<'_>, limits: Limits) -> Result<()> {
    let staged = Staged::new(target.staging)?;
    let packed = Rc::new(Cell::new(0));
    let mut input = BufReader::with_capacity(64 * 1024, Counted { inner: input, bytes: packed.clone() });
    let head = input.fill_buf().map_err(|source| Error::read(&staged.path, source))?;
    if head.is_empty() {
        return Err(Error::BadArchive { reason: "it is empty".to_owned() });
    }
    let unpacked: &mut dyn Read =
        if head.starts_with(&[0x1f, 0x8b]) { &mut MultiGzDecoder::new(input) } else { &mut input };
    let mut unpacking = Unpacking {
        staged: &staged.path,
        target: target.relative,
        existing: target.existing,
        limits,
        packed,
        allowance: Rc::new(Cell::new(MAX_HEADER_BYTES)),
        bytes: 0,
        entries: 0,
        parent: None,
    };
    unpacking.all(unpacked)?;
    let from = staged.path.clone();
    fs::create_dir_all(target.root).map_err(|source| Error::write(target.root, source))?;
    check(&from, target.root, &RelativePath::root())?;
    merge(&from, target.root, &RelativePath::root(), target.existing)
}

/// Long names and extended headers of one entry.
const MAX_HEADER_BYTES: u64 = 1 << 20;
/// Kept free for everything else on the disk.
const RESERVED_BYTES: u64 = 64 << 20;
/// A ratio says nothing before this much was read.
const MIN_PACKED_BYTES: u64 = 64 * 1024;

struct Unpacking<'a> {
    staged: &'a Path,
    target: &'a RelativePath,
    existing: Existing,
    limits: Limits,
    packed: Rc<Cell<u64>>,
    allowance: Rc<Cell<u64>>,
    bytes: u64,
    entries: u64,
    /// The folder of the last entry; the next one is most often in the same.
    parent: Option<(RelativePath, Folder)>,
}

impl Unpacking<'_> {
    fn all(&mut self, unpacked: &mut dyn Read) -> Result<()> {
        let mut archive = tar::Archive::new(Allowed { inner: unpacked, left: self.allowance.clone() });
        let bad = |source: io::Error| Error::BadArchive { reason: source.to_string() };
        for entry in archive.entries().map_err(bad)? {
            let mut entry = entry.map_err(bad)?;
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(Error::ArchiveTooLarge { what: "the number of entries", limit: self.limits.entries });
            }
            self.count(entry.size())?;
            self.allowance.set(entry.size().saturating_add(MAX_HEADER_BYTES));
            self.one(&mut entry)?;
            // Folders and links have no content, but may claim one.
            io::copy(&mut entry, &mut io::sink()).map_err(bad)?;
            self.allowance.set(MAX_HEADER_BYTES);
        }
        // The end of the stream holds the checksum of everything before.
        let mut rest = archive.into_inner().inner.take(MAX_HEADER_BYTES);
        io::copy(&mut rest, &mut io::sink()).map_err(bad)?;
        Ok(())
    }

    fn count(&mut self, size: u64) -> Result<()> {
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.bytes {
            return Err(Error::ArchiveTooLarge { what: "the unpacked size in bytes", limit: self.limits.bytes });
        }
        let packed = self.packed.get().max(MIN_PACKED_BYTES);
        if self.bytes > self.limits.free_bytes && self.bytes / packed > self.limits.ratio {
            return Err(Error::ArchiveTooLarge {
                what: "the ratio of unpacked to packed bytes",
                limit: self.limits.ratio,
            });
        }
        if size > RESERVED_BYTES {
            let status = rustix::fs::statvfs(self.staged).map_err(|errno| Error::read(self.staged, errno.into()))?;
            let available = (status.f_bavail * status.f_frsize).saturating_sub(RESERVED_BYTES);
            if size > available {
                return Err(Error::NoRoom { needed: size, available });
            }
        }
        Ok(())
    }

    fn one<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<()> {
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let refuse = |reason: &str| Error::BadArchive { reason: format!("`{}` {reason}", shown.escape_debug()) };
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        let name = entry.path().map_err(|error| refuse(&error.to_string()))?;
        let name = name.to_str().ok_or_else(|| refuse("has a name that is not UTF-8"))?;
        let relative = RelativePath::parse(name).map_err(|error| match error {
            polyaxon_model::artifact::PathError::Upwards(path)
            | polyaxon_model::artifact::PathError::Absolute(path) => Error::Traversal { path },
            error => refuse(&error.to_string()),
        })?;
        let Some(file_name) = relative.file_name() else { return Ok(()) };
        let relative = self.target.join(&relative);
        match kind {
            EntryType::Directory => Folder::create(self.staged, &relative).map(|_| ()),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let mode = entry.header().mode().unwrap_or(0o644) & 0o755 | 0o600;
                let Some(folder) = self.place(&relative, file_name)? else { return Ok(()) };
                let mut file = folder.create_file(file_name, mode)?;
                let place = folder.path().join(file_name);
                let size = entry.size();
                let written = io::copy(entry, &mut file).map_err(|source| match source.kind() {
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                        refuse(&format!("cannot be read: {source}"))
                    }
                    _ => Error::write(&place, source),
                })?;
                if written < size {
                    return Err(refuse("is cut off"));
                }
                // Artifacts are read by jobs of other users too, whatever the mask of this process.
                file.set_permissions(fs::Permissions::from_mode(mode)).map_err(|source| Error::write(&place, source))
            }
            EntryType::Symlink => {
                let link = entry.link_name().ok().flatten().ok_or_else(|| refuse("is a link without a target"))?;
                if !stays_inside(relative.parts().count() - 1, &link) {
                    return Err(refuse("is a link that leads out of the folder"));
                }
                let Some(folder) = self.place(&relative, file_name)? else { return Ok(()) };
                folder.create_link(file_name, &link)
            }
            _ => Err(refuse("is neither a file, a folder nor a symbolic link")),
        }
    }

    /// The folder for a new file. An earlier entry of the same name is replaced, as in every unpacking program.
    fn place(&mut self, relative: &RelativePath, name: &str) -> Result<Option<&Folder>> {
        let parent = relative.parent();
        if self.parent.as_ref().is_none_or(|(path, _)| *path != parent) {
            let folder = Folder::create(self.staged, &parent)?;
            self.parent = Some((parent, folder));
        }
        let Some((_, folder)) = &self.parent else { return Ok(None) };
        match folder.kind(name)? {
            None => {}
            Some(FileType::Directory) => {
                return Err(Error::BadArchive { reason: format!("`{relative}` is a folder and a file") });
            }
            Some(_) if self.existing == Existing::IsKept => return Ok(None),
            Some(_) => folder.remove_file(name)?,
        }
        Ok(Some(folder))
    }
}

/// Whether a link in a folder `depth` below the root ends at or below the root, read as text: what it passes through
/// is checked again when somebody opens it.
fn stays_inside(mut depth: usize, link: &Path) -> bool {
    link.is_relative()
        && link.components().all(|component| match component {
            Component::Normal(_) => {
                depth += 1;
                true
            }
            Component::CurDir => true,
            Component::ParentDir if depth > 0 => {
                depth -= 1;
                true
            }
            _ => false,
        })
}

/// Fails when a file would have to replace a folder, or the other way round, before anything is moved.
fn check(from: &Path, root: &Path, relative: &RelativePath) -> Result<()> {
    let folder = match Folder::open(root, relative) {
        Ok(folder) => folder,
        // Nothing is there, so nothing is in the way.
        Err(error) if error.is_missing() => return Ok(()),
        Err(error) => return Err(error),
    };
    for (name, path, is_folder) in entries(from)? {
        let existing = folder.kind(&name)?;
        match (is_folder, existing) {
            (true, Some(FileType::Directory | FileType::Symlink)) => check(&path, root, &child(relative, &name)?)?,
            (true, Some(_)) => return Err(in_the_way(&folder, &name, io::ErrorKind::NotADirectory)),
            (false, Some(FileType::Directory)) => return Err(in_the_way(&folder, &name, io::ErrorKind::IsADirectory)),
            (_, None) | (false, Some(_)) => {}
        }
    }
    Ok(())
}

fn in_the_way(folder: &Folder, name: &str, kind: io::ErrorKind) -> Error {
    Error::write(&folder.path().join(name), kind.into())
}

fn merge(from: &Path, root: &Path, relative: &RelativePath, existing: Existing) -> Result<()> {
    let folder = Folder::create(root, relative)?;
    for (name, path, is_folder) in entries(from)? {
        if is_folder {
            merge(&path, root, &child(relative, &name)?, existing)?;
        } else {
            folder.take(&path, &name, existing)?;
        }
    }
    Ok(())
}

fn child(relative: &RelativePath, name: &str) -> Result<RelativePath> {
    let name = RelativePath::parse(name).map_err(|error| Error::BadArchive { reason: error.to_string() })?;
    Ok(relative.join(&name))
}

/// Name, path and whether it is a folder, of everything in a folder that was just unpacked.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf, bool)>> {
    let read = |source| Error::read(folder, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        found.push((name, entry.path(), entry.file_type().map_err(read)?.is_dir()));
    }
    Ok(found)
}

/// A temporary folder, gone with its content when dropped.
struct Staged {
    path: PathBuf,
}

impl Staged {
    fn new(folder: &Path) -> Result<Staged> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(folder).map_err(|source| Error::write(folder, source))?;
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".unpack-{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Staged { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::write(&path, error)),
            }
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Whoever starts the next server empties the folder of staging again.
        let _ = fs::remove_dir_all(&self.path);
    }
}
