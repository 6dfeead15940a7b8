//! Folders as `.tar.gz` streams, out and in. What comes in is not trusted: nothing is written outside the target.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use polyaxon_model::artifact::RelativePath;
use tar::{Builder, EntryType};

use crate::error::{Error, Result};
use crate::path;

/// How much an archive may unpack to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub entries: u64,
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { entries: 1_000_000, bytes: 200 << 30 }
    }
}

/// Writes everything below `root/relative` to `output`, names relative to that folder (a single file by its own name).
/// Links that lead out of `root`, sockets, pipes and devices are left out; files that vanish meanwhile too.
pub fn pack(root: &Path, relative: &RelativePath, output: impl Write) -> Result<()> {
    let folder = path::locate(root, relative)?;
    let real_root = fs::canonicalize(root).map_err(|source| Error::read(root, source))?;
    let mut archive = Builder::new(GzEncoder::new(output, Compression::fast()));
    archive.follow_symlinks(false);
    if folder.is_file() {
        let name = folder.file_name().map(PathBuf::from).unwrap_or_default();
        append_file(&mut archive, &folder, &name)?;
    } else {
        append_folder(&mut archive, &real_root, &folder, Path::new(""))?;
    }
    let encoder = archive.into_inner().map_err(|source| Error::write(&folder, source))?;
    encoder.finish().and_then(|mut output| output.flush()).map_err(|source| Error::write(&folder, source))
}

fn append_folder<W: Write>(archive: &mut Builder<W>, real_root: &Path, folder: &Path, name: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|source| Error::read(folder, source))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let Some(file_name) = path.file_name() else { continue };
        let name = name.join(file_name);
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let kind = metadata.file_type();
        if kind.is_dir() {
            // The official archives name files only; an empty folder would be lost without an entry of its own.
            if fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none()) {
                archive.append_dir(&name, &path).map_err(|source| Error::read(&path, source))?;
            }
            append_folder(archive, real_root, &path, &name)?;
        } else if kind.is_file() {
            append_file(archive, &path, &name)?;
        } else if kind.is_symlink() {
            append_link(archive, real_root, &path, &name)?;
        }
    }
    Ok(())
}

fn append_file<W: Write>(archive: &mut Builder<W>, path: &Path, name: &Path) -> Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::read(path, source)),
    };
    let metadata = file.metadata().map_err(|source| Error::read(path, source))?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&metadata);
    // The header promises a size: a file that a job still writes to is cut or filled up to it.
    let content = file.take(metadata.len()).chain(io::repeat(0)).take(metadata.len());
    archive.append_data(&mut header, name, content).map_err(|source| Error::read(path, source))
}

fn append_link<W: Write>(archive: &mut Builder<W>, real_root: &Path, path: &Path, name: &Path) -> Result<()> {
    let (Ok(target), Ok(real)) = (fs::read_link(path), fs::canonicalize(path)) else { return Ok(()) };
    if !real.starts_with(real_root) {
        return Ok(());
    }
    if target.is_relative() {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        header.set_mode(0o777);
        return archive.append_link(&mut header, name, target).map_err(|source| Error::read(path, source));
    }
    // An absolute link would dangle on another machine: send the file itself.
    if real.is_file() { append_file(archive, &real, name) } else { Ok(()) }
}

/// Unpacks a tar or tar.gz into `root/relative`, merging with what is there. With `overwrite` off existing files are kept.
pub fn unpack(input: impl Read, root: &Path, relative: &RelativePath, overwrite: bool, limits: Limits) -> Result<()> {
    fs::create_dir_all(root).map_err(|source| Error::write(root, source))?;
    let mut input = BufReader::with_capacity(64 * 1024, input);
    let head = io::BufRead::fill_buf(&mut input).map_err(|source| Error::read(root, source))?;
    let unpacked: &mut dyn Read =
        if head.starts_with(&[0x1f, 0x8b]) { &mut MultiGzDecoder::new(input) } else { &mut input };
    let mut archive = tar::Archive::new(unpacked);
    let mut left = limits;
    let bad = |source: io::Error| Error::BadArchive { reason: source.to_string() };
    for entry in archive.entries().map_err(bad)? {
        let mut entry = entry.map_err(bad)?;
        left.entries = left
            .entries
            .checked_sub(1)
            .ok_or(Error::ArchiveTooLarge { what: "the number of entries", limit: limits.entries })?;
        left.bytes = left
            .bytes
            .checked_sub(entry.size())
            .ok_or(Error::ArchiveTooLarge { what: "the unpacked size in bytes", limit: limits.bytes })?;
        unpack_entry(&mut entry, root, relative, overwrite)?;
    }
    Ok(())
}

