//! Why a queued run waits, from what the decision is made of.

use polyaxon_model::ids::RunId;

use super::{Impossible, Lane, Limit, Obstacle, Scene, admit};

/// What a queued run waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// Nothing: it starts when somebody looks next.
    Next,
    Impossible(Impossible),
    /// Its turn, and what those at the head of the lane wait for.
    Waits {
        queue: String,
        lane: Lane,
        /// Runs of the lane that come before it.
        ahead: u64,
        obstacle: Option<Obstacle>,
    },
}

/// Why `run` in a lane of a queue, behind so many others, does not start.
pub fn explain(scene: &Scene, run: RunId, queue: i64, lane: Lane, ahead: u64) -> Reason {
    let decision = admit(scene);
    if decision.admitted.iter().any(|admission| admission.run == run) {
        return Reason::Next;
    }
    if let Some((_, why)) = decision.impossible.iter().find(|(other, _)| *other == run) {
        return Reason::Impossible(why.clone());
    }
    let found = scene.queues.iter().find(|known| known.id == queue);
    let of_lane = |other: RunId| found.is_some_and(|queue| queue.lane(lane).iter().any(|waiting| waiting.run == other));
    let blocked = decision.blocked.iter().find(|blocked| blocked.queue == queue && of_lane(blocked.run));
    Reason::Waits {
        queue: found.map_or_else(String::new, |queue| queue.name.clone()),
        lane,
        ahead,
        obstacle: blocked.map(|blocked| blocked.obstacle.clone()),
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reason::Next => write!(out, "It is next and starts in a moment."),
            Reason::Impossible(why) => write!(out, "{why}"),
            Reason::Waits { queue, lane, ahead, obstacle } => {
                let kind = match lane {
                    Lane::Hand => "runs that were started by hand",
                    Lane::Pipeline => "runs of pipelines",
                };
                match ahead {
                    0 => write!(out, "It is the first of the {kind} in queue `{queue}`")?,
                    _ => write!(out, "It is number {} of the {kind} in queue `{queue}`", ahead + 1)?,
                }
                match (obstacle, ahead) {
                    (None, _) => write!(out, "."),
                    (Some(obstacle), 0) => write!(out, ": {obstacle}."),
                    (Some(obstacle), _) => write!(out, "; the first one waits: {obstacle}."),
                }
            }
        }
    }
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Obstacle::Slots { slots: 1 } => write!(out, "the one slot is in use"),
            Obstacle::Slots { slots } => write!(out, "all {slots} slots are in use"),
            Obstacle::Concurrency { queue, limit, held } => {
                write!(out, "queue `{queue}` may run {limit} at a time and runs {held}")
            }
            Obstacle::Quota { queue, limit, quota, used, asks } => write!(
                out,
                "it asks for {}, and queue `{queue}` uses {} of its {}",
                limit.amount(*asks),
                short(*limit, *used),
                limit.amount(*quota)
            ),
            Obstacle::Resource { resource, asks, free, total } => write!(
                out,
                "it asks for {}, and {} of {} can be had now",
                resource.amount(*asks),
                short(*resource, *free),
                resource.amount(*total)
            ),
        }
    }
}

/// An amount before one of the same kind.
fn short(resource: Limit, amount: f64) -> String {
    if resource == Limit::Memory { resource.amount(amount).replace(" of memory", "") } else { amount.to_string() }
}

impl std::fmt::Display for Impossible {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Impossible::Quota { queue, limit, quota, asks } => write!(
                out,
                "The run asks for {}, and the whole quota of queue `{queue}` is {}. Ask for less, or raise the quota \
                 with `polyaxon queues update`.",
                limit.amount(*asks),
                limit.amount(*quota)
            ),
            Impossible::Machine { resource, asks, total } => {
                let total =
                    if *total == 0.0 && *resource == Limit::Gpu { "none".to_owned() } else { resource.amount(*total) };
                write!(
                    out,
                    "The run asks for {}, and this machine has {total}. Ask for less, or tell the server what there is \
                     with `{}`.",
                    resource.amount(*asks),
                    resource.variable()
                )
            }
        }
    }
}
