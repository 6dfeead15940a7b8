//! Receiving one multipart upload: the file goes to disk chunk by chunk, never whole into memory.
//!
//! Invariant: a broken or too large upload leaves nothing behind; the file is only put in its place by the caller.

use std::path::Path;

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use polyaxon_model::artifact::base_name;
use serde_json::Value;
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::errors::StreamError;
use crate::streams::store::cannot_write;

/// A received file and what the client wants done with it.
#[derive(Debug)]
pub(crate) struct Upload {
    /// Deleted when dropped, unless it was moved to its place.
    pub file: TempPath,
    /// The last part of the client's file name, which may be a whole path on its machine.
    pub name: Option<String>,
    pub target: Target,
}

/// The `json` part of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub path: String,
    pub overwrite: bool,
    pub untar: bool,
}

impl Default for Target {
    fn default() -> Self {
        Self { path: String::new(), overwrite: true, untar: true }
    }
}

/// Reads all parts, in whatever order the client sends them. `staging` must be on the file system of the artifacts.
pub(crate) async fn receive(mut parts: Multipart, staging: &Path, max_bytes: u64) -> Result<Upload, StreamError> {
    let mut received = None;
    let mut target = Target::default();
    while let Some(field) = parts.next_field().await.map_err(|error| broken(&error))? {
        match field.name() {
            Some("upload_file") => {
                let name = field.file_name().and_then(base_name).map(str::to_owned);
                received = Some((store(field, staging, max_bytes).await?, name));
            }
            Some("json") => {
                let text = field.text().await.map_err(|error| broken(&error))?;
                target = read_target(&text)?;
            }
            _ => {}
        }
    }
    let Some((file, name)) = received else {
        return Err(StreamError::bad_request("A file is required to upload a file"));
    };
    Ok(Upload { file, name, target })
}

async fn store(mut field: Field<'_>, staging: &Path, max_bytes: u64) -> Result<TempPath, StreamError> {
    let unwritable = |error: std::io::Error| cannot_write(&error);
    tokio::fs::create_dir_all(staging).await.map_err(unwritable)?;
    let (file, path) =
        tempfile::Builder::new().prefix("upload-").tempfile_in(staging).map_err(unwritable)?.into_parts();
    let mut file = File::from_std(file);
    let mut length = 0_u64;
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        length += chunk.len() as u64;
        if length > max_bytes {
            let text = format!("The upload is larger than this server accepts ({max_bytes} bytes).");
            return Err(StreamError { status: StatusCode::PAYLOAD_TOO_LARGE, text });
        }
        file.write_all(&chunk).await.map_err(unwritable)?;
    }
    file.flush().await.map_err(unwritable)?;
    Ok(path)
}

fn read_target(text: &str) -> Result<Target, StreamError> {
    let wrong = |what: &str| {
        StreamError::bad_request(format!(
            "Run's artifacts upload was unsuccessful, the `json` part must be an object with `path` (string), \
             `overwrite` and `untar` (booleans), but {what}: {text}"
        ))
    };
    let mut target = Target::default();
    if text.trim().is_empty() {
        return Ok(target);
    }
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(text) else { return Err(wrong("it is no object")) };
    match fields.get("path") {
        None | Some(Value::Null) => {}
        Some(Value::String(path)) => path.clone_into(&mut target.path),
        Some(_) => return Err(wrong("`path` is no string")),
    }
    for (name, flag) in [("overwrite", &mut target.overwrite), ("untar", &mut target.untar)] {
        match fields.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(value)) => *flag = *value,
            Some(_) => return Err(wrong(&format!("`{name}` is no boolean"))),
        }
    }
    Ok(target)
}

fn broken(error: &MultipartError) -> StreamError {
    StreamError {
        status: error.status(),
        text: format!("Run's artifacts upload was unsuccessful, {}", error.body_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_default_to_unpacking_and_replacing() {
        let target = |text| read_target(text).map_err(|error| error.text);
        assert_eq!(target("").unwrap(), Target::default());
        assert_eq!(
            target(r#"{"untar": false, "path": "outputs", "overwrite": true, "connection": null}"#).unwrap(),
            Target { path: "outputs".into(), overwrite: true, untar: false }
        );
        assert!(target("[]").unwrap_err().contains("it is no object"));
        assert!(target(r#"{"untar": 1}"#).unwrap_err().contains("`untar` is no boolean"));
    }
}
