//! Artifacts of a run: upload, read, list, delete.

use std::io::Read;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use polyaxon_artifacts::folder::Folder;
use polyaxon_artifacts::{Error, path, tree};
use polyaxon_model::artifact::RelativePath;
use rustix::fs::FileType;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::errors::StreamError;
use crate::openapi::parameters::{FileParameters, FolderParameters, PathParameters};
use crate::openapi::shapes::{FileUpload, FolderListing};
use crate::query::Params;
use crate::state::Server;
use crate::streams::run_folder::RunFolder;
use crate::streams::store::{self, TRAVERSAL, unsuccessful};
use crate::streams::upload::{self, Upload};
use crate::streams::{download, in_background, notebook};

type Result<T> = std::result::Result<T, StreamError>;

/// Upload a file to a run.
///
/// One file, stored as `<path>/<name>`.
#[utoipa::path(
    post, path = "/artifact", tag = "artifacts",
    request_body(content = FileUpload, content_type = "multipart/form-data"),
    responses((status = 200, description = "The file is stored")),
)]
pub(crate) async fn upload_artifact(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    parts: Multipart,
) -> Result<StatusCode> {
    let upload = receive(&server, parts).await?;
    server.note_life(folder.run).await?;
    // The official client always sends `untar: false` here, while the default of the field is true.
    in_background(move || store::place(&folder.path, upload)).await
}

/// Upload an archive to a run and unpack it.
///
/// An archive, unpacked into `<path>`, or stored as it is.
#[utoipa::path(
    post, path = "/artifacts", tag = "artifacts",
    request_body(content = FileUpload, content_type = "multipart/form-data"),
    responses((status = 200, description = "The files are stored")),
)]
pub(crate) async fn upload_artifacts(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    parts: Multipart,
) -> Result<StatusCode> {
    let upload = receive(&server, parts).await?;
    server.note_life(folder.run).await?;
    let staging = server.staging();
    in_background(move || {
        if upload.target.untar {
            store::unpack(&folder.path, &staging, upload)
        } else {
            store::place(&folder.path, upload)
        }
    })
    .await
}

async fn receive(server: &Server, parts: Multipart) -> Result<Upload> {
    upload::receive(parts, &server.staging(), server.options.max_upload_bytes).await
}

/// Download a file of a run.
#[utoipa::path(
    get, path = "/artifact", tag = "artifacts", operation_id = "download_artifact",
    params(FileParameters),
    responses((status = 200, description = "The bytes of the file, in the type that its name says", body = Vec<u8>, content_type = "application/octet-stream")),
)]
pub(crate) async fn get_artifact(folder: RunFolder, params: Params, headers: HeaderMap) -> Result<Response> {
    let Some(wanted) = params.text("path") else {
        return Err(StreamError::bad_request("A `path` query param is required to stream a file content"));
    };
    if params.flag("render").unwrap_or(false) {
        return render(folder, wanted).await;
    }
    send(folder, wanted, headers).await
}

async fn render(folder: RunFolder, wanted: &str) -> Result<Response> {
    let wanted = parse(wanted)?;
    let name = wanted.file_name().unwrap_or_default().to_owned();
    if !name.ends_with(".ipynb") {
        return Err(StreamError::bad_request(format!("Rendering is not supported for this file: {wanted}")));
    }
    in_background(move || {
        let (file, _) = path::open(&folder.path, &wanted).map_err(|error| refuse(error, &folder, &wanted))?;
        let mut text = Vec::new();
        let read = file.take(notebook::MAX_BYTES).read_to_end(&mut text);
        read.map_err(crate::errors::Error::internal)?;
        notebook::page(&text, &name)
            .ok_or_else(|| StreamError::bad_request(format!("Rendering failed, this is no notebook: {wanted}")))
    })
    .await
}

#[derive(Deserialize)]
pub(crate) struct ReadOnlyPath {
    path: String,
}

/// Download a file of a run whose path is a part of the address.
///
/// The path may be a part of the URL, or a parameter behind the placeholder `_`.
#[utoipa::path(
    get, path = "/ro_artifact/{*path}", tag = "artifacts", operation_id = "download_read_only",
    params(PathParameters),
    responses((status = 200, description = "The bytes of the file, in the type that its name says", body = Vec<u8>, content_type = "application/octet-stream")),
)]
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

/// Download a folder of a run as an archive.
#[utoipa::path(
    get, path = "/artifacts", tag = "artifacts", operation_id = "download_artifacts",
    params(FolderParameters),
    responses((status = 200, description = "The folder as tar.gz", body = Vec<u8>, content_type = "application/gzip")),
)]
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

/// Delete a file of a run.
#[utoipa::path(
    delete, path = "/artifact", tag = "artifacts", operation_id = "remove_artifact",
    params(PathParameters),
    responses((status = 204, description = "The file is gone")),
)]
pub(crate) async fn delete_artifact(folder: RunFolder, params: Params) -> Result<StatusCode> {
    let Some(wanted) = params.text("path") else {
        return Err(StreamError::bad_request("A `path` query param is required to delete a file"));
    };
    let wanted = parse(wanted)?;
    in_background(move || {
        let (parent, name) = existing(&folder, &wanted)?;
        if parent.kind(name).map_err(unsuccessful)? == Some(FileType::Directory) {
            return Err(StreamError::bad_request(format!("Artifact is a folder: {}", folder.shown(&wanted))));
        }
        parent.remove_file(name).map_err(unsuccessful)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Delete a file or a folder of a run.
#[utoipa::path(
    delete, path = "/artifacts", tag = "artifacts", operation_id = "remove_artifacts",
    params(PathParameters),
    responses((status = 204, description = "The folder is gone")),
)]
pub(crate) async fn delete_artifacts(
    server: State<Arc<Server>>,
    folder: RunFolder,
    params: Params,
) -> Result<StatusCode> {
    let wanted = parse(params.text("path").unwrap_or_default())?;
    in_background(move || {
        if wanted.is_root() {
            let store = Folder::open(&server.layout.store(), &RelativePath::root()).map_err(unsuccessful)?;
            let name = folder.run.to_hex();
            return match store.kind(&name).map_err(unsuccessful)? {
                None => Err(missing(&folder, &wanted)),
                Some(_) => store.remove(&name).map_err(unsuccessful),
            };
        }
        let (parent, name) = existing(&folder, &wanted)?;
        parent.remove(name).map_err(unsuccessful)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The folder and the name of something to delete: a link is removed, and not what it leads to.
fn existing<'a>(folder: &RunFolder, wanted: &'a RelativePath) -> Result<(Folder, &'a str)> {
    let parent = Folder::open(&folder.path, &wanted.parent()).map_err(|error| match error {
        error if error.is_missing() => missing(folder, wanted),
        error => unsuccessful(error),
    })?;
    let name = wanted.file_name().unwrap_or_default();
    match parent.kind(name).map_err(unsuccessful)? {
        Some(_) => Ok((parent, name)),
        None => Err(missing(folder, wanted)),
    }
}

fn missing(folder: &RunFolder, wanted: &RelativePath) -> StreamError {
    StreamError::bad_request(format!("Artifact not found: filepath={}", folder.shown(wanted)))
}

/// List a folder of a run.
///
/// A folder that cannot be listed is an empty one with an `error`, because clients read this answer as a document.
#[utoipa::path(
    get, path = "/artifacts/tree", tag = "artifacts", operation_id = "list_folder",
    params(PathParameters),
    responses((status = 200, body = FolderListing)),
)]
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

pub(crate) fn parse(text: &str) -> Result<RelativePath> {
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
