//! Whether the rows of metrics are those that the outputs of runs make.

use std::collections::BTreeMap;

use polyaxon_model::JsonMap;

use crate::Result;
use crate::db::{FromValue, Row, Tx, args};
use crate::metrics;

/// Runs that are compared at a time.
const PAGE: u32 = 1000;

/// The runs whose rows differ.
pub(super) fn differing(tx: &mut dyn Tx) -> Result<Vec<String>> {
    Ok(compare(tx)?.into_iter().map(|differing| differing.uuid).collect())
}

/// Writes the rows of those runs again.
pub(super) fn rewrite(tx: &mut dyn Tx) -> Result<()> {
    for Differing { id, outputs, .. } in compare(tx)? {
        tx.execute("DELETE FROM run_metrics WHERE run_id = ?1", args![id])?;
        metrics::update(tx, id, None, outputs.as_ref())?;
    }
    Ok(())
}

struct Differing {
    id: i64,
    uuid: String,
    outputs: Option<JsonMap>,
}

fn compare(tx: &mut dyn Tx) -> Result<Vec<Differing>> {
    let (mut differing, mut after) = (Vec::new(), 0);
    loop {
        let sql = "SELECT id, uuid, outputs FROM runs WHERE id > ?1 ORDER BY id LIMIT ?2";
        let page = tx.query(sql, args![after, PAGE])?;
        let mut runs: Vec<(i64, String, Option<JsonMap>)> = Vec::with_capacity(page.len());
        for mut row in page {
            let (id, uuid, text): (i64, String, Option<String>) = (row.take()?, row.take()?, row.take()?);
            // What is no JSON is another rule's business.
            runs.push((id, uuid, text.and_then(|text| serde_json::from_str(&text).ok())));
        }
        let Some((last, _, _)) = runs.last() else { return Ok(differing) };
        let mut rows: BTreeMap<i64, BTreeMap<String, f64>> = BTreeMap::new();
        let sql = "SELECT run_id, name, value FROM run_metrics WHERE run_id > ?1 AND run_id <= ?2";
        for row in tx.query(sql, args![after, *last])? {
            let (run, name, value): (i64, String, f64) = read(row)?;
            rows.entry(run).or_default().insert(name, value);
        }
        after = *last;
        for (id, uuid, outputs) in runs {
            if metrics::of(outputs.as_ref()) != rows.remove(&id).unwrap_or_default() {
                differing.push(Differing { id, uuid, outputs });
            }
        }
    }
}

fn read<A: FromValue, B: FromValue, C: FromValue>(mut row: Row) -> Result<(A, B, C)> {
    Ok((row.take()?, row.take()?, row.take()?))
}
