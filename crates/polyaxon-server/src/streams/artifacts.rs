//! Artifacts of a run: upload, read, list, delete.

use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use polyaxon_artifacts::{Error, archive, path, tree};
use polyaxon_model::artifact::RelativePath;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::errors::StreamError;
use crate::query::Params;
use crate::state::Server;
use crate::streams::run_folder::RunFolder;
use crate::streams::upload::{self, Upload};
use crate::streams::{download, in_background};

type Result<T> = std::result::Result<T, StreamError>;

/// One file, stored as `<path>/<name>`.
pub(crate) async fn upload_artifact(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    parts: Multipart,
) -> Result<StatusCode> {
    let upload = receive(&server, parts).await?;
    // The official client always sends `untar: false` here, while the default of the field is true.
    in_background(move || place(&folder.path, upload)).await
}

/// An archive, unpacked into `<path>`, or stored as it is.
pub(crate) async fn upload_artifacts(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    parts: Multipart,
) -> Result<StatusCode> {
    let upload = receive(&server, parts).await?;
    in_background(move || if upload.target.untar { unpack(&folder.path, upload) } else { place(&folder.path, upload) })
        .await
}

async fn receive(server: &Server, parts: Multipart) -> Result<Upload> {
    upload::receive(parts, &server.staging(), server.options.max_upload_bytes).await
}

fn place(root: &FilePath, upload: Upload) -> Result<StatusCode> {
    let Some(name) = &upload.name else {
        return Err(StreamError::bad_request("Run's artifacts upload was unsuccessful, the file has no name"));
    };
    let relative = parse(&upload.target.path)?.join(&parse(name)?);
    std::fs::create_dir_all(root).map_err(|error| cannot_write(&error))?;
    let place = path::create_parents(root, &relative).map_err(unsuccessful)?;
    match std::fs::symlink_metadata(&place) {
        Ok(_) if !upload.target.overwrite => return Ok(StatusCode::OK),
        Ok(existing) if existing.is_dir() => {
            return Err(StreamError::bad_request(format!(
                "Run's artifacts upload was unsuccessful, a folder with the name {relative} exists"
            )));
        }
        _ => {}
    }
    make_readable(&upload.file).map_err(|error| cannot_write(&error))?;
    upload.file.persist(&place).map_err(|error| cannot_write(&error.error))?;
    Ok(StatusCode::OK)
}

/// Temporary files are private; artifacts are read by jobs of other users too.
fn make_readable(file: &FilePath) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644))
}

fn unpack(root: &FilePath, upload: Upload) -> Result<StatusCode> {
    let file = std::fs::File::open(&upload.file).map_err(|error| cannot_write(&error))?;
    let limits = archive::Limits::default();
    let target = parse(&upload.target.path)?;
    archive::unpack(file, root, &target, upload.target.overwrite, limits).map_err(unsuccessful)?;
    Ok(StatusCode::OK)
}

pub(crate) async fn get_artifact(folder: RunFolder, params: Params, headers: HeaderMap) -> Result<Response> {
    let Some(wanted) = params.text("path") else {
        return Err(StreamError::bad_request("A `path` query param is required to stream a file content"));
    };
    if params.flag("render").unwrap_or(false) {
        return Err(StreamError::bad_request(format!("Rendering is not supported for this file: {wanted}")));
    }
    send(folder, wanted, headers).await
}

#[derive(Deserialize)]
pub(crate) struct ReadOnlyPath {
    path: String,
}

