//! Logs in the oldest form: numbered files of some thousand lines each, `{"logs": […]}`, handed out one at a time.

use std::fs;
use std::io::Read;
use std::path::Path;

use polyaxon_model::artifact::RelativePath;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::path;

/// More is no chunk of some thousand lines.
const MAX_BYTES: u64 = 64 << 20;

/// The names of the chunks below `folder`: numbers or times, in their order.
pub fn chunk_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<(f64, String)> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| Some((name.parse().ok().filter(|number: &f64| number.is_finite())?, name)))
        .collect();
    names.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    names.into_iter().map(|(_, name)| name).collect()
}

/// The chunk after `last`, or the first one; none after the last one, or after one that is not there.
pub fn chunk_after<'a>(names: &'a [String], last: Option<&str>) -> Option<&'a str> {
    match last {
        None => names.first(),
        Some(last) => names.iter().skip_while(|name| *name != last).nth(1),
    }
    .map(String::as_str)
}

/// The lines of one chunk as they stand there; a damaged chunk has none.
pub fn read_chunk(folder: &Path, name: &str) -> Result<Vec<Value>> {
    #[derive(Deserialize)]
    struct Chunk {
        #[serde(default)]
        logs: Vec<Value>,
    }
    let relative = RelativePath::parse(name).map_err(|_| Error::Traversal { path: name.to_owned() })?;
    let (file, _) = path::open(folder, &relative)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|source| Error::read(&folder.join(name), source))?;
    let mut lines = serde_json::from_slice::<Chunk>(&bytes).map(|chunk| chunk.logs).unwrap_or_default();
    for fields in lines.iter_mut().filter_map(Value::as_object_mut) {
        fields.retain(|_, value| !value.is_null());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_walked_in_the_order_of_their_times() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("1700000010.5", r#"{"logs":[{"value":"b","node":null}]}"#),
            ("1700000009.25", r#"{"logs":[{"value":"a"}]}"#),
            ("1700000011", "damaged"),
            ("main.jsonl", ""),
            ("nan", ""),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let names = chunk_names(folder.path());
        assert_eq!(names, ["1700000009.25", "1700000010.5", "1700000011"]);
        assert_eq!(chunk_after(&names, None), Some("1700000009.25"));
        assert_eq!(chunk_after(&names, Some("1700000009.25")), Some("1700000010.5"));
        assert_eq!(chunk_after(&names, Some("1700000011")), None);
        assert_eq!(chunk_after(&names, Some("other")), None);
        assert_eq!(read_chunk(folder.path(), "1700000010.5").unwrap(), [serde_json::json!({ "value": "b" })]);
        assert!(read_chunk(folder.path(), "1700000011").unwrap().is_empty());
    }
}
