//! Notifications: who is told about the end of a run, and the loop that tells them.
//!
//! Invariants: what is asked for is a row in the transaction that performs what follows the end, and a row stays until it
//! was sent or given up, so that every end is told at least once; a receiver that hangs holds up no other.

use std::sync::Arc;
use std::time::Duration;

use polyaxon_client::notify::{self, Backend, Notification};
use polyaxon_compile::notifications as wanted;
use polyaxon_engine::notification::LEASE;
use polyaxon_model::JsonMap;
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::RunKind;
use polyaxon_model::run::{DEFAULT_OWNER, Run};
use polyaxon_model::time::Timestamp;
use polyaxon_spec::node::Node;
use polyaxon_spec::wire;
use polyaxon_store::db::Tx;
use polyaxon_store::notifications::{self, Claimed};
use polyaxon_store::{Store, lifecycle, runs};
use tokio::task::JoinSet;

use crate::actions::with_causes;
use crate::compile::composed;
use crate::{RuntimeOptions, connections};

/// How many are sent at a time.
const MOST: usize = 16;
/// Two looks at the store are at least so far apart, however often it changes.
const REST: Duration = Duration::from_millis(100);
/// How often is looked when nothing is known to be due.
const SCAN: Duration = Duration::from_secs(30);
/// A message that is not gone by then counts as failed, before somebody else may take it.
const PATIENCE: Duration = LEASE.saturating_sub(Duration::from_secs(20));
/// No more of inputs and outputs is shown.
const MOST_LETTERS: usize = 1000;

/// Whether somebody may have to be told about the end of a run. A search tells of itself, not of each of its trials.
pub(crate) fn may_follow(run: &Run, operation: &Node) -> bool {
    let is_trial = run.pipeline.as_ref().is_some_and(|pipeline| pipeline.kind == RunKind::Matrix);
    !is_trial && wanted::are_asked_for(operation)
}

/// Asks for what a run that ended wants to be told.
pub(crate) fn ask(tx: &mut dyn Tx, run: RunId, now: Timestamp) -> polyaxon_store::Result<()> {
    let (Some(record), Some(state)) = (runs::get(tx, run)?, lifecycle::state(tx, run)?) else { return Ok(()) };
    let resolved = record.content.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let operation = match resolved {
        Some(json) => wire::read_compiled(&json),
        None => match composed(&record) {
            Ok(composed) => composed.operation,
            Err(_) => return Ok(()),
        },
    };
    let Some(condition) = state.last_condition.filter(|_| may_follow(&record, &operation)) else { return Ok(()) };
    for connection in wanted::connections(&operation, state.status.as_str()) {
        notifications::add(tx, run, &connection, &condition, now)?;
    }
    Ok(())
}

