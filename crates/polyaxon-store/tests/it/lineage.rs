//! Artifacts, edges and clones.

use polyaxon_model::kinds::{CloningKind, EdgeKind, ManagedBy};
use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::listing::Paging;
use polyaxon_model::status::Status;
use polyaxon_store::edges::{self, EdgeQuery, NewEdge, Side};
use polyaxon_store::lineage::{self, ArtifactQuery, Scope};
use polyaxon_store::runs::NewRecord;
use serde_json::{Value as Json, json};

use crate::testkit::{NOW, World, at, databases};

impl World {
    fn add_artifacts(&self, run: polyaxon_model::ids::RunId, rows: Json) {
        let rows: Vec<NewArtifact> = serde_json::from_value(rows).unwrap();
        self.store.write_blocking(move |tx| lineage::add(tx, run, &rows, at(NOW))).unwrap();
    }

    fn artifact_names(&self, scope: Scope, query: &str, sort: &str) -> String {
        let wanted = ArtifactQuery { scope, query: query.into(), sort: sort.into(), paging: Paging::first(100) };
        let page = self.store.read_blocking(|tx| lineage::list(tx, &wanted, at(NOW))).unwrap();
        page.results.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn artifacts_are_linked_updated_filtered_and_removed() {
    for database in databases() {
        let world = World::on(&database);
        let run = world.job().uuid;
        world.add_artifacts(
            run,
            json!([
                {"name": "loss", "kind": "metric", "path": "events/metric/loss.plx", "summary": {"last": 0.2}},
                {"name": "data", "kind": "data", "is_input": true, "summary": {"hash": "abc"}},
                {"name": "model", "kind": "model", "path": "outputs/m"}
            ]),
        );
        world.add_artifacts(run, json!([{"name": "loss", "kind": "metric", "summary": {"last": 0.1}}]));
        let loss = world.store.read_blocking(|tx| lineage::get(tx, run, "loss")).unwrap().unwrap();
        assert_eq!((Json::Object(loss.summary), loss.path), (json!({"last": 0.1}), None));
        let scope = Scope::Run(run);
        assert_eq!(world.artifact_names(scope, "", ""), "loss data model");
        assert_eq!(world.artifact_names(scope, "kind:metric|model", "-name"), "model loss");
        assert_eq!(world.artifact_names(scope, "is_input:true", ""), "data");
        assert_eq!(
            world.artifact_names(Scope::Project(world.project.uuid), &format!("run:{run}"), "name"),
            "data loss model"
        );
        let project = Scope::Project(world.project.uuid);
        let kinds = |scope, query: &str, sort: &str| {
            let wanted = ArtifactQuery { scope, query: query.into(), sort: sort.into(), paging: Paging::first(2) };
            let page = world.store.read_blocking(|tx| lineage::kinds(tx, &wanted, at(NOW))).unwrap();
            let names: Vec<_> = page.results.into_iter().map(|row| row.name).collect();
            (page.count, names.join(" "))
        };
        let other = world.job().uuid;
        world.add_artifacts(
            other,
            json!([{"name": "loss", "kind": "metric"}, {"name": "loss", "kind": "curve", "state": "x"}]),
        );
        assert_eq!(kinds(project, "", "-name"), (Some(4), "model loss".into()));
        assert_eq!(kinds(Scope::All, "kind:metric", "path"), (Some(1), "loss".into()));
        assert_eq!(world.find("in_artifact_kind:data", "").unwrap().len(), 1);
        assert_eq!(world.find("in_artifact_kind:metric", "").unwrap().len(), 0);
        assert_eq!(world.find("out_artifact_kind:metric", "").unwrap().len(), 2);
        assert_eq!(world.find("out_artifact_kind:~metric", "").unwrap().len(), 0);
        assert_eq!(world.store.write_blocking(move |tx| lineage::remove(tx, run, "data")).unwrap(), 1);
        assert_eq!(world.artifact_names(scope, "", ""), "loss model");
    }
}

#[test]
fn edges_and_clones_are_found_from_both_sides() {
    for database in databases() {
        let world = World::on(&database);
        let (first, second) = (world.job().uuid, world.job().uuid);
        let edge = NewEdge {
            other: first,
            side: Side::Upstream,
            kind: EdgeKind::Manual,
            values: Some(json!({"lr": "outputs.lr"})),
            statuses: Some(vec![Status::Succeeded, Status::Failed]),
        };
        world.store.write_blocking(move |tx| edges::replace(tx, second, &[edge])).unwrap();
        let asked =
            |query: &str, sort: &str| EdgeQuery { query: query.into(), sort: sort.into(), paging: Paging::first(20) };
        let find = |run, side, query: &str| {
            world
                .store
                .read_blocking(|tx| edges::list(tx, run, side, &asked(query, "-values.lr,kind"), at(NOW)))
                .unwrap()
        };
        let list = |run, side| find(run, side, "").results;
        let up = list(second, Side::Upstream);
        assert_eq!((up.len(), up[0].upstream.as_ref().unwrap().uuid), (1, first));
        assert_eq!(list(first, Side::Downstream)[0].downstream.as_ref().unwrap().uuid, second);
        assert_eq!(list(first, Side::Upstream), []);
        assert_eq!(world.find(&format!("upstream:{first}"), "").unwrap()[0].uuid, second);
        assert_eq!(world.find("upstream:nil", "").unwrap()[0].uuid, first);
        for (query, expected) in [
            ("kind:manual", 1),
            ("kind:~manual", 0),
            ("statuses:failed", 1),
            ("statuses:stopped|failed", 1),
            ("statuses:stopped", 0),
            ("values.lr:outputs.lr", 1),
            ("values.lr:nil", 0),
            ("values:~nil", 1),
            (&format!("upstream:{first},downstream:{second}"), 1),
            (&format!("upstream:{second}"), 0),
        ] {
            let page = find(second, Side::Upstream, query);
            assert_eq!((page.count, page.results.len()), (Some(expected), expected as usize), "{query}");
        }
        world.store.write_blocking(move |tx| edges::replace(tx, second, &[])).unwrap();
        assert_eq!(list(second, Side::Upstream), []);

        let record = NewRecord { original: Some((first, CloningKind::Copy)), ..world.record(ManagedBy::Agent) };
        let clone = world.create(record, NOW).uuid;
        let clones = |query: &str, sort: &str| {
            world.store.read_blocking(|tx| edges::clones(tx, first, &asked(query, sort), at(NOW))).unwrap().results
        };
        assert_eq!(clones("cloning_kind:copy,status:created", "-created_at").len(), 1);
        assert_eq!((clones("status:running", "").len(), clones("live_state:0", "name").len()), (0, 0));
        let clones = clones("", "");
        assert_eq!((clones[0].uuid, clones[0].cloning_kind), (clone, Some(CloningKind::Copy)));
        assert_eq!(world.find(&format!("original:{first}"), "").unwrap().len(), 1);
    }
}