fn unpack_entry<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    root: &Path,
    target: &RelativePath,
    overwrite: bool,
) -> Result<()> {
    let name = entry.path().map_err(|source| Error::BadArchive { reason: source.to_string() })?;
    let traversal = || Error::Traversal { path: name.display().to_string() };
    let relative = name.to_str().and_then(|name| RelativePath::parse(name).ok()).ok_or_else(traversal)?;
    if relative.is_root() {
        return Ok(());
    }
    let relative = target.join(&relative);
    let refuse = |reason: &str| Error::BadArchive { reason: format!("`{}` {reason}", name.display()) };
    match entry.header().entry_type() {
        EntryType::Directory => path::create_folder(root, &relative).map(|_| ()),
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            let place = path::create_parents(root, &relative)?;
            let mode = entry.header().mode().unwrap_or(0o644) & 0o755 | 0o600;
            write_file(entry, &place, mode, overwrite)
        }
        EntryType::Symlink => {
            let link = entry.link_name().ok().flatten().ok_or_else(|| refuse("is a link without a target"))?;
            if !stays_inside(relative.parts().count() - 1, &link) {
                return Err(refuse("is a link that leads out of the folder"));
            }
            let place = path::create_parents(root, &relative)?;
            if replace(&place, overwrite)? {
                symlink(&link, &place).map_err(|source| Error::write(&place, source))?;
            }
            Ok(())
        }
        EntryType::XGlobalHeader => Ok(()),
        _ => Err(refuse("is neither a file, a folder nor a symbolic link")),
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

/// Stores one file from `content` at `place` unless it exists and must be kept.
pub fn write_file(content: &mut impl Read, place: &Path, mode: u32, overwrite: bool) -> Result<()> {
    if !replace(place, overwrite)? {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let mut file = options.open(place).map_err(|source| Error::write(place, source))?;
    io::copy(content, &mut file).map_err(|source| Error::write(place, source))?;
    fs::set_permissions(place, fs::Permissions::from_mode(mode)).map_err(|source| Error::write(place, source))
}

fn replace(place: &Path, overwrite: bool) -> Result<bool> {
    let Ok(existing) = fs::symlink_metadata(place) else { return Ok(true) };
    if !overwrite {
        return Ok(false);
    }
    if existing.is_dir() {
        return Err(Error::Write {
            path: place.to_owned(),
            source: io::Error::new(io::ErrorKind::IsADirectory, "a folder with this name exists"),
        });
    }
    fs::remove_file(place).map_err(|source| Error::write(place, source))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelativePath {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_packed_unpacks_to_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (run, copy) = (folder.path().join("run"), folder.path().join("copy"));
        fs::create_dir_all(run.join("outputs/deep")).unwrap();
        fs::write(run.join("outputs/deep/a"), vec![7; 100_000]).unwrap();
        fs::write(run.join("outputs/tool"), "#!").unwrap();
        fs::set_permissions(run.join("outputs/tool"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("deep/a", run.join("outputs/link")).unwrap();
        symlink("/etc/passwd", run.join("outputs/escape")).unwrap();
        let mut bytes = Vec::new();
        pack(&run, &path("outputs"), &mut bytes).unwrap();
        unpack(bytes.as_slice(), &copy, &path("in"), true, Limits::default()).unwrap();
        assert_eq!(fs::read(copy.join("in/link")).unwrap(), vec![7; 100_000]);
        assert_eq!(fs::metadata(copy.join("in/tool")).unwrap().permissions().mode() & 0o777, 0o755);
        assert!(fs::symlink_metadata(copy.join("in/escape")).is_err());
    }

    #[test]
    fn hostile_archives_write_nothing_outside() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        fs::create_dir_all(&target).unwrap();
        symlink(folder.path(), target.join("planted")).unwrap();
        for (name, kind, link) in [
            ("../evil", EntryType::Regular, ""),
            ("/evil", EntryType::Regular, ""),
            ("planted/evil", EntryType::Regular, ""),
            ("evil", EntryType::Symlink, "../../etc/passwd"),
            ("evil", EntryType::Symlink, "/etc/passwd"),
            ("evil", EntryType::Link, "../secret"),
            ("evil", EntryType::Char, ""),
            ("evil", EntryType::Fifo, ""),
        ] {
            let bytes = archive_with(name, kind, link, b"");
            assert!(
                unpack(bytes.as_slice(), &target, &path(""), true, Limits::default()).is_err(),
                "{name} {kind:?} {link}"
            );
            assert!(!folder.path().join("evil").exists());
        }
    }

    #[test]
    fn limits_and_overwrite_are_respected() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = archive_with("a", EntryType::Regular, "", b"12345");
        let small = Limits { entries: 10, bytes: 4 };
        assert!(matches!(
            unpack(bytes.as_slice(), folder.path(), &path(""), true, small),
            Err(Error::ArchiveTooLarge { limit: 4, .. })
        ));
        fs::write(folder.path().join("a"), "old").unwrap();
        unpack(bytes.as_slice(), folder.path(), &path(""), false, Limits::default()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "old");
        unpack(bytes.as_slice(), folder.path(), &path(""), true, Limits::default()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "12345");
        assert!(unpack(&b"not an archive at all"[..], folder.path(), &path(""), true, Limits::default()).is_err());
    }

    fn archive_with(name: &str, kind: EntryType, link: &str, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        // Written by hand: the builder refuses the names that this test needs.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        if !link.is_empty() {
            header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        }
        header.set_cksum();
        let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        archive.append(&header, content).unwrap();
        archive.into_inner().unwrap().finish().unwrap()
    }
}
