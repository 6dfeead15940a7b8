//! Queues of agents: what waits for an executor waits in one of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::change::Change;
use crate::ids::QueueId;
use crate::kinds::LiveState;
use crate::loose::changed_tags;
use crate::run::Resources;
use crate::time::Timestamp;
use crate::wire_enum::wire_enum;

/// The name of the agent inside of the server; no registered agent may be called so.
pub const LOCAL_AGENT: &str = "local";
/// The queue that every agent has, of runs that name none.
pub const DEFAULT_QUEUE: &str = "default";

wire_enum! {
    /// What a quota is counted in.
    QueueResource as "resource of a quota" {
        Cpu = "cpu",
        Memory = "memory",
        Gpu = "gpu",
        Custom = "custom",
        Cost = "cost",
    }
}

impl QueueResource {
    /// How much of it a run asks for.
    pub fn of(self, resources: &Resources) -> f64 {
        match self {
            QueueResource::Cpu => resources.cpu,
            QueueResource::Memory => resources.memory,
            QueueResource::Gpu => resources.gpu,
            QueueResource::Custom => resources.custom,
            QueueResource::Cost => resources.cost,
        }
    }

    /// An amount in words: `2 GPUs`, `1.5 GiB of memory`.
    pub fn amount(self, amount: f64) -> String {
        let is_one = amount == 1.0;
        match self {
            QueueResource::Cpu => format!("{amount} {}", if is_one { "processor" } else { "processors" }),
            QueueResource::Memory => format!("{} of memory", bytes(amount)),
            QueueResource::Gpu => format!("{amount} {}", if is_one { "GPU" } else { "GPUs" }),
            QueueResource::Custom => format!("{amount} of the custom resource"),
            QueueResource::Cost => format!("a cost of {amount}"),
        }
    }

    /// The variable that says how much of it a machine has.
    pub fn variable(self) -> &'static str {
        match self {
            QueueResource::Cpu => "POLYAXON_LOCAL_CPUS",
            QueueResource::Memory => "POLYAXON_LOCAL_MEMORY",
            QueueResource::Gpu => "POLYAXON_LOCAL_GPUS",
            QueueResource::Custom | QueueResource::Cost => "polyaxon queues update",
        }
    }
}

fn bytes(amount: f64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.into_iter().find(|(_, power)| amount >= f64::from(1_u32 << power));
    unit.map_or_else(
        || format!("{amount} bytes"),
        |(name, power)| {
            let number = amount / f64::from(1_u32 << power);
            format!("{} {name}", (number * 10.0).round() / 10.0)
        },
    )
}

/// A queue of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    pub uuid: QueueId,
    /// The name of its agent; `local` is the one inside of the server.
    pub agent: String,
    pub name: String,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    /// Larger goes first; -1 goes before all.
    pub priority: i64,
    /// How many of its runs may be active at a time; -1 is any number.
    pub concurrency: i64,
    /// What the quota is counted in.
    pub resource: Option<QueueResource>,
    /// The most that its active runs may ask for together: `5Gi`, `500m`, `8`.
    pub quota: Option<String>,
    pub live_state: LiveState,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Body of a creation or an update; a missing field is not touched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "gpu", "priority": 10, "concurrency": 4, "resource": "gpu", "quota": "2" })))]
#[serde(default)]
pub struct QueueBody {
    pub name: Option<String>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub description: Change<String>,
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(deserialize_with = "changed_tags", skip_serializing_if = "Change::is_keep")]
    pub tags: Change<Vec<String>>,
    pub priority: Option<i64>,
    #[schema(value_type = Option<i64>)]
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub concurrency: Change<i64>,
    #[schema(value_type = Option<QueueResource>)]
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub resource: Change<QueueResource>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub quota: Change<String>,
    pub live_state: Option<LiveState>,
}

/// How busy a queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueStats {
    pub queued: u64,
    /// Runs that an executor has.
    pub running: u64,
    /// Runs that can never start as things are.
    pub unschedulable: u64,
    /// What the active runs ask for together.
    pub resources: Resources,
}
