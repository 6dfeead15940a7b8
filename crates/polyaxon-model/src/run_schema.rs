//! Schemas of the projections of runs and projects, made of the records and their tables of fields.
//!
//! Invariant: the schema of a projection has exactly the fields that the projection writes, and all of them are required.

use std::borrow::Cow;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::project::{Project, ProjectView};
use crate::run::Run;
use crate::run_view::RunView;

macro_rules! projections {
    ($($record:ident as $name:ident = $shown:expr, $always:expr, $description:literal;)+) => {$(
        #[doc = $description]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                projection($record::schema(), $shown, $always, $description)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                $record::schemas(schemas);
            }
        }
    )+};
}

projections! {
    Run as RunDetail = RunView::Detail.fields(), all, "Everything that is known of a run.";
    Run as RunCreated = RunView::Created.fields(), all, "A run that was just created.";
    Run as RunCloned = RunView::Cloned.fields(), all, "A run that was made of another one, or resumed.";
    Run as RunRow = ROW, in_every_row,
        "A run in a list. `project` is there in lists over all projects, `graph` in the mode `graph`; \
         the modes `timeline` and `graph` leave out what they do not draw.";
    Project as ProjectDetail = ProjectView::Detail.fields(), all, "Everything that is known of a project.";
    Project as ProjectRow = ProjectView::Row.fields(), all, "A project in a list.";
    Project as ProjectCreated = ProjectView::Created.fields(), all, "A project that was just created.";
}

/// Every field that some list shows.
const ROW: &[&str] = &[
    "uuid",
    "name",
    "created_at",
    "updated_at",
    "started_at",
    "finished_at",
    "schedule_at",
    "wait_time",
    "duration",
    "kind",
    "runtime",
    "meta_info",
    "status",
    "pipeline",
    "original",
    "is_managed",
    "managed_by",
    "pending",
    "inputs",
    "outputs",
    "tags",
    "settings",
    "user",
    "bookmarked",
    "resources",
    "project",
    "graph",
];

fn all(_: &str) -> bool {
    true
}

fn in_every_row(field: &str) -> bool {
    [RunView::Row, RunView::Timeline, RunView::Graph].iter().all(|view| view.fields().contains(&field))
}

/// The fields of a record that a projection shows, in its order.
fn projection(
    record: RefOr<Schema>,
    shown: &[&str],
    is_required: fn(&str) -> bool,
    description: &str,
) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut record)) = record else { return record };
    let mut object = ObjectBuilder::new().description(Some(description));
    for field in shown {
        let schema = record.properties.swap_remove(*field).unwrap_or_else(|| computed(field));
        object = object.property(*field, schema);
        if is_required(field) {
            object = object.required(*field);
        }
    }
    object.into()
}

/// Fields that are not kept but made while a record is written.
fn computed(field: &str) -> RefOr<Schema> {
    let object = ObjectBuilder::new();
    let object = match field {
        "is_managed" => object.schema_type(Type::Boolean).description(Some("Whether `managed_by` is not `user`.")),
        "owner" => object.schema_type(Type::String).enum_values(Some([crate::run::DEFAULT_OWNER])),
        _ => object.schema_type(Type::Null).description(Some("Nobody logs in to this edition.")),
    };
    object.into()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::project::ProjectView;

    #[track_caller]
    fn check<T: PartialSchema>(written: &impl serde::Serialize) {
        let Value::Object(written) = serde_json::to_value(written).unwrap() else { panic!("an object") };
        let schema = serde_json::to_value(T::schema()).unwrap();
        let described: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(described, written.keys().collect::<Vec<_>>());
    }

    #[test]
    fn schemas_have_the_fields_that_are_written() {
        let run =
            r#"{"uuid": "8aac02e3a62a4f0aaa257c59da5eab80", "kind": "job", "status": "created", "managed_by": "user"}"#;
        let run: Run = serde_json::from_str(run).unwrap();
        check::<RunDetail>(&run.view(RunView::Detail));
        check::<RunCreated>(&run.view(RunView::Created));
        check::<RunCloned>(&run.view(RunView::Cloned));
        let project: Project =
            serde_json::from_str(r#"{"uuid": "8aac02e3a62a4f0aaa257c59da5eab80", "name": "p"}"#).unwrap();
        check::<ProjectDetail>(&project.view(ProjectView::Detail));
        check::<ProjectRow>(&project.view(ProjectView::Row));
        check::<ProjectCreated>(&project.view(ProjectView::Created));
        for view in [RunView::Row, RunView::Timeline, RunView::Graph] {
            assert!(view.fields().iter().all(|field| ROW.contains(field)), "{view:?}");
        }
    }
}
