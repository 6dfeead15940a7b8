//! Completes the document: parameters of paths, errors, groups, second addresses and the head.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use polyaxon_model::error::ErrorBody;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Content, InfoBuilder, OpenApi, Ref, RefOr, Required};
use utoipa::{PartialSchema, ToSchema};

/// The groups of operations, in the order in which they are shown.
pub(crate) const TAGS: &[(&str, &str)] = &[
    ("projects", "Projects hold runs."),
    ("runs", "Runs of operations: create, read, change, stop, start again."),
    ("runs in bulk", "The same verb for many runs of a project. Runs that are not there are skipped."),
    ("statuses", "What happened to a run, reported by executors, by jobs and by this server."),
    ("versions", "Named versions of components, models and artifacts, with their stages."),
    ("stats", "Numbers over many runs, for charts."),
    ("lineage", "Which artifacts a run used and made, and which runs it belongs to."),
    ("artifacts", "Files of a run."),
    ("events", "Metrics and other series that a run tracked."),
    ("logs", "What a run printed."),
    ("agents", "The protocol of executors outside of this server."),
    ("queues", "Where runs wait for an executor, with priorities, limits and quotas."),
    ("connections", "What runs and notifications may use, by name."),
    ("server", "What this server is and how it feels."),
];

/// Addresses that older clients use for an operation, with the address under which it is described.
const ALIASES: &[(&str, &str)] = &[
    ("/api/v1/{owner}/{project}/runs/artifacts_lineage", "/api/v1/{owner}/{project}/runs/lineage/artifacts"),
    (
        "/api/v1/{owner}/{project}/runs/{uuid}/artifacts_lineage/names",
        "/api/v1/{owner}/{project}/runs/{uuid}/lineage/artifacts/names",
    ),
    (
        "/api/v1/{owner}/{project}/runs/{uuid}/artifacts_lineage/{name}",
        "/api/v1/{owner}/{project}/runs/{uuid}/lineage/artifacts/{name}",
    ),
    (
        "/api/v1/{owner}/{project}/runs/{uuid}/artifacts_lineage",
        "/api/v1/{owner}/{project}/runs/{uuid}/lineage/artifacts",
    ),
    (
        "/streams/v1/{namespace}/{owner}/{project}/runs/{uuid}/embedded_artifact",
        "/streams/v1/{namespace}/{owner}/{project}/runs/{uuid}/artifact",
    ),
    (
        "/streams/v1/{namespace}/orgs/{owner}/runs/multi/events/{kind}",
        "/streams/v1/{namespace}/{owner}/{project}/runs/multi/events/{kind}",
    ),
    (
        "/streams/v1/{namespace}/orgs/{owner}/teams/{team}/runs/multi/events/{kind}",
        "/streams/v1/{namespace}/{owner}/{project}/runs/multi/events/{kind}",
    ),
];

/// The whole document of what the routes describe.
pub(crate) fn complete(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("Polyaxon")
        .version("v1")
        .description(Some(ABOUT))
        .license(Some(utoipa::openapi::License::new("Apache-2.0")))
        .build();
    api.tags =
        Some(TAGS.iter().map(|(name, text)| TagBuilder::new().name(*name).description(Some(*text)).build()).collect());
    let components = api.components.get_or_insert_default();
    components.schemas.insert(ErrorBody::name().into_owned(), ErrorBody::schema());
    name_rows(&mut components.schemas);
    let problems = [("Api", json_problem()), ("Stream", text_problem())];
    for (base, content) in problems {
        for (_, name, text) in PROBLEMS {
            let response = ResponseBuilder::new().description(*text).content(content.0, content.1.clone()).build();
            components.responses.insert(format!("{base}{name}"), response.into());
        }
    }
    components.parameters.extend(PATH_PARAMETERS.iter().map(parameter));
    for (alias, described) in ALIASES {
        if let Some(item) = api.paths.paths.get(*described) {
            let second = second_address(item, alias, described);
            api.paths.paths.insert((*alias).to_owned(), second);
        }
    }
    let paths = std::mem::take(&mut api.paths.paths);
    for (template, mut item) in paths {
        // The router's wildcard; in the document a parameter is a parameter.
        let path = template.replace("{*", "{");
        for operation in operations(&mut item) {
            complete_operation(&path, operation);
        }
        api.paths.paths.insert(path, item);
    }
    api
}

const ABOUT: &str = "\
The HTTP interface of the Polyaxon server: JSON resources below `/api/v1`, files and series of runs below `/streams/v1`.

There is one owner, `default`; other words in its place mean the same. Identifiers are uuids of 32 hexadecimal digits \
without dashes. A trailing slash does not matter. Errors below `/api/v1` are JSON, those below `/streams/v1` are text.

Lists are filtered with `query`, for example `status: running | failed, metrics.loss: <0.1, created_at: >2026-01-01`, \
and sorted with `sort`, for example `-created_at,name`.";

