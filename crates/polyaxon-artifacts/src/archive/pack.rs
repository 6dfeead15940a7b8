//! A folder of a run to a `.tar.gz` stream: nothing of it is stored, nothing outside of the run is sent.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use polyaxon_model::artifact::RelativePath;
use rustix::fs::OFlags;
use tar::{Builder, EntryType};

use crate::error::{Error, Result};
use crate::path;

/// Writes everything below `root/relative` to `output`, names relative to that folder (a single file by its own name).
/// Links that lead out of `root`, sockets, pipes and devices are left out; files that vanish meanwhile too.
pub fn pack(root: &Path, relative: &RelativePath, output: impl Write) -> Result<()> {
    let folder = path::locate(root, relative)?;
    let real_root = fs::canonicalize(root).map_err(|source| Error::read(root, source))?;
    let mut archive = Builder::new(GzEncoder::new(output, Compression::fast()));
    archive.follow_symlinks(false);
    if folder.is_file() {
        let name = folder.file_name().map(PathBuf::from).unwrap_or_default();
        append_file(&mut archive, &real_root, &folder, &name)?;
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
            append_file(archive, real_root, &path, &name)?;
        } else if kind.is_symlink() {
            append_link(archive, real_root, &path, &name)?;
        }
    }
    Ok(())
}

fn append_file<W: Write>(archive: &mut Builder<W>, real_root: &Path, path: &Path, name: &Path) -> Result<()> {
    // What was a file a moment ago may be a link or a pipe by now: those are neither followed nor waited for.
    let file = match path::open_beneath(real_root, path, OFlags::NONBLOCK | OFlags::NOFOLLOW) {
        Ok(file) => file,
        Err(_) if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) => return Ok(()),
        Err(source) => return Err(Error::read(path, source)),
    };
    let metadata = file.metadata().map_err(|source| Error::read(path, source))?;
    if !metadata.is_file() {
        return Ok(());
    }
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
    if real.is_file() { append_file(archive, real_root, &real, name) } else { Ok(()) }
}
