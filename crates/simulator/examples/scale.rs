//! How large pipelines fare with an executor that does nothing: `cargo run --release -p simulator --example scale`.
//!
//! One thread does what the server does with several; the numbers are a lower bound.

use std::time::{Duration, Instant};

use polyaxon_artifacts::changes::Changes;
use polyaxon_artifacts::layout::Layout;
use polyaxon_engine::admission::Capacity;
use polyaxon_engine::state::{Action, Birth, Event, Exit, Phase, Place};
use polyaxon_model::ids::{ExecutorId, ProjectId, RunId};
use polyaxon_model::kinds::{ManagedBy, RunKind};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_runtime::RuntimeOptions;
use polyaxon_runtime::steps::Performer;
use polyaxon_spec::{compose, wire};
use polyaxon_store::actions::{self, Ability, OpenAction};
use polyaxon_store::db::Tx;
use polyaxon_store::runs::NewRecord;
use polyaxon_store::{Store, admission, lifecycle, projects, runs, servers};
use serde_json::{Value as Json, json};
use uuid::Uuid;

const SERVER: ExecutorId = ExecutorId::new(Uuid::from_u128(2));
const PROJECT: ProjectId = ProjectId::new(Uuid::from_u128(1));
const CAPACITY: usize = 64;

fn now() -> Timestamp {
    Timestamp::from_micros(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
    )
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = arguments.get(1).and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let most: usize = arguments.get(2).and_then(|most| most.parse().ok()).unwrap_or(usize::MAX);
    let operation = match arguments.first().map(String::as_str) {
        Some("mapping") => mapping(count),
        Some("chain") => dag(count, 1),
        _ => dag(count, 100),
    };
    measure(&operation, most)
}

fn component() -> Json {
    json!({ "kind": "component", "version": 1.1, "name": "true",
        "run": { "kind": "job", "container": { "image": "none", "command": ["true"] } } })
}

/// Layers of `width` operations, each after two of the layer before.
fn dag(count: usize, width: usize) -> Json {
    let node = |number: usize| {
        let before: Vec<String> = [width, width + 1]
            .iter()
            .filter(|back| number >= **back && (width > 1 || **back == width))
            .map(|back| format!("op-{}", number - back))
            .collect();
        json!({ "name": format!("op-{number}"), "dagRef": "true", "dependencies": before })
    };
    let operations: Vec<Json> = (0..count).map(node).collect();
    json!({ "kind": "operation", "version": 1.1, "name": "large", "component": { "kind": "component", "version": 1.1,
        "run": { "kind": "dag", "components": [component()], "operations": operations } } })
}

fn mapping(count: usize) -> Json {
    let values: Vec<Json> = (0..count).map(|number| json!({ "row": number })).collect();
    json!({ "kind": "operation", "version": 1.1, "name": "large", "component": component(),
        "matrix": { "kind": "mapping", "values": values } })
}

fn measure(operation: &Json, most: usize) -> Result<(), Failure> {
    let home = tempfile::tempdir()?;
    let layout = Layout::new(home.path());
    std::fs::create_dir_all(layout.local())?;
    let store = Store::open(layout.database())?.of_server(SERVER);
    store.write_blocking(|tx| {
        projects::get_or_create(tx, "scale", PROJECT, now())?;
        servers::register(tx, SERVER, "here", Ability::Execute, now())
    })?;
    let options = RuntimeOptions {
        server: SERVER,
        layout,
        program: "none".into(),
        api_host: String::new(),
        capacity: Capacity::of_slots(CAPACITY),
        executes: false,
        changes: Changes::new(),
        executor_lost: Duration::from_mins(10),
        clock: now,
    };
    let performer = Performer::new(store.clone(), options);
    let text = operation.to_string();
    let composed = compose::compose(&wire::read_operation(&text).map_err(|problems| format!("{problems:?}"))?);
    let family = compose::run_kind(&composed.map_err(|problems| format!("{problems:?}"))?.operation);
    let birth = Birth {
        kind: family.kind.parse::<RunKind>()?,
        managed_by: ManagedBy::Agent,
        pending: None,
        requires_approval: false,
        place: Place::Independent,
    };
    let top = RunId::new(Uuid::from_u128(9));
    let mut record = NewRecord::new(top, PROJECT, birth);
    record.runtime = Some(family.runtime.parse()?);
    record.raw_content = Some(text);
    let start = Instant::now();
    store.write_blocking(move |tx| runs::create(tx, &record, now()).map(drop))?;

    let (mut ended, mut first) = (0, None);
    let mut spent = [Duration::ZERO; 6];
    loop {
        let open = store.read_blocking(|tx| actions::open(tx, 0, 64))?;
        if open.is_empty() || ended >= most {
            break;
        }
        let (launches, others): (Vec<OpenAction>, Vec<OpenAction>) =
            open.into_iter().partition(|open| matches!(open.action, Action::Launch { .. }));
        let mut outcomes = Vec::new();
        for action in others {
            let (kind, begun) = (kind(&action.action), Instant::now());
            outcomes.extend(performer.perform(action, None)?);
            spent[kind] += begun.elapsed();
        }
        let begun = Instant::now();
        performer.report(&outcomes)?;
        spent[4] += begun.elapsed();
        let begun = Instant::now();
        ended += launches.len();
        if first.is_none() && !launches.is_empty() {
            first = Some(start.elapsed());
        }
        store.write_blocking(move |tx| execute(tx, &launches))?;
        spent[5] += begun.elapsed();
    }
    let status = store.read_blocking(move |tx| runs::get(tx, top))?.map(|run| run.status);
    let took = start.elapsed();
    report(ended, first.unwrap_or_default(), took, status, &spent);
    Ok(())
}

fn kind(action: &Action) -> usize {
    match action {
        Action::Compile => 0,
        Action::Expand => 1,
        Action::React { .. } => 2,
        _ => 3,
    }
}

/// The executor: everything succeeds at once.
fn execute(tx: &mut dyn Tx, launches: &[OpenAction]) -> polyaxon_store::Result<()> {
    for open in launches {
        let Action::Launch { attempt } = open.action else { continue };
        let observed = |phase| Event::Observed { attempt, phase };
        let events = [Phase::Starting, Phase::Running, Phase::Exited(Exit::Succeeded)].map(observed);
        lifecycle::complete_each(tx, open.run, open.seq, &events, now())?;
    }
    admission::admit(tx, SERVER, &Capacity::of_slots(CAPACITY), now()).map(drop)
}

#[expect(clippy::print_stdout, reason = "the numbers are what the program is for")]
fn report(ended: usize, first: Duration, took: Duration, status: Option<Status>, spent: &[Duration; 6]) {
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown").to_owned();
    let rate = ended as f64 / (took.saturating_sub(first)).as_secs_f64();
    println!("{ended} operations, first after {first:.2?}, all after {took:.2?}: {rate:.0}/s, {status:?}; {peak}");
    println!(
        "compile {:.2?} expand {:.2?} react {:.2?} other {:.2?} report {:.2?} execute {:.2?}",
        spent[0], spent[1], spent[2], spent[3], spent[4], spent[5]
    );
}
