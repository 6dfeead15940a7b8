//! Bytes from disk to the client: one file with its headers, or a folder packed while it is sent.
//!
//! Invariant: memory is bounded by a few chunks, whatever the size; what is packed is never stored.

use std::fs::{File, Metadata};
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::Timestamp;
use polyaxon_artifacts::archive;
use polyaxon_model::artifact::RelativePath;
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;

use crate::streams::range::{self, Version, Wanted};

/// Files that jobs wrote are shown inside of pages, but their scripts must not act in the name of this server's pages.
const POLICY: HeaderValue = HeaderValue::from_static("sandbox allow-scripts");

const CHUNK: usize = 64 * 1024;

/// One file, or the part of it that `request` asks for, shown inline; nothing when the client has it already.
pub(crate) fn file(mut file: File, metadata: &Metadata, name: &str, request: &HeaderMap) -> Response {
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let version =
        Version { tag: format!("\"{:x}-{:x}\"", changed.as_nanos(), metadata.len()), seconds: changed.as_secs() };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(value) = HeaderValue::from_str(&version.tag) {
        headers.insert(header::ETAG, value);
    }
    if let Some(value) = http_date(version.seconds) {
        headers.insert(header::LAST_MODIFIED, value);
    }
    if range::is_known(request, &version) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, disposition(name));
    let total = metadata.len();
    let (status, length) = match range::wanted(request, &version, total) {
        Wanted::Whole => (StatusCode::OK, total),
        Wanted::Part { first, last } => match file.seek(io::SeekFrom::Start(first)) {
            Ok(_) => {
                headers.insert(header::CONTENT_RANGE, content_range(&format!("{first}-{last}/{total}")));
                (StatusCode::PARTIAL_CONTENT, last - first + 1)
            }
            Err(_) => (StatusCode::OK, total),
        },
        Wanted::Nothing => {
            headers.remove(header::CONTENT_DISPOSITION);
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            headers.insert(header::CONTENT_RANGE, content_range(&format!("*/{total}")));
            let text = format!("The file has {total} bytes, and the wanted range is none of them.");
            return (StatusCode::RANGE_NOT_SATISFIABLE, headers, text).into_response();
        }
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    // A file that a job still appends to would otherwise send more than the promised length.
    let content = tokio::io::AsyncReadExt::take(tokio::fs::File::from_std(file), length);
    (status, headers, Body::from_stream(ReaderStream::with_capacity(content, CHUNK))).into_response()
}

fn content_range(text: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("bytes {text}")).expect("digits and punctuation are a header value")
}

/// The folder `root/relative` as `name.tar.gz`.
pub(crate) fn folder(root: PathBuf, relative: RelativePath, name: &str) -> Response {
    packed(name, move |output| archive::pack(&root, &relative, output))
}

/// What `pack` writes as `name.tar.gz`, sent while it is written.
pub(crate) fn packed<F>(name: &str, pack: F) -> Response
where
    F: FnOnce(io::BufWriter<Chunks>) -> Result<(), polyaxon_artifacts::Error> + Send + 'static,
{
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/gzip")),
        (header::CONTENT_DISPOSITION, disposition(&format!("{name}.tar.gz"))),
    ];
    (headers, streamed(move |output| pack(io::BufWriter::with_capacity(CHUNK, output)).map_err(io::Error::other)))
        .into_response()
}

/// A body that `write` fills from a thread of its own, at the speed at which the client reads.
pub(crate) fn streamed(write: impl FnOnce(Chunks) -> io::Result<()> + Send + 'static) -> Body {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(4);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write(Chunks { sender: sender.clone() })
            && !sender.is_closed()
        {
            // The status line is gone already: only a broken transfer can tell the client.
            tracing::warn!(%error, "cannot complete an answer");
            let _ = sender.blocking_send(Err(error));
        }
    });
    Body::from_stream(receive(receiver))
}

/// The write side of a response body; a client that went away is a broken pipe.
pub(crate) struct Chunks {
    sender: mpsc::Sender<io::Result<Bytes>>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = Bytes::copy_from_slice(bytes);
        self.sender.blocking_send(Ok(chunk)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The receiving half of a channel as a stream of chunks.
pub(crate) fn receive<T: Send>(receiver: mpsc::Receiver<T>) -> impl futures_util::Stream<Item = T> + Send {
    futures_util::stream::unfold(receiver, async |mut receiver| receiver.recv().await.map(|item| (item, receiver)))
}

/// `inline` with a name that is safe inside quotes, and the real one for clients that read RFC 6266.
fn disposition(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|character| match character {
            '"' | '\\' => '_',
            other if other.is_ascii_graphic() || other == ' ' => other,
            _ => '_',
        })
        .collect();
    let mut text = format!("inline; filename=\"{plain}\"");
    if plain != name {
        text += "; filename*=utf-8''";
        for byte in name.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(byte)),
                other => text += &format!("%{other:02X}"),
            }
        }
    }
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("inline"))
}

fn http_date(seconds: u64) -> Option<HeaderValue> {
    let time = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    HeaderValue::from_str(&time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dispositions_quote_every_name() {
        for (name, expected) in [
            ("big model-1.bin", "inline; filename=\"big model-1.bin\""),
            ("a\"b", "inline; filename=\"a_b\"; filename*=utf-8''a%22b"),
            ("é\n", "inline; filename=\"__\"; filename*=utf-8''%C3%A9%0A"),
        ] {
            assert_eq!(disposition(name), expected);
        }
    }

    #[test]
    fn dates_are_in_the_http_form() {
        assert_eq!(http_date(1_795_339_694).unwrap(), "Sun, 22 Nov 2026 09:28:14 GMT");
    }
}
