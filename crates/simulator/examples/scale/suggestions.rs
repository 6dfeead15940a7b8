//! How long a search thinks about its next trials, the trials so far read from the store.

use std::time::{Duration, Instant};

use polyaxon_engine::state::{Action, Event, Exit, Phase};
use polyaxon_model::change::Change;
use polyaxon_model::ids::RunId;
use polyaxon_model::new_run::RunPatch;
use polyaxon_runtime::steps::Performer;
use polyaxon_store::actions::{self, OpenAction};
use polyaxon_store::db::Tx;
use polyaxon_store::{admission, lifecycle, runs};
use serde_json::{Value as Json, json};

use crate::Failure;
use crate::machine::{Machine, SERVER, now};
use crate::operations;

/// The last suggestions of a search are the measured ones.
const MEASURED: usize = 15;

/// The median time of one suggestion when so many trials are known.
pub(crate) fn measure(kind: &str, known: usize) -> Result<Duration, Failure> {
    let machine = Machine::new(64)?;
    let performer = Performer::new(machine.store.clone(), machine.options());
    machine.submit(operations::search(kind, known + MEASURED))?;
    let mut times = Vec::new();
    let (mut created, mut measured) = (0, 0);
    while measured < MEASURED {
        let open = machine.store.read_blocking(|tx| actions::claimed(tx, SERVER, 0, 1000))?;
        if open.is_empty() {
            break;
        }
        let mut outcomes = Vec::new();
        let mut launches = Vec::new();
        for action in open {
            if matches!(action.action, Action::Launch { .. }) {
                launches.push(action);
                continue;
            }
            let (is_expansion, begun) = (action.action == Action::Expand, Instant::now());
            outcomes.extend(performer.perform(action, None)?);
            if is_expansion {
                times.push(begun.elapsed());
            }
        }
        performer.report(&outcomes)?;
        machine.store.write_blocking({
            let capacity = machine.capacity();
            move |tx| {
                launches.iter().try_for_each(|open| end(tx, open))?;
                admission::admit(tx, SERVER, &capacity, now()).map(drop)
            }
        })?;
        let before = created;
        created = machine.store.read_blocking(children)?;
        if created > before && created >= known {
            measured += 1;
        }
    }
    // A search that does not learn gives all of its rows in one answer.
    let suggestions = if kind == "random" { created as u32 } else { 1 };
    let last = times.len().saturating_sub(MEASURED);
    let mut last: Vec<Duration> = times.split_off(last);
    last.sort_unstable();
    Ok(last.get(last.len() / 2).copied().unwrap_or_default() / suggestions.max(1))
}

fn children(tx: &mut dyn Tx) -> polyaxon_store::Result<usize> {
    let created: i64 = tx.query("SELECT coalesce(sum(created), 0) FROM pipelines", &[])?.remove(0).take()?;
    Ok(usize::try_from(created).unwrap_or(0))
}

/// The trial succeeds with a loss that depends on what it got.
fn end(tx: &mut dyn Tx, open: &OpenAction) -> polyaxon_store::Result<()> {
    let Action::Launch { attempt } = open.action else { return Ok(()) };
    let loss = loss(tx, open.run)?;
    let outputs = json!({ "loss": loss }).as_object().cloned().unwrap_or_default();
    runs::patch(tx, open.run, &RunPatch { outputs: Change::Set(outputs), ..RunPatch::default() }, now())?;
    let events = [Phase::Starting, Phase::Running, Phase::Exited(Exit::Succeeded)]
        .map(|phase| Event::Observed { attempt, phase });
    lifecycle::complete_each(tx, open.run, open.seq, &events, now()).map(drop)
}

fn loss(tx: &mut dyn Tx, run: RunId) -> polyaxon_store::Result<f64> {
    let inputs = runs::get(tx, run)?.and_then(|run| run.inputs).unwrap_or_default();
    Ok(inputs.values().filter_map(Json::as_f64).map(|x| (x - 0.3).powi(2)).sum())
}
