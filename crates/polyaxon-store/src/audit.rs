//! What records say that cannot be: checks of a database that serves or rests, and the repairs that lose nothing.
//!
//! Invariant: a repair only removes what refers to nothing, or derives again what is derived from other records.

mod metrics;
mod rules;

use std::collections::HashSet;

use polyaxon_model::ids::RunId;
use polyaxon_model::time::Timestamp;

use crate::db::connection::{Access, Patience};
use crate::db::{Tx, Value, args, scalar};
use crate::dump::{find, reading};
use crate::{Error, Options, Result, lifecycle, migrate};

/// Findings that are named each; the others are counted.
const EXAMPLES: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something that must not be.
    Error,
    /// Something that should be looked at.
    Warning,
}

/// One thing that is wrong, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A short name that stays the same.
    pub check: &'static str,
    pub severity: Severity,
    pub problem: String,
    pub count: u64,
    /// Some of the runs or rows that it is about.
    pub examples: Vec<String>,
    pub advice: &'static str,
    /// What `repair` would change or has changed.
    pub repair: Option<Repair>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    Possible,
    Done,
}

/// What is known about a database after a look at all of it.
#[derive(Clone, Debug)]
pub struct Report {
    pub findings: Vec<Finding>,
    /// The runs that exist, to be compared with folders.
    pub runs: HashSet<RunId>,
    pub checks: usize,
}

/// Checks the database at an address or path; changes nothing.
pub fn audit(url: &str, options: Options, now: Timestamp) -> Result<Report> {
    reading(&find(url, options)?, |tx, place| {
        let schema = migrate::inspect(tx, place)?;
        if !schema.pending.is_empty() {
            return Err(Error::OldSchema { database: place.clone(), found: schema.found, known: schema.known });
        }
        look(tx, now)
    })
}

/// Checks and repairs in one transaction; the report says what it has done.
pub fn repair(url: &str, options: Options, now: Timestamp) -> Result<Report> {
    let report = audit(url, options, now)?;
    if report.findings.iter().all(|finding| finding.repair.is_none()) {
        return Ok(report);
    }
    let mut connection = find(url, options)?.connect(Access::Write)?;
    connection.set_patience(Patience::Endless)?;
    connection.begin(Access::Write)?;
    let done = repair_in(connection.tx(), now).and_then(|report| connection.commit().map(|()| report));
    if done.is_err() {
        connection.roll_back();
    }
    done
}

fn repair_in(tx: &mut dyn Tx, now: Timestamp) -> Result<Report> {
    let mut report = look(tx, now)?;
    for finding in &mut report.findings {
        if finding.repair.is_some() {
            match finding.check {
                DANGLING => rules::cut_dangling(tx)?,
                METRICS => metrics::rewrite(tx)?,
                ACTIONS => close_pointless(tx, now)?,
                _ => continue,
            }
            finding.repair = Some(Repair::Done);
        }
    }
    Ok(report)
}

const DANGLING: &str = "references";
const METRICS: &str = "metrics";
const ACTIONS: &str = "actions";

fn look(tx: &mut dyn Tx, now: Timestamp) -> Result<Report> {
    let mut findings = Vec::new();
    let dialect = tx.dialect();
    let complaints = texts(tx, dialect.self_check())?;
    // When the file itself is broken, nothing that is read from it is worth a finding.
    let is_broken = !complaints.is_empty();
    findings.extend(found("integrity", Severity::Error, "the database itself is damaged", complaints, RESTORE));
    if !is_broken {
        findings.extend(dangling(tx)?);
        for rule in rules::all(dialect, now) {
            let hits = texts(tx, &rule.sql)?;
            findings.extend(found(rule.check, rule.severity, rule.problem, hits, rule.advice));
        }
        findings.extend(triggers(tx)?);
        let pointless = pointless(tx)?.into_iter().map(|(_, text)| text).collect();
        let problem = "actions are open that make no sense any more";
        findings.extend(repairable(found(ACTIONS, Severity::Error, problem, pointless, CLOSE)));
        let problem = "the metrics that lists are sorted by differ from the outputs of runs";
        findings.extend(repairable(found(METRICS, Severity::Error, problem, metrics::differing(tx)?, REWRITE)));
    }
    let checks = 5 + rules::all(dialect, now).len();
    let runs = if is_broken { HashSet::new() } else { known_runs(tx)? };
    Ok(Report { findings, runs, checks })
}

