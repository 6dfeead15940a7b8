//! A run and everything below it as the command line knows it, and the few questions that a view asks.
//!
//! Must not know terminals: `output::tree` draws it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_model::tree::{TreeLine, TreeRow};

#[derive(Debug)]
pub(crate) struct Forest {
    root: RunId,
    rows: HashMap<RunId, TreeRow>,
    /// Children in the order of their creation.
    children: HashMap<RunId, BTreeSet<(i64, RunId)>>,
}

impl Forest {
    pub(crate) fn new(root: RunId) -> Forest {
        Forest { root, rows: HashMap::new(), children: HashMap::new() }
    }

    pub(crate) fn put(&mut self, row: TreeRow) {
        if let Some(parent) = row.parent {
            self.children.entry(parent).or_default().insert((row.number, row.uuid));
        }
        self.rows.insert(row.uuid, row);
    }

    pub(crate) fn remove(&mut self, run: RunId) {
        let Some(row) = self.rows.remove(&run) else { return };
        if let Some(siblings) = row.parent.and_then(|parent| self.children.get_mut(&parent)) {
            siblings.remove(&(row.number, run));
        }
    }

    /// Whether the line changed what is known.
    pub(crate) fn apply(&mut self, line: TreeLine) -> bool {
        match line {
            TreeLine::Run(row) => self.put(*row),
            TreeLine::Removed(run) => self.remove(run),
            TreeLine::Cursor(_) | TreeLine::Done(_) => return false,
        }
        true
    }

    pub(crate) fn get(&self, run: RunId) -> Option<&TreeRow> {
        self.rows.get(&run)
    }

    pub(crate) fn root(&self) -> Option<&TreeRow> {
        self.rows.get(&self.root)
    }

    /// All runs, in no order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &TreeRow> {
        self.rows.values()
    }

    pub(crate) fn children(&self, run: RunId) -> impl Iterator<Item = &TreeRow> {
        self.children.get(&run).into_iter().flatten().filter_map(|(_, child)| self.rows.get(child))
    }

    /// The best child of a matrix that compares its children.
    pub(crate) fn best(&self, run: RunId) -> Option<(&TreeRow, f64)> {
        let metric = self.get(run)?.metric.as_ref()?;
        let mut best: Option<(&TreeRow, f64)> = None;
        for child in self.children(run) {
            let Some(value) = child.value.filter(|value| !value.is_nan()) else { continue };
            if best.is_none_or(|(_, so_far)| metric.is_better(value, so_far)) {
                best = Some((child, value));
            }
        }
        best
    }

    /// The name of a run, or the start of its uuid when that says more: children of a matrix are called alike.
    pub(crate) fn label(&self, row: &TreeRow) -> String {
        let above = row.parent.and_then(|parent| self.get(parent)).and_then(|parent| parent.name.as_deref());
        match row.name.as_deref() {
            Some(name) if !name.is_empty() && above != Some(name) => name.to_owned(),
            _ => row.uuid.to_hex()[..8].to_owned(),
        }
    }

    /// The name of a run below the root, with those around it: `train/trial-3`.
    pub(crate) fn path(&self, run: RunId) -> String {
        let mut names = Vec::new();
        let mut next = Some(run);
        while let Some(row) = next.and_then(|run| self.get(run)) {
            // The root is named by itself only.
            if row.uuid != self.root || names.is_empty() {
                names.push(self.label(row));
            }
            next = row.parent;
        }
        names.reverse();
        names.join("/")
    }
}

pub(crate) fn counted<'a>(rows: impl Iterator<Item = &'a TreeRow>) -> Vec<(Status, usize)> {
    let mut counts: BTreeMap<usize, (Status, usize)> = BTreeMap::new();
    for row in rows {
        counts.entry(rank(row.status)).or_insert((row.status, 0)).1 += 1;
    }
    counts.into_values().collect()
}

/// The order of statuses in a summary: what goes on, what went wrong, what waits, what is over.
fn rank(status: Status) -> usize {
    use Status as S;
    let order = [
        S::Running,
        S::Processing,
        S::Starting,
        S::Scheduled,
        S::Warning,
        S::Unschedulable,
        S::Unknown,
        S::Retrying,
        S::Stopping,
        S::Failed,
        S::UpstreamFailed,
        S::Stopped,
        S::Skipped,
        S::Queued,
        S::Compiled,
        S::Succeeded,
    ];
    order.iter().position(|other| *other == status).unwrap_or(order.len() + status as usize)
}
