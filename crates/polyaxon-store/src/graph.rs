//! The edges among the runs of one page.

use std::collections::HashMap;

use polyaxon_model::ids::RunId;
use polyaxon_model::run::{Graph, Run};

use crate::Result;
use crate::db::{Tx, Value};

/// Fills the `graph` of runs with those they lead to; runs without any edge have none. One query a page.
pub fn fill(tx: &mut dyn Tx, runs: &mut [Run]) -> Result<()> {
    let ids: Vec<Value> = runs.iter().map(|run| Value::from(run.uuid)).collect();
    let mut downstream: HashMap<RunId, Vec<RunId>> = HashMap::new();
    for values in ids.chunks(CHUNK) {
        let list = (1..=values.len()).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT u.uuid, d.uuid FROM run_edges e JOIN runs u ON u.id = e.upstream_id \
             JOIN runs d ON d.id = e.downstream_id WHERE u.uuid IN ({list}) OR d.uuid IN ({list}) ORDER BY e.id"
        );
        for mut row in tx.query(&sql, values)? {
            let (from, to): (RunId, RunId) = (row.take()?, row.take()?);
            let known = downstream.entry(from).or_default();
            if !known.contains(&to) {
                known.push(to);
            }
            downstream.entry(to).or_default();
        }
    }
    for run in runs {
        run.graph = downstream.get(&run.uuid).map(|runs| Graph { downstream: runs.clone() });
    }
    Ok(())
}

/// Below the least number of values that databases accept in a statement.
const CHUNK: usize = 500;
