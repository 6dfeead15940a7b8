//! Calls about projects.

use serde_json::{Value, json};

use crate::error::Error;
use crate::http::{Client, Place};
use crate::record::{Page, Project};
use crate::runs::Listing;

#[derive(Clone, Debug, Default)]
pub struct Fields {
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
}

impl Fields {
    fn body(&self) -> Value {
        let mut body = json!({});
        if let Some(name) = &self.name {
            body["name"] = name.as_str().into();
        }
        if let Some(description) = &self.description {
            body["description"] = description.as_str().into();
        }
        if let Some(tags) = &self.tags {
            body["tags"] = tags.clone().into();
        }
        body
    }
}

pub async fn create(client: &Client, owner: &str, fields: &Fields) -> Result<Project, Error> {
    client.post(&client.api(&format!("{owner}/projects/create")), &fields.body()).await.map(Project)
}

pub async fn list(client: &Client, owner: &str, listing: &Listing) -> Result<Page<Project>, Error> {
    let json = client.get(&client.api(&format!("{owner}/projects/list")), &listing.query()).await?;
    Ok(Page::new(json, Project))
}

pub async fn get(client: &Client, place: &Place) -> Result<Project, Error> {
    client.get(&address(client, place), &[]).await.map(Project)
}

pub async fn update(client: &Client, place: &Place, fields: &Fields) -> Result<Project, Error> {
    client.patch(&address(client, place), &fields.body()).await.map(Project)
}

pub async fn delete(client: &Client, place: &Place) -> Result<(), Error> {
    client.delete(&address(client, place)).await
}

fn address(client: &Client, place: &Place) -> String {
    client.api(&format!("{}/{}", place.owner, place.project))
}

/// What the server says about itself.
pub async fn installation(client: &Client) -> Result<Value, Error> {
    client.get(&client.api("installation"), &[]).await
}
