//! Registered agents: their records, what they say about themselves, and what becomes of the runs of one that is gone.

use std::time::Duration;

use polyaxon_engine::executor::{Presence, presence};
use polyaxon_engine::state::Loss;
use polyaxon_model::agent::{Agent, AgentBody};
use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ExecutorId, RunId};
use polyaxon_model::kinds::LiveState;
use polyaxon_model::listing::{Direction, ListPage, Paging};
use polyaxon_model::queue::LOCAL_AGENT;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;

use crate::db::value::{json, optional_json};
use crate::db::{Row, Tx, args, first};
use crate::leases::ANYBODY;
use crate::listing::{self, Select};
use crate::{Error, Result, queues, servers};

const COLUMNS: &str = "uuid, name, description, tags, live_state, namespace, version, version_api, settings, status, \
     status_conditions, created_at, updated_at, content";

/// Registers an agent. The name was checked; it must be free.
pub fn create(tx: &mut dyn Tx, uuid: ExecutorId, name: &str, body: &AgentBody, now: Timestamp) -> Result<Agent> {
    let created = StatusCondition::new(Status::Created, "AgentManager", "Agent is created", now);
    let mut agent = Agent {
        uuid,
        name: name.to_owned(),
        description: None,
        tags: None,
        live_state: LiveState::Live,
        namespace: None,
        version: None,
        version_api: None,
        settings: None,
        status: Status::Created,
        status_conditions: vec![created],
        created_at: now,
        updated_at: now,
        content: None,
    };
    apply(&mut agent, body, now);
    check_name(tx, &agent)?;
    save(tx, &agent)?;
    queues::begin(tx, uuid, now)?;
    Ok(agent)
}

pub fn get(tx: &mut dyn Tx, uuid: ExecutorId) -> Result<Option<Agent>> {
    if uuid == ANYBODY {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM agents WHERE uuid = ?1");
    first(tx, &sql, args![uuid])?.map(read).transpose()
}

/// As [`get`]; an unknown agent is an error.
pub fn known(tx: &mut dyn Tx, uuid: ExecutorId) -> Result<Agent> {
    get(tx, uuid)?.ok_or_else(|| Error::not_found("Agent", uuid))
}

pub fn patch(tx: &mut dyn Tx, uuid: ExecutorId, body: &AgentBody, now: Timestamp) -> Result<Agent> {
    let mut agent = known(tx, uuid)?;
    apply(&mut agent, body, now);
    check_name(tx, &agent)?;
    save(tx, &agent)?;
    Ok(agent)
}

/// Records a status that an agent, or somebody about it, reports.
pub fn report(tx: &mut dyn Tx, uuid: ExecutorId, condition: StatusCondition, now: Timestamp) -> Result<Agent> {
    let mut agent = known(tx, uuid)?;
    agent.enter(condition, now);
    save(tx, &agent)?;
    Ok(agent)
}

/// Forgets an agent. What it had not begun goes back to the queue. Answers the runs that changed.
pub fn remove(tx: &mut dyn Tx, uuid: ExecutorId, now: Timestamp) -> Result<Vec<RunId>> {
    let agent = known(tx, uuid)?;
    let changed = servers::give_up(tx, uuid, Loss::Everything, &format!("The agent {} was removed.", agent.name), now)?;
    tx.execute("DELETE FROM agents WHERE uuid = ?1", args![uuid])?;
    queues::end(tx, uuid)?;
    Ok(changed)
}

/// Lists agents by name.
pub fn list(tx: &mut dyn Tx, paging: Paging) -> Result<ListPage<Agent>> {
    let mut select = Select::new(COLUMNS, "agents");
    select.filter("uuid <> {}", [ANYBODY.into()]);
    select.order_by("name", None, Direction::Ascending);
    listing::page(tx, &select, paging, read)
}

/// What a poll means for an agent.
#[derive(Clone, Debug, PartialEq)]
pub enum Poll {
    Accepted(Box<Agent>),
    /// A newer process with the same identity has polled: this one shall end.
    Superseded,
}

/// Notes that an agent asks for work. Of several processes with one identity the newest instance is the agent.
pub fn poll(tx: &mut dyn Tx, uuid: ExecutorId, instance: Option<i64>, now: Timestamp) -> Result<Poll> {
    let mut agent = known(tx, uuid)?;
    let mut row = first(tx, "SELECT instance, seen_at FROM agents WHERE uuid = ?1", args![uuid])?
        .ok_or_else(|| Error::not_found("Agent", uuid))?;
    let (newest, seen): (Option<i64>, Option<Timestamp>) = (row.take()?, row.take()?);
    let is_there = seen.is_some_and(|seen| presence(seen, Duration::ZERO, now) == Presence::Present);
    let is_older = match (instance, newest) {
        (Some(instance), Some(newest)) => instance < newest,
        // One that does not say which it is gives way to one that does, as long as that one is there.
        (None, Some(_)) => is_there,
        (_, None) => false,
    };
    if is_older {
        return Ok(Poll::Superseded);
    }
    tx.execute("UPDATE agents SET seen_at = ?2, instance = ?3 WHERE uuid = ?1", args![uuid, now, instance])?;
    if agent.status == Status::Unknown {
        let back = StatusCondition::new(Status::Running, "AgentPresence", "The agent is there again.", now);
        agent.enter(back, now);
        save(tx, &agent)?;
    }
    Ok(Poll::Accepted(Box::new(agent)))
}

/// Notes that somebody who is no registered agent asks for work.
pub fn poll_anybody(tx: &mut dyn Tx, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO agents (uuid, name, status, status_conditions, created_at, updated_at, seen_at) \
         VALUES (?1, '', 'running', '[]', ?2, ?2, ?2) ON CONFLICT (uuid) DO UPDATE SET seen_at = excluded.seen_at",
        args![ANYBODY, now],
    )?;
    Ok(())
}

