//! Columns of a run and how they become the record. One query reads a run with everything it points to.

use polyaxon_model::run::{OriginalReference, Resources, Run, RunReference, RunSettings};
use serde_json::json;

use crate::Result;
use crate::db::Row;

/// Which columns a reader needs: the big texts are only read for a single run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Detail,
    Row,
}

/// The tables behind the columns.
/// Each join adds at most one row.
pub(crate) const FROM: &str = "runs r \
     LEFT JOIN projects p ON p.id = r.project_id LEFT JOIN runs pipeline ON pipeline.id = r.pipeline_id \
     LEFT JOIN runs original ON original.id = r.original_id \
     LEFT JOIN run_bookmarks mark ON mark.run_id = r.id";

const ROW: &str = "r.uuid, r.name, r.created_at, r.updated_at, r.started_at, r.finished_at, r.schedule_at, \
     r.wait_time, r.duration, r.kind, r.runtime, r.meta_info, r.status, r.managed_by, r.pending, r.inputs, r.outputs, \
     r.tags, r.live_state, r.namespace, r.component_state, r.memory, r.cpu, r.gpu, r.custom, r.cost, p.name, \
     coalesce(mark.enabled, FALSE), pipeline.uuid, pipeline.name, pipeline.kind, original.uuid, original.name, \
     r.cloning_kind";

const DETAIL: &str = ", r.readme, r.description, r.raw_content, r.content";

/// The select list.
pub(crate) fn columns(depth: Depth) -> String {
    match depth {
        Depth::Detail => format!("{ROW}{DETAIL}"),
        Depth::Row => ROW.to_owned(),
    }
}

pub(crate) fn read(mut row: Row, depth: Depth) -> Result<Run> {
    let row = &mut row;
    let mut run = Run {
        uuid: row.take()?,
        name: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
        started_at: row.take()?,
        finished_at: row.take()?,
        schedule_at: row.take()?,
        wait_time: row.take()?,
        duration: row.take()?,
        kind: row.take()?,
        runtime: row.take()?,
        meta_info: row.take_json()?,
        status: row.take()?,
        managed_by: row.take()?,
        pending: row.take()?,
        inputs: row.take_optional_json()?,
        outputs: row.take_optional_json()?,
        tags: row.take_optional_json()?,
        live_state: row.take()?,
        settings: RunSettings {
            namespace: row.take()?,
            component: row.take::<Option<String>>()?.map(|state| json!({ "state": state })),
            ..RunSettings::default()
        },
        resources: Resources {
            memory: row.take()?,
            cpu: row.take()?,
            gpu: row.take()?,
            custom: row.take()?,
            cost: row.take()?,
        },
        project: row.take()?,
        bookmarked: row.take()?,
        pipeline: None,
        original: None,
        readme: None,
        description: None,
        raw_content: None,
        content: None,
        graph: None,
    };
    let (pipeline, name, kind) = (row.take::<Option<_>>()?, row.take()?, row.take::<Option<_>>()?);
    run.pipeline = pipeline.zip(kind).map(|(uuid, kind)| RunReference { uuid, name, kind });
    let (original, name, kind) = (row.take::<Option<_>>()?, row.take()?, row.take::<Option<_>>()?);
    run.original = original.zip(kind).map(|(uuid, kind)| OriginalReference { uuid, name, kind });
    if depth == Depth::Detail {
        run.readme = row.take()?;
        run.description = row.take()?;
        run.raw_content = row.take()?;
        run.content = row.take()?;
    }
    Ok(run)
}
