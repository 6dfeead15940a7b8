//! Versions of components, models and artifacts of a project.

use serde_json::{Value, json};

use crate::error::Error;
use crate::http::{Client, Place};
use crate::record::{Page, Version};
use crate::runs::Listing;

/// The versions of a kind in a project.
#[derive(Clone, Copy, Debug)]
pub struct Shelf<'a> {
    pub client: &'a Client,
    pub place: &'a Place,
    /// `component`, `model` or `artifact`.
    pub kind: &'a str,
}

impl Shelf<'_> {
    fn url(&self, rest: &str) -> String {
        let Place { owner, project } = self.place;
        self.client.api(&format!("{owner}/{project}/versions/{}{rest}", self.kind))
    }

    fn named(&self, version: &str) -> String {
        self.url(&format!("/{version}"))
    }
}

/// The text of a registered component version.
pub async fn component(client: &Client, place: &Place, version: &str) -> Result<String, Error> {
    let shelf = Shelf { client, place, kind: "component" };
    match get(shelf, version).await?.0.get("content") {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
        None => Err(Error::Unreadable { url: shelf.named(version), excerpt: "the version has no content".to_owned() }),
    }
}

pub async fn list(shelf: Shelf<'_>, listing: &Listing) -> Result<Page<Version>, Error> {
    let json = shelf.client.get(&shelf.url(""), &listing.query()).await?;
    Ok(Page::new(json, Version))
}

pub async fn get(shelf: Shelf<'_>, version: &str) -> Result<Version, Error> {
    shelf.client.get(&shelf.named(version), &[]).await.map(Version)
}

/// Creates a version; the body names it.
pub async fn create(shelf: Shelf<'_>, body: &Value) -> Result<Version, Error> {
    shelf.client.post(&shelf.url(""), body).await.map(Version)
}

pub async fn update(shelf: Shelf<'_>, version: &str, body: &Value) -> Result<Version, Error> {
    shelf.client.patch(&shelf.named(version), body).await.map(Version)
}

pub async fn delete(shelf: Shelf<'_>, version: &str) -> Result<(), Error> {
    shelf.client.delete(&shelf.named(version)).await
}

/// The history of stages.
pub async fn stages(shelf: Shelf<'_>, version: &str) -> Result<Value, Error> {
    shelf.client.get(&shelf.url(&format!("/{version}/stages")), &[]).await
}

/// Moves a version to a stage; the answer is the history.
pub async fn stage(shelf: Shelf<'_>, version: &str, condition: &Value) -> Result<Value, Error> {
    let body = json!({ "condition": condition });
    shelf.client.post(&shelf.url(&format!("/{version}/stages")), &body).await
}

/// Moves a version to another project of the same owner.
pub async fn transfer(shelf: Shelf<'_>, version: &str, project: &str) -> Result<(), Error> {
    let body = json!({ "project": project });
    shelf.client.post(&shelf.url(&format!("/{version}/transfer")), &body).await.map(drop)
}
