//! The official server's answers to queries, as a truth table over five runs.

use polyaxon_engine::state::{Birth, Place};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{ManagedBy, RunKind};
use polyaxon_store::Error;
use polyaxon_store::runs::NewRecord;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::testkit::{Database, World, databases};

/// `query` finds these runs; `400` is a refusal, `-` is nothing.
const QUERIES: &[(&str, &str)] = &[
    ("", "A B G H"),
    ("created_at:_any_", "A B G H O"),
    ("status:succeeded", "A"),
    ("status:~succeeded", "B G H"),
    ("status:succeeded|failed", "A B"),
    ("status:succeeded | status:failed", "A B"),
    ("status:~succeeded|failed", "G H"),
    ("status: succeeded , kind:job", "A"),
    ("status:SUCCEEDED", "-"),
    ("(status:succeeded AND metrics.loss:<0.2) OR status:failed", "A B"),
    ("status:_any_", "A B G H"),
    ("created_at:2026-11-20", "A B"),
    ("created_at:2026-11-20 10:00", "A"),
    ("created_at:>2026-11-20", "A B G H"),
    ("created_at:~2026-11-20", "G H O"),
    ("created_at:<2026-11-20 11:00", "A O"),
    ("created_at:<=2026-11-20T11:30:00Z", "A B O"),
    ("created_at:2026-11-20..2026-11-21", "A B"),
    ("created_at:~2026-11-20..2026-11-21", "G H O"),
    ("created_at:last_month", "A B G H"),
    ("created_at:bad", "400"),
    ("created_at:a|b", "400"),
    ("finished_at:nil", "G H"),
    ("started_at:nil", "H"),
    ("name:alpha|beta", "A B"),
    ("name:~gamma%", "A B"),
    ("name:%a", "A B"),
    ("name:%AM%", "G H"),
    ("name:g..h", "400"),
    ("name:>a", "400"),
    ("name:\"alpha\"", "A"),
    ("name:'alpha'", "-"),
    ("description:nil", "B G H"),
    ("description:~nil", "A"),
    ("uuid:0000000a%", "A"),
    ("uuid:0000000a-0000-4000-8000-000000000000", "A"),
    ("uuid:nonsense", "400"),
    ("metrics.loss:<0.2", "A G"),
    ("metrics.loss:~<0.2", "B"),
    ("metrics.loss:0.1", "A"),
    ("metrics.loss:~0.1", "B G H"),
    ("metrics.loss:nil", "H"),
    ("metrics.loss:~nil", "A B G"),
    ("metrics.s:>0", "-"),
    ("metrics.loss:0.1|0.5", "400"),
    ("metrics.loss:abc", "400"),
    ("metrics.loss:<0.2,metrics.loss:>0.06", "A"),
    ("outputs.s:x", "A"),
    ("outputs:nil", "H"),
    ("outputs:x", "400"),
    ("params.opt:adam", "A G"),
    ("params.opt:~adam", "B H"),
    ("params.opt:adam|sgd", "A B G"),
    ("params.opt:>b", "B"),
    ("params.lr:>0.15", "B G"),
    ("in.bs:32", "A"),
    ("params.lr:nil", "H"),
    ("params.opt:%da%", "-"),
    ("meta_flags.flag:true", "A"),
    ("meta_flags.flag:1", "A"),
    ("meta_flags.flag:~true", "B"),
    ("meta_values.n:3", "A"),
    ("meta_values.n:>3", "400"),
    ("meta_info.n:3|5", "A B"),
    ("duration:>45", "A"),
    ("duration:nil", "G H"),
    ("duration:1|2", "400"),
    ("duration:1..2", "400"),
    ("wait_time:<=5", "B"),
    ("kind:service", "H"),
    ("is_managed:0", "A B G H"),
    ("is_managed:true", "-"),
    ("live_state:0|1", "A B G H"),
    ("live_state:0", "-"),
    ("cpu:<100m", "A B G H"),
    ("memory:>=1Gi", "-"),
    ("tags:t1", "A"),
    ("tags:t1|t3", "A"),
    ("tags:~t1", "B G H"),
    ("tags:t1,tags:t2", "A"),
    ("tags:nil", "B G H"),
    ("tags:~nil", "A"),
    ("pipeline:nil", "A B G H"),
    ("upstream:nil", "A B G H"),
    ("user:nil", "A B G H"),
    ("project:p", "A B G H"),
    ("project.name:~p", "-"),
    ("namespace:polyaxon", "A B G H"),
    ("bogus:1", "400"),
    ("status", "400"),
    ("status:", "400"),
    ("status:running,", "400"),
    ("(status:running", "400"),
    ("a.b.c:1", "400"),
    ("status.x:1", "400"),
    ("status::", "-"),
    ("name:%", "400"),
    ("name:gamma_1", "-"),
    ("name:gamma_%", "-"),
];

