//! Restart, copy and resume as the server does them: its rules, its compiler of overrides, its records.

use polyaxon_engine::clone::{self, NewClone, Source};
use polyaxon_engine::state::{Birth, Event, Place};
use polyaxon_model::ids::RunId;
use polyaxon_model::new_run::CloneRequest;
use polyaxon_spec::clone::OverrideStrategy;
use polyaxon_spec::compose::{self, Compiled};
use polyaxon_spec::node::Node;
use polyaxon_spec::wire;
use polyaxon_store::pipelines::rerun;
use polyaxon_store::runs::{self, NewRecord};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{PROJECT, Scene, now};

impl Scene {
    pub(crate) fn start_again(&mut self, of: RunId, body: &Json) -> Result<RunId, String> {
        self.clone_of(of, NewClone::Restart, body)
    }

    pub(crate) fn copy(&mut self, of: RunId, body: &Json) -> Result<RunId, String> {
        self.clone_of(of, NewClone::Copy, body)
    }

    fn clone_of(&mut self, of: RunId, kind: NewClone, body: &Json) -> Result<RunId, String> {
        let request: CloneRequest = serde_json::from_value(body.clone()).unwrap();
        let source = self.source(of);
        let source = source.cache_of.map_or(source, |worker| self.source(worker));
        let mut plan = clone::plan(kind, &source, &request).map_err(|error| error.to_string())?;
        let (document, compiled) = self.patched(source.run, &request, OverrideStrategy::Source);
        if let Some(rerun) = plan.rerun.take() {
            rerun.remember(&mut plan.meta_info);
            let operation = compiled.operation.clone();
            self.store.read_blocking(move |tx| rerun::check(tx, &operation, &rerun, "accepted")).unwrap()?;
        }
        self.next += 1;
        let id = RunId::new(Uuid::from_u128(self.next));
        let family = compose::run_kind(&compiled.operation);
        let birth = Birth {
            kind: family.kind.parse().unwrap(),
            managed_by: self.run(source.run).managed_by,
            pending: None,
            requires_approval: false,
            place: Place::Independent,
        };
        let mut record = NewRecord::new(id, PROJECT, birth);
        record.runtime = Some(family.runtime.parse().unwrap());
        record.name = plan.name;
        record.meta_info = plan.meta_info;
        record.raw_content = Some(wire::to_source(&document).unwrap().to_string());
        record.original = Some((plan.original, plan.cloning_kind));
        self.write(move |tx| runs::create(tx, &record, now()).map(drop));
        Ok(id)
    }

    pub(crate) fn resume(&mut self, run: RunId, body: &Json) -> Result<(), String> {
        let request: CloneRequest = serde_json::from_value(body.clone()).unwrap();
        clone::check_resume(&self.source(run), &request).map_err(|error| error.to_string())?;
        let (document, _) = self.patched(run, &request, OverrideStrategy::Override);
        let raw = wire::to_source(&document).unwrap().to_string();
        self.write(move |tx| runs::set_raw_content(tx, run, &raw, None, now()));
        self.apply(run, Event::ResumeRequested);
        Ok(())
    }

    fn source(&self, run: RunId) -> Source {
        Source::of(&self.run(run))
    }

    fn patched(&self, of: RunId, request: &CloneRequest, strategy: OverrideStrategy) -> (Node, Compiled) {
        let source = wire::read_operation(self.run(of).raw_content.as_deref().unwrap()).unwrap();
        let patch = request.content.as_ref().map(|content| wire::read_preset(&content.to_string()).unwrap());
        polyaxon_spec::clone::compile(&source, patch.as_ref(), strategy).unwrap()
    }
}
