//! Versions, and the numbers of projects.

use polyaxon_model::ids::VersionId;
use polyaxon_model::kinds::{ManagedBy, VersionKind};
use polyaxon_model::listing::Paging;
use polyaxon_model::stats::{Aggregate, Frequency, Group, Measure, Moment};
use polyaxon_model::version::{Version, VersionBody};
use polyaxon_store::snapshots::{self, Sampling};
use polyaxon_store::stats::{self, Scope, Trunc, Whose};
use polyaxon_store::version_list::{self, VersionQuery};
use polyaxon_store::versions::{self, Key};
use polyaxon_store::{Result, lineage, run_settings, runs};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::testkit::{NOW, World, at, databases};

fn key(name: &str) -> Key {
    Key { project: "p".into(), kind: VersionKind::Model, name: name.into() }
}

fn body(json: Json) -> VersionBody {
    serde_json::from_value(json).unwrap()
}

impl World {
    fn version(&self, name: &str, json: Json) -> Result<Version> {
        let (key, uuid) = (key(name), VersionId::new(Uuid::new_v4()));
        self.store.write_blocking(move |tx| versions::create(tx, &key, uuid, &body(json), None, at(NOW)))
    }

    fn versions(&self, query: &str, sort: &str) -> String {
        let wanted = VersionQuery {
            project: Some("p".into()),
            kind: VersionKind::Model,
            query: query.into(),
            sort: sort.into(),
            paging: Paging::first(20),
        };
        let page = self.store.read_blocking(|tx| version_list::list(tx, &wanted, at(NOW))).unwrap();
        assert_eq!(page.count, Some(page.results.len() as u64));
        page.results.into_iter().map(|version| version.name).collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn versions_are_promoted_from_runs_filtered_and_removed() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        let rows =
            serde_json::from_value::<Vec<_>>(json!([{"name": "m", "kind": "model"}, {"name": "n", "kind": "file"}]));
        world.store.write_blocking(move |tx| lineage::add(tx, run, &rows.unwrap(), at(NOW))).unwrap();
        let made =
            world.version("v1", json!({"run": run, "artifacts": ["n"], "tags": ["a", "b"], "content": "{}"})).unwrap();
        assert_eq!((made.lineage.len(), made.lineage[0].name.as_str()), (1, "n"));
        world.version("v2", json!({"tags": ["b"], "stage": "production"})).unwrap();
        assert!(world.version("v2", json!({})).unwrap_err().to_string().contains("already exists"));
        assert!(
            world.version("v3", json!({"run": run, "artifacts": ["zzz"]})).unwrap_err().to_string().contains("`zzz`")
        );
        let filled = || {
            let filled = |tx: &mut dyn polyaxon_store::db::Tx| {
                let mut run = runs::get(tx, run)?.unwrap();
                run_settings::fill(tx, &mut run)?;
                Ok(run)
            };
            world.store.read_blocking(filled).unwrap()
        };
        assert_eq!((filled().settings.models.len(), filled().meta_info.get("is_promoted")), (1, Some(&json!(true))));
        for (query, sort, expected) in [
            ("", "name", "v1 v2"),
            ("tags:a", "", "v1"),
            ("tags:b", "-name", "v2 v1"),
            ("stage:production", "", "v2"),
            ("run:nil", "", "v2"),
            (&format!("run:{run}"), "", "v1"),
            (&format!("uuid:{}", made.uuid), "", "v1"),
            ("project:p,kind:model,created_at:2026-11-22", "created_at", "v1 v2"),
        ] {
            assert_eq!(world.versions(query, sort), expected, "{query}");
        }
        let renamed = body(json!({"name": "v9", "run": null}));
        let changed =
            world.store.write_blocking(move |tx| versions::patch(tx, &key("v1"), &renamed, None, at(NOW))).unwrap();
        assert_eq!((changed.name.as_str(), changed.run, changed.lineage.len()), ("v9", None, 0));
        assert_eq!(filled().meta_info.get("is_promoted"), None);
        world.store.write_blocking(|tx| versions::delete(tx, &key("v9"))).unwrap();
        assert_eq!(world.versions("", ""), "v2");
    }
}

#[test]
fn runs_are_counted_by_steps_of_the_calendar() {
    for database in databases() {
        let world = World::on(&database);
        for (time, duration) in [("2026-11-20T10:00:00Z", 40.0), ("2026-11-22T11:00:00Z", 50.0)] {
            let run = world.create(world.record(ManagedBy::User), time).uuid;
            world.patch(run, json!({"duration": duration}), NOW);
        }
        let scope = |page| Scope {
            whose: Whose::Project(world.project.uuid),
            query: String::new(),
            sort: "-created_at".into(),
            bookmarked: Some(false),
            page,
        };
        let trunc = |frequency| Some(Trunc { moment: Moment::CreatedAt, frequency });
        let read = |question: &dyn Fn(&mut dyn polyaxon_store::db::Tx) -> Result<Json>| {
            world.store.read_blocking(question).unwrap()
        };
        assert_eq!(read(&|tx| stats::progress(tx, &scope(None), at(NOW))), json!({"done": 0, "count": 2}));
        assert_eq!(
            read(&|tx| stats::progress(tx, &scope(Some(Paging::first(1))), at(NOW))),
            json!({"done": 0, "count": 1})
        );
        assert_eq!(
            read(&|tx| stats::count(tx, &scope(None), Group::User, trunc(Frequency::Month), at(NOW))),
            json!([{"user_name": null, "trunc_time": "2026-11-01T00:00:00Z", "count": 2}])
        );
        let measures = (Measure::Duration, Aggregate::ALL);
        assert_eq!(
            read(&|tx| stats::aggregate(tx, &scope(None), measures, None, at(NOW))),
            json!({"duration__avg": 45.0, "duration__min": 40.0, "duration__max": 50.0, "duration__sum": 90.0,
                "duration__total": 4100.0})
        );
        let sums = (Measure::Duration, &[Aggregate::Sum][..]);
        assert_eq!(
            read(&|tx| stats::aggregate(tx, &scope(None), sums, trunc(Frequency::Hour), at(NOW))),
            json!([{"trunc_time": "2026-11-20T10:00:00Z", "duration__sum": 40.0},
                {"trunc_time": "2026-11-22T11:00:00Z", "duration__sum": 50.0}])
        );
        let project = world.project.uuid;
        assert_eq!(read(&|tx| stats::realtime(tx, project)), json!({"pending": 2, "running": 0, "warning": 0}));

        assert_eq!(snapshots::take_when_due(&world.store, at(NOW)).unwrap(), 1);
        assert_eq!(snapshots::take_when_due(&world.store, at("2026-11-22T12:30:00Z")).unwrap(), 0);
        let latest = world.store.read_blocking(|tx| snapshots::latest(tx, project)).unwrap().unwrap();
        assert_eq!((latest.hour, latest.snapshot.run["1"]), (at(NOW), 2));
        assert_eq!(latest.snapshot.tracking_time.rolling.avg, Some(45.0));
        world.job();
        for hour in ["2026-11-22T13:01:00Z", "2026-11-22T13:02:00Z"] {
            world.patch(world.job().uuid, json!({"name": "x"}), hour);
            snapshots::take(&world.store, at(hour)).unwrap();
        }
        let range = (at("2026-11-22T00:00:00Z"), at("2026-11-23T00:00:00Z"));
        let series =
            |sampling| world.store.read_blocking(|tx| snapshots::series(tx, project, range, sampling)).unwrap().len();
        assert_eq!((series(Sampling::Spread), series(Sampling::Boundary)), (2, 2));
    }
}
