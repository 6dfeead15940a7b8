//! What restart, copy and resume inherit from their source.
//!
//! Must not know operations: the content is patched by `polyaxon_spec`, this says what else goes along.

use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::CloningKind;
use polyaxon_model::new_run::CloneRequest;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use serde_json::{Value as Json, json};

use crate::flow::rerun::{Rerun, Selection};

/// The run that a clone is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub run: RunId,
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub status: Status,
    pub meta_info: JsonMap,
    /// Whether there is an authored operation to clone.
    pub has_content: bool,
    /// The run whose result was reused, when the source is a cache hit.
    pub cache_of: Option<RunId>,
}

impl Source {
    /// What a clone takes from a run.
    pub fn of(run: &Run) -> Source {
        let cache_of = run.original.as_ref().filter(|original| original.kind == CloningKind::Cache);
        Source {
            run: run.uuid,
            name: run.name.clone(),
            description: run.description.clone(),
            tags: run.tags.clone(),
            status: run.status,
            meta_info: run.meta_info.clone(),
            has_content: run.raw_content.is_some(),
            cache_of: cache_of.map(|original| original.uuid),
        }
    }
}

/// A new run that follows an existing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewClone {
    Restart,
    Copy,
}

/// How a request's content relates to the source's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentRule {
    /// A patch of the authored operation, or nothing.
    Patch,
    /// A complete polyaxonfile that replaces it (`meta_info.recompile`).
    Replace,
}

/// What to make of a clone request.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub original: RunId,
    pub cloning_kind: CloningKind,
    pub content: ContentRule,
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub meta_info: JsonMap,
    /// Of a dag: what of it runs again, when not all of it does.
    pub rerun: Option<Rerun>,
}

/// Why a run cannot be cloned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloneError {
    #[error(
        "Cloning was not successful, error: the run has no content, only runs made from an operation can be cloned."
    )]
    NoContent,
    /// The source is a cache hit: clone the run that did the work.
    #[error("Cloning was not successful, error: the run reused the result of {0}.")]
    CacheHit(RunId),
    #[error("Cannot resume this run, it is {0}; only runs that have ended can be resumed.")]
    NotDone(Status),
    #[error("Cannot resume this run, it reused the result of another run and has nothing to continue.")]
    ResumesCacheHit,
    #[error("`from` and `only` exclude each other.")]
    FromAndOnly,
    #[error("`from` and `only` are for restart and copy; a resumed run goes on with all that did not succeed.")]
    ResumesInPart,
    #[error("`meta_info.recompile` needs `content` to be a complete polyaxonfile.")]
    NothingToRecompile,
}

/// Plans a restart or a copy. A source that is a cache hit must be replaced by its original first.
pub fn plan(kind: NewClone, source: &Source, request: &CloneRequest) -> Result<Plan, CloneError> {
    if let Some(original) = source.cache_of {
        return Err(CloneError::CacheHit(original));
    }
    if !source.has_content {
        return Err(CloneError::NoContent);
    }
    let content = content_rule(request)?;
    let selection = selection(request)?;
    let mut meta_info = request.meta_info.clone().unwrap_or_default();
    meta_info.remove("recompile");
    let uploads = source.meta_info.get("upload_artifacts").and_then(Json::as_str);
    let copied = match (kind, uploads) {
        (NewClone::Copy, _) => Some(source.run.to_string()),
        (NewClone::Restart, Some(path)) => Some(format!("{}/{path}", source.run)),
        (NewClone::Restart, None) => None,
    };
    if let Some(path) = uploads {
        meta_info.entry("upload_artifacts").or_insert_with(|| path.into());
    }
    if let Some(image) = source.meta_info.get("destination_image") {
        meta_info.entry("destination_image").or_insert_with(|| image.clone());
    }
    if let Some(folder) = copied {
        meta_info.entry("copy_artifacts").or_insert_with(|| json!({ "dirs": [folder] }));
    }
    Ok(Plan {
        original: source.run,
        cloning_kind: match kind {
            NewClone::Restart => CloningKind::Restart,
            NewClone::Copy => CloningKind::Copy,
        },
        content,
        name: request.name.clone().or_else(|| source.name.clone()),
        description: request.description.clone().or_else(|| source.description.clone()),
        tags: request.tags.clone().or_else(|| source.tags.clone()),
        meta_info,
        rerun: selection.map(|selection| Rerun { of: source.run, selection }),
    })
}

fn selection(request: &CloneRequest) -> Result<Option<Selection>, CloneError> {
    match (request.from.is_empty(), request.only.is_empty()) {
        (true, true) => Ok(None),
        (false, true) => Ok(Some(Selection::From(request.from.clone()))),
        (true, false) => Ok(Some(Selection::Only(request.only.clone()))),
        (false, false) => Err(CloneError::FromAndOnly),
    }
}

