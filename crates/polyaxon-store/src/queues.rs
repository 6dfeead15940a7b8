//! Queues: their records, how runs name them, and how busy they are. Who is served is decided in [`crate::admission`].

use polyaxon_engine::admission::Quota;
use polyaxon_model::ids::{ExecutorId, QueueId};
use polyaxon_model::kinds::LiveState;
use polyaxon_model::listing::{Direction, ListPage, Paging};
use polyaxon_model::queue::{DEFAULT_QUEUE, LOCAL_AGENT, Queue, QueueBody, QueueResource, QueueStats};
use polyaxon_model::run::Resources;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::db::value::optional_json;
use crate::db::{Row, Tx, args, first, scalar};
use crate::leases::ANYBODY;
use crate::listing::{self, Select};
use crate::{Error, Result, admission};

const COLUMNS: &str = "q.uuid, q.agent, a.name, q.name, q.description, q.tags, q.priority, q.concurrency, q.resource, \
     q.quota, q.live_state, q.created_at, q.updated_at";
const FROM: &str = "queues q LEFT JOIN agents a ON a.uuid = q.agent";

/// The agent of an address: the name or the id of a registered one, or the one inside of the server.
pub fn agent(tx: &mut dyn Tx, named: &str) -> Result<ExecutorId> {
    if named == LOCAL_AGENT || named.parse() == Ok(ANYBODY) {
        return Ok(ANYBODY);
    }
    let id = named.parse::<ExecutorId>().map_or_else(|_| String::new(), ExecutorId::to_hex);
    let sql = "SELECT uuid FROM agents WHERE (name = ?1 OR uuid = ?2) AND name <> ''";
    scalar(tx, sql, args![named, id])?.ok_or_else(|| Error::not_found("Agent", named))
}

/// Gives a new agent its default queue.
pub(crate) fn begin(tx: &mut dyn Tx, agent: ExecutorId, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO queues (uuid, agent, name, created_at, updated_at) VALUES (?1, ?1, ?2, ?3, ?3)";
    tx.execute(sql, args![agent, DEFAULT_QUEUE, now]).map(drop)
}

/// Forgets the queues of an agent that is gone; what waits in them is for anybody.
pub(crate) fn end(tx: &mut dyn Tx, agent: ExecutorId) -> Result<()> {
    let of_agent = "queue_id IN (SELECT id FROM queues WHERE agent = ?1)";
    tx.execute(&format!("UPDATE runs SET queue_id = 0 WHERE {of_agent} AND {OPEN}"), args![agent])?;
    tx.execute("DELETE FROM queues WHERE agent = ?1", args![agent]).map(drop)
}

/// Runs whose queue still matters.
const OPEN: &str = "status NOT IN ('failed', 'upstream_failed', 'stopped', 'skipped', 'succeeded')";

/// Creates a queue. The name was checked; it must be free.
pub fn create(
    tx: &mut dyn Tx,
    uuid: QueueId,
    agent: ExecutorId,
    name: &str,
    body: &QueueBody,
    now: Timestamp,
) -> Result<Queue> {
    let mut queue = Queue {
        uuid,
        agent: String::new(),
        name: name.to_owned(),
        description: None,
        tags: None,
        priority: 0,
        concurrency: -1,
        resource: None,
        quota: None,
        live_state: LiveState::Live,
        created_at: now,
        updated_at: now,
    };
    apply(&mut queue, body, now)?;
    if find(tx, agent, name)?.is_some() {
        return Err(Error::NameTaken { record: "queue" });
    }
    save(tx, agent, &queue)?;
    known(tx, agent, &uuid.to_hex())
}

/// A queue of an agent, by its id or its name.
pub fn known(tx: &mut dyn Tx, agent: ExecutorId, named: &str) -> Result<Queue> {
    find(tx, agent, named)?.ok_or_else(|| Error::not_found("Queue", named))
}

fn find(tx: &mut dyn Tx, agent: ExecutorId, named: &str) -> Result<Option<Queue>> {
    let id = named.parse::<QueueId>().map_or_else(|_| String::new(), QueueId::to_hex);
    let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE q.agent = ?1 AND (q.name = ?2 OR q.uuid = ?3)");
    first(tx, &sql, args![agent, named, id])?.map(read).transpose()
}

pub(crate) fn by_id(tx: &mut dyn Tx, id: i64) -> Result<Option<Queue>> {
    first(tx, &format!("SELECT {COLUMNS} FROM {FROM} WHERE q.id = ?1"), args![id])?.map(read).transpose()
}

