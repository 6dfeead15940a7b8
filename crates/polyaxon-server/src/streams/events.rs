//! Event series and resource series of runs, as columns or as the text of their files.
//!
//! Invariant: files are read off the request threads; what was parsed before and is still the same is not parsed again.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use polyaxon_artifacts::{Error, events, path};
use polyaxon_model::artifact::{EVENT_SUFFIX, EVENTS, RESOURCES, RelativePath};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::ArtifactKind;
use polyaxon_store::cache;
use serde::Deserialize;
use serde_json::json;

use crate::errors::StreamError;
use crate::openapi::parameters::{EventParameters, RunsParameters};
use crate::openapi::shapes::{EventSeries, EventSeriesOfRuns};
use crate::query::Params;
use crate::state::Server;
use crate::streams::run_folder::RunFolder;
use crate::streams::series_cache::{Key, SeriesCache};
use crate::streams::{Shared, event_package, in_background};

type Result<T> = std::result::Result<T, StreamError>;

#[derive(Deserialize)]
pub(crate) struct Kind {
    kind: String,
}

/// How the rows of a file are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Orient {
    Columns,
    FileText,
    /// A word that names no form: nothing is sent.
    Unknown,
}

/// Which series are wanted, in which form.
#[derive(Clone, Debug)]
struct Wanted {
    folder: &'static str,
    kind: String,
    names: Vec<String>,
    orient: Orient,
    /// At most so many rows of each series.
    sample: Option<usize>,
}

impl Wanted {
    fn read(params: &Params, folder: &'static str, kind: String, names: Vec<String>) -> Self {
        let orient = match params.text("orient") {
            None | Some("dict") => Orient::Columns,
            Some("csv") => Orient::FileText,
            Some(_) => Orient::Unknown,
        };
        let sample = params.text("sample").and_then(|text| text.parse().ok()).filter(|rows| *rows > 0);
        Self { folder, kind, names, orient, sample }
    }

    fn path(&self, name: &str) -> Result<RelativePath> {
        let text = format!("{}/{}/{name}{EVENT_SUFFIX}", self.folder, self.kind);
        RelativePath::parse(&text).map_err(|error| StreamError::bad_request(error.to_string()))
    }
}

/// Read series of events of a run.
#[utoipa::path(
    get, path = "/events/{kind}", tag = "events",
    params(EventParameters),
    responses((status = 200, body = EventSeries)),
)]
pub(crate) async fn get_events(
    Extension(shared): Extension<Arc<Shared>>,
    folder: RunFolder,
    Path(Kind { kind }): Path<Kind>,
    params: Params,
) -> Result<Response> {
    let names = required_names(&params)?;
    let wanted = Wanted::read(&params, EVENTS, known_kind(kind)?, names);
    in_background(move || {
        if params.flag("pkg_assets").unwrap_or(false) {
            return Ok(event_package::send(&folder, wanted.kind.clone(), wanted.names.clone()));
        }
        answer(|out| series_of(&shared.series, &folder.path, &wanted, out))
    })
    .await
}

/// Read series of events of many runs.
#[utoipa::path(
    get, path = "/{owner}/{project}/runs/multi/events/{kind}", tag = "events",
    params(EventParameters, RunsParameters),
    responses((status = 200, body = EventSeriesOfRuns)),
)]
pub(crate) async fn get_multi_run_events(
    State(server): State<Arc<Server>>,
    Extension(shared): Extension<Arc<Shared>>,
    Path(Kind { kind }): Path<Kind>,
    params: Params,
) -> Result<Response> {
    let names = required_names(&params)?;
    let texts = params.list("runs").ok_or_else(|| StreamError::bad_request("A `runs` query param is required"))?;
    let mut runs = Vec::with_capacity(texts.len());
    for text in texts {
        let run: RunId = text.parse().map_err(|error: polyaxon_model::ids::InvalidId| {
            StreamError::bad_request(format!("`runs` holds a wrong value: {error}"))
        })?;
        let holder = server.read(move |tx| cache::holder(tx, run)).await?;
        runs.push((text, holder));
    }
    let wanted = Wanted::read(&params, EVENTS, known_kind(kind)?, names);
    in_background(move || {
        answer(|out| {
            out.push(b'{');
            for (position, (text, run)) in runs.iter().enumerate() {
                let separator = if position == 0 { "" } else { "," };
                out.extend_from_slice(format!("{separator}{}:", json!(text)).as_bytes());
                series_of(&shared.series, &server.layout.artifacts(*run), &wanted, out)?;
            }
            out.push(b'}');
            Ok(())
        })
    })
    .await
}

