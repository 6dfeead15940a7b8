//! Builds on every kind of database: who waits for one, what it gives, and when it is of no use any more.

use polyaxon_engine::state::{Action, Event};
use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::{ManagedBy, Pending, Runtime};
use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::status::Status;
use polyaxon_store::pipelines::react;
use polyaxon_store::{actions, builds, facts, lineage};
use serde_json::json;

use crate::testkit::{NOW, World, at, everywhere};

impl World {
    /// A run and the build that it waits for.
    fn built(&self) -> (RunId, RunId) {
        let run = self.job().uuid;
        (run, self.build_for(run))
    }

    fn build_for(&self, run: RunId) -> RunId {
        let mut build = self.record(ManagedBy::Agent);
        build.runtime = Some(Runtime::Builder);
        let uuid = build.uuid;
        self.store.write_blocking(move |tx| builds::begin(tx, run, &build, at(NOW))).unwrap();
        uuid
    }

    /// Ends a run and does what follows.
    fn end(&self, run: RunId, status: &str) {
        self.post(run, status, NOW);
        let open = self.store.read_blocking(move |tx| actions::open_of(tx, run)).unwrap();
        let ends: Vec<_> =
            open.iter().filter(|it| matches!(it.action, Action::React { .. })).map(|it| (run, it.seq)).collect();
        self.store.write_blocking(move |tx| react::react(tx, &ends, at(NOW))).unwrap();
    }

    fn made(&self, build: RunId, image: &str) {
        let row = json!([{ "name": "destination", "kind": "docker_image", "summary": { "image": image }, "is_input": false }]);
        let rows: Vec<NewArtifact> = serde_json::from_value(row).unwrap();
        self.store.write_blocking(move |tx| lineage::add(tx, build, &rows, at(NOW))).unwrap();
    }

    fn stands(&self, run: RunId) -> (Status, Option<Pending>) {
        let run = self.get(run);
        (run.status, run.pending)
    }
}

#[test]
fn a_run_gets_the_image_of_its_build_or_hears_why_there_is_none() {
    everywhere(|world| {
        let (run, build) = world.built();
        assert_eq!(world.stands(run), (Status::Created, Some(Pending::Build)));
        let facts = world.store.read_blocking(move |tx| facts::of(tx, run, at(NOW))).unwrap();
        let awaited = facts.build.unwrap();
        assert_eq!((awaited.uuid, awaited.status, awaited.since), (build, Status::Created, at(NOW)));
        world.made(build, "a:1");
        world.made(build, "a@sha256:1");
        world.end(build, "succeeded");
        assert_eq!(world.stands(run), (Status::Created, None));
        assert_eq!(world.get(run).meta_info["destination_image"], "a@sha256:1");

        let (run, build) = world.built();
        world.end(build, "failed");
        assert_eq!(world.stands(run), (Status::UpstreamFailed, None));
        let facts = world.store.read_blocking(move |tx| facts::of(tx, run, at(NOW))).unwrap();
        let message = facts.history.last().unwrap().message.clone().unwrap();
        assert_eq!(message, format!("The build {} made no image, it is failed: posted", build.to_hex()));

        let (run, build) = world.built();
        world.end(build, "succeeded");
        assert_eq!(world.stands(run).0, Status::UpstreamFailed);
    });
}

#[test]
fn a_build_stops_with_the_last_run_that_waits_for_it() {
    everywhere(|world| {
        let (run, build) = world.built();
        world.post(build, "running", NOW);
        world.apply(run, Event::StopRequested, NOW);
        assert_eq!((world.stands(run), world.stands(build).0), ((Status::Stopped, None), Status::Stopping));

        // One that goes on waits for another build, and the first one says nothing to it any more.
        world.apply(run, Event::ResumeRequested, NOW);
        let again = world.build_for(run);
        world.end(build, "failed");
        assert_eq!(world.stands(run), (Status::Resuming, Some(Pending::Build)));
        world.made(again, "a:2");
        world.end(again, "succeeded");
        assert_eq!(world.get(run).meta_info["destination_image"], "a:2");

        // A build that somebody made by hand is nobody's.
        let mut alone = world.record(ManagedBy::Agent);
        alone.runtime = Some(Runtime::Builder);
        let alone = world.create(alone, NOW).uuid;
        world.apply(world.job().uuid, Event::StopRequested, NOW);
        assert_eq!(world.stands(alone).0, Status::Created);
    });
}