const SORTS: &[(&str, &str)] = &[
    ("name", "A B G H"),
    ("-created_at", "H G B A"),
    ("metrics.loss", "H G A B"),
    ("-metrics.loss", "B A G H"),
    ("params.lr", "H A B G"),
    ("-params.lr", "G B A H"),
    ("status,-name", "H B G A"),
    ("bogus", "H G B A"),
    ("", "H G B A"),
    ("name,", "A B G H"),
    ("metrics", "H G B A"),
    ("-duration", "A B H G"),
    ("duration", "G H B A"),
];

#[test]
fn queries_find_what_the_official_server_finds() {
    for database in databases() {
        let world = five_runs(&database);
        for (query, expected) in QUERIES {
            let found = match world.find(query, "name") {
                Ok(runs) => letters(runs.iter().map(|run| run.name.as_deref())),
                Err(Error::Query(_)) => "400".to_owned(),
                Err(error) => panic!("{query}: {error}"),
            };
            assert_eq!(found, *expected, "{query}");
        }
    }
}

#[test]
fn sorts_are_the_official_ones() {
    for database in databases() {
        let world = five_runs(&database);
        for (sort, expected) in SORTS {
            let runs = world.find("", sort).unwrap();
            assert_eq!(letters(runs.iter().map(|run| run.name.as_deref())), *expected, "{sort}");
        }
    }
}

fn letters<'a>(names: impl Iterator<Item = Option<&'a str>>) -> String {
    let letter = |name: Option<&str>| match name.unwrap_or_default() {
        "alpha" => "A",
        "beta" => "B",
        "gamma-1" => "G",
        "gamma-2" => "H",
        _ => "O",
    };
    let letters: Vec<&str> = names.map(letter).collect();
    if letters.is_empty() { "-".to_owned() } else { letters.join(" ") }
}

fn five_runs(database: &Database) -> World {
    let world = World::on(database);
    let a = run(
        &world,
        0xa,
        "alpha",
        RunKind::Job,
        "2026-11-20T10:00:00Z",
        &json!({
            "tags": ["t1", "t2"], "description": "first run", "inputs": {"lr": 0.1, "opt": "adam", "bs": 32},
            "outputs": {"loss": 0.1, "acc": 0.9, "s": "x"}, "meta_info": {"flag": true, "n": 3}
        }),
    );
    world.post(a, "running", "2026-11-20T10:00:10Z");
    world.post(a, "succeeded", "2026-11-20T10:01:00Z");
    let b = run(
        &world,
        0xb,
        "beta",
        RunKind::Job,
        "2026-11-20T11:30:00Z",
        &json!({
            "inputs": {"lr": 0.2, "opt": "sgd", "bs": 64}, "outputs": {"loss": 0.5, "acc": 0.5},
            "meta_info": {"flag": false, "n": 5}
        }),
    );
    world.post(b, "running", "2026-11-20T11:30:05Z");
    world.post(b, "failed", "2026-11-20T11:30:45Z");
    let g = run(
        &world,
        0xc,
        "gamma-1",
        RunKind::Job,
        "2026-11-21T10:00:00Z",
        &json!({
            "inputs": {"lr": 0.3, "opt": "adam"}, "outputs": {"loss": 0.05}
        }),
    );
    world.post(g, "running", "2026-11-21T10:00:20Z");
    run(&world, 0xd, "gamma-2", RunKind::Service, "2026-11-22T08:00:00Z", &json!({}));
    let o = run(
        &world,
        0xe,
        "old",
        RunKind::Job,
        "2026-09-01T08:00:00Z",
        &json!({
            "inputs": {"lr": 1}, "outputs": {"loss": 9}
        }),
    );
    world.post(o, "running", "2026-09-01T08:00:30Z");
    world.post(o, "succeeded", "2026-09-01T08:01:00Z");
    world
}

fn run(world: &World, number: u128, name: &str, kind: RunKind, created: &str, patch: &Json) -> RunId {
    let uuid = RunId::new(Uuid::from_u128((number << 96) | 0x4000_8000_0000_0000_0000));
    let birth =
        Birth { kind, managed_by: ManagedBy::User, pending: None, requires_approval: false, place: Place::Independent };
    let record = NewRecord { name: Some(name.to_owned()), ..NewRecord::new(uuid, world.project.uuid, birth) };
    world.create(record, created);
    world.patch(uuid, patch.clone(), created);
    uuid
}
