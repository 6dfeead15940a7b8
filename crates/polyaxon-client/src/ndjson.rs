//! A chunked body as JSON objects, one a line.

use bytes::{Buf, BytesMut};
use reqwest::Response;
use serde_json::Value;

pub(crate) struct Lines {
    response: Response,
    buffer: BytesMut,
    /// How much of `buffer` is known to hold no newline.
    searched: usize,
}

impl Lines {
    pub(crate) fn new(response: Response) -> Lines {
        Lines { response, buffer: BytesMut::new(), searched: 0 }
    }

    /// The next object, `None` at the end of the body. Blank lines are keep-alives; unreadable ones are skipped.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>, reqwest::Error> {
        loop {
            if let Some(at) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(self.searched + at);
                self.buffer.advance(1);
                self.searched = 0;
                match serde_json::from_slice(&line) {
                    Ok(value) => return Ok(Some(value)),
                    Err(_) => continue,
                }
            }
            self.searched = self.buffer.len();
            match self.response.chunk().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Ok(serde_json::from_slice(&self.buffer.split()).ok()),
            }
        }
    }
}
