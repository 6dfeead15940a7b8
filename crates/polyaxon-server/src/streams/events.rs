//! Event series and resource series of runs, as columns or as the text of their files.
//!
//! Invariant: the files of one answer are read one after the other, off the request threads.

use std::io::Read;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use polyaxon_artifacts::{Error, events, path};
use polyaxon_model::artifact::{EVENT_SUFFIX, EVENTS, RESOURCES, RelativePath};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::ArtifactKind;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::errors::StreamError;
use crate::query::Params;
use crate::state::Server;
use crate::streams::run_folder::RunFolder;
use crate::streams::{event_package, in_background};

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

pub(crate) async fn get_events(folder: RunFolder, Path(Kind { kind }): Path<Kind>, params: Params) -> Result<Response> {
    let names = required_names(&params)?;
    let wanted = Wanted::read(&params, EVENTS, known_kind(kind)?, names);
    in_background(move || {
        if params.flag("pkg_assets").unwrap_or(false) {
            return Ok(event_package::send(&folder, wanted.kind.clone(), wanted.names.clone()));
        }
        Ok(Json(json!({ "data": series_of(&folder.path, &wanted)? })).into_response())
    })
    .await
}

pub(crate) async fn get_multi_run_events(
    State(server): State<Arc<Server>>,
    Path(Kind { kind }): Path<Kind>,
    params: Params,
) -> Result<Json<Value>> {
    let names = required_names(&params)?;
    let runs = params.list("runs").ok_or_else(|| StreamError::bad_request("A `runs` query param is required"))?;
    let wanted = Wanted::read(&params, EVENTS, known_kind(kind)?, names);
    in_background(move || {
        let mut series = Map::new();
        for text in runs {
            let run: RunId = text.parse().map_err(|error: polyaxon_model::ids::InvalidId| {
                StreamError::bad_request(format!("`runs` holds a wrong value: {error}"))
            })?;
            series.insert(text, Value::Array(series_of(&server.layout.artifacts(run), &wanted)?));
        }
        Ok(Json(json!({ "data": series })))
    })
    .await
}

/// System metrics: all of them unless names are given.
pub(crate) async fn get_resources(folder: RunFolder, params: Params) -> Result<Json<Value>> {
    in_background(move || {
        let names = params.list("names").filter(|names| !names.is_empty()).unwrap_or_else(|| {
            let found = events::find(&folder.path).into_iter();
            found.filter(|file| file.is_resource && file.kind == "metric").map(|file| file.name).collect()
        });
        let wanted = Wanted::read(&params, RESOURCES, "metric".into(), names);
        Ok(Json(json!({ "data": series_of(&folder.path, &wanted)? })))
    })
    .await
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

/// The series that exist, in the order in which they were asked for.
fn series_of(root: &FilePath, wanted: &Wanted) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for name in &wanted.names {
        let path = wanted.path(name)?;
        let content = match wanted.orient {
            Orient::Columns => events::read(root, &path, &wanted.kind).map(|series| {
                series.map(|mut series| {
                    if let Some(rows) = wanted.sample {
                        events::sample(&mut series.rows, rows);
                    }
                    Value::Object(events::columns(&series))
                })
            }),
            Orient::FileText => file_text(root, &path),
            Orient::Unknown => Ok(None),
        };
        if let Some(content) = content.map_err(refuse)? {
            found.push(json!({ "name": name, "kind": wanted.kind, "data": content }));
        }
    }
    Ok(found)
}

fn file_text(root: &FilePath, relative: &RelativePath) -> std::result::Result<Option<Value>, Error> {
    let (mut file, _) = match path::open(root, relative) {
        Ok(opened) => opened,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    let read = file.read_to_end(&mut bytes);
    read.map_err(|source| Error::Read { path: root.join(relative.as_str()), source })?;
    Ok((!bytes.is_empty()).then(|| Value::String(String::from_utf8_lossy(&bytes).into_owned())))
}

fn refuse(error: Error) -> StreamError {
    match error {
        Error::Traversal { .. } => StreamError::bad_request("Invalid path: traversal detected"),
        error => crate::errors::Error::internal(error).into(),
    }
}
