//! Runs that begin when something happens to another one: who listens to whom, and who is told.
//!
//! Invariant: whoever begins to listen looks at the past of the other run in the same transaction, and what happens to
//! a run that is listened to is written together with a `Tell` or a `React`. As writes are serial, nothing is missed.

use std::collections::BTreeSet;

use polyaxon_engine::flow::event::{self, Hope, Past};
use polyaxon_engine::flow::trigger::{OnSkip, Upstreams, Verdict};
use polyaxon_engine::state::{Action, Control, Ending, Event};
use polyaxon_model::event::EventKind;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{EdgeKind, Trigger};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use super::react;
use crate::db::value::{json, optional_json};
use crate::db::{Tx, args, first, scalar};
use crate::{Error, Result, actions, lifecycle, runs, statuses};

/// What a run waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// None for a source that tells no events.
    pub run: Option<RunId>,
    pub kinds: Vec<EventKind>,
}

/// A run that somebody listens to, and what for.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) kinds: Vec<EventKind>,
    id: i64,
    edge: EdgeKind,
    control: Control,
}

/// Writes what a run listens to. `is_upstream` tells of which runs it also waits for the end. Answers with a sentence
/// when there is no such run.
pub(super) fn connect(
    tx: &mut dyn Tx,
    id: i64,
    listens: &[Listen],
    is_upstream: &dyn Fn(RunId) -> bool,
    now: Timestamp,
) -> Result<Option<String>> {
    for run in listens.iter().filter_map(|listen| listen.run) {
        let sql = "SELECT o.id FROM runs o JOIN runs r ON r.project_id = o.project_id WHERE o.uuid = ?1 AND r.id = ?2";
        let Some(other) = scalar::<i64>(tx, sql, args![run, id])? else {
            let sql = "SELECT p.name FROM runs r JOIN projects p ON p.id = r.project_id WHERE r.id = ?1";
            let project: String = scalar(tx, sql, args![id])?.unwrap_or_default();
            let uuid = run.to_hex();
            return Ok(Some(format!(
                "Access Error: an event refers to run {uuid}, which is not in project `{project}`"
            )));
        };
        // Several events of one run are one edge.
        let kinds = listens.iter().filter(|listen| listen.run == Some(run)).flat_map(|listen| &listen.kinds);
        let (mut words, mut awaited): (Vec<String>, Vec<Status>) = (Vec::new(), Vec::new());
        for kind in kinds {
            words.push(kind.to_string());
            awaited.extend(kind.status());
        }
        let kind = if is_upstream(run) { EdgeKind::Dag } else { EdgeKind::Event };
        tx.execute(
            "INSERT INTO run_edges (upstream_id, downstream_id, kind, statuses, events) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (upstream_id, downstream_id, kind) \
             DO UPDATE SET statuses = excluded.statuses, events = excluded.events",
            args![other, id, kind, optional_json(Some(&awaited).filter(|all| !all.is_empty())), json(&words)],
        )?;
        lifecycle::apply(tx, run, &Event::Watched, now)?;
    }
    Ok(None)
}

