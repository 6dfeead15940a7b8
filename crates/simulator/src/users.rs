//! What people do at the wrong moment.

use polyaxon_engine::state::{Birth, Event, Place};
use polyaxon_model::change::Change;
use polyaxon_model::ids::{ProjectId, RunId};
use polyaxon_model::kinds::{CloningKind, LiveState, ManagedBy, RunKind};
use polyaxon_model::new_run::RunPatch;
use polyaxon_spec::{compose, wire};
use polyaxon_store::db::Tx;
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{Error, Result, Store, lifecycle, runs};
use serde_json::json;
use uuid::Uuid;

use crate::clock;
use crate::mirror::{Mirror, Run};
use crate::random::Random;

pub(crate) const PROJECT: ProjectId = ProjectId::new(Uuid::from_u128(1));

/// Nothing is repeated while there are more runs than this, which would only make steps slower.
const MOST_RUNS: usize = 150;

/// Submits an operation under an id of its own.
pub(crate) fn submit(
    store: &Store,
    number: u64,
    text: String,
    original: Option<(RunId, CloningKind)>,
) -> Result<RunId> {
    let problem = |message: String| Error::Corrupt { column: 0, message };
    let document = wire::read_operation(&text).map_err(|problems| problem(format!("{problems:?}\n{text}")))?;
    let composed = compose::compose(&document).map_err(|problems| problem(format!("{problems:?}\n{text}")))?;
    let family = compose::run_kind(&composed.operation);
    let birth = Birth {
        kind: family.kind.parse().unwrap_or(RunKind::Job),
        managed_by: ManagedBy::Agent,
        pending: None,
        requires_approval: false,
        place: Place::Independent,
    };
    let id = RunId::new(Uuid::from_u128(u128::from(number)));
    let mut record = NewRecord::new(id, PROJECT, birth);
    record.runtime = family.runtime.parse().ok();
    record.name = Some("top".to_owned());
    record.raw_content = Some(text);
    record.original = original;
    store.write_blocking(move |tx| runs::create(tx, &record, clock::now()).map(drop))?;
    Ok(id)
}

/// Does something to some run. Answers what, and to which.
pub(crate) fn interfere(
    store: &Store,
    mirror: &Mirror,
    random: &mut Random,
    next: &mut u64,
    has_deletions: bool,
) -> Result<(&'static str, Option<RunId>)> {
    let all: Vec<&Run> = mirror.runs.values().filter(|run| run.live_state != LiveState::Deleting).collect();
    let Some(run) = random.pick(&all) else { return Ok(("nothing", None)) };
    let uuid = run.uuid;
    let has_room = mirror.runs.len() < MOST_RUNS;
    let (name, event) = match random.below(26) {
        0 | 1 => ("stop", Event::StopRequested),
        2 => ("skip", Event::SkipRequested),
        // Who has the result of another is not resumed.
        3..=6 if run.reuses.is_none() => ("resume", Event::ResumeRequested),
        7 => ("archive", Event::ArchiveRequested),
        8 => ("restore", Event::RestoreRequested),
        9 if random.once_in(2) => ("delete", Event::DeleteRequested),
        16..=20 if has_deletions => ("delete", Event::DeleteRequested),
        10 | 11 if has_room => return clone_run(store, uuid, random, next),
        21..=24 if has_deletions && has_room => return clone_run(store, uuid, random, next),
        12..=15 if run.counts.is_some() && run.kind != RunKind::Schedule => {
            let limit = json!(if random.once_in(4) { -1 } else { 1 + random.below(4) as i64 });
            let meta = serde_json::Map::from_iter([("concurrency".to_owned(), limit)]);
            let patch = RunPatch { meta_info: Change::Set(meta), merge: Some(true), ..RunPatch::default() };
            store.write_blocking(move |tx| runs::patch(tx, uuid, &patch, clock::now()).map(drop))?;
            return Ok(("concurrency", Some(uuid)));
        }
        _ => ("approve", Event::Approved),
    };
    apply(store, uuid, event)?;
    Ok((name, Some(uuid)))
}

/// One event for one run, as the API does it.
pub(crate) fn apply(store: &Store, run: RunId, event: Event) -> Result<()> {
    store.write_blocking(move |tx: &mut dyn Tx| match lifecycle::apply(tx, run, &event, clock::now()) {
        Err(Error::NotFound { .. }) => Ok(()),
        applied => applied.map(drop),
    })
}

fn clone_run(store: &Store, run: RunId, random: &mut Random, next: &mut u64) -> Result<(&'static str, Option<RunId>)> {
    let source = store.read_blocking(move |tx| runs::get(tx, run))?;
    let Some(text) = source.and_then(|source| source.raw_content) else { return Ok(("nothing", None)) };
    let (name, kind) = if random.once_in(2) { ("restart", CloningKind::Restart) } else { ("copy", CloningKind::Copy) };
    *next += 1;
    let clone = submit(store, *next, text, Some((run, kind)))?;
    Ok((name, Some(clone)))
}
