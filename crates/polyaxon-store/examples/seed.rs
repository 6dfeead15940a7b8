//! Fills a database with runs, to measure the server with: `seed DATABASE PROJECT RUNS`.
//!
//! The runs are the same every time, except for their times, which end now. It must not write rows itself.

use std::error::Error;

use polyaxon_model::condition::StatusCondition;
use polyaxon_model::ids::{ProjectId, RunId};
use polyaxon_model::kinds::{ManagedBy, RunKind, Runtime};
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_store::{Options, Store, import, projects};
use serde_json::{Value, json};
use uuid::Uuid;

const RUNS_A_TRANSACTION: u64 = 2_000;
const USAGE: &str = "usage: seed DATABASE PROJECT RUNS";

/// The runs began within this time, which the lists of the API show when nothing else is asked for.
const DAYS: i64 = 25;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, project, runs] = arguments.as_slice() else { return Err(USAGE.into()) };
    let (project, runs): (String, u64) = (project.clone(), runs.parse()?);
    let store = Store::open_url(database, Options::default())?;
    let now: Timestamp = jiff::Timestamp::now().into();
    let name = project.clone();
    let id = ProjectId::new(Uuid::new_v5(&Uuid::NAMESPACE_OID, project.as_bytes()));
    let project = store.write_blocking(move |tx| projects::get_or_create(tx, &name, id, now))?.uuid;
    for first in (0..runs).step_by(RUNS_A_TRANSACTION as usize) {
        store.write_blocking(move |tx| {
            for number in first..runs.min(first + RUNS_A_TRANSACTION) {
                let (run, history) = run(number, runs, now);
                import::import(tx, project, &run, &history, now)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn run(number: u64, runs: u64, now: Timestamp) -> (Run, Vec<StatusCondition>) {
    let chance = |salt: u64| mixed(number * 31 + salt) as f64 / u64::MAX as f64;
    let age_micros = (DAYS * 86_400_000_000) as f64 * (runs - number) as f64 / runs as f64;
    let created = Timestamp::from_micros(now.as_micros() - age_micros as i64);
    let after = |seconds: f64| Timestamp::from_micros(created.as_micros() + (seconds * 1e6) as i64);
    let (wait, duration) = (1.0 + 20.0 * chance(1), 10.0 + 3000.0 * chance(2));
    let status = match number % 10 {
        0..=5 => Status::Succeeded,
        6 | 7 => Status::Failed,
        8 => Status::Running,
        _ => Status::Stopped,
    };
    let (started, finished) = (after(wait), after(wait + duration));
    let mut history = vec![
        StatusCondition::new(Status::Created, "Seed", "created", created),
        StatusCondition::new(Status::Running, "Seed", "started", started),
    ];
    if status.is_done() {
        history.push(StatusCondition::new(status, "Seed", "ended", finished));
    }
    let optimizer = ["adam", "sgd", "rmsprop"][(mixed(number) % 3) as usize];
    let rate = 10_f64.powf(-1.0 - 4.0 * chance(3));
    let operation = json!({
        "version": 1.1,
        "kind": "operation",
        "component": {
            "kind": "component",
            "inputs": [{"name": "lr", "type": "float"}, {"name": "bs", "type": "int"}],
            "run": {"kind": "job", "container": {"image": "python:3.12", "command": ["python", "-m", "train"],
                "args": [format!("--lr={rate}"), format!("--optimizer={optimizer}")]}}
        }
    });
    let map = |value: Value| value.as_object().cloned();
    let run = Run {
        uuid: RunId::new(Uuid::from_u128(u128::from(mixed(number)) << 64 | u128::from(mixed(number + runs)))),
        name: Some(format!("train-{number}")),
        created_at: created,
        updated_at: if status.is_done() { finished } else { started },
        started_at: Some(started),
        finished_at: Some(finished).filter(|_| status.is_done()),
        schedule_at: None,
        wait_time: Some(wait),
        duration: Some(duration).filter(|_| status.is_done()),
        kind: RunKind::Job,
        runtime: Some(Runtime::Job),
        meta_info: map(json!({})).unwrap_or_default(),
        status,
        pipeline: None,
        original: None,
        managed_by: ManagedBy::User,
        pending: None,
        inputs: map(json!({"lr": rate, "bs": 1 << (4 + mixed(number) % 5), "opt": optimizer})),
        outputs: map(json!({"loss": chance(4), "acc": chance(5)})),
        tags: Some(vec![format!("group-{}", number % 50)]),
        settings: Default::default(),
        project: String::new(),
        readme: None,
        description: None,
        raw_content: None,
        content: Some(operation.to_string()),
        live_state: Default::default(),
        bookmarked: false,
        resources: Default::default(),
        graph: None,
    };
    (run, history)
}

/// SplitMix64: numbers that look random and are the same every time.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