/// Changes a queue. A lower limit ends nothing; what is active drains.
pub fn patch(tx: &mut dyn Tx, agent: ExecutorId, named: &str, body: &QueueBody, now: Timestamp) -> Result<Queue> {
    let mut queue = known(tx, agent, named)?;
    let is_default = queue.name == DEFAULT_QUEUE;
    if let Some(name) = body.name.as_ref().filter(|name| **name != queue.name) {
        if is_default {
            return Err(Error::Rule("The default queue of an agent keeps its name.".to_owned()));
        }
        if find(tx, agent, name)?.is_some() {
            return Err(Error::NameTaken { record: "queue" });
        }
    }
    if is_default && body.live_state.is_some_and(|state| state != LiveState::Live) {
        return Err(Error::Rule("The default queue of an agent cannot be archived.".to_owned()));
    }
    apply(&mut queue, body, now)?;
    save(tx, agent, &queue)?;
    admission::reconsider(tx, now)?;
    known(tx, agent, &queue.uuid.to_hex())
}

/// What becomes of the runs of a queue that is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers {
    /// With waiting runs the queue stays.
    Refuse,
    /// They wait in the default queue of the agent.
    ToDefault,
}

/// Removes a queue.
pub fn remove(tx: &mut dyn Tx, agent: ExecutorId, named: &str, leftovers: Leftovers, now: Timestamp) -> Result<()> {
    let queue = known(tx, agent, named)?;
    if queue.name == DEFAULT_QUEUE {
        return Err(Error::Rule("The default queue of an agent cannot be removed.".to_owned()));
    }
    let stats = stats(tx, agent, named)?;
    let waiting = stats.queued + stats.unschedulable;
    if waiting > 0 && leftovers == Leftovers::Refuse {
        let what = if waiting == 1 { "1 run waits".to_owned() } else { format!("{waiting} runs wait") };
        return Err(Error::Rule(format!(
            "{what} in queue `{}`: wait for them, stop them, or move them to the default queue with `reassign=true`.",
            queue.name
        )));
    }
    let sql = format!(
        "UPDATE runs SET queue_id = (SELECT id FROM queues WHERE agent = ?1 AND name = ?2) \
         WHERE queue_id = (SELECT id FROM queues WHERE uuid = ?3) AND {OPEN}"
    );
    tx.execute(&sql, args![agent, DEFAULT_QUEUE, queue.uuid])?;
    tx.execute("DELETE FROM queues WHERE uuid = ?1", args![queue.uuid])?;
    admission::reconsider(tx, now)
}

/// Lists the queues of one agent or of all, by agent and name.
pub fn list(tx: &mut dyn Tx, agent: Option<ExecutorId>, paging: Paging) -> Result<ListPage<Queue>> {
    let mut select = Select::new(COLUMNS, FROM);
    if let Some(agent) = agent {
        select.filter("q.agent = {}", [agent.into()]);
    }
    select.order_by("q.agent", None, Direction::Ascending);
    select.order_by("q.name", None, Direction::Ascending);
    listing::page(tx, &select, paging, read)
}

/// How busy a queue is. Runs that name no queue are in the default one of the agent inside of the server.
pub fn stats(tx: &mut dyn Tx, agent: ExecutorId, named: &str) -> Result<QueueStats> {
    let queue = known(tx, agent, named)?;
    let sql = "SELECT id FROM queues WHERE uuid = ?1";
    let id: i64 = scalar(tx, sql, args![queue.uuid])?.unwrap_or(-1);
    let other = if queue.name == DEFAULT_QUEUE && agent == ANYBODY { 0 } else { id };
    let count = |tx: &mut dyn Tx, status: Status| -> Result<u64> {
        let sql = "SELECT count(*) FROM runs WHERE status = ?1 AND queue_id IN (?2, ?3) AND managed_by = 'agent' \
                   AND NOT attempt_live AND kind NOT IN ('dag', 'matrix', 'schedule')";
        Ok(scalar::<i64>(tx, sql, args![status, id, other])?.map_or(0, i64::unsigned_abs))
    };
    let (queued, unschedulable) = (count(tx, Status::Queued)?, count(tx, Status::Unschedulable)?);
    let mut resources = Resources::default();
    let mut running = 0;
    for held in admission::held(tx)?.into_iter().filter(|held| held.queue == id || held.queue == other) {
        running += 1;
        resources.cpu += held.needs.cpu;
        resources.memory += held.needs.memory;
        resources.gpu += held.needs.gpu;
        resources.custom += held.needs.custom;
        resources.cost += held.needs.cost;
    }
    Ok(QueueStats { queued, running, unschedulable, resources })
}

