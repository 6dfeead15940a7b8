//! What a machine has and what of it is held.
//!
//! Requests are promises, not fences: a process is not kept from using more than it asked for. So memory and devices
//! are never promised twice, while processors may be by the few runs that use a slot kept for people: too few
//! processors make runs slow, too little memory ends them.

use polyaxon_model::run::Resources;
use serde::{Deserialize, Serialize};

use super::{Impossible, Lane, Limit, Obstacle, Waiting};

/// What an executor has for runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// How many runs may be active at once.
    pub slots: usize,
    /// Slots beyond these for runs by hand, as long as no more of those are active.
    pub reserve: usize,
    /// None is as much as anybody asks for.
    pub cpus: Option<f64>,
    /// Bytes.
    pub memory: Option<f64>,
    /// The names of the devices, as programs are told them; none when nobody accounts for them here.
    pub gpus: Option<Vec<String>>,
}

impl Capacity {
    /// So many slots, and nothing else is accounted for.
    pub fn of_slots(slots: usize) -> Capacity {
        Capacity { slots, reserve: reserve(slots), cpus: None, memory: None, gpus: None }
    }

    /// The limit that a run exceeds by itself.
    pub fn refuses(&self, needs: &Resources) -> Option<Impossible> {
        let gpus = self.gpus.as_ref().map(|gpus| gpus.len() as f64);
        let asked = [
            (Limit::Gpu, gpu_count(needs) as f64, gpus),
            (Limit::Memory, needs.memory, self.memory),
            (Limit::Cpu, needs.cpu, self.cpus),
        ];
        asked.into_iter().find_map(|(resource, asks, total)| {
            let total = total.filter(|total| asks > *total)?;
            Some(Impossible::Machine { resource, asks, total })
        })
    }
}

/// How many slots are kept for people beside so many for everybody.
pub fn reserve(slots: usize) -> usize {
    if slots == 0 { 0 } else { (slots / 8).max(1) }
}

/// Whole devices: a part of one cannot be given.
pub fn gpu_count(needs: &Resources) -> usize {
    needs.gpu.max(0.0).ceil() as usize
}

/// What active runs hold of a capacity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Load {
    pub held: usize,
    pub held_by_hand: usize,
    pub cpus: f64,
    pub memory: f64,
    pub gpus: Vec<String>,
}

/// What is left while decisions are made.
#[derive(Clone, Debug)]
pub(super) struct Free<'a> {
    capacity: &'a Capacity,
    slots: usize,
    reserve: usize,
    cpus: f64,
    memory: f64,
    gpus: Vec<&'a str>,
    /// What is kept for somebody who does not fit yet.
    kept: Vec<Limit>,
}

impl<'a> Free<'a> {
    pub(super) fn new(capacity: &'a Capacity, load: &Load) -> Free<'a> {
        let all = capacity.gpus.as_deref().unwrap_or_default();
        Free {
            capacity,
            slots: capacity.slots.saturating_sub(load.held),
            reserve: capacity.reserve.saturating_sub(load.held_by_hand),
            cpus: capacity.cpus.unwrap_or(f64::INFINITY) - load.cpus,
            memory: capacity.memory.unwrap_or(f64::INFINITY) - load.memory,
            gpus: all.iter().map(String::as_str).filter(|gpu| !load.gpus.iter().any(|held| held == gpu)).collect(),
            kept: Vec::new(),
        }
    }

    /// Whether there is a slot for anybody.
    pub(super) fn is_over(&self) -> bool {
        self.slots == 0 && self.reserve == 0
    }

    pub(super) fn no_slot(&self) -> Obstacle {
        Obstacle::Slots { slots: self.capacity.slots }
    }

    /// What a run would have to wait for.
    pub(super) fn obstacle(&self, run: &Waiting) -> Option<Obstacle> {
        let is_kept_for = run.lane == Lane::Hand && self.reserve > 0;
        if self.slots == 0 && !is_kept_for {
            return Some(self.no_slot());
        }
        let gpus = gpu_count(&run.needs) as f64;
        let cpus = if is_kept_for { 0.0 } else { run.needs.cpu };
        let total = self.capacity.gpus.as_ref().map(|gpus| gpus.len() as f64);
        let asked = [
            (Limit::Gpu, gpus, self.gpus.len() as f64, total),
            (Limit::Memory, run.needs.memory, self.memory, self.capacity.memory),
            (Limit::Cpu, cpus, self.cpus, self.capacity.cpus),
        ];
        asked.into_iter().find_map(|(resource, asks, free, total)| {
            let total = total.filter(|_| asks > 0.0 && (asks > free || self.kept.contains(&resource)))?;
            Some(Obstacle::Resource { resource, asks, free: free.max(0.0), total })
        })
    }

    /// Keeps what a run lacks: others must not take it away piece by piece.
    pub(super) fn keep(&mut self, obstacle: &Obstacle) {
        if let Obstacle::Resource { resource, .. } = obstacle {
            self.kept.push(*resource);
        }
    }

    /// Gives a run that has no obstacle what it asks for; the answer is its devices.
    pub(super) fn take(&mut self, run: &Waiting) -> Vec<String> {
        self.slots = self.slots.saturating_sub(1);
        if run.lane == Lane::Hand {
            self.reserve = self.reserve.saturating_sub(1);
        }
        self.cpus -= run.needs.cpu;
        self.memory -= run.needs.memory;
        let count = gpu_count(&run.needs).min(self.gpus.len());
        self.gpus.drain(..count).map(str::to_owned).collect()
    }
}
