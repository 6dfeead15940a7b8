//! A received file into its place in the folder of a run, whole or not at all.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::http::StatusCode;
use polyaxon_artifacts::folder::{Existing, Folder};
use polyaxon_artifacts::{Error, archive};
use rustix::fs::FileType;

use crate::errors::StreamError;
use crate::streams::artifacts::parse;
use crate::streams::upload::Upload;

type Result<T> = std::result::Result<T, StreamError>;

pub(crate) const TRAVERSAL: &str = "Invalid path: traversal detected";

/// One file, as `<path>/<name>` below `root`.
pub(crate) fn place(root: &Path, upload: Upload) -> Result<StatusCode> {
    let Some(name) = &upload.name else {
        return Err(StreamError::bad_request("Run's artifacts upload was unsuccessful, the file has no name"));
    };
    let relative = parse(&upload.target.path)?.join(&parse(name)?);
    let (Some(name), parent) = (relative.file_name(), relative.parent()) else {
        return Err(StreamError::bad_request("Run's artifacts upload was unsuccessful, the file has no name"));
    };
    let folder = Folder::create(root, &parent).map_err(unsuccessful)?;
    match folder.kind(name).map_err(unsuccessful)? {
        Some(_) if !upload.target.overwrite => return Ok(StatusCode::OK),
        Some(FileType::Directory) => {
            return Err(StreamError::bad_request(format!(
                "Run's artifacts upload was unsuccessful, a folder with the name {relative} exists"
            )));
        }
        _ => {}
    }
    // Temporary files are private; artifacts are read by jobs of other users too.
    let readable = std::fs::set_permissions(&upload.file, Permissions::from_mode(0o644));
    readable.map_err(|error| cannot_write(&error))?;
    folder.take(&upload.file, name, existing(&upload)).map_err(unsuccessful)?;
    Ok(StatusCode::OK)
}

/// An archive, unpacked into `<path>` below `root`.
pub(crate) fn unpack(root: &Path, staging: &Path, upload: Upload) -> Result<StatusCode> {
    let file = File::open(&upload.file).map_err(|error| cannot_write(&error))?;
    let relative = parse(&upload.target.path)?;
    let target = archive::Target { root, relative: &relative, staging, existing: existing(&upload) };
    archive::unpack(file, target, archive::Limits::default()).map_err(unsuccessful)?;
    Ok(StatusCode::OK)
}

/// A folder that a client names, if it can be one.
pub(crate) fn checked(path: &str) -> Result<String> {
    parse(path).map(|path| path.to_string())
}

fn existing(upload: &Upload) -> Existing {
    if upload.target.overwrite { Existing::IsReplaced } else { Existing::IsKept }
}

/// Answers a change of files that cannot be made.
pub(crate) fn unsuccessful(error: Error) -> StreamError {
    let is_full = error.is_full_disk();
    match error {
        Error::Traversal { .. } => StreamError::bad_request(TRAVERSAL),
        error => StreamError {
            status: if is_full { StatusCode::INSUFFICIENT_STORAGE } else { StatusCode::BAD_REQUEST },
            text: format!("Run's artifacts upload was unsuccessful, {}", chain(&error)),
        },
    }
}

/// Answers an upload for which the disk has no room, or no permission.
pub(crate) fn cannot_write(error: &io::Error) -> StreamError {
    let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    StreamError {
        status: if is_full { StatusCode::INSUFFICIENT_STORAGE } else { StatusCode::BAD_REQUEST },
        text: format!("Run's artifacts upload was unsuccessful, cannot write it to disk: {error}"),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