/// The path may be a part of the URL, or a parameter behind the placeholder `_`.
pub(crate) async fn get_read_only(
    folder: RunFolder,
    Path(url): Path<ReadOnlyPath>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response> {
    send(folder, params.text("path").unwrap_or(&url.path), headers).await
}

async fn send(folder: RunFolder, wanted: &str, headers: HeaderMap) -> Result<Response> {
    let wanted = parse(wanted)?;
    in_background(move || {
        let (file, metadata) = path::open(&folder.path, &wanted).map_err(|error| refuse(error, &folder, &wanted))?;
        Ok(download::file(file, &metadata, wanted.file_name().unwrap_or_default(), &headers))
    })
    .await
}

pub(crate) async fn get_artifacts(folder: RunFolder, params: Params, headers: HeaderMap) -> Result<Response> {
    let wanted = parse(params.text("path").unwrap_or_default())?;
    let may_be_file = params.flag("check_path").or_else(|| params.flag("check_file")).unwrap_or(false);
    let place = {
        let (folder, wanted) = (folder.clone(), wanted.clone());
        let locate = move || path::locate(&folder.path, &wanted).map_err(|error| refuse(error, &folder, &wanted));
        in_background(locate).await?
    };
    if may_be_file && place.is_file() {
        return send(folder, wanted.as_str(), headers).await;
    }
    let name = wanted.file_name().map_or_else(|| folder.run.to_hex(), str::to_owned);
    Ok(download::folder(folder.path, wanted, &name))
}

pub(crate) async fn delete_artifact(folder: RunFolder, params: Params) -> Result<StatusCode> {
    let Some(wanted) = params.text("path") else {
        return Err(StreamError::bad_request("A `path` query param is required to delete a file"));
    };
    let wanted = parse(wanted)?;
    in_background(move || {
        let place = existing(&folder, &wanted)?;
        if place.is_dir() {
            return Err(StreamError::bad_request(format!("Artifact is a folder: {}", folder.shown(&wanted))));
        }
        std::fs::remove_file(&place).map_err(|error| cannot_write(&error))?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

pub(crate) async fn delete_artifacts(folder: RunFolder, params: Params) -> Result<StatusCode> {
    let wanted = parse(params.text("path").unwrap_or_default())?;
    in_background(move || {
        let place = existing(&folder, &wanted)?;
        let removed = if place.is_dir() { std::fs::remove_dir_all(&place) } else { std::fs::remove_file(&place) };
        removed.map_err(|error| cannot_write(&error))?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The place of something to delete: the thing itself, so a link is removed and not what it leads to.
fn existing(folder: &RunFolder, wanted: &RelativePath) -> Result<PathBuf> {
    let missing = || StreamError::bad_request(format!("Artifact not found: filepath={}", folder.shown(wanted)));
    let locate = |path: &RelativePath| {
        path::locate(&folder.path, path).map_err(|error| match refuse(error, folder, wanted) {
            StreamError { status: StatusCode::NOT_FOUND, .. } => missing(),
            other => other,
        })
    };
    let Some(name) = wanted.file_name() else { return locate(wanted) };
    let parent: Vec<&str> = wanted.parts().collect();
    let place = locate(&parse(&parent[..parent.len() - 1].join("/"))?)?.join(name);
    if place.symlink_metadata().is_ok() { Ok(place) } else { Err(missing()) }
}

/// A folder that cannot be listed is an empty one with an `error`, because clients read this answer as a document.
pub(crate) async fn get_tree(folder: RunFolder, params: Params) -> Result<Json<Value>> {
    let empty = |error: String| Ok(Json(json!({ "files": {}, "dirs": [], "error": error })));
    let wanted = match parse(params.text("path").unwrap_or_default()) {
        Ok(wanted) => wanted,
        Err(error) => return empty(error.text),
    };
    in_background(move || {
        let unlisted = |reason: String| empty(format!("Could not list path {}: {reason}", folder.shown(&wanted)));
        match tree::list(&folder.path, &wanted) {
            Ok(tree) if tree == tree::Tree::default() && !folder.path.join(wanted.as_str()).is_dir() => {
                unlisted("it does not exist".into())
            }
            Ok(tree) => Ok(Json(json!(tree))),
            Err(Error::Traversal { .. }) => empty(TRAVERSAL.into()),
            Err(error) => unlisted(error.to_string()),
        }
    })
    .await
}

const TRAVERSAL: &str = "Invalid path: traversal detected";

fn parse(text: &str) -> Result<RelativePath> {
    // A leading slash means the run's folder, as in the official server.
    RelativePath::parse(text.trim_start_matches('/')).map_err(|error| StreamError::bad_request(error.to_string()))
}

/// Answers a read that cannot be served.
fn refuse(error: Error, folder: &RunFolder, wanted: &RelativePath) -> StreamError {
    let missing = || StreamError::not_found(format!("Artifact not found: filepath={}", folder.shown(wanted)));
    match error {
        Error::Traversal { .. } => StreamError::bad_request(TRAVERSAL),
        Error::NotAFile { .. } => missing(),
        error if error.is_missing() => missing(),
        error => crate::errors::Error::internal(error).into(),
    }
}

/// Answers an upload that cannot be stored.
fn unsuccessful(error: Error) -> StreamError {
    match error {
        Error::Traversal { .. } => StreamError::bad_request(TRAVERSAL),
        error => StreamError::bad_request(format!("Run's artifacts upload was unsuccessful, {}", chain(&error))),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn cannot_write(error: &io::Error) -> StreamError {
    StreamError::bad_request(format!("Run's artifacts upload was unsuccessful, cannot write: {error}"))
}
