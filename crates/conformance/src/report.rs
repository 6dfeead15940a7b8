//! The whole corpus as a table: how many results of each stage are the recorded ones.

use std::fmt;

use anyhow::Result;
use serde_json::Value as Json;

use crate::case::Case;
use crate::differences::ALLOWED;
use crate::{compare, corpus, stages};

/// The stages that are compared, in the order in which a case runs through them.
pub const STAGES: &[&str] = &["check", "operation", "compiled", "params", "dag", "resolved", "children"];

/// What came out of all cases.
#[derive(Debug, Default)]
pub struct Report {
    pub cases: usize,
    /// One entry for each of [`STAGES`].
    pub counts: [Counts; STAGES.len()],
    /// Differences that nobody decided on.
    pub failures: Vec<String>,
    /// Decided differences that are none any more.
    pub unused: Vec<String>,
}

/// How the results of one stage compare.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub same: usize,
    pub decided: usize,
    pub failed: usize,
}

impl Report {
    pub fn is_good(&self) -> bool {
        self.failures.is_empty() && self.unused.is_empty()
    }
}

/// Runs every case of the repository.
pub fn run() -> Result<Report> {
    let fixed = corpus::fixed()?;
    let unused = ALLOWED.iter().map(|allowed| format!("{} {}", allowed.id, allowed.stage)).collect();
    let mut report = Report { unused, ..Report::default() };
    for case in corpus::cases()? {
        report.cases += 1;
        add(&mut report, &case, &fixed);
    }
    Ok(report)
}

/// Compares the stages of a case up to the first one that is an error.
fn add(report: &mut Report, case: &Case, fixed: &Json) {
    let got = stages::run(case, fixed);
    let recorded = STAGES.iter().enumerate().filter(|(_, stage)| case.expected.get(stage).is_some());
    for (index, stage) in recorded {
        let differences = compare::stage(stage, &case.expected[stage], got.get(stage));
        let counts = &mut report.counts[index];
        if differences.is_empty() {
            counts.same += 1;
        } else if ALLOWED.iter().any(|allowed| allowed.id == case.id && allowed.stage == *stage) {
            counts.decided += 1;
            report.unused.retain(|allowed| *allowed != format!("{} {stage}", case.id));
        } else {
            counts.failed += 1;
            report.failures.push(format!("{}: {}", case.id, differences.join("; ")));
        }
        if case.expected[stage]["status"] == "error" || got.get(stage).is_some_and(|got| got["status"] == "error") {
            break;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<10} {:>8} {:>8} {:>20} {:>8}", "stage", "compared", "ok", "decided differences", "failed")?;
        let mut total = Counts::default();
        for (stage, counts) in STAGES.iter().zip(self.counts) {
            row(out, stage, counts)?;
            total.same += counts.same;
            total.decided += counts.decided;
            total.failed += counts.failed;
        }
        row(out, "all", total)?;
        writeln!(out, "\n{} cases", self.cases)?;
        for failure in &self.failures {
            writeln!(out, "failed: {failure}")?;
        }
        for unused in &self.unused {
            writeln!(out, "listed as a decided difference, but there is none: {unused}")?;
        }
        Ok(())
    }
}

fn row(out: &mut fmt::Formatter<'_>, name: &str, counts: Counts) -> fmt::Result {
    let Counts { same, decided, failed } = counts;
    writeln!(out, "{name:<10} {:>8} {same:>8} {decided:>20} {failed:>8}", same + decided + failed)
}
