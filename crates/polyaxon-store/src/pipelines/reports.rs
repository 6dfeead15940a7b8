//! How far the trials of a search reported the metrics that it looks at.

use polyaxon_engine::flow::metrics::{Report, Wanted, wanted};
use polyaxon_model::JsonMap;
use serde_json::Value as Json;

use crate::Result;
use crate::db::{Tx, args, first, scalar};

/// Names that are looked at when one may be misspelt.
const MOST_NAMES: i64 = 100;

/// The trials of a search: its children without the runs of its tuner.
const TRIALS: &str = "FROM runs r WHERE r.pipeline_id = ?1 AND coalesce(r.runtime, '') <> 'tuner'";

/// A report for each metric that the search looks at. Kinds that compare nothing are not even read.
pub(crate) fn of(tx: &mut dyn Tx, search: i64) -> Result<Vec<Report>> {
    let sql = "SELECT r.content FROM runs r JOIN pipelines p ON p.run_id = r.id WHERE r.id = ?1 \
               AND (p.plan IS NOT NULL OR r.runtime NOT IN ('grid', 'mapping', 'random'))";
    let content = scalar::<Option<String>>(tx, sql, args![search])?.flatten();
    let content = content.and_then(|text| serde_json::from_str::<Json>(&text).ok());
    let matrix = content.as_ref().and_then(|content| content.get("matrix"));
    matrix.map(wanted).unwrap_or_default().into_iter().map(|wanted| report(tx, search, wanted)).collect()
}

fn report(tx: &mut dyn Tx, search: i64, wanted: Wanted) -> Result<Report> {
    let has =
        |negation| format!("{negation} EXISTS (SELECT 1 FROM run_metrics m WHERE m.name = ?2 AND m.run_id = r.id)");
    let (has, lacks) = (has(""), has("NOT"));
    let name = wanted.metric.name;
    let sql = format!("SELECT CAST(count(*) AS BIGINT) {TRIALS} AND r.status = 'succeeded'");
    let succeeded = scalar::<i64>(tx, &sql, args![search])?.unwrap_or_default();
    let sql = format!("SELECT CAST(count(*) AS BIGINT) {TRIALS} AND {has}");
    let reporting = scalar::<i64>(tx, &sql, args![search, name.as_str()])?.unwrap_or_default();
    let sql = format!("SELECT CAST(count(*) AS BIGINT) {TRIALS} AND r.status = 'succeeded' AND {lacks}");
    let lacking = scalar::<i64>(tx, &sql, args![search, name.as_str()])?.unwrap_or_default();
    let mut report = Report {
        by: wanted.by,
        succeeded: u64::try_from(succeeded).unwrap_or_default(),
        lacking: u64::try_from(lacking).unwrap_or_default(),
        reporting: u64::try_from(reporting).unwrap_or_default(),
        odd: None,
        others: Vec::new(),
        metric: name,
    };
    if report.lacking == 0 {
        return Ok(report);
    }
    let sql = format!("SELECT r.outputs {TRIALS} AND r.status = 'succeeded' AND {lacks} ORDER BY r.id LIMIT 1");
    if let Some(mut row) = first(tx, &sql, args![search, report.metric.as_str()])? {
        let outputs: Option<JsonMap> = row.take_optional_json()?;
        report.odd = outputs.and_then(|mut outputs| outputs.remove(&report.metric));
    }
    let sql = format!(
        "SELECT m.name FROM run_metrics m JOIN (SELECT r.id {TRIALS}) t ON t.id = m.run_id \
         GROUP BY m.name ORDER BY count(*) DESC, m.name LIMIT ?2"
    );
    report.others =
        tx.query(&sql, args![search, MOST_NAMES])?.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?;
    Ok(report)
}