/// Lets a run outside of dags wait for its events, or begin at once when one has happened.
pub fn listen(tx: &mut dyn Tx, run: RunId, seq: i64, listens: &[Listen], now: Timestamp) -> Result<()> {
    if !actions::done(tx, run, seq, now)? {
        return Ok(());
    }
    let id = runs::id_of(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    if let Some(message) = connect(tx, id, listens, &|_| false, now)? {
        return lifecycle::apply(tx, run, &Event::CompileFailed { message }, now).map(drop);
    }
    lifecycle::apply(tx, run, &Event::Listening, now)?;
    decide_alone(tx, id, run, now)
}

/// Performs a `Tell` action and closes it.
pub fn told(tx: &mut dyn Tx, run: RunId, seq: i64, now: Timestamp) -> Result<()> {
    if !actions::done(tx, run, seq, now)? {
        return Ok(());
    }
    let id = runs::id_of(tx, run)?.ok_or_else(|| Error::not_found("Run", run))?;
    tell(tx, id, now)?.into_iter().try_for_each(|pipeline| react::settle(tx, pipeline, now))
}

/// Has those told that listen to a run which has new artifacts.
pub(crate) fn produced(tx: &mut dyn Tx, id: i64, now: Timestamp) -> Result<()> {
    let sql = "SELECT 1 FROM run_edges WHERE upstream_id = ?1 AND events IS NOT NULL LIMIT 1";
    let has_listeners = first(tx, sql, args![id])?.is_some();
    if has_listeners && !actions::is_open(tx, id, &Action::Tell)? {
        actions::write(tx, id, &Action::Tell, None, now)?;
    }
    Ok(())
}

/// Decides about those that listen to a run; answers with the pipelines around them.
pub(super) fn tell(tx: &mut dyn Tx, id: i64, now: Timestamp) -> Result<BTreeSet<i64>> {
    let sql = "SELECT d.id, d.uuid, c.pipeline_id FROM run_edges e JOIN runs d ON d.id = e.downstream_id \
               LEFT JOIN pipeline_children c ON c.run_id = d.id WHERE e.upstream_id = ?1 AND e.events IS NOT NULL \
               AND coalesce(c.state, 'waiting') IN ('waiting', 'decided') ORDER BY e.id";
    let mut touched = BTreeSet::new();
    for mut row in tx.query(sql, args![id])? {
        let (listener, run): (i64, RunId) = (row.take()?, row.take()?);
        match row.take::<Option<i64>>()? {
            Some(pipeline) => {
                react::decide_one(tx, listener, now)?;
                touched.insert(pipeline);
            }
            None => decide_alone(tx, listener, run, now)?,
        }
    }
    Ok(touched)
}

fn decide_alone(tx: &mut dyn Tx, id: i64, run: RunId, now: Timestamp) -> Result<()> {
    let is_held = lifecycle::state(tx, run)?.is_some_and(|state| state.control.is_held);
    if !is_held {
        return Ok(());
    }
    let event = match verdict(tx, id, Trigger::AllDone, OnSkip::GoOn, &Upstreams::default())? {
        Verdict::Wait | Verdict::Skip => return Ok(()),
        Verdict::Run => Event::Released,
        Verdict::UpstreamFailed => Event::Concluded(Ending {
            status: Status::UpstreamFailed,
            reason: event::LOST.to_owned(),
            message: lost(tx, id)?,
        }),
    };
    lifecycle::apply(tx, run, &event, now).map(drop)
}

/// What a run with events does.
pub(super) fn verdict(
    tx: &mut dyn Tx,
    id: i64,
    trigger: Trigger,
    on_skip: OnSkip,
    upstreams: &Upstreams,
) -> Result<Verdict> {
    let (mut hope, mut is_source_skipped) = (Hope::Lost, false);
    for source in sources(tx, id)? {
        hope = hope.max(source.past(tx)?.hope(source.status, &source.kinds));
        is_source_skipped |= source.status == Status::Skipped;
    }
    Ok(event::evaluate(hope, trigger, on_skip, upstreams, is_source_skipped))
}

/// Why no event starts a run any more.
pub(super) fn lost(tx: &mut dyn Tx, id: i64) -> Result<String> {
    let sources = sources(tx, id)?;
    if sources.iter().all(|source| source.kinds.is_empty()) {
        return Ok("None of its events can happen: nothing tells events of these kinds yet.".to_owned());
    }
    let told: Vec<String> = sources.iter().map(Source::told).collect();
    Ok(format!("None of its events can happen any more: {}.", told.join("; ")))
}

/// The events that a run waits for, in short.
pub(crate) fn awaited(tx: &mut dyn Tx, id: i64) -> Result<String> {
    let sources = sources(tx, id)?;
    let told: Vec<String> = sources.iter().map(|source| format!("{} of {}", source.words(), source.name)).collect();
    Ok(told.join(" or "))
}

/// Whether the end of a run that an operation only listened to breaks the operation.
pub(super) fn has_bad_source(tx: &mut dyn Tx, id: i64) -> Result<bool> {
    for source in sources(tx, id)?.iter().filter(|source| source.edge == EdgeKind::Event) {
        let sql = "SELECT counted_bad FROM pipeline_children WHERE run_id = ?1";
        let is_broken = scalar::<bool>(tx, sql, args![source.id])?.unwrap_or(false);
        let status = if is_broken { Status::Failed } else { source.status };
        if event::is_bad_source(status, &source.kinds) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The runs that a run listens to.
pub(crate) fn sources(tx: &mut dyn Tx, id: i64) -> Result<Vec<Source>> {
    let sql = "SELECT u.id, u.uuid, u.name, u.status, u.control, e.kind, e.events FROM run_edges e \
               JOIN runs u ON u.id = e.upstream_id WHERE e.downstream_id = ?1 AND e.events IS NOT NULL ORDER BY e.id";
    let read = |mut row: crate::db::Row| {
        let (id, uuid, name): (i64, RunId, Option<String>) = (row.take()?, row.take()?, row.take()?);
        Ok(Source {
            id,
            name: name.unwrap_or_else(|| uuid.to_hex()[..8].to_owned()),
            status: row.take()?,
            control: row.take_json()?,
            edge: row.take()?,
            kinds: row.take_json::<Vec<String>>()?.iter().filter_map(|word| EventKind::read(word)).collect(),
        })
    };
    tx.query(sql, args![id])?.into_iter().map(read).collect()
}

impl Source {
    fn past(&self, tx: &mut dyn Tx) -> Result<Past> {
        // What happened to the run whose result it reuses has happened.
        let sql = "SELECT o.id, o.control FROM runs r JOIN runs o ON o.id = r.original_id \
                   WHERE r.id = ?1 AND r.cloning_kind = 'cache'";
        let mut worker = None;
        let mut is_invalidated = self.control.is_invalidated;
        if let Some(mut row) = first(tx, sql, args![self.id])? {
            worker = Some(row.take::<i64>()?);
            is_invalidated |= row.take_json::<Control>()?.is_invalidated;
        }
        let mut history = statuses::history(tx, self.id)?;
        if let Some(worker) = worker.filter(|_| self.status.is_done()) {
            history.extend(statuses::history(tx, worker)?);
        }
        let history: Vec<Status> = history.into_iter().map(|condition| condition.status).collect();
        let sql = "SELECT 1 FROM run_artifacts WHERE run_id = ?1 AND (is_input IS NULL OR NOT is_input) LIMIT 1";
        let has_artifacts = first(tx, sql, args![worker.unwrap_or(self.id)])?.is_some();
        let others = [
            (EventKind::Approved, self.control.is_approved),
            (EventKind::Invalidated, is_invalidated),
            (EventKind::NewArtifacts, has_artifacts),
        ];
        let others = others.into_iter().filter_map(|(kind, has_happened)| has_happened.then_some(kind));
        Ok(Past::of(&history, others.collect()))
    }

    fn told(&self) -> String {
        format!("`{}` ended as {} without {}", self.name, self.status, self.words())
    }

    /// The kinds, in one line.
    pub(crate) fn words(&self) -> String {
        let words: Vec<String> = self.kinds.iter().map(EventKind::to_string).collect();
        words.join(" or ")
    }
}
