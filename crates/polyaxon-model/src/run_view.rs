//! The official projections of a run: which fields a detail, a list row, a timeline row, … shows, in order.
//!
//! Invariant: these tables are the only place that knows which fields a projection has.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::run::{DEFAULT_NAMESPACE, DEFAULT_OWNER, Run};

/// A projection of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunView {
    Detail,
    Row,
    Timeline,
    Graph,
    /// The answer to a creation.
    Created,
    /// The answer to restart, copy and resume.
    Cloned,
}

impl RunView {
    #[rustfmt::skip]
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            RunView::Detail => &[
                "uuid", "name", "created_at", "updated_at", "started_at", "finished_at", "schedule_at", "wait_time",
                "duration", "kind", "runtime", "meta_info", "status", "pipeline", "original", "is_managed",
                "managed_by", "pending", "inputs", "outputs", "tags", "settings", "user", "owner", "project", "readme",
                "description", "raw_content", "content", "live_state", "bookmarked", "resources",
            ],
            RunView::Row => &[
                "uuid", "name", "created_at", "updated_at", "started_at", "finished_at", "schedule_at", "wait_time",
                "duration", "kind", "runtime", "meta_info", "status", "pipeline", "original", "is_managed",
                "managed_by", "pending", "inputs", "outputs", "tags", "settings", "user", "bookmarked", "resources",
            ],
            RunView::Timeline => &[
                "uuid", "name", "created_at", "updated_at", "started_at", "finished_at", "schedule_at", "wait_time",
                "duration", "kind", "runtime", "status", "pipeline", "original", "is_managed", "managed_by", "pending",
                "tags", "user", "bookmarked",
            ],
            RunView::Graph => &[
                "uuid", "name", "created_at", "updated_at", "started_at", "finished_at", "schedule_at", "wait_time",
                "duration", "kind", "runtime", "status", "tags", "user", "pipeline", "pending", "graph",
            ],
            RunView::Created => &[
                "uuid", "kind", "name", "description", "content", "is_managed", "managed_by", "pending", "meta_info",
                "tags", "settings",
            ],
            RunView::Cloned => &[
                "uuid", "name", "created_at", "updated_at", "started_at", "finished_at", "schedule_at", "wait_time",
                "duration", "kind", "runtime", "meta_info", "status", "pipeline", "original", "is_managed",
                "managed_by", "pending", "inputs", "outputs", "tags", "settings", "user", "owner", "project",
            ],
        }
    }
}

/// A run seen through a projection; serialise it.
#[derive(Clone, Copy, Debug)]
pub struct ViewedRun<'a> {
    run: &'a Run,
    view: RunView,
}

impl Run {
    pub fn view(&self, view: RunView) -> ViewedRun<'_> {
        ViewedRun { run: self, view }
    }
}

impl Serialize for Run {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view(RunView::Detail).serialize(serializer)
    }
}

impl Serialize for ViewedRun<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.view.fields();
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for field in fields {
            map.serialize_key(field)?;
            self.serialize_field(&mut map, field)?;
        }
        map.end()
    }
}

