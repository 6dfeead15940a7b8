//! Calls about runs: create, read, change, clone, act.

use serde_json::{Value, json};

use crate::error::Error;
use crate::http::{Client, Place};
use crate::record::{Page, Run};

/// The body of a create call; absent fields are not sent.
#[derive(Clone, Debug, Default)]
pub struct NewRun {
    /// JSON text of the operation.
    pub content: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub pending: Option<&'static str>,
    /// The submitter's world; an addition of ours that other servers ignore.
    pub submission: Option<Value>,
}

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    pub query: Option<String>,
    pub sort: Option<String>,
    pub limit: Option<u64>,
    pub offset: Option<u64>,
}

/// One-call actions without a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Stop,
    Skip,
    Approve,
    Invalidate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloneKind {
    Restart,
    Resume,
    Copy,
}

/// The body of a clone or update call.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub content: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub meta_info: Option<Value>,
    /// Operations of a dag that run again with all that follow them.
    pub from: Vec<String>,
    /// Operations of a dag that run again alone.
    pub only: Vec<String>,
}

impl Listing {
    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        pairs.extend(self.query.clone().map(|text| ("query", text)));
        pairs.extend(self.sort.clone().map(|text| ("sort", text)));
        pairs.extend(self.limit.map(|number| ("limit", number.to_string())));
        pairs.extend(self.offset.map(|number| ("offset", number.to_string())));
        pairs
    }
}

impl Action {
    fn path(self) -> &'static str {
        match self {
            Action::Stop => "stop",
            Action::Skip => "skip",
            Action::Approve => "approve",
            Action::Invalidate => "invalidate",
        }
    }
}

impl CloneKind {
    fn path(self) -> &'static str {
        match self {
            CloneKind::Restart => "restart",
            CloneKind::Resume => "resume",
            CloneKind::Copy => "copy",
        }
    }
}

pub async fn create(client: &Client, place: &Place, run: &NewRun) -> Result<Run, Error> {
    let mut body = json!({ "content": run.content });
    set(&mut body, "name", run.name.clone());
    set(&mut body, "description", run.description.clone());
    set(&mut body, "tags", run.tags.clone());
    set(&mut body, "pending", run.pending);
    set(&mut body, "submission", run.submission.clone());
    client.post(&client.api(&format!("{}/{}/runs", place.owner, place.project)), &body).await.map(Run)
}

pub async fn list(client: &Client, place: &Place, listing: &Listing) -> Result<Page<Run>, Error> {
    let url = client.api(&format!("{}/{}/runs", place.owner, place.project));
    Ok(Page::new(client.get(&url, &listing.query()).await?, Run))
}

pub async fn get(client: &Client, place: &Place, uuid: &str) -> Result<Run, Error> {
    client.get(&address(client, place, uuid, ""), &[]).await.map(Run)
}

/// Why a run is as it is, in words; an addition of ours.
pub async fn explain(client: &Client, place: &Place, uuid: &str) -> Result<Value, Error> {
    client.get(&address(client, place, uuid, "explain"), &[]).await
}

pub async fn update(client: &Client, place: &Place, uuid: &str, changes: &Changes) -> Result<Run, Error> {
    client.patch(&address(client, place, uuid, ""), &changes.body()).await.map(Run)
}

pub async fn delete(client: &Client, place: &Place, uuid: &str) -> Result<(), Error> {
    client.delete(&address(client, place, uuid, "")).await
}

pub async fn act(client: &Client, place: &Place, uuid: &str, action: Action) -> Result<(), Error> {
    client.post(&address(client, place, uuid, action.path()), &json!({})).await.map(drop)
}

/// Why a run was, or was not, cached.
pub async fn explain_cache(client: &Client, place: &Place, uuid: &str) -> Result<Value, Error> {
    client.get(&address(client, place, uuid, "cache"), &[]).await
}

pub async fn transfer(client: &Client, place: &Place, uuid: &str, project: &str) -> Result<(), Error> {
    client.post(&address(client, place, uuid, "transfer"), &json!({ "project": project })).await.map(drop)
}

/// Restarts, resumes or copies a run; the answer is the run that will execute.
pub async fn clone(
    client: &Client,
    place: &Place,
    uuid: &str,
    kind: CloneKind,
    changes: &Changes,
) -> Result<Run, Error> {
    client.post(&address(client, place, uuid, kind.path()), &changes.body()).await.map(Run)
}

pub(crate) fn address(client: &Client, place: &Place, uuid: &str, rest: &str) -> String {
    let separator = if rest.is_empty() { "" } else { "/" };
    client.api(&format!("{}/{}/runs/{uuid}{separator}{rest}", place.owner, place.project))
}

impl Changes {
    fn body(&self) -> Value {
        let mut body = json!({});
        set(&mut body, "content", self.content.clone());
        set(&mut body, "name", self.name.clone());
        set(&mut body, "description", self.description.clone());
        set(&mut body, "tags", self.tags.clone());
        set(&mut body, "meta_info", self.meta_info.clone());
        for (field, names) in [("from", &self.from), ("only", &self.only)] {
            set(&mut body, field, (!names.is_empty()).then(|| names.clone()));
        }
        body
    }
}

fn set(body: &mut Value, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body[key] = value.into();
    }
}
