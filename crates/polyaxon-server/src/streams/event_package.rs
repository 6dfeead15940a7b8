//! Event files together with the files that their rows refer to, as one archive whose names start at the run's folder.

use std::io::{self, Read, Write};
use std::path::Path;

use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use polyaxon_artifacts::events::{self, Value};
use polyaxon_artifacts::{Error, path};
use polyaxon_model::artifact::{EVENT_SUFFIX, EVENTS, RelativePath};
use polyaxon_model::ids::RunId;

use crate::streams::download;
use crate::streams::run_folder::RunFolder;

/// The series `names` of `kind`; those that do not exist are left out.
pub(crate) fn send(folder: &RunFolder, kind: String, names: Vec<String>) -> Response {
    let (root, run) = (folder.path.clone(), folder.run);
    let name = format!("{run}.{kind}.{}", names.join("-and-").replace('/', "-"));
    download::packed(&name, move |output| {
        let mut archive = tar::Builder::new(GzEncoder::new(output, Compression::fast()));
        for name in &names {
            let Ok(file) = RelativePath::parse(&format!("{EVENTS}/{kind}/{name}{EVENT_SUFFIX}")) else { continue };
            let Some(series) = events::read(&root, &file, &kind)? else { continue };
            append(&mut archive, &root, &file)?;
            for row in &series.rows {
                if let Some(Ok(asset)) = asset_of(&row.value, run).as_deref().map(RelativePath::parse) {
                    append(&mut archive, &root, &asset)?;
                }
            }
        }
        let finished = archive.into_inner().and_then(GzEncoder::finish).and_then(|mut output| output.flush());
        finished.map_err(|source| Error::Write { path: root, source })
    })
}

/// The file that an object cell refers to, relative to the run's folder.
fn asset_of(cell: &Value, run: RunId) -> Option<String> {
    let Value::Text(text) = cell else { return None };
    let object: serde_json::Value = serde_json::from_str(text).ok()?;
    let path = object.get("path")?.as_str()?;
    // Jobs may track the whole path that they wrote to.
    let inside = path.split_once(&format!("{run}/")).map_or(path, |(_, inside)| inside);
    Some(inside.to_owned())
}

/// Assets that vanished or lie elsewhere are left out.
fn append<W: Write>(archive: &mut tar::Builder<W>, root: &Path, relative: &RelativePath) -> Result<(), Error> {
    let (file, metadata) = match path::open(root, relative) {
        Ok(opened) => opened,
        Err(Error::Traversal { .. } | Error::NotAFile { .. }) => return Ok(()),
        Err(error) if error.is_missing() => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&metadata);
    // The header promises a size, which a file that is still written must keep.
    let content = file.take(metadata.len()).chain(io::repeat(0)).take(metadata.len());
    let appended = archive.append_data(&mut header, relative.as_str(), content);
    appended.map_err(|source| Error::Read { path: root.join(relative.as_str()), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_found_inside_of_the_folder_of_the_run() {
        let run: RunId = "9b0a3806e3f84ea1959a7842e34129ed".parse().unwrap();
        for (cell, expected) in [
            (r#"{"path":"assets/image/a_1.png"}"#, Some("assets/image/a_1.png")),
            (r#"{"path":"/store/9b0a3806e3f84ea1959a7842e34129ed/assets/a.png"}"#, Some("assets/a.png")),
            (r#"{"values":[1]}"#, None),
            ("plain", None),
        ] {
            assert_eq!(asset_of(&Value::Text(cell.into()), run).as_deref(), expected, "{cell}");
        }
    }
}