/// Read the resources that a run used over time.
///
/// System metrics: all of them unless names are given.
#[utoipa::path(
    get, path = "/resources", tag = "events",
    params(EventParameters),
    responses((status = 200, body = EventSeries)),
)]
pub(crate) async fn get_resources(
    Extension(shared): Extension<Arc<Shared>>,
    folder: RunFolder,
    params: Params,
) -> Result<Response> {
    in_background(move || {
        let names = params.list("names").filter(|names| !names.is_empty()).unwrap_or_else(|| {
            let found = events::find(&folder.path).into_iter();
            found.filter(|file| file.is_resource && file.kind == "metric").map(|file| file.name).collect()
        });
        let wanted = Wanted::read(&params, RESOURCES, "metric".into(), names);
        answer(|out| series_of(&shared.series, &folder.path, &wanted, out))
    })
    .await
}

/// `{"data": …}` around what `write` writes.
fn answer(write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<Response> {
    let mut out = b"{\"data\":".to_vec();
    write(&mut out)?;
    out.push(b'}');
    Ok(([(header::CONTENT_TYPE, "application/json")], out).into_response())
}

fn required_names(params: &Params) -> Result<Vec<String>> {
    params.list("names").ok_or_else(|| StreamError::bad_request("A `names` query param is required"))
}

fn known_kind(kind: String) -> Result<String> {
    match kind.parse::<ArtifactKind>() {
        Ok(_) => Ok(kind),
        Err(_) => Err(StreamError::bad_request(format!("received an unrecognisable event {kind}."))),
    }
}

/// Writes the series that exist, in the order in which they were asked for.
fn series_of(cache: &SeriesCache, root: &FilePath, wanted: &Wanted, out: &mut Vec<u8>) -> Result<()> {
    let paths: Vec<RelativePath> = wanted.names.iter().map(|name| wanted.path(name)).collect::<Result<_>>()?;
    let contents = contents_of(cache, root, wanted, &paths);
    out.push(b'[');
    let mut separator = "";
    for (name, content) in wanted.names.iter().zip(contents) {
        if let Some(content) = content.map_err(refuse)? {
            let opening = format!("{separator}{{\"name\":{},\"kind\":{},\"data\":", json!(name), json!(wanted.kind));
            out.extend_from_slice(opening.as_bytes());
            out.extend_from_slice(&content);
            out.push(b'}');
            separator = ",";
        }
    }
    out.push(b']');
    Ok(())
}

type Content = std::result::Result<Option<Bytes>, Error>;

/// Parsing is the work of one core for each file; several files keep several cores busy.
fn contents_of(cache: &SeriesCache, root: &FilePath, wanted: &Wanted, paths: &[RelativePath]) -> Vec<Content> {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get()).min(MAX_THREADS);
    if paths.len() < 2 || cores < 2 {
        return paths.iter().map(|path| content_of(cache, root, wanted, path)).collect();
    }
    let share = paths.len().div_ceil(cores);
    thread::scope(|scope| {
        let threads: Vec<_> = paths
            .chunks(share)
            .map(|paths| {
                let read = || paths.iter().map(|path| content_of(cache, root, wanted, path)).collect::<Vec<_>>();
                scope.spawn(read)
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

const MAX_THREADS: usize = 8;

/// The JSON of one series; `None` when there is no such file, or nothing in it.
fn content_of(cache: &SeriesCache, root: &FilePath, wanted: &Wanted, relative: &RelativePath) -> Content {
    let (file, metadata) = match path::open(root, relative) {
        _ if wanted.orient == Orient::Unknown => return Ok(None),
        Ok(opened) => opened,
        Err(error) if error.is_missing() || matches!(error, Error::NotAFile { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let place = root.join(relative.as_str());
    if wanted.orient == Orient::FileText {
        let bytes = events::read_bytes(file, &metadata, &place)?;
        return Ok((!bytes.is_empty()).then(|| json!(String::from_utf8_lossy(&bytes)).to_string().into()));
    }
    let key = Key::new(&metadata, &wanted.kind, wanted.sample);
    if let Some(known) = cache.get(&key) {
        return Ok(Some(known));
    }
    let Some(mut series) = events::read_file(file, &metadata, &place, &wanted.kind)? else { return Ok(None) };
    if let Some(rows) = wanted.sample {
        events::sample(&mut series.rows, rows);
    }
    let mut text = Vec::new();
    events::write_columns(&series, &mut text);
    let content = Bytes::from(text);
    cache.put(key, content.clone(), &metadata, SystemTime::now());
    Ok(Some(content))
}

fn refuse(error: Error) -> StreamError {
    match error {
        Error::Traversal { .. } => StreamError::bad_request("Invalid path: traversal detected"),
        error => crate::errors::Error::internal(error).into(),
    }
}