/// The queue that a run names as `queue`, `agent/queue` or `agent.queue`; the error is for whoever wrote it.
pub fn resolve(tx: &mut dyn Tx, named: Option<&str>) -> Result<std::result::Result<i64, String>> {
    let Some(named) = named.map(str::trim).filter(|named| !named.is_empty() && *named != DEFAULT_QUEUE) else {
        return Ok(Ok(0));
    };
    let (agent, name) = named.split_once(['/', '.']).unwrap_or((LOCAL_AGENT, named));
    let found = match self::agent(tx, agent) {
        Ok(agent) => agent,
        Err(Error::NotFound { .. }) => {
            let known = names(tx)?;
            return Ok(Err(format!("`queue: {named}`: there is no agent `{agent}`; there are the queues {known}")));
        }
        Err(error) => return Err(error),
    };
    let sql = "SELECT id, live_state FROM queues WHERE agent = ?1 AND name = ?2";
    let Some(mut row) = first(tx, sql, args![found, name])? else {
        let known = names(tx)?;
        return Ok(Err(format!(
            "`queue: {named}`: agent `{agent}` has no queue `{name}`; there are the queues {known}. \
             Create it with `polyaxon queues create {agent}/{name}`"
        )));
    };
    let (id, state): (i64, LiveState) = (row.take()?, row.take()?);
    Ok(match state {
        LiveState::Live => Ok(id),
        LiveState::Archived | LiveState::Deleting => {
            Err(format!("`queue: {named}`: queue `{name}` of agent `{agent}` is archived and takes no more runs"))
        }
    })
}

/// The first queues, as a run would name them.
fn names(tx: &mut dyn Tx) -> Result<String> {
    let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE q.live_state = 1 ORDER BY q.agent, q.name LIMIT 10");
    let queues: Vec<Queue> = tx.query(&sql, &[])?.into_iter().map(read).collect::<Result<_>>()?;
    Ok(queues.iter().map(|queue| format!("`{}/{}`", queue.agent, queue.name)).collect::<Vec<_>>().join(", "))
}

fn apply(queue: &mut Queue, body: &QueueBody, now: Timestamp) -> Result<()> {
    if let Some(name) = &body.name {
        queue.name.clone_from(name);
    }
    body.description.clone().apply(&mut queue.description);
    body.tags.clone().apply(&mut queue.tags);
    queue.priority = body.priority.unwrap_or(queue.priority);
    let mut concurrency = Some(queue.concurrency);
    body.concurrency.apply(&mut concurrency);
    queue.concurrency = concurrency.unwrap_or(-1).max(-1);
    body.resource.apply(&mut queue.resource);
    body.quota.clone().apply(&mut queue.quota);
    queue.live_state = body.live_state.unwrap_or(queue.live_state);
    queue.updated_at = now.max(queue.updated_at);
    let wrong = |message: String| Err(Error::Field { field: "quota", message });
    match (queue.resource, queue.quota.as_deref()) {
        (Some(resource), Some(quota)) if Quota::parse(resource, quota).is_none() => {
            wrong(format!("`{quota}` is not an amount of {resource}, expected one such as `500m`, `8` or `5Gi`."))
        }
        (None, Some(_)) => wrong(format!(
            "A quota needs a `resource`, one of: {}.",
            QueueResource::ALL.iter().map(|resource| resource.as_str()).collect::<Vec<_>>().join(", ")
        )),
        _ => Ok(()),
    }
}

fn save(tx: &mut dyn Tx, agent: ExecutorId, queue: &Queue) -> Result<()> {
    tx.execute(
        "INSERT INTO queues (uuid, agent, name, description, tags, priority, concurrency, resource, quota, live_state, \
         created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
         ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, description = excluded.description, \
         tags = excluded.tags, priority = excluded.priority, concurrency = excluded.concurrency, \
         resource = excluded.resource, quota = excluded.quota, live_state = excluded.live_state, \
         updated_at = excluded.updated_at",
        args![
            queue.uuid,
            agent,
            queue.name.as_str(),
            queue.description.as_deref(),
            optional_json(queue.tags.as_ref()),
            queue.priority,
            Some(queue.concurrency).filter(|concurrency| *concurrency >= 0),
            queue.resource,
            queue.quota.as_deref(),
            queue.live_state,
            queue.created_at,
            queue.updated_at,
        ],
    )?;
    Ok(())
}

fn read(mut row: Row) -> Result<Queue> {
    let uuid = row.take()?;
    let (agent, name): (ExecutorId, Option<String>) = (row.take()?, row.take()?);
    Ok(Queue {
        uuid,
        agent: if agent == ANYBODY { LOCAL_AGENT.to_owned() } else { name.unwrap_or_else(|| agent.to_hex()) },
        name: row.take()?,
        description: row.take()?,
        tags: row.take_optional_json()?,
        priority: row.take()?,
        concurrency: row.take::<Option<i64>>()?.unwrap_or(-1),
        resource: row.take()?,
        quota: row.take()?,
        live_state: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}
