//! `polyaxon admin fsck`: what the records and the folders say that cannot be, and what to do about it.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use polyaxon_artifacts::layout::Layout;
use polyaxon_model::ids::RunId;
use polyaxon_store::Options;
use polyaxon_store::audit::{Finding, Repair, Severity, audit, promised_files, repair};
use serde_json::{Value, json};

use super::{Data, now, stored};
use crate::args::admin::FsckArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::local::home::unwritable;
use crate::output::{Human, Output, Stream};
use crate::session::Context;

/// Checks of folders: those of runs, their files, what was left over.
const FOLDER_CHECKS: usize = 4;

/// Findings that are named each.
const EXAMPLES: usize = 5;

pub(super) fn run(context: &Context, args: &FsckArgs) -> Result<Exit, Failure> {
    let data = Data::find(&args.data)?;
    data.expect_database()?;
    let check = if args.repair { repair } else { audit };
    let report = check(&data.database, Options::default(), now()).map_err(stored)?;
    let mut findings = report.findings;
    let is_readable = findings.iter().all(|finding| finding.check != "integrity");
    if is_readable {
        let layout = data.home.layout();
        let mode = if args.repair { Mode::Repair } else { Mode::Look };
        findings.extend(strays(&layout, &report.runs, mode)?);
        findings.extend(leftovers(&data, mode)?);
        let promised = promised_files(&data.database, Options::default()).map_err(stored)?;
        findings.extend(missing(&layout, &promised));
    }
    let checks = report.checks + FOLDER_CHECKS;
    let is_wrong =
        findings.iter().any(|finding| finding.severity == Severity::Error && finding.repair != Some(Repair::Done));
    let text = text(context, &findings, checks, &data.place());
    let json = json!({
        "database": data.place(), "checks": checks, "runs": report.runs.len(), "ok": !is_wrong,
        "findings": findings.iter().map(to_json).collect::<Vec<_>>(),
    });
    let names = findings.iter().map(|finding| finding.check.to_owned()).collect();
    context.printer.data(&Output { json, human: Human::Text(text), names }, &args.format.output)?;
    Ok(if is_wrong { Exit::Failure } else { Exit::Ok })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Look,
    Repair,
}

/// Folders of runs that no record knows. They are moved, never removed: they may be all that is left of a run.
fn strays(layout: &Layout, runs: &HashSet<RunId>, mode: Mode) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for (folder, problem) in [
        (layout.store(), "folders of artifacts belong to no run"),
        (layout.scratches(), "scratch folders belong to no run"),
    ] {
        let is_stray = |name: &String| name.parse::<RunId>().map_or(true, |run| !runs.contains(&run));
        let names: Vec<String> = names(&folder).into_iter().filter(is_stray).collect();
        if names.is_empty() {
            continue;
        }
        let mut repair = Repair::Possible;
        if mode == Mode::Repair {
            let kept = layout.local().join("strays");
            fs::create_dir_all(&kept).map_err(|error| unwritable(&kept, &error))?;
            for name in &names {
                let kind = folder.file_name().unwrap_or_default().to_string_lossy();
                let target = kept.join(format!("{kind}-{name}"));
                fs::rename(folder.join(name), &target).map_err(|error| unwritable(&target, &error))?;
            }
            repair = Repair::Done;
        }
        findings.push(Finding {
            check: "strays",
            severity: Severity::Warning,
            problem: problem.to_owned(),
            count: names.len() as u64,
            examples: names.iter().take(EXAMPLES).map(|name| folder.join(name).display().to_string()).collect(),
            advice: "polyaxon admin fsck --repair moves them to local/strays, where you can look at them",
            repair: Some(repair),
        });
    }
    Ok(findings)
}

/// What a restore that was killed has left.
fn leftovers(data: &Data, mode: Mode) -> Result<Option<Finding>, Failure> {
    let folder = data.home.root().join(".restoring");
    if !folder.exists() {
        return Ok(None);
    }
    let mut repair = Repair::Possible;
    if mode == Mode::Repair {
        fs::remove_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        repair = Repair::Done;
    }
    Ok(Some(Finding {
        check: "leftovers",
        severity: Severity::Warning,
        problem: "a restore was interrupted before it changed anything".to_owned(),
        count: 1,
        examples: vec![folder.display().to_string()],
        advice: "restore again; polyaxon admin fsck --repair removes what it has left",
        repair: Some(repair),
    }))
}

/// Files that runs say they have and that are not there. Runs may also speak of files elsewhere.
fn missing(layout: &Layout, promised: &[(RunId, String)]) -> Option<Finding> {
    let is_missing = |(run, path): &&(RunId, String)| {
        let is_local = !path.is_empty() && !path.contains("://") && !Path::new(path).is_absolute();
        is_local && !layout.artifacts(*run).join(path).exists()
    };
    let missing: Vec<&(RunId, String)> = promised.iter().filter(is_missing).collect();
    let examples = missing.iter().take(EXAMPLES).map(|(run, path)| format!("{run}/{path}")).collect();
    (!missing.is_empty()).then_some(Finding {
        check: "files",
        severity: Severity::Warning,
        problem: "artifacts that runs have recorded are not on this disk".to_owned(),
        count: missing.len() as u64,
        examples,
        advice: "restore a backup that has them, or ignore this when they were never kept here",
        repair: None,
    })
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

fn text(context: &Context, findings: &[Finding], checks: usize, place: &str) -> String {
    let style = context.printer.style(Stream::Data);
    let mut lines = Vec::new();
    for finding in findings {
        let Finding { check, problem, count, examples, .. } = finding;
        let word = match finding.severity {
            Severity::Error => style.error(&format!("error[{check}]:")),
            Severity::Warning => style.warning(&format!("warning[{check}]:")),
        };
        lines.push(format!("{word} {problem} ({count})"));
        lines.extend(examples.iter().map(|example| format!("  {example}")));
        if *count > examples.len() as u64 && !examples.is_empty() {
            lines.push(format!("  and {} more", count - examples.len() as u64));
        }
        lines.push(match finding.repair {
            Some(Repair::Done) => "  repaired".to_owned(),
            Some(Repair::Possible) | None => format!("{} {}", style.help("help:"), finding.advice),
        });
    }
    lines.push(match findings.len() {
        0 => format!("{checks} checks of {place}: nothing is wrong"),
        count => format!("{checks} checks of {place}: {count} findings"),
    });
    lines.join("\n")
}

fn to_json(finding: &Finding) -> Value {
    json!({
        "check": finding.check,
        "severity": match finding.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "problem": finding.problem,
        "count": finding.count,
        "examples": finding.examples,
        "advice": finding.advice,
        "repair": match finding.repair {
            None => Value::Null,
            Some(Repair::Possible) => "possible".into(),
            Some(Repair::Done) => "done".into(),
        },
    })
}