/// Takes from agents that do not ask any more what they are not expected to do. Answers the runs that changed.
pub(crate) fn give_up_silent(tx: &mut dyn Tx, lost_after: Duration, now: Timestamp) -> Result<Vec<RunId>> {
    let mut changed = Vec::new();
    for mut row in tx.query("SELECT uuid, seen_at FROM agents WHERE seen_at IS NOT NULL ORDER BY id", &[])? {
        let (uuid, seen): (ExecutorId, Timestamp) = (row.take()?, row.take()?);
        let presence = presence(seen, lost_after, now);
        if presence == Presence::Present {
            continue;
        }
        let agent = get(tx, uuid)?;
        if let Some(mut agent) = agent.clone().filter(|agent| agent.status.is_started()) {
            let message = "The agent has not asked for work for a minute.";
            agent.enter(StatusCondition::new(Status::Unknown, "AgentPresence", message, now), now);
            save(tx, &agent)?;
        }
        if presence == Presence::Lost {
            // Who is not registered may poll seldom; its runs tell their statuses themselves.
            let loss = if agent.is_some() { Loss::Everything } else { Loss::Waiting };
            let name = agent.map_or_else(String::new, |agent| format!(" {}", agent.name));
            changed.extend(servers::give_up(tx, uuid, loss, &format!("The agent{name} is gone."), now)?);
        }
    }
    Ok(changed)
}

fn apply(agent: &mut Agent, body: &AgentBody, now: Timestamp) {
    if let Some(name) = &body.name {
        agent.name.clone_from(name);
    }
    body.description.clone().apply(&mut agent.description);
    body.tags.clone().apply(&mut agent.tags);
    body.namespace.clone().apply(&mut agent.namespace);
    body.version.clone().apply(&mut agent.version);
    body.version_api.clone().apply(&mut agent.version_api);
    body.settings.clone().apply(&mut agent.settings);
    body.content.clone().apply(&mut agent.content);
    agent.live_state = body.live_state.unwrap_or(agent.live_state);
    agent.updated_at = now.max(agent.updated_at);
}

fn check_name(tx: &mut dyn Tx, agent: &Agent) -> Result<()> {
    if agent.name == LOCAL_AGENT {
        return Err(Error::NameTaken { record: "agent" });
    }
    let sql = "SELECT 1 FROM agents WHERE name = ?1 AND uuid <> ?2";
    match first(tx, sql, args![agent.name.as_str(), agent.uuid])? {
        Some(_) => Err(Error::NameTaken { record: "agent" }),
        None => Ok(()),
    }
}

fn save(tx: &mut dyn Tx, agent: &Agent) -> Result<()> {
    tx.execute(
        "INSERT INTO agents (uuid, name, description, tags, live_state, namespace, version, version_api, settings, \
         status, status_conditions, created_at, updated_at, content) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (uuid) DO UPDATE SET \
         name = excluded.name, description = excluded.description, tags = excluded.tags, \
         live_state = excluded.live_state, namespace = excluded.namespace, version = excluded.version, \
         version_api = excluded.version_api, settings = excluded.settings, status = excluded.status, \
         status_conditions = excluded.status_conditions, updated_at = excluded.updated_at, content = excluded.content",
        args![
            agent.uuid,
            agent.name.as_str(),
            agent.description.as_deref(),
            optional_json(agent.tags.as_ref()),
            agent.live_state,
            agent.namespace.as_deref(),
            agent.version.as_deref(),
            agent.version_api.as_ref(),
            agent.settings.as_ref(),
            agent.status,
            json(&agent.status_conditions),
            agent.created_at,
            agent.updated_at,
            agent.content.as_deref(),
        ],
    )?;
    Ok(())
}

fn read(mut row: Row) -> Result<Agent> {
    Ok(Agent {
        uuid: row.take()?,
        name: row.take()?,
        description: row.take()?,
        tags: row.take_optional_json()?,
        live_state: row.take()?,
        namespace: row.take()?,
        version: row.take()?,
        version_api: row.take_optional_json()?,
        settings: row.take_optional_json()?,
        status: row.take()?,
        status_conditions: row.take_json()?,
        created_at: row.take()?,
        updated_at: row.take()?,
        content: row.take()?,
    })
}
