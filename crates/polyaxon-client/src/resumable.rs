//! Uploads that go on after a cut connection, by the tus protocol of our servers.
//!
//! Invariant: what the server has confirmed is not sent again; an upload that gets no further is given up.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Method, Response};
use tokio_util::io::ReaderStream;

use crate::artifacts::Store;
use crate::error::Error;

const VERSION: &str = "1.0.0";

/// Attempts in a row that bring the upload no further.
const ATTEMPTS: u32 = 8;

/// What is sent, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'a> {
    pub file: &'a File,
    pub size: u64,
    /// The folder of the run that the archive is unpacked into; `""` is the top.
    pub path: &'a str,
}

/// How far an upload is: it is told where the next bytes begin, then of bytes on their way.
pub trait Watch: Send + Sync + 'static {
    fn set(&self, position: u64);
    fn advance(&self, bytes: u64);
}

/// Sends a `.tar.gz` that is unpacked into a folder of the run. False when the server knows no such uploads.
pub async fn upload_archive(store: &Store<'_>, archive: Archive<'_>, watch: Arc<dyn Watch>) -> Result<bool, Error> {
    let metadata = [("filename", "upload.tar.gz"), ("path", archive.path), ("overwrite", "true"), ("untar", "true")];
    let metadata: Vec<String> = metadata.map(|(key, value)| format!("{key} {}", base64(value.as_bytes()))).into();
    let headers = [
        ("tus-resumable", VERSION.to_owned()),
        ("upload-length", archive.size.to_string()),
        ("upload-metadata", metadata.join(",")),
    ];
    let uploads = store.url("uploads");
    let url = match store.client.send(Method::POST, &uploads, &headers, None).await {
        Ok(response) => location(&uploads, &response)?,
        Err(Error::Refused { status: 404 | 405 | 501, .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    let (mut position, mut failures) = (0, 0);
    while position < archive.size {
        watch.set(position);
        let error = match append(store, &url, archive, position, &watch).await {
            Ok(reached) => {
                position = reached;
                continue;
            }
            Err(error) => error,
        };
        if !may_go_on(&error) {
            return Err(error);
        }
        match stands_at(store, &url).await {
            Ok(reached) if reached > position => (position, failures) = (reached, 0),
            // The last bytes put the file in place, after which the upload is not known any more.
            Err(Error::Refused { status: 404 | 410, .. }) => return Err(error),
            Ok(_) | Err(_) => failures += 1,
        }
        if failures == ATTEMPTS {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(100 << failures)).await;
    }
    Ok(true)
}

/// Sends what is left; tells where the upload stands then.
async fn append(
    store: &Store<'_>,
    url: &str,
    archive: Archive<'_>,
    position: u64,
    watch: &Arc<dyn Watch>,
) -> Result<u64, Error> {
    let unreadable = |source| Error::Write { source };
    let mut file = archive.file.try_clone().map_err(unreadable)?;
    file.seek(SeekFrom::Start(position)).map_err(unreadable)?;
    let watch = Arc::clone(watch);
    let bytes = ReaderStream::with_capacity(tokio::fs::File::from_std(file), 1 << 18).map(move |chunk| {
        if let Ok(chunk) = &chunk {
            watch.advance(chunk.len() as u64);
        }
        chunk
    });
    let headers = [
        ("tus-resumable", VERSION.to_owned()),
        ("upload-offset", position.to_string()),
        ("content-type", "application/offset+octet-stream".to_owned()),
    ];
    let response = store.client.send(Method::PATCH, url, &headers, Some(reqwest::Body::wrap_stream(bytes))).await?;
    offset(url, &response)
}

async fn stands_at(store: &Store<'_>, url: &str) -> Result<u64, Error> {
    let headers = [("tus-resumable", VERSION.to_owned())];
    let response = store.client.send(Method::HEAD, url, &headers, None).await?;
    offset(url, &response)
}

/// Whether the connection is to blame, or the server for a moment.
fn may_go_on(error: &Error) -> bool {
    match error {
        Error::Unreachable { .. } | Error::Broken { .. } | Error::Timeout { .. } => true,
        Error::Refused { status, .. } => matches!(status, 408 | 409 | 423 | 429 | 502..=504),
        _ => false,
    }
}

fn offset(url: &str, response: &Response) -> Result<u64, Error> {
    let text = response.headers().get("upload-offset").and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.parse().map_err(|_| Error::Unreadable { url: url.to_owned(), excerpt: format!("Upload-Offset: {text}") })
}

/// The address of the upload: the server may be known by another name than its own.
fn location(uploads: &str, response: &Response) -> Result<String, Error> {
    let text = response.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match text.rsplit('/').next() {
        Some(id) if !id.is_empty() => Ok(format!("{uploads}/{id}")),
        _ => Err(Error::Unreadable { url: uploads.to_owned(), excerpt: format!("Location: {text}") }),
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn metadata_is_base64() {
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }
}
