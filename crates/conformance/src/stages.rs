//! Runs a case stage by stage; the result has the shape of `expected.json`.

use polyaxon_compile::resolve::resolve;
use polyaxon_spec::check::{self, Inline, Options, Outcome, Request};
use polyaxon_spec::clone::{self, OverrideStrategy};
use polyaxon_spec::compose::Compiled;
use polyaxon_spec::dag;
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::wire;
use serde_json::{Map as JsonMap, Value as Json, json};

use crate::case::Case;
use crate::resolution;

/// The stages of a case, until one fails.
pub fn run(case: &Case, fixed: &Json) -> Json {
    let mut record = JsonMap::new();
    let mut files = case.files.clone();
    let outcome = check::check(&request(case), &mut files);
    let Some(operation) = verdict(&outcome, &mut record) else { return Json::Object(record) };
    if !case.stages().any(|stage| stage != "check") {
        return Json::Object(record);
    }
    let source = match wire::to_source(operation) {
        Ok(source) => source,
        Err(problems) => {
            record.insert("operation".into(), failed(&problems));
            return Json::Object(record);
        }
    };
    let text = source.to_string();
    record.insert("operation".into(), json!({"status": "ok", "value": source}));
    if case.stages().all(|stage| stage == "check" || stage == "operation") {
        return Json::Object(record);
    }
    match compiled(case, &text) {
        Ok((source, compiled)) => {
            record.insert("compiled".into(), json!({"status": "ok", "value": compiled.operation.to_json()}));
            record.insert("params".into(), params(&compiled.params));
            if is_dag(&compiled.operation) {
                record.insert("dag".into(), graph(&compiled.operation));
            }
            if case.stages().any(|stage| stage == "resolved" || stage == "k8s") {
                record.extend(resolved(case, &source, &compiled, fixed));
            }
        }
        Err(problems) => {
            record.insert("compiled".into(), failed(&problems));
        }
    }
    Json::Object(record)
}

/// The problems of the check of a case, for reports.
pub fn outcome(case: &Case) -> Outcome {
    check::check(&request(case), &mut case.files.clone())
}

fn verdict<'a>(outcome: &'a Outcome, record: &mut JsonMap<String, Json>) -> Option<&'a Node> {
    let Some(operation) = outcome.operation.as_ref().filter(|_| !outcome.has_errors()) else {
        record.insert("check".into(), failed(&outcome.diagnostics));
        return None;
    };
    let verdict = if outcome.is_template { json!({"status": "ok", "template": true}) } else { json!({"status": "ok"}) };
    record.insert("check".into(), verdict);
    Some(operation)
}

fn compiled(case: &Case, source: &str) -> Result<(Node, Compiled), Vec<Diagnostic>> {
    let document = wire::read_operation(source)?;
    let patch = case.option("override").as_str().and_then(|file| case.files.get(file));
    let patch = patch.map(|text| wire::read_preset(&String::from_utf8_lossy(text))).transpose()?;
    let strategy = match case.option("use_override_patch_strategy").as_bool() {
        Some(true) => OverrideStrategy::Override,
        _ => OverrideStrategy::Source,
    };
    clone::compile(&document, patch.as_ref(), strategy)
}

/// The stages after resolution: the operation itself, then the runs that it starts.
fn resolved(case: &Case, source: &Node, compiled: &Compiled, fixed: &Json) -> JsonMap<String, Json> {
    let mut record = JsonMap::new();
    if compiled.operation.get("build").is_some() {
        let reason = "the build operation runs first";
        record.insert("resolved".into(), json!({"status": "skipped", "reason": reason}));
        return record;
    }
    let context = resolution::context(case, &compiled.operation, fixed);
    match resolve(&compiled.operation, &compiled.params, &context) {
        Ok(resolved) => {
            record.insert("resolved".into(), json!({"status": "ok", "value": resolved.operation.to_json()}));
            if let Some(children) = resolution::children(source, &resolved.operation) {
                let children = children.map(|value| json!({"status": "ok", "value": value}));
                record.insert("children".into(), children.unwrap_or_else(|problems| failed(&problems)));
            }
        }
        Err(problems) => {
            record.insert("resolved".into(), failed(&problems));
        }
    }
    record
}

fn params(params: &Map) -> Json {
    Node::map(params.clone()).to_json()
}

fn is_dag(operation: &Node) -> bool {
    operation.at(&["run", "kind"]).and_then(Node::as_str) == Some("dag")
}

fn graph(operation: &Node) -> Json {
    let graph = match dag::graph(operation) {
        Ok(graph) => graph,
        Err(problems) => return failed(&problems),
    };
    let node = |node: dag::GraphNode| {
        let value = json!({
            "upstream": node.upstream,
            "downstream": node.downstream,
            "compiled": node.compiled.operation.to_json(),
            "params": params(&node.compiled.params),
        });
        (node.name, value)
    };
    let order = graph.order.clone();
    let nodes: JsonMap<String, Json> = graph.nodes.into_iter().map(node).collect();
    json!({"status": "ok", "value": {"order": order, "nodes": nodes}})
}

fn failed(problems: &[Diagnostic]) -> Json {
    let first = problems.iter().find(|problem| problem.is_error());
    let class = first.map_or("internal", |problem| problem.code.class);
    let mut failed = json!({"status": "error", "reason": class});
    if let Some(path) = first.map(|problem| &problem.path).filter(|path| !path.is_empty()) {
        failed["at"] = path.as_str().into();
    }
    failed
}

fn request(case: &Case) -> Request {
    let text = |name: &str| case.option(name).as_str().map(str::to_string);
    let given = |name: &str| Some(case.option(name)).filter(|value| !value.is_null()).cloned();
    let flag = |name: &str| case.option(name).as_bool() == Some(true);
    let number = |name: &str| case.option(name).as_i64();
    let word = |name: &str| match case.option(name) {
        Json::String(text) => Some(text.clone()),
        Json::Null => None,
        other => Some(other.to_string()),
    };
    Request {
        files: list(&case.case["files"]),
        hub: text("hub"),
        url: text("url"),
        params: list(&case.case["params"]),
        hyper_params: list(&case.case["hparams"]),
        options: Options {
            presets: text("presets").map(|presets| presets.split(',').map(|name| name.trim().to_string()).collect()),
            queue: text("queue"),
            namespace: text("namespace"),
            cache: word("cache"),
            nocache: flag("nocache"),
            approved: word("approved"),
            strict_params: case.option("strict_params").as_bool(),
            matrix: given("matrix"),
            matrix_kind: text("matrix_kind"),
            matrix_concurrency: number("matrix_concurrency"),
            matrix_num_runs: number("matrix_num_runs"),
        },
        inline: Inline {
            image: text("image"),
            cmd: list(case.option("cmd")),
            env: list(case.option("env")),
            cpu: word("cpu"),
            memory: word("memory"),
            gpu: word("gpu"),
            ports: list(case.option("ports")),
        },
        shortcuts: given("shortcuts"),
        git_init: given("git_init"),
        mounts: list(case.option("mounts")),
        sandbox: flag("sandbox"),
        ignore_template: flag("ignore_template"),
        lint: flag("lint"),
    }
}

fn list(value: &Json) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_string).collect()
}
