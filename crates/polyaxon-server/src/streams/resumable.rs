//! Uploads that survive a cut connection: tus 1.0 (<https://tus.io/protocols/resumable-upload>) with the extensions
//! creation, checksum (sha256), expiration and termination, beside the official endpoints. `OPTIONS` belongs to browsers here.
//!
//! An upload is a folder with what is wanted (`wanted.json`) and the bytes that arrived (`data`), whose length is the
//! offset. Invariant: an offset that a client was told is on disk; only the complete file is put into the run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use polyaxon_model::artifact::base_name;
use polyaxon_model::ids::RunId;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use uuid::Uuid;

use crate::errors::{Error, StreamError};
use crate::state::Server;
use crate::streams::base64::decode;
use crate::streams::in_background;
use crate::streams::run_folder::RunFolder;
use crate::streams::store::{self, cannot_write};
use crate::streams::upload::{Target, Upload};

type Result<T> = std::result::Result<T, StreamError>;

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
/// An upload to which nothing was added for so long is given up.
const PATIENCE: Duration = Duration::from_hours(24);
/// The number that the protocol gives to a checksum that differs.
const CHECKSUM_MISMATCH: u16 = 460;
/// Bytes between two writes to disk that are waited for.
const CHUNK: usize = 1 << 20;

/// What is to become of the bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    run: RunId,
    length: u64,
    name: Option<String>,
    path: String,
    overwrite: bool,
    untar: bool,
    /// Of the whole file, as 64 hexadecimal digits.
    sha256: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct UploadId {
    upload: Uuid,
}

/// Begin an upload that can be resumed.
///
/// `Upload-Length` is the size of the file. `Upload-Metadata` names what to do with it: `filename`, `path` (a folder of
/// the run), `overwrite` and `untar` (`true` or `false`), `sha256` of the whole. `Location` is where the bytes go.
#[utoipa::path(
    post, path = "/uploads", tag = "artifacts", operation_id = "create_upload",
    responses((status = 201, description = "`Location` is the address of the upload")),
)]
pub(crate) async fn create(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response> {
    speaks_tus(&headers)?;
    let length = number(&headers, &LENGTH)?;
    if length > server.options.max_upload_bytes {
        let text =
            format!("The upload is larger than this server accepts ({} bytes).", server.options.max_upload_bytes);
        return Err(StreamError { status: StatusCode::PAYLOAD_TOO_LARGE, text });
    }
    let wanted = wanted(&folder, length, text(&headers, &METADATA).unwrap_or_default())?;
    let id = Uuid::new_v4();
    let (place, uploads) = (place_of(&server, id), uploads(&server));
    in_background(move || {
        remove_expired(&uploads, SystemTime::now());
        let written = fs::create_dir_all(&place)
            .and_then(|()| File::create_new(place.join("data")))
            .and_then(|_| fs::write(place.join("wanted.json"), serde_json::to_vec(&wanted)?));
        written.map_err(|error| cannot_write(&error))?;
        if wanted.length == 0 { finish(&folder, &server.staging(), &place, wanted) } else { Ok(()) }
    })
    .await?;
    let location = HeaderValue::from_str(&format!("{}/{}", uri.path().trim_end_matches('/'), id.simple()));
    let location = location.map_err(|_| StreamError::bad_request("the address of the request cannot be repeated"))?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location), (OFFSET, 0.into()), (RESUMABLE, VERSION)]).into_response())
}

/// Ask how much of an upload arrived.
#[utoipa::path(
    head, path = "/uploads/{upload}", tag = "artifacts", operation_id = "get_upload",
    responses((status = 200, description = "`Upload-Offset` is where to go on")),
)]
pub(crate) async fn position(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    Path(id): Path<UploadId>,
) -> Result<Response> {
    let place = place_of(&server, id.upload);
    let (wanted, offset) = in_background(move || known(&place, folder.run)).await?;
    let headers = [(OFFSET, offset.into()), (LENGTH, wanted.length.into()), (EXPIRES, expiry()), (RESUMABLE, VERSION)];
    Ok((StatusCode::OK, headers, [(header::CACHE_CONTROL, "no-store")]).into_response())
}