impl ViewedRun<'_> {
    fn serialize_field<M: SerializeMap>(&self, map: &mut M, field: &str) -> Result<(), M::Error> {
        let run = self.run;
        match field {
            "uuid" => map.serialize_value(&run.uuid),
            "name" => map.serialize_value(&run.name),
            "created_at" => map.serialize_value(&run.created_at),
            "updated_at" => map.serialize_value(&run.updated_at),
            "started_at" => map.serialize_value(&run.started_at),
            "finished_at" => map.serialize_value(&run.finished_at),
            "schedule_at" => map.serialize_value(&run.schedule_at),
            "wait_time" => map.serialize_value(&run.wait_time),
            "duration" => map.serialize_value(&run.duration),
            "kind" => map.serialize_value(&run.kind),
            "runtime" => map.serialize_value(&run.runtime),
            "meta_info" => map.serialize_value(&run.meta_info),
            "status" => map.serialize_value(&run.status),
            "pipeline" => map.serialize_value(&run.pipeline),
            "original" => map.serialize_value(&run.original),
            "is_managed" => map.serialize_value(&run.is_managed()),
            "managed_by" => map.serialize_value(&run.managed_by),
            "pending" => map.serialize_value(&run.pending),
            "inputs" => map.serialize_value(&run.inputs),
            "outputs" => map.serialize_value(&run.outputs),
            "tags" => map.serialize_value(&run.tags),
            "settings" => self.serialize_settings(map),
            "owner" => map.serialize_value(DEFAULT_OWNER),
            "project" => map.serialize_value(&run.project),
            "readme" => map.serialize_value(&run.readme),
            "description" => map.serialize_value(&run.description),
            "raw_content" => map.serialize_value(&run.raw_content),
            "content" => map.serialize_value(&run.content),
            "live_state" => map.serialize_value(&run.live_state),
            "bookmarked" => map.serialize_value(&run.bookmarked),
            "resources" => map.serialize_value(&run.resources),
            "graph" => map.serialize_value(&run.graph),
            // `user`: nobody logs in to this edition.
            _ => map.serialize_value(&()),
        }
    }

    fn serialize_settings<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let settings = &self.run.settings;
        let namespace = settings.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
        match self.view {
            RunView::Detail => {
                let mut full = settings.clone();
                full.namespace = Some(namespace.to_owned());
                map.serialize_value(&full)
            }
            RunView::Created => match &settings.build {
                Some(build) => map.serialize_value(&json!({ "build": build })),
                None => map.serialize_value(&json!({})),
            },
            _ => map.serialize_value(&json!({ "namespace": namespace, "component": settings.component })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A detail document as the official server writes it.
    const DETAIL: &str = r#"{"uuid":"00000000000000000000000000001142","name":"m1","created_at":"2026-11-22T09:27:40.403440Z","updated_at":"2026-11-22T09:27:40.403488Z","started_at":null,"finished_at":null,"schedule_at":null,"wait_time":null,"duration":null,"kind":"job","runtime":null,"meta_info":{"x":1},"status":"created","pipeline":null,"original":null,"is_managed":false,"managed_by":"user","pending":null,"inputs":null,"outputs":null,"tags":["a","b"],"settings":{"namespace":"polyaxon","agent":null,"queue":null,"artifacts_store":null,"tensorboard":null,"build":null,"component":null,"models":[],"artifacts":[]},"user":null,"owner":"default","project":"p-0221","readme":null,"description":"d","raw_content":null,"content":null,"live_state":1,"bookmarked":false,"resources":{"memory":0.0,"cpu":0.0,"gpu":0.0,"custom":0.0,"cost":0.0}}"#;

    #[test]
    fn the_official_detail_document_round_trips_byte_for_byte() {
        let run: Run = serde_json::from_str(DETAIL).unwrap();
        assert_eq!(serde_json::to_string(&run).unwrap(), DETAIL);
    }

    #[test]
    fn created_and_row_projections_are_the_official_ones() {
        let run: Run = serde_json::from_str(DETAIL).unwrap();
        assert_eq!(
            serde_json::to_string(&run.view(RunView::Created)).unwrap(),
            r#"{"uuid":"00000000000000000000000000001142","kind":"job","name":"m1","description":"d","content":null,"is_managed":false,"managed_by":"user","pending":null,"meta_info":{"x":1},"tags":["a","b"],"settings":{}}"#
        );
        let row = serde_json::to_string(&run.view(RunView::Row)).unwrap();
        assert!(row.contains(r#""settings":{"namespace":"polyaxon","component":null},"user":null"#), "{row}");
        assert!(!row.contains("project") && !row.contains("content"), "{row}");
        let back: Run = serde_json::from_str(&row).unwrap();
        assert_eq!(back.uuid, run.uuid);
    }
}