/// Sends what is due, for ever.
pub(crate) async fn work(store: Store, options: Arc<RuntimeOptions>) {
    let (server, clock) = (options.server, options.clock);
    if let Err(error) = store.write(move |tx| notifications::release(tx, server, clock())).await {
        tracing::warn!(error = with_causes(&error), "cannot take up notifications of an earlier server");
    }
    let mut changed = store.changed();
    let mut sending = JoinSet::new();
    loop {
        let wait = match take(&store, &options, MOST - sending.len()).await {
            Ok((claimed, next)) => {
                for claimed in claimed {
                    sending.spawn(deliver(store.clone(), Arc::clone(&options), claimed));
                }
                let micros = next.map(|next| next.as_micros().saturating_sub(clock().as_micros()));
                micros
                    .map_or(SCAN, |micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0)).clamp(REST, SCAN))
            }
            Err(error) => {
                tracing::warn!(error = with_causes(&error), "cannot look for notifications");
                SCAN
            }
        };
        tokio::select! {
            change = changed.changed() => match change {
                Ok(()) => tokio::time::sleep(REST).await,
                Err(_) => return,
            },
            Some(_) = sending.join_next() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Sends what is due now, one after the other and not too many; tells how many there were.
pub(crate) async fn deliver_due(store: &Store, options: &Arc<RuntimeOptions>) -> polyaxon_store::Result<usize> {
    let (claimed, _) = take(store, options, MOST).await?;
    let count = claimed.len();
    for claimed in claimed {
        deliver(store.clone(), Arc::clone(options), claimed).await;
    }
    Ok(count)
}

/// Claims what is due, and tells when the next one is.
async fn take(
    store: &Store,
    options: &RuntimeOptions,
    most: usize,
) -> polyaxon_store::Result<(Vec<Claimed>, Option<Timestamp>)> {
    let (server, clock) = (options.server, options.clock);
    let next = store.read(notifications::next_due).await?;
    if most == 0 || next.is_none_or(|next| next > clock()) {
        return Ok((Vec::new(), next));
    }
    let claim = move |tx: &mut dyn Tx| {
        let claimed = notifications::claim(tx, server, most, clock())?;
        Ok((claimed, notifications::next_due(tx)?))
    };
    store.write(claim).await
}

/// What came of an attempt. The words are for people.
enum Outcome {
    Sent {
        problem: Option<String>,
    },
    Failed(String),
    /// Another attempt would end in the same way.
    Hopeless(String),
}

async fn deliver(store: Store, options: Arc<RuntimeOptions>, claimed: Claimed) {
    let Claimed { id, run, ref connection, .. } = claimed;
    let attempt = tokio::time::timeout(PATIENCE, attempt(&store, &options, &claimed));
    let outcome = attempt.await.unwrap_or_else(|_| Ok(Outcome::Failed("the receivers took too long".to_owned())));
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            return tracing::warn!(%run, connection, error = with_causes(&error), "cannot read what to notify of");
        }
    };
    if let Outcome::Failed(error) | Outcome::Hopeless(error) = &outcome {
        tracing::warn!(%run, connection, error, "a notification was not sent");
    }
    let clock = options.clock;
    let record = move |tx: &mut dyn Tx| match &outcome {
        Outcome::Sent { problem } => notifications::sent(tx, id, problem.as_deref(), clock()),
        Outcome::Failed(error) => notifications::failed(tx, id, error, clock()),
        Outcome::Hopeless(error) => notifications::give_up(tx, id, error, clock()),
    };
    if let Err(error) = store.write(record).await {
        tracing::warn!(%run, connection, error = with_causes(&error), "cannot note what came of a notification");
    }
}

async fn attempt(store: &Store, options: &RuntimeOptions, claimed: &Claimed) -> polyaxon_store::Result<Outcome> {
    let Some(connection) = options.connections.iter().find(|connection| connection.name == claimed.connection) else {
        return Ok(Outcome::Hopeless("this server has no such connection".to_owned()));
    };
    let Some(backend) = Backend::of_kind(&connection.kind) else {
        return Ok(Outcome::Hopeless(format!("a connection of kind `{}` takes no messages", connection.kind)));
    };
    let run = claimed.run;
    let Some(record) = store.read(move |tx| runs::get(tx, run)).await? else {
        return Ok(Outcome::Hopeless("the run is gone".to_owned()));
    };
    let targets = connections::settings(connection, backend, options.variable)
        .and_then(|settings| notify::targets(backend, &settings).map_err(|error| error.to_string()));
    let targets = match targets {
        Ok(targets) => targets,
        Err(error) => return Ok(Outcome::Failed(error)),
    };
    let notification = notification(options, &record, claimed);
    let mut errors = Vec::new();
    for target in &targets {
        if let Err(error) = notify::send(&notification, backend, target).await {
            errors.push(error.to_string());
        }
    }
    let problem = (!errors.is_empty()).then(|| errors.join("; "));
    Ok(match problem {
        Some(problem) if errors.len() == targets.len() => Outcome::Failed(problem),
        problem => Outcome::Sent { problem },
    })
}

fn notification(options: &RuntimeOptions, run: &Run, claimed: &Claimed) -> Notification {
    let seconds = |seconds: Option<f64>| seconds.map(|seconds| format!("{seconds}s"));
    Notification {
        host: options.api_host.clone(),
        owner: DEFAULT_OWNER.to_owned(),
        project: run.project.clone(),
        uuid: run.uuid.to_hex(),
        name: run.name.clone(),
        kind: Some(run.kind.to_string()),
        status: claimed.condition.status.to_string(),
        condition: claimed.condition.clone(),
        wait_time: seconds(run.wait_time),
        duration: seconds(run.duration),
        inputs: values(run.inputs.as_ref()),
        outputs: values(run.outputs.as_ref()),
    }
}

fn values(values: Option<&JsonMap>) -> Option<String> {
    let text = serde_json::to_string(values.filter(|values| !values.is_empty())?).ok()?;
    Some(text.chars().take(MOST_LETTERS).collect())
}
