//! A run and everything below it, followed by our own stream. Servers that do not have it refuse.

use polyaxon_model::tree::TreeLine;

use crate::error::Error;
use crate::http::{Client, Place};
use crate::ndjson::Lines;
use crate::runs::address;

/// The lines of a tree as they come; after a lost connection it goes on where it was.
pub struct Follow {
    client: Client,
    place: Place,
    uuid: String,
    lines: Option<Lines>,
    cursor: Option<i64>,
    is_over: bool,
}

impl Follow {
    pub fn new(client: &Client, place: &Place, uuid: &str) -> Follow {
        Follow {
            client: client.clone(),
            place: place.clone(),
            uuid: uuid.to_owned(),
            lines: None,
            cursor: None,
            is_over: false,
        }
    }

    /// The next line; `None` when the run is done. After a transient error the call can be repeated.
    pub async fn next(&mut self) -> Result<Option<TreeLine>, Error> {
        if self.is_over {
            return Ok(None);
        }
        loop {
            let lines = match &mut self.lines {
                Some(lines) => lines,
                None => self.lines.insert(self.open().await?),
            };
            let value = match lines.next().await {
                Ok(Some(value)) => value,
                Ok(None) => {
                    self.lines = None;
                    continue;
                }
                Err(source) => {
                    self.lines = None;
                    return Err(self.client.broken(source));
                }
            };
            // What a later version adds is not for us.
            let Ok(line) = serde_json::from_value(value) else { continue };
            match &line {
                TreeLine::Cursor(cursor) => self.cursor = Some(*cursor),
                TreeLine::Done(_) => self.is_over = true,
                TreeLine::Run(_) | TreeLine::Removed(_) => {}
            }
            return Ok(Some(line));
        }
    }

    async fn open(&self) -> Result<Lines, Error> {
        let url = address(&self.client, &self.place, &self.uuid, "pipeline/follow");
        let query: Vec<_> = self.cursor.iter().map(|cursor| ("cursor", cursor.to_string())).collect();
        Ok(Lines::new(self.client.open(&url, &query).await?))
    }
}