/// The derive writes the rows of each list out; here they are named.
fn name_rows(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let known: Vec<String> = schemas.keys().cloned().collect();
    for (name, schema) in schemas {
        let Some(row) = name.strip_prefix("ListPage_").filter(|row| known.iter().any(|known| known == row)) else {
            continue;
        };
        if let RefOr::T(Schema::Object(page)) = schema {
            let rows = ArrayBuilder::new().items(Ref::from_schema_name(row));
            page.properties.insert("results".to_owned(), rows.into());
        }
    }
}

/// All operations of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
    [get, put, post, delete, options, head, patch, trace].into_iter().filter_map(Option::as_mut)
}

/// The same operations under another address; a reader of the document is sent to the first one.
fn second_address(item: &PathItem, alias: &str, described: &str) -> PathItem {
    let mut second = item.clone();
    let word = alias.trim_start_matches("/api/v1/").trim_start_matches("/streams/v1/");
    let word: String = word.chars().filter(|letter| letter.is_ascii_alphanumeric() || "_/".contains(*letter)).collect();
    for operation in operations(&mut second) {
        let name = operation.operation_id.take().unwrap_or_default();
        operation.operation_id = Some(format!("{name}_at_{}", word.replace('/', "_")));
        operation.description = Some(format!("Another address of `{described}`."));
    }
    second
}

fn complete_operation(path: &str, operation: &mut Operation) {
    let mut parameters: Vec<RefOr<Parameter>> = path_parameters(path).map(path_parameter).collect();
    let has_query = operation.parameters.as_ref().is_some_and(|own| !own.is_empty());
    parameters.extend(operation.parameters.take().unwrap_or_default());
    operation.parameters = (!parameters.is_empty()).then_some(parameters);
    for response in &mut operation.responses.responses {
        if let (status, RefOr::T(response)) = response
            && response.description.is_empty()
        {
            response.description = reason(status);
        }
    }
    let base = match path {
        _ if path.starts_with("/api/v1/") || path.starts_with("/internal/v1/") => "Api",
        _ if path.starts_with("/streams/v1/") => "Stream",
        _ => return,
    };
    let takes_input = has_query || operation.request_body.is_some();
    let names_record = path.contains("{project}") || path.contains("{uuid}");
    for (status, name, _) in PROBLEMS {
        let happens = match *status {
            "400" => takes_input,
            "404" => names_record,
            _ => true,
        };
        if happens {
            let reference = RefOr::Ref(Ref::new(format!("#/components/responses/{base}{name}")));
            operation.responses.responses.entry((*status).to_owned()).or_insert(reference);
        }
    }
}

/// What can go wrong, everywhere.
const PROBLEMS: &[(&str, &str, &str)] = &[
    ("400", "Refused", "A part of the request is wrong; the body says which, and what was expected"),
    ("404", "Missing", "The project, the run or the record does not exist"),
    ("4XX", "Problem", "The request cannot be served as it is"),
    ("5XX", "Failure", "The server cannot serve it now; after 503 a later attempt may succeed"),
];

fn json_problem() -> (&'static str, Content) {
    ("application/json", Content::new(Some(Ref::from_schema_name(ErrorBody::name()))))
}

fn text_problem() -> (&'static str, Content) {
    let text = ObjectBuilder::new().schema_type(Type::String).examples(["Artifact not found: filepath=…"]);
    ("text/plain", Content::new(Some(RefOr::T(text.build().into()))))
}

fn reason(status: &str) -> String {
    let status = status.parse().ok().and_then(|number| StatusCode::from_u16(number).ok());
    match status {
        Some(StatusCode::OK) => "What was asked for".into(),
        Some(StatusCode::CREATED) => "It is stored".into(),
        other => other.and_then(|status| status.canonical_reason()).unwrap_or_default().into(),
    }
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn path_parameter(name: &str) -> RefOr<Parameter> {
    RefOr::Ref(Ref::new(format!("#/components/parameters/{name}")))
}

/// The parts of paths mean the same everywhere.
const PATH_PARAMETERS: &[(&str, &str, &str)] = &[
    ("owner", "The owner; there is one, and every word means it.", "default"),
    ("project", "The name of a project.", "quick-start"),
    ("uuid", "32 hexadecimal digits, without dashes.", "8aac02e3a62a4f0aaa257c59da5eab80"),
    ("namespace", "The namespace of the run; every word means the same.", "polyaxon"),
    ("upload", "An upload that can be resumed.", "1b4e28ba2fa111d2883f0016d3cca427"),
    ("team", "The name of a team; every word means the same.", "team"),
    ("name", "The name of a record.", "model"),
    ("kind", "A kind of records.", "metric"),
    ("path", "A path below the folder of the run.", "outputs/model.txt"),
    ("agent", "The name of an agent; `local` is the one inside of this server.", "local"),
    ("version", "A version with dashes in place of dots.", "2-18-0"),
    ("service", "The name of a client.", "cli"),
];

fn parameter((name, text, example): &(&str, &str, &str)) -> (String, RefOr<Parameter>) {
    let schema = ObjectBuilder::new().schema_type(Type::String).build();
    let parameter = ParameterBuilder::new()
        .name(*name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(*text))
        .schema(Some(schema))
        .example(Some((*example).into()))
        .build();
    ((*name).to_owned(), RefOr::T(parameter))
}