/// Checks that a run can be resumed and tells how the request's content is used.
pub fn check_resume(source: &Source, request: &CloneRequest) -> Result<ContentRule, CloneError> {
    if !source.status.is_done() {
        Err(CloneError::NotDone(source.status))
    } else if source.cache_of.is_some() {
        Err(CloneError::ResumesCacheHit)
    } else if !source.has_content {
        Err(CloneError::NoContent)
    } else if !request.from.is_empty() || !request.only.is_empty() {
        Err(CloneError::ResumesInPart)
    } else {
        content_rule(request)
    }
}

fn content_rule(request: &CloneRequest) -> Result<ContentRule, CloneError> {
    let recompile = request.meta_info.as_ref().and_then(|meta| meta.get("recompile")) == Some(&Json::Bool(true));
    let is_empty = request.content.as_ref().is_none_or(|content| match content {
        Json::String(text) => text.trim().is_empty(),
        Json::Object(map) => map.is_empty(),
        other => other.is_null(),
    });
    match (recompile, is_empty) {
        (true, true) => Err(CloneError::NothingToRecompile),
        (true, false) => Ok(ContentRule::Replace),
        (false, _) => Ok(ContentRule::Patch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "00000000000000000000000000000001";

    fn source(meta_info: Json) -> Source {
        Source {
            run: RUN.parse().unwrap(),
            name: Some("train".into()),
            description: None,
            tags: Some(vec!["a".into()]),
            status: Status::Failed,
            meta_info: meta_info.as_object().cloned().unwrap(),
            has_content: true,
            cache_of: None,
        }
    }

    fn request(body: Json) -> CloneRequest {
        serde_json::from_value(body).unwrap()
    }

    fn meta(kind: NewClone, source_meta: Json, body: Json) -> Json {
        Json::Object(plan(kind, &source(source_meta), &request(body)).unwrap().meta_info)
    }

    #[test]
    fn restarts_take_only_uploads_along_and_copies_everything() {
        assert_eq!(meta(NewClone::Restart, json!({"ttl": 3}), json!({})), json!({}));
        let built = json!({"destination_image": "p:made"});
        assert_eq!(meta(NewClone::Restart, built.clone(), json!({})), built);
        assert_eq!(
            meta(NewClone::Restart, json!({"upload_artifacts": "uploads"}), json!({})),
            json!({"upload_artifacts": "uploads", "copy_artifacts": {"dirs": [format!("{RUN}/uploads")]}})
        );
        assert_eq!(meta(NewClone::Copy, json!({}), json!({})), json!({"copy_artifacts": {"dirs": [RUN]}}));
        let chosen = json!({"copy_artifacts": {"files": [format!("{RUN}/outputs/m")]}});
        assert_eq!(meta(NewClone::Copy, json!({}), json!({"meta_info": chosen})), chosen);
    }

    #[test]
    fn words_of_the_request_win_over_those_of_the_source() {
        let planned = plan(NewClone::Restart, &source(json!({})), &request(json!({"name": "again"}))).unwrap();
        assert_eq!((planned.name.as_deref(), planned.tags), (Some("again"), Some(vec!["a".to_owned()])));
        assert_eq!((planned.cloning_kind, planned.content), (CloningKind::Restart, ContentRule::Patch));
    }

    #[test]
    fn refusals() {
        let none = request(json!({}));
        let running = Source { status: Status::Running, ..source(json!({})) };
        let tracked = Source { has_content: false, ..source(json!({})) };
        let hit = Source { cache_of: Some(RUN.parse().unwrap()), ..source(json!({})) };
        assert_eq!(check_resume(&running, &none), Err(CloneError::NotDone(Status::Running)));
        assert_eq!(check_resume(&hit, &none), Err(CloneError::ResumesCacheHit));
        assert_eq!(plan(NewClone::Copy, &tracked, &none), Err(CloneError::NoContent));
        assert_eq!(plan(NewClone::Copy, &hit, &none), Err(CloneError::CacheHit(RUN.parse().unwrap())));
        let both = request(json!({"from": ["a"], "only": ["b"]}));
        assert_eq!(plan(NewClone::Restart, &source(json!({})), &both), Err(CloneError::FromAndOnly));
        let part = request(json!({"from": ["a"]}));
        assert_eq!(check_resume(&source(json!({})), &part), Err(CloneError::ResumesInPart));
        let recompile = json!({"meta_info": {"recompile": true}});
        assert_eq!(check_resume(&source(json!({})), &request(recompile)), Err(CloneError::NothingToRecompile));
    }
}
