//! Calls about queues of agents, and about what there is for runs.

use polyaxon_model::queue::QueueBody;
use serde_json::{Value, json};

use crate::error::Error;
use crate::http::Client;

/// A queue by the names of its agent and its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueName {
    pub owner: String,
    pub agent: String,
    pub queue: String,
}

/// The queues of one agent, or of all.
pub async fn list(client: &Client, owner: &str, agent: Option<&str>) -> Result<Value, Error> {
    let path =
        agent.map_or_else(|| format!("orgs/{owner}/queues"), |agent| format!("orgs/{owner}/agents/{agent}/queues"));
    client.get(&client.api(&path), &[("limit", "100".to_owned())]).await
}

pub async fn get(client: &Client, name: &QueueName) -> Result<Value, Error> {
    client.get(&address(client, name), &[]).await
}

/// How many runs wait and run, and what they ask for.
pub async fn stats(client: &Client, name: &QueueName) -> Result<Value, Error> {
    client.get(&format!("{}/stats", address(client, name)), &[]).await
}

pub async fn create(client: &Client, name: &QueueName, body: &QueueBody) -> Result<Value, Error> {
    let path = format!("orgs/{}/agents/{}/queues", name.owner, name.agent);
    client.post(&client.api(&path), &json!(body)).await
}

pub async fn update(client: &Client, name: &QueueName, body: &QueueBody) -> Result<Value, Error> {
    client.patch(&address(client, name), &json!(body)).await
}

/// Removes a queue; `reassign` moves what waits in it to the default one.
pub async fn delete(client: &Client, name: &QueueName, reassign: Reassign) -> Result<(), Error> {
    let query = if reassign == Reassign::Yes { "?reassign=true" } else { "" };
    client.delete(&format!("{}{query}", address(client, name))).await
}

/// Whether runs that wait in a queue that is removed may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reassign {
    No,
    Yes,
}

/// What each server has for runs, and what active runs hold of it.
pub async fn capacity(client: &Client, owner: &str) -> Result<Value, Error> {
    client.get(&client.api(&format!("orgs/{owner}/capacity")), &[]).await
}

fn address(client: &Client, name: &QueueName) -> String {
    client.api(&format!("orgs/{}/agents/{}/queues/{}", name.owner, name.agent, name.queue))
}