/// Add bytes to an upload.
///
/// The body begins at `Upload-Offset`, which must be where the upload stands. `Upload-Checksum: sha256 <base64>` protects
/// the body. The last bytes put the file into its place.
#[utoipa::path(
    patch, path = "/uploads/{upload}", tag = "artifacts", operation_id = "append_to_upload",
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "`Upload-Offset` is where to go on")),
)]
pub(crate) async fn append(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    speaks_tus(&headers)?;
    if text(&headers, &header::CONTENT_TYPE) != Some("application/offset+octet-stream") {
        let text = "expected the content type application/offset+octet-stream".to_owned();
        return Err(StreamError { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, text });
    }
    let given = number(&headers, &OFFSET)?;
    let checksum = text(&headers, &CHECKSUM).map(read_checksum).transpose()?;
    let (place, run) = (place_of(&server, id.upload), folder.run);
    let (wanted, mut file) = in_background(move || open(&place, run, given)).await?;
    let received = receive(body, &mut file, wanted.length - given, checksum.is_some()).await;
    let (end, complete_body) = match &received {
        Ok(received) => (given + received.length, received.is_whole),
        Err(_) => (given, false),
    };
    let is_wrong = match (&received, checksum) {
        (Ok(received), Some(expected)) => !complete_body || received.hash != Some(expected),
        _ => false,
    };
    let end = if is_wrong { given } else { end };
    let place = place_of(&server, id.upload);
    in_background(move || {
        // Nothing that was not whole is kept beside what the client is told.
        file.set_len(end).and_then(|()| file.sync_data()).map_err(|error| cannot_write(&error))?;
        drop(file);
        if is_wrong {
            return Err(mismatch(format!(
                "The body has another SHA-256 than its checksum says; the upload stands at {end}."
            )));
        }
        if received_all(&received)? && end == wanted.length {
            finish(&folder, &server.staging(), &place, wanted)?;
        }
        Ok(())
    })
    .await?;
    Ok((StatusCode::NO_CONTENT, [(OFFSET, end.into()), (EXPIRES, expiry()), (RESUMABLE, VERSION)]).into_response())
}

/// Give an upload up.
#[utoipa::path(
    delete, path = "/uploads/{upload}", tag = "artifacts", operation_id = "delete_upload",
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn terminate(
    State(server): State<Arc<Server>>,
    folder: RunFolder,
    Path(id): Path<UploadId>,
) -> Result<Response> {
    let place = place_of(&server, id.upload);
    in_background(move || {
        known(&place, folder.run)?;
        fs::remove_dir_all(&place).map_err(|error| cannot_write(&error))
    })
    .await?;
    Ok((StatusCode::NO_CONTENT, [(RESUMABLE, VERSION)]).into_response())
}

/// Removes what nobody went on with.
pub(crate) fn remove_expired(uploads: &FilePath, now: SystemTime) {
    for entry in fs::read_dir(uploads).into_iter().flatten().flatten() {
        let changed = fs::metadata(entry.path().join("data")).and_then(|metadata| metadata.modified());
        let changed = changed.or_else(|_| entry.metadata().and_then(|metadata| metadata.modified()));
        if changed.is_ok_and(|changed| now.duration_since(changed).is_ok_and(|age| age > PATIENCE)) {
            // What cannot be removed now is tried again with the next upload.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn uploads(server: &Server) -> PathBuf {
    server.layout.local().join("uploads")
}

fn place_of(server: &Server, id: Uuid) -> PathBuf {
    uploads(server).join(id.simple().to_string())
}

fn speaks_tus(headers: &HeaderMap) -> Result<()> {
    if headers.get(RESUMABLE) == Some(&VERSION) {
        return Ok(());
    }
    let text = "expected the header `Tus-Resumable: 1.0.0`".to_owned();
    Err(StreamError { status: StatusCode::PRECONDITION_FAILED, text })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64> {
    let number = text(headers, name).and_then(|text| text.parse().ok());
    number.ok_or_else(|| StreamError::bad_request(format!("expected the header `{name}` with a number of bytes")))
}

fn expiry() -> HeaderValue {
    let time = jiff::Timestamp::now().checked_add(PATIENCE).unwrap_or(jiff::Timestamp::MAX);
    let text = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).expect("a date is plain text")
}

/// Reads `key base64, key base64`.
fn wanted(folder: &RunFolder, length: u64, metadata: &str) -> Result<Wanted> {
    let mut wanted = Wanted {
        run: folder.run,
        length,
        name: None,
        path: String::new(),
        overwrite: true,
        untar: false,
        sha256: None,
    };
    for pair in metadata.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let wrong = || StreamError::bad_request(format!("`{key}` in Upload-Metadata cannot be read: {value}"));
        let value = decode(value.trim()).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
        match key {
            "filename" => wanted.name = base_name(&value).map(str::to_owned),
            "path" => wanted.path = store::checked(&value)?,
            "overwrite" => wanted.overwrite = value.parse().map_err(|_| wrong())?,
            "untar" => wanted.untar = value.parse().map_err(|_| wrong())?,
            "sha256" if value.len() == 64 => wanted.sha256 = Some(value.to_ascii_lowercase()),
            "sha256" => return Err(wrong()),
            _ => {}
        }
    }
    if wanted.name.is_none() && !wanted.untar {
        return Err(StreamError::bad_request("Upload-Metadata must name the file: `filename <base64>`"));
    }
    Ok(wanted)
}

fn missing() -> StreamError {
    StreamError::not_found("There is no such upload: it is complete, was given up, or nothing was added for a day.")
}

/// An upload of this run, and where it stands.
fn known(place: &FilePath, run: RunId) -> Result<(Wanted, u64)> {
    let wanted: Option<Wanted> =
        fs::read(place.join("wanted.json")).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let wanted = wanted.filter(|wanted| wanted.run == run).ok_or_else(missing)?;
    let offset = fs::metadata(place.join("data")).map_err(|_| missing())?.len();
    Ok((wanted, offset))
}

/// Opens the bytes for one writer at a time.
fn open(place: &FilePath, run: RunId, given: u64) -> Result<(Wanted, File)> {
    let conflict = |status, text: String| StreamError { status, text };
    known(place, run)?;
    let file = OpenOptions::new().append(true).open(place.join("data")).map_err(|_| missing())?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Err(conflict(StatusCode::LOCKED, "Another request adds to this upload.".to_owned()));
    }
    let (wanted, offset) = known(place, run)?;
    if offset != given {
        return Err(conflict(StatusCode::CONFLICT, format!("The upload stands at {offset}, not at {given}.")));
    }
    Ok((wanted, file))
}

