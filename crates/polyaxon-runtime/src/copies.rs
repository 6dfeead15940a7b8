//! Artifacts that a clone takes over from the run it was made of (`meta_info.copy_artifacts`).

use polyaxon_artifacts::layout::Layout;
use polyaxon_artifacts::{path, tree};
use polyaxon_model::JsonMap;
use polyaxon_model::artifact::{LOGS, RelativePath};
use polyaxon_model::ids::RunId;
use serde_json::{Value as Json, json};

/// Copies every `<source uuid>/path` of `copy_artifacts` to `path` below the run's own folder. The logs of the source
/// are its own and stay there. The error is a sentence for the status of the run.
pub(crate) fn copy_artifacts(layout: &Layout, run: RunId, meta_info: &JsonMap) -> Result<(), String> {
    let Some(wanted) = meta_info.get("copy_artifacts").and_then(Json::as_object) else { return Ok(()) };
    let lists = ["dirs", "files"].into_iter().filter_map(|key| wanted.get(key)?.as_array());
    for item in lists.flatten() {
        let text = item.as_str().ok_or_else(|| format!("copy_artifacts: `{item}` is no path"))?;
        copy_one(layout, run, text).map_err(|reason| format!("cannot copy the artifacts `{text}`: {reason}"))?;
    }
    Ok(())
}

/// The same as an init step, for an executor elsewhere that makes the copies itself.
pub(crate) fn init_step(run: RunId, meta_info: &JsonMap, store: &str) -> Option<Json> {
    let wanted = meta_info.get("copy_artifacts").and_then(Json::as_object)?;
    let mut artifacts = JsonMap::new();
    for key in ["dirs", "files"] {
        let texts = wanted.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let pairs: Vec<Json> = texts
            .map(|text| match text.split_once('/') {
                Some((_, below)) => json!([text, format!("{CONTEXT_ARTIFACTS}/{run}/{below}")]),
                None => json!([text, format!("{CONTEXT_ARTIFACTS}/{run}")]),
            })
            .collect();
        if !pairs.is_empty() {
            artifacts.insert(key.to_owned(), Json::Array(pairs));
        }
    }
    (!artifacts.is_empty()).then(|| json!({ "artifacts": artifacts, "connection": store }))
}

/// Where a job finds the folders of runs.
const CONTEXT_ARTIFACTS: &str = "/plx-context/artifacts";

fn copy_one(layout: &Layout, run: RunId, text: &str) -> Result<(), String> {
    let (source, below) = text.trim_start_matches('/').split_once('/').unwrap_or((text, ""));
    let source: RunId = source.parse().map_err(|_| format!("`{source}` is not the uuid of a run"))?;
    let below = RelativePath::parse(below).map_err(|error| error.to_string())?;
    let from_root = layout.artifacts(source);
    let to_root = layout.artifacts(run);
    let show = |error: polyaxon_artifacts::Error| match std::error::Error::source(&error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    if source == run {
        return Ok(());
    }
    std::fs::create_dir_all(&to_root).map_err(|error| error.to_string())?;
    if !below.is_root() {
        let from = path::locate(&from_root, &below).map_err(show)?;
        let to = path::create_parents(&to_root, &below).map_err(show)?;
        return tree::copy(&from, &to).map_err(show);
    }
    if !from_root.exists() {
        // The source never wrote anything.
        return Ok(());
    }
    for entry in std::fs::read_dir(&from_root).map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        if entry.file_name() != LOGS {
            tree::copy(&entry.path(), &to_root.join(entry.file_name())).map_err(show)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn folders_of_the_source_are_copied_without_its_logs() {
        let home = tempfile::tempdir().unwrap();
        let layout = Layout::new(home.path());
        let source: RunId = "00000000000000000000000000000001".parse().unwrap();
        let clone: RunId = "00000000000000000000000000000002".parse().unwrap();
        layout.prepare(source).unwrap();
        fs::write(layout.outputs(source).join("model"), "weights").unwrap();
        fs::write(layout.logs(source).join("polyaxon-main.stdout"), "x").unwrap();
        let copy = |wanted: Json| {
            let meta_info = JsonMap::from_iter([("copy_artifacts".to_owned(), wanted)]);
            copy_artifacts(&layout, clone, &meta_info)
        };
        copy(json!({"dirs": [source.to_hex()], "files": [format!("{source}/outputs/model")]})).unwrap();
        assert_eq!(fs::read_to_string(layout.outputs(clone).join("model")).unwrap(), "weights");
        assert!(!layout.logs(clone).exists());
        for (wanted, expected) in [
            (json!({"dirs": ["../x"]}), "is not the uuid of a run"),
            (json!({"dirs": [format!("{source}/../x")]}), "traversal"),
            (json!({"files": [format!("{source}/missing")]}), "No such file"),
        ] {
            let error = copy(wanted).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn an_executor_elsewhere_gets_a_step() {
        let run: RunId = "00000000000000000000000000000002".parse().unwrap();
        let step = |wanted: Json| init_step(run, &JsonMap::from_iter([("copy_artifacts".to_owned(), wanted)]), "store");
        assert_eq!(
            step(json!({"dirs": ["01"], "files": ["01/outputs/m"]})).unwrap(),
            json!({"artifacts": {
                "dirs": [["01", format!("/plx-context/artifacts/{run}")]],
                "files": [["01/outputs/m", format!("/plx-context/artifacts/{run}/outputs/m")]],
            }, "connection": "store"})
        );
        assert_eq!(step(json!({"dirs": []})), None);
    }
}
