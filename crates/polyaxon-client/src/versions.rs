//! Component versions of a project: what a `hubRef` to another name than a bundled one means.

use serde_json::Value;

use crate::error::Error;
use crate::http::{Client, Place};

/// The text of a registered component version.
pub async fn component(client: &Client, place: &Place, version: &str) -> Result<String, Error> {
    let url = client.api(&format!("{}/{}/versions/component/{version}", place.owner, place.project));
    let json = client.get(&url, &[]).await?;
    match json.get("content") {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
        None => Err(Error::Unreadable { url, excerpt: "the version has no content".to_owned() }),
    }
}
