//! Copies of a database: the same from both, loaded into both, and never into records that are there.

use std::collections::BTreeMap;

use polyaxon_model::ids::VersionId;
use polyaxon_model::kinds::VersionKind;
use polyaxon_store::dump::{Dumped, dump, inspect};
use polyaxon_store::load::{Existing, Load};
use polyaxon_store::versions::{self, Key};
use polyaxon_store::{Error, Options, Result, lineage, runs};
use serde_json::{from_value, json};
use uuid::Uuid;

use crate::testkit::{Database, NOW, World, at, databases, everywhere};

const LATER: &str = "2026-11-22T14:00:00Z";

/// Tables and their parts.
type Copy = Vec<(String, String)>;

fn copy(url: &str) -> (Dumped, Copy) {
    let mut parts = Vec::new();
    let dumped = dump(url, Options::default(), &mut |part| {
        parts.push((part.table.to_owned(), String::from_utf8(part.text.to_vec()).unwrap()));
        Ok(())
    });
    (dumped.unwrap(), parts)
}

fn load(url: &str, schema: usize, copy: &Copy, existing: Existing) -> Result<Option<String>> {
    let mut load = Load::begin(url, Options::default(), schema, existing, at(LATER))?;
    for (table, text) in copy {
        load.part(table, text)?;
    }
    load.finish()?;
    let aside = load.aside().map(str::to_owned);
    load.commit().map(|()| aside)
}

/// The rows of each table in an order of their own; JSON and numbers in one spelling.
fn rows(copy: &Copy) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, text) in copy {
        let spell = |line: &str| {
            let cells: Vec<serde_json::Value> = serde_json::from_str(line).unwrap();
            cells.iter().map(spell).collect::<Vec<_>>().join("|")
        };
        tables.entry(table.clone()).or_default().extend(text.lines().skip(1).map(spell));
    }
    for rows in tables.values_mut() {
        rows.sort();
    }
    tables
}

fn spell(cell: &serde_json::Value) -> String {
    match cell {
        serde_json::Value::Bool(value) => u8::from(*value).to_string(),
        serde_json::Value::String(text) if text.starts_with(['{', '[']) => {
            let mut json: serde_json::Value = serde_json::from_str(text).unwrap();
            json.sort_all_objects();
            json.to_string()
        }
        other => other.to_string(),
    }
}

/// Runs with a history, metrics, lineage and a version.
fn filled(database: &Database) -> World {
    let world = World::on(database);
    for number in 0..50 {
        let run = world.job().uuid;
        world.patch(run, json!({"outputs": {"loss": 0.1 + 0.2, "step": number, "text": "é\n"}, "tags": ["a"]}), NOW);
        world.post(run, "running", "2026-11-22T12:00:01Z");
        if number % 2 == 0 {
            world.post(run, "succeeded", "2026-11-22T12:00:02Z");
        }
    }
    let run = world.job().uuid;
    let artifacts = from_value::<Vec<_>>(json!([{"name": "m", "kind": "model", "path": "outputs/m"}])).unwrap();
    world.store.write_blocking(move |tx| lineage::add(tx, run, &artifacts, at(NOW))).unwrap();
    let key = Key { project: "p".into(), kind: VersionKind::Model, name: "v1".into() };
    let body = from_value(json!({"run": run, "artifacts": ["m"], "stage": "production"})).unwrap();
    let uuid = VersionId::new(Uuid::new_v4());
    world.store.write_blocking(move |tx| versions::create(tx, &key, uuid, &body, None, at(NOW))).unwrap();
    world
}

/// Places for a database that does not exist yet, with what keeps them.
fn empty_places() -> Vec<World> {
    databases()
        .iter()
        .map(|database| {
            let world = World::on(database);
            match database {
                Database::Sqlite => std::fs::remove_file(world.home.url()).unwrap(),
                // A project that was made with the world is no empty database.
                Database::Postgres(_) => {
                    world.store.write_blocking(|tx| tx.execute("DELETE FROM projects", &[]).map(drop)).unwrap();
                }
            }
            world
        })
        .collect()
}

#[test]
fn a_copy_of_either_database_is_loaded_into_both() {
    for database in databases() {
        let world = filled(&database);
        let (dumped, parts) = copy(&world.home.url());
        assert_eq!(dumped.tables.iter().find(|(table, _)| table == "runs"), Some(&("runs".to_owned(), 51)));
        for target in empty_places() {
            let url = match &target.home {
                crate::testkit::Home::File(path) => path.with_extension("new").display().to_string(),
                crate::testkit::Home::Server(scratch) => scratch.url(),
            };
            assert_eq!(load(&url, dumped.schema, &parts, Existing::Refuse).unwrap(), None);
            assert_eq!(rows(&copy(&url).1), rows(&parts));
            // The counters of numbers go on behind those that were loaded.
            let store = crate::testkit::open(&url);
            let record = world.record(polyaxon_model::kinds::ManagedBy::Agent);
            store.write_blocking(move |tx| runs::create(tx, &record, at(LATER))).unwrap();
            let report = polyaxon_store::audit::audit(&url, Options::default(), at(LATER)).unwrap();
            assert_eq!((report.findings, report.runs.len()), (Vec::new(), 52));
        }
    }
}

