//! The numbers among the outputs of runs as rows, which lists are filtered and sorted by.
//!
//! Invariant: whoever writes `runs.outputs` calls [`update`] in the same transaction.

use std::collections::BTreeMap;

use polyaxon_model::JsonMap;
use serde_json::Value as Json;

use crate::Result;
use crate::db::{Tx, args};

/// Longer names are no metrics: databases cannot index texts of any length.
const MAX_NAME_CHARACTERS: usize = 200;

/// Brings the rows of a run from what its old outputs said to what the new ones say.
pub(crate) fn update(tx: &mut dyn Tx, id: i64, old: Option<&JsonMap>, new: Option<&JsonMap>) -> Result<()> {
    for (name, value) in new.into_iter().flatten() {
        let number = number(name, value);
        let known = old.and_then(|old| number_of(old, name));
        match number {
            Some(number) if known != Some(number) => {
                tx.execute(
                    "INSERT INTO run_metrics (name, run_id, value) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (name, run_id) DO UPDATE SET value = excluded.value",
                    args![name.as_str(), id, number],
                )?;
            }
            None if known.is_some() => remove(tx, id, name)?,
            Some(_) | None => {}
        }
    }
    for name in old.into_iter().flat_map(JsonMap::keys) {
        let is_gone = new.is_none_or(|new| !new.contains_key(name));
        if is_gone && old.and_then(|old| number_of(old, name)).is_some() {
            remove(tx, id, name)?;
        }
    }
    Ok(())
}

/// The rows that outputs make.
pub(crate) fn of(outputs: Option<&JsonMap>) -> BTreeMap<String, f64> {
    let numbers = outputs.into_iter().flatten();
    numbers.filter_map(|(name, value)| Some((name.clone(), number(name, value)?))).collect()
}

fn remove(tx: &mut dyn Tx, id: i64, name: &str) -> Result<()> {
    tx.execute("DELETE FROM run_metrics WHERE name = ?1 AND run_id = ?2", args![name, id])?;
    Ok(())
}

fn number_of(outputs: &JsonMap, name: &str) -> Option<f64> {
    outputs.get(name).and_then(|value| number(name, value))
}

fn number(name: &str, value: &Json) -> Option<f64> {
    value.as_f64().filter(|_| name.chars().count() <= MAX_NAME_CHARACTERS)
}
