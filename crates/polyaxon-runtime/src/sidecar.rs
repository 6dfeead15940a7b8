//! From event files to lineage and outputs, for what changed since the last look. The duty of the sidecar container
//! that a local run does not have.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::SystemTime;

use polyaxon_artifacts::events::{self, EventFile};
use polyaxon_artifacts::layout::Layout;
use polyaxon_model::JsonMap;
use polyaxon_model::artifact::RelativePath;
use polyaxon_model::change::Change;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::ArtifactKind;
use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::time::Timestamp;
use polyaxon_store::db::Tx;
use polyaxon_store::pipelines::tracks::{self, Point};
use polyaxon_store::{lineage, runs};
use serde_json::Value as Json;

use crate::actions::with_causes;
use crate::driver::Shared;
use crate::{Error, Result, watch};

/// What was seen of the event files of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    files: HashMap<String, (SystemTime, u64)>,
}

/// What a look at a run's folder found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Findings {
    pub(crate) artifacts: Vec<NewArtifact>,
    /// The last value of each metric that changed.
    pub(crate) outputs: JsonMap,
    /// All values of each metric that changed.
    pub(crate) series: Vec<(String, Vec<Point>)>,
}

impl Findings {
    pub(crate) fn is_empty(&self) -> bool {
        self.artifacts.is_empty() && self.outputs.is_empty()
    }
}

/// Looks at the event files that changed since `seen`. Files that cannot be read are left for the next look.
pub(crate) fn look(layout: &Layout, run: RunId, seen: &mut Seen) -> Findings {
    let folder = layout.artifacts(run);
    let mut findings = Findings::default();
    for file in events::find(&folder) {
        let state = (file.modified, file.length);
        if seen.files.get(&file.path) == Some(&state) {
            continue;
        }
        let Ok(path) = RelativePath::parse(&file.path) else { continue };
        match events::read(&folder, &path, &file.kind) {
            Ok(Some(series)) => {
                if file.kind == ArtifactKind::Metric.as_str() && !file.is_resource {
                    let value = events::last_value(&series).map(Json::from);
                    findings.outputs.extend(value.map(|value| (file.name.clone(), value)));
                    findings.series.push((file.name.clone(), watch::points(&series.rows)));
                }
                findings.artifacts.extend(artifact(&file, events::summary(&series)));
            }
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%run, path = file.path, error = %error, "cannot read an event file yet");
                continue;
            }
        }
        seen.files.insert(file.path, state);
    }
    findings
}

fn artifact(file: &EventFile, summary: JsonMap) -> Option<NewArtifact> {
    let kind = if file.is_resource { ArtifactKind::System } else { file.kind.parse().ok()? };
    Some(NewArtifact {
        name: file.name.clone(),
        kind,
        path: Some(file.path.clone()),
        summary: Some(summary),
        is_input: Some(false),
        state: None,
        run: None,
        connection: None,
        meta_info: None,
    })
}

/// Writes what was found. A run that is gone meanwhile is no error.
pub(crate) fn write(tx: &mut dyn Tx, run: RunId, found: &Findings, now: Timestamp) -> polyaxon_store::Result<()> {
    if found.is_empty() || runs::get(tx, run)?.is_none() {
        return Ok(());
    }
    lineage::add(tx, run, &found.artifacts, now)?;
    for (metric, points) in &found.series {
        tracks::extend(tx, run, metric, 0, points)?;
    }
    if !found.outputs.is_empty() {
        let outputs = Change::Set(found.outputs.clone());
        runs::patch(tx, run, &RunPatch { outputs, merge: Some(true), ..RunPatch::default() }, now)?;
    }
    Ok(())
}

/// Records what running jobs tracked since the last look.
pub(crate) async fn pass(shared: &Shared, active: Vec<RunId>) -> Result<()> {
    let worker = shared.clone();
    let found = tokio::task::spawn_blocking(move || {
        let seen_of = |run| worker.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&run).unwrap_or_default();
        let looks = active.into_iter().map(|run| {
            let mut seen = seen_of(run);
            let mut found = look(&worker.options.layout, run, &mut seen);
            // The last row of a file that grows may be half there.
            found.series.clear();
            (run, found, seen)
        });
        looks.collect::<Vec<_>>()
    });
    let found = found.await.map_err(|_| Error::Worker)?;
    let clock = shared.options.clock;
    let mut looked = Vec::new();
    for (run, found, files) in found {
        if !found.is_empty() {
            if let Err(error) = shared.store.write(move |tx| write(tx, run, &found, clock())).await {
                tracing::warn!(%run, error = with_causes(&error), "cannot record what a running job tracked");
                continue;
            }
            shared.options.changes.notify(run);
        }
        looked.push((run, files));
    }
    // What was not written is looked at again.
    let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.extend(looked);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_changed_files_are_looked_at() {
        let home = tempfile::tempdir().unwrap();
        let layout = Layout::new(home.path());
        let run: RunId = "9b0a3806e3f84ea1959a7842e34129ed".parse().unwrap();
        let write = |path: &str, text: &str| {
            let path = layout.artifacts(run).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let mut seen = Seen::default();
        assert!(look(&layout, run, &mut seen).is_empty());
        let row = "\n1|2026-01-02 03:04:05+00:00|0.5";
        write("events/metric/loss.plx", &format!("step|timestamp|metric{row}"));
        write("events/mystery/x.plx", "step|timestamp|mystery\n1|2026-01-02 03:04:05+00:00|{}");
        write("resources/metric/cpu.plx", &format!("step|timestamp|metric{row}"));
        let found = look(&layout, run, &mut seen);
        let names: Vec<_> = found.artifacts.iter().map(|row| (row.name.as_str(), row.kind)).collect();
        assert_eq!(names, [("loss", ArtifactKind::Metric), ("cpu", ArtifactKind::System)]);
        assert_eq!(serde_json::Value::Object(found.outputs).to_string(), r#"{"loss":0.5}"#);
        assert!(look(&layout, run, &mut seen).is_empty());
        write("events/metric/loss.plx", &format!("step|timestamp|metric{row}\n2|2026-01-02 03:04:06+00:00|0.25"));
        assert_eq!(look(&layout, run, &mut seen).outputs["loss"], 0.25);
    }
}