#[test]
fn records_that_are_there_are_refused_or_kept_aside() {
    everywhere(|world| {
        let run = world.job().uuid;
        let url = world.home.url();
        let (dumped, parts) = copy(&url);
        let error = load(&url, dumped.schema, &parts, Existing::Refuse).unwrap_err();
        assert!(matches!(error, Error::NotEmpty { runs: 1, projects: 1, .. }), "{error}");
        if let crate::testkit::Home::Server(_) = world.home {
            let aside = load(&url, dumped.schema, &parts, Existing::KeepAside).unwrap().unwrap();
            let sql = format!("SELECT count(*) FROM {aside}.runs");
            let kept: Option<i64> = world.store.read_blocking(|tx| polyaxon_store::db::scalar(tx, &sql, &[])).unwrap();
            assert_eq!(kept, Some(1));
            assert_eq!(world.get(run).uuid, run);
        }
    });
}

#[test]
fn a_copy_that_cannot_be_loaded_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("polyaxon.db").display().to_string();
    let part = |table: &str, text: &str| vec![(table.to_owned(), text.to_owned())];
    for (copy, expected) in [
        (part("nonsense", "[]\n"), "there is no such table"),
        (part("runs", "[\"uuid\", \"color\"]\n"), "no column `color`"),
        (part("runs", "oh"), "its columns cannot be read"),
        (part("settings", "[\"name\",\"value\"]\n[\"a\"]\n"), "row 1 of a part cannot be read"),
        // It refers to a run that is not there.
        (part("run_bookmarks", "[\"run_id\",\"enabled\"]\n[1,true]\n"), "conflicts"),
    ] {
        let error = load(&url, 7, &copy, Existing::Refuse).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(inspect(&url, Options::default()).unwrap().found, 0);
    }
    let error = load(&url, 10_000, &Vec::new(), Existing::Refuse).unwrap_err();
    assert!(matches!(error, Error::NewerSchema { found: 10_000, .. }), "{error}");
}

#[test]
fn a_copy_of_an_older_schema_is_brought_to_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("polyaxon.db").display().to_string();
    let project = "[\"id\",\"uuid\",\"name\",\"created_at\",\"updated_at\"]\n\
                   [1,\"9b0a3806e3f84ea1959a7842e34129ed\",\"p\",1,1]\n";
    let run = "[\"id\",\"uuid\",\"project_id\",\"kind\",\"status\",\"managed_by\",\"created_at\",\"updated_at\",\"meta_info\",\
               \"control\",\"outputs\"]\n\
               [1,\"9b0a3806e3f84ea1959a7842e34129ee\",1,\"job\",\"created\",\"agent\",1,1,\"{}\",\"{}\",\"{\\\"loss\\\":2}\"]\n";
    // The rows of runs come before the project that they refer to.
    let copy = vec![("runs".to_owned(), run.to_owned()), ("projects".to_owned(), project.to_owned())];
    load(&url, 1, &copy, Existing::Refuse).unwrap();
    let schema = inspect(&url, Options::default()).unwrap();
    assert_eq!((schema.found, schema.pending), (schema.known, Vec::new()));
    let (_, parts) = self::copy(&url);
    assert_eq!(rows(&parts)["run_metrics"].len(), 1);
}

#[test]
fn a_database_that_serves_is_copied_as_it_was_at_one_moment() {
    everywhere(|world| {
        let url = world.home.url();
        world.job();
        let mut is_first = true;
        let dumped = dump(&url, Options::default(), &mut |_| {
            if std::mem::take(&mut is_first) {
                world.job();
            }
            Ok(())
        });
        let dumped = dumped.unwrap();
        assert_eq!(dumped.tables.iter().find(|(table, _)| table == "runs").map(|(_, rows)| *rows), Some(1));
    });
}

#[test]
fn a_schema_is_described_before_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("polyaxon.db");
    let schema = inspect(&url.display().to_string(), Options::default()).unwrap();
    assert_eq!((schema.found, schema.pending.len()), (0, schema.known));
    assert!(!url.exists());
    everywhere(|world| {
        let schema = inspect(&world.home.url(), Options::default()).unwrap();
        assert_eq!((schema.found, schema.pending), (schema.known, Vec::new()));
    });
}
