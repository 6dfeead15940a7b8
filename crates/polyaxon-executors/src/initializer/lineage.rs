//! Lineage of initialisation steps, left as files beside the supervisor's for the server to pick up.

use std::fs;
use std::path::{Path, PathBuf};

use polyaxon_artifacts::layout::Layout;
use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::ArtifactKind;
use polyaxon_model::lineage::NewArtifact;

use super::Environment;
use super::error::{Error, Result};

const FOLDER: &str = "lineage";

/// An input that a step brought.
pub(super) fn input(name: &str, kind: ArtifactKind, path: Option<String>, summary: JsonMap) -> NewArtifact {
    NewArtifact {
        name: name.to_owned(),
        kind,
        path,
        summary: Some(summary),
        is_input: Some(true),
        state: None,
        run: None,
        connection: None,
        meta_info: None,
    }
}

pub(super) fn report(environment: &Environment, artifact: &NewArtifact) -> Result<()> {
    let Some(root) = &environment.context_root else { return Ok(()) };
    let path = artifact.path.as_deref().map(|path| in_run_folder(path, root));
    let artifact = &NewArtifact { path, ..artifact.clone() };
    let folder = root.join("supervisor").join(FOLDER);
    fs::create_dir_all(&folder).map_err(|source| Error::write(&folder, source))?;
    // One step is one process, and it reports once.
    let path = folder.join(format!("{}.json", std::process::id()));
    let fresh = path.with_extension("new");
    serde_json::to_vec(artifact)
        .map_err(std::io::Error::from)
        .and_then(|text| fs::write(&fresh, text))
        .and_then(|()| fs::rename(&fresh, &path))
        .map_err(|source| Error::write(&path, source))
}

/// A path in the run's folder of the store is told from there on; others stay.
fn in_run_folder(path: &str, root: &Path) -> String {
    let below = Path::new(path).strip_prefix(root.join("artifacts")).ok();
    let run_and_rest = below.and_then(Path::to_str).and_then(|below| below.split_once('/'));
    match run_and_rest {
        Some((run, rest)) if run.parse::<RunId>().is_ok() => rest.to_owned(),
        _ => path.to_owned(),
    }
}

/// What the steps of a run reported so far. What cannot be read is left out: lineage never fails a run.
pub fn collect(layout: &Layout, run: RunId) -> Vec<NewArtifact> {
    let mut paths: Vec<PathBuf> = fs::read_dir(layout.supervisor(run).join(FOLDER))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    paths.sort();
    paths.iter().filter_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Option<NewArtifact> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