struct Received {
    length: u64,
    /// Whether the body came to its end; a cut connection leaves a part.
    is_whole: bool,
    hash: Option<[u8; 32]>,
}

async fn receive(body: Body, file: &mut File, most: u64, is_hashed: bool) -> Result<Received> {
    let mut hash = is_hashed.then(Sha256::new);
    let (mut length, mut is_whole, mut buffer) = (0_u64, true, Vec::new());
    let mut chunks = body.into_data_stream();
    loop {
        let chunk = chunks.next().await;
        let is_last = !matches!(chunk, Some(Ok(_)));
        match chunk {
            Some(Ok(chunk)) => {
                length += chunk.len() as u64;
                if length > most {
                    let text = format!("The body is longer than what the upload still lacks ({most} bytes).");
                    return Err(StreamError { status: StatusCode::PAYLOAD_TOO_LARGE, text });
                }
                if let Some(hash) = &mut hash {
                    hash.update(&chunk);
                }
                buffer.extend_from_slice(&chunk);
            }
            Some(Err(_)) => is_whole = false,
            None => {}
        }
        if buffer.len() >= CHUNK || is_last {
            let (mut own, full) =
                (file.try_clone().map_err(|error| cannot_write(&error))?, std::mem::take(&mut buffer));
            in_background(move || own.write_all(&full).map_err(|error| cannot_write(&error))).await?;
        }
        if is_last {
            return Ok(Received { length, is_whole, hash: hash.map(|hash| hash.finalize().into()) });
        }
    }
}

/// Whether the file is complete; what went wrong with the body is said after the offset was put right.
fn received_all(received: &Result<Received>) -> Result<bool> {
    match received {
        Ok(received) => Ok(received.is_whole),
        Err(error) => Err(StreamError { status: error.status, text: error.text.clone() }),
    }
}

/// Puts the complete file into the run; the upload is over, whatever comes of it.
fn finish(folder: &RunFolder, staging: &FilePath, place: &FilePath, wanted: Wanted) -> Result<()> {
    let data = place.join("data");
    let result = match &wanted.sha256 {
        Some(expected) => match hash_of(&data) {
            Ok(found) if found == *expected => Ok(()),
            Ok(found) => Err(mismatch(format!("The file has the SHA-256 {found}, expected {expected}."))),
            Err(error) => Err(Error::internal(error).into()),
        },
        None => Ok(()),
    };
    let stored = result.and_then(|()| {
        let file = TempPath::try_from_path(&data).map_err(|error| StreamError::from(Error::internal(error)))?;
        let target = Target { path: wanted.path, overwrite: wanted.overwrite, untar: wanted.untar };
        let upload = Upload { file, name: wanted.name, target };
        if upload.target.untar {
            store::unpack(&folder.path, staging, upload)
        } else {
            store::place(&folder.path, upload)
        }
    });
    // The next upload removes what stays behind.
    let _ = fs::remove_dir_all(place);
    stored.map(|_| ())
}

fn mismatch(text: String) -> StreamError {
    let status = StatusCode::from_u16(CHECKSUM_MISMATCH).expect("a number of three digits is a status");
    StreamError { status, text }
}

fn hash_of(path: &FilePath) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(hash.finalize())),
            length => hash.update(&buffer[..length]),
        }
    }
}

/// `sha256 <base64>`.
fn read_checksum(text: &str) -> Result<[u8; 32]> {
    let wrong = || StreamError::bad_request(format!("expected `Upload-Checksum: sha256 <base64>`, got {text}"));
    let (algorithm, value) = text.split_once(' ').ok_or_else(wrong)?;
    let bytes = decode(value.trim()).filter(|_| algorithm == "sha256").ok_or_else(wrong)?;
    bytes.try_into().map_err(|_| wrong())
}