const RESTORE: &str = "restore a backup: polyaxon admin restore FILE --force";
const CLOSE: &str = "polyaxon admin fsck --repair closes them";
const REWRITE: &str = "polyaxon admin fsck --repair writes them again from the outputs";
const CUT: &str = "polyaxon admin fsck --repair removes these rows, or the references when the rows can be without";

fn found(
    check: &'static str,
    severity: Severity,
    problem: impl Into<String>,
    hits: Vec<String>,
    advice: &'static str,
) -> Option<Finding> {
    let count = hits.len() as u64;
    let examples = hits.into_iter().take(EXAMPLES).collect();
    let problem = problem.into();
    (count > 0).then_some(Finding { check, severity, problem, count, examples, advice, repair: None })
}

fn repairable(finding: Option<Finding>) -> Option<Finding> {
    finding.map(|finding| Finding { repair: Some(Repair::Possible), ..finding })
}

fn texts(tx: &mut dyn Tx, sql: &str) -> Result<Vec<String>> {
    tx.query(sql, &[])?.into_iter().map(|mut row| row.take()).collect()
}

fn known_runs(tx: &mut dyn Tx) -> Result<HashSet<RunId>> {
    let mut runs = HashSet::new();
    tx.visit("SELECT uuid FROM runs", &[], &mut |values| {
        if let Some(Value::Text(text)) = values.first() {
            runs.extend(text.parse::<RunId>().ok());
        }
    })?;
    Ok(runs)
}

/// Rows that refer to nothing. Those of a run that has no project cannot be helped.
fn dangling(tx: &mut dyn Tx) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for rule in rules::dangling(tx)? {
        let problem = format!("rows of `{}` refer to rows of `{}` that are not there", rule.table, rule.parent);
        let examples = vec![format!("{}.{}", rule.table, rule.column)];
        let (advice, repair) = if rule.is_mendable() { (CUT, Some(Repair::Possible)) } else { (RESTORE, None) };
        let count = rule.count;
        findings.push(Finding { check: DANGLING, severity: Severity::Error, problem, count, examples, advice, repair });
    }
    Ok(findings)
}

fn triggers(tx: &mut dyn Tx) -> Result<Option<Finding>> {
    let (sql, expected) = tx.dialect().change_triggers();
    let count: i64 = scalar(tx, sql, &[])?.unwrap_or(0);
    let missing = (count < expected).then(|| format!("{count} of {expected}"));
    let problem = "triggers are missing, so lists of runs may show what is no longer true";
    Ok(found("run_changes", Severity::Error, problem, missing.into_iter().collect(), RESTORE))
}

/// Open actions that the state of their run does not want. Those of runs that cannot be read are other rules' business.
fn pointless(tx: &mut dyn Tx) -> Result<Vec<(i64, String)>> {
    let (mut pointless, mut after) = (Vec::new(), 0);
    loop {
        let sql = "SELECT a.id, r.uuid, a.action FROM actions a JOIN runs r ON r.id = a.run_id \
                   WHERE a.done_at IS NULL AND a.id > ?1 ORDER BY a.id LIMIT 500";
        let page = tx.query(sql, args![after])?;
        if page.is_empty() {
            return Ok(pointless);
        }
        for mut row in page {
            let (id, run, text): (i64, RunId, String) = (row.take()?, row.take()?, row.take()?);
            after = id;
            let Ok(action) = serde_json::from_str(&text) else { continue };
            match lifecycle::state(tx, run) {
                Ok(state) if state.as_ref().is_some_and(|state| !state.wants(&action)) => {
                    pointless.push((id, format!("{run} {text}")));
                }
                Ok(_) | Err(Error::Corrupt { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn close_pointless(tx: &mut dyn Tx, now: Timestamp) -> Result<()> {
    for (id, _) in pointless(tx)? {
        tx.execute("UPDATE actions SET done_at = ?2 WHERE id = ?1", args![id, now])?;
    }
    Ok(())
}

/// Files that runs say they have: run and path within its folder.
pub fn promised_files(url: &str, options: Options) -> Result<Vec<(RunId, String)>> {
    let sql = "SELECT r.uuid, a.path FROM runs r JOIN run_artifacts l ON l.run_id = r.id \
               JOIN artifacts a ON a.id = l.artifact_id WHERE r.live_state >= 0 AND a.path IS NOT NULL \
               AND (l.is_input IS NULL OR NOT l.is_input) ORDER BY r.id, a.path";
    reading(&find(url, options)?, |tx, _| {
        tx.query(sql, &[])?.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
    })
}
