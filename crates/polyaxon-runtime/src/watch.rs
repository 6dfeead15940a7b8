//! Follows the metrics of running trials that early stopping compares, and stops those that do worse.
//!
//! Only what was appended to an event file is read. What this remembers of files only saves time: a new server reads
//! them once from the start, and the store takes each value once.

use std::collections::HashMap;
use std::sync::PoisonError;

use polyaxon_artifacts::events::{self, Row, Tail, Value};
use polyaxon_artifacts::layout::Layout;
use polyaxon_model::JsonMap;
use polyaxon_model::artifact::{EVENT_SUFFIX, EVENTS, RelativePath};
use polyaxon_model::change::Change;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::ArtifactKind;
use polyaxon_model::new_run::RunPatch;
use polyaxon_model::time::Timestamp;
use polyaxon_store::db::Tx;
use polyaxon_store::pipelines::tracks::{self, Point, Watched};
use polyaxon_store::runs;
use serde_json::json;

use crate::driver::Shared;
use crate::{Error, Result};

/// How far the files of the trials that are followed were read, by run and metric.
pub(crate) type Tails = HashMap<(RunId, String), Tail>;

/// What came of a metric since the last look.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    run: RunId,
    metric: String,
    from: u64,
    points: Vec<Point>,
}

/// One look at all trials of this moment. True when there are any.
pub(crate) async fn pass(shared: &Shared) -> Result<bool> {
    let watched = shared.store.read(tracks::watched).await?;
    let are_followed = !watched.is_empty();
    if are_followed || !tails(shared).is_empty() {
        let worker = shared.clone();
        let looked = tokio::task::spawn_blocking(move || look(&worker, &watched)).await.map_err(|_| Error::Worker)?;
        let (heard, known) = looked;
        if !heard.is_empty() {
            let (clock, found) = (shared.options.clock, heard.clone());
            shared.store.write(move |tx| write(tx, &found, clock())).await?;
            for Heard { run, .. } in &heard {
                shared.options.changes.notify(*run);
            }
        }
        // What was not written is read again.
        *tails(shared) = known;
    }
    let judgements = shared.store.read(tracks::judge).await?;
    if !judgements.is_empty() {
        let clock = shared.options.clock;
        shared.store.write(move |tx| tracks::prune(tx, &judgements, clock())).await?;
    }
    Ok(are_followed)
}

/// As [`pass`], for a simulator without a loop.
pub(crate) fn pass_blocking(shared: &Shared) -> Result<()> {
    let (heard, known) = look(shared, &shared.store.read_blocking(tracks::watched)?);
    let clock = shared.options.clock;
    shared.store.write_blocking(move |tx| write(tx, &heard, clock()))?;
    *tails(shared) = known;
    let judgements = shared.store.read_blocking(tracks::judge)?;
    Ok(shared.store.write_blocking(move |tx| tracks::prune(tx, &judgements, clock()))?)
}

fn tails(shared: &Shared) -> std::sync::MutexGuard<'_, Tails> {
    shared.tails.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What came since the last look, and how far the files were read.
fn look(shared: &Shared, watched: &[Watched]) -> (Vec<Heard>, Tails) {
    let mut before = tails(shared).clone();
    let (mut heard, mut known) = (Vec::new(), Tails::new());
    for Watched { run, metrics } in watched {
        for metric in metrics {
            let key = (*run, metric.clone());
            let mut tail = before.remove(&key).unwrap_or_default();
            heard.extend(look_at(&shared.options.layout, *run, metric, &mut tail));
            known.insert(key, tail);
        }
    }
    (heard, known)
}

fn look_at(layout: &Layout, run: RunId, metric: &str, tail: &mut Tail) -> Option<Heard> {
    let kind = ArtifactKind::Metric.as_str();
    let path = RelativePath::parse(&format!("{EVENTS}/{kind}/{metric}{EVENT_SUFFIX}")).ok()?;
    let appended = match events::tail(&layout.artifacts(run), &path, kind, tail) {
        Ok(appended) => appended,
        Err(error) => {
            tracing::debug!(%run, metric, error = %error, "cannot read an event file yet");
            return None;
        }
    };
    let points = points(&appended.rows);
    (!points.is_empty()).then(|| Heard { run, metric: metric.to_owned(), from: appended.from, points })
}

/// The rows of a metric as numbers with their steps.
pub(crate) fn points(rows: &[Row]) -> Vec<Point> {
    let number = |value: &Value| match value {
        Value::Number(number) => *number,
        Value::Text(_) => f64::NAN,
    };
    rows.iter().map(|row| (row.step, number(&row.value))).collect()
}

fn write(tx: &mut dyn Tx, heard: &[Heard], now: Timestamp) -> polyaxon_store::Result<()> {
    for Heard { run, metric, from, points } in heard {
        if !runs::id_exists(tx, *run)? {
            continue;
        }
        tracks::extend(tx, *run, metric, *from, points)?;
        if let Some((_, last)) = points.iter().rev().find(|(_, value)| value.is_finite()) {
            let outputs = Change::Set(JsonMap::from_iter([(metric.clone(), json!(last))]));
            runs::patch(tx, *run, &RunPatch { outputs, merge: Some(true), ..RunPatch::default() }, now)?;
        }
    }
    Ok(())
}
