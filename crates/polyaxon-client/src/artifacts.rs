//! Files of a run: tree, download, upload.

use std::path::Path;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;

use crate::error::Error;
use crate::http::{Client, Place};

/// A run in the streams service.
#[derive(Clone, Debug)]
pub struct Store<'a> {
    pub client: &'a Client,
    pub place: &'a Place,
    pub namespace: &'a str,
    pub uuid: &'a str,
}

/// One level of a folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// Name and size in bytes.
    pub files: Vec<(String, u64)>,
    pub folders: Vec<String>,
    pub json: Value,
}

/// Lists one folder of the run; `""` is the top.
pub async fn tree(store: &Store<'_>, path: &str) -> Result<Tree, Error> {
    let json = store.client.get(&store.url("artifacts/tree"), &[("path", path.to_owned())]).await?;
    let files = json.get("files").and_then(Value::as_object).into_iter().flatten();
    let folders = json.get("dirs").and_then(Value::as_array).into_iter().flatten();
    Ok(Tree {
        files: files.map(|(name, size)| (name.clone(), size.as_u64().unwrap_or(0))).collect(),
        folders: folders.filter_map(Value::as_str).map(str::to_owned).collect(),
        json,
    })
}

/// Writes one file of the run to `target`.
pub async fn download_file(store: &Store<'_>, path: &str, target: &Path) -> Result<u64, Error> {
    let query = [("path", path.to_owned()), ("stream", "true".to_owned())];
    save(store, "artifact", &query, target).await
}

/// Writes a folder of the run as `.tar.gz` to `target`.
pub async fn download_folder(store: &Store<'_>, path: &str, target: &Path) -> Result<u64, Error> {
    save(store, "artifacts", &[("path", path.to_owned())], target).await
}

/// Unpacks a `.tar.gz` into the folder `path` of the run.
pub async fn upload_archive(store: &Store<'_>, path: &str, archive: std::fs::File, size: u64) -> Result<(), Error> {
    let body = reqwest::Body::wrap_stream(ReaderStream::new(tokio::fs::File::from_std(archive)));
    let part = reqwest::multipart::Part::stream_with_length(body, size).file_name("upload.tar.gz");
    let options = json!({ "path": path, "overwrite": true, "untar": true }).to_string();
    let form = reqwest::multipart::Form::new().text("json", options).part("upload_file", part);
    store.client.post_multipart(&store.url("artifacts"), form).await
}

async fn save(store: &Store<'_>, rest: &str, query: &[(&str, String)], target: &Path) -> Result<u64, Error> {
    let written = |source| Error::Write { source };
    let response = store.client.open(&store.url(rest), query).await?;
    let mut file = tokio::fs::File::create(target).await.map_err(written)?;
    let mut body = response.bytes_stream();
    let mut size = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|source| store.client.broken(source))?;
        size += chunk.len() as u64;
        file.write_all(&chunk).await.map_err(written)?;
    }
    file.flush().await.map_err(written)?;
    Ok(size)
}

impl Store<'_> {
    pub(crate) fn url(&self, rest: &str) -> String {
        self.client.streams(self.namespace, self.place, self.uuid, rest)
    }
}
