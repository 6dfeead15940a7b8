//! 12: artifacts of one operation as params of another: where they are, and the edges that say so.

use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::listing::Paging;
use polyaxon_model::run::Run;
use polyaxon_model::status::Status;
use polyaxon_store::edges::{self, EdgeQuery, Side};
use polyaxon_store::lineage;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, dag, is_named, job, now, op, operation, with};

fn asked(value: &str) -> Json {
    json!({ "ref": "ops.train", "value": value, "contextOnly": true })
}

/// What a run got for a param, as its command says it.
fn told(run: &Run) -> Json {
    let content: Json = serde_json::from_str(run.content.as_deref().unwrap()).unwrap();
    content["run"]["container"]["args"].clone()
}

fn telling(operation: Json, names: &[&str]) -> Json {
    let args: Vec<String> = names.iter().map(|name| format!("{{{{ {name} | tojson }}}}")).collect();
    let mut operation = operation;
    operation["component"]["run"]["container"]["args"] = json!(args);
    operation
}

#[test]
fn a_named_artifact_is_where_the_run_that_made_it_says() {
    let mut scene = Scene::new(|run| if is_named(run, "train") { End::Hang } else { End::Succeed });
    let params = json!({ "net": asked("artifacts.net"), "base": asked("artifacts.base"), "log": asked("artifacts.logs.a"),
        "remote": asked("artifacts.remote"), "all": asked("artifacts") });
    let user = telling(with(op("use", &[]), "params", params), &["net", "base", "log", "remote", "all"]);
    let joins = json!([{ "query": "name: train",
        "params": { "nets": { "value": "artifacts.net" }, "folders": { "value": { "dirs": ["outputs"] } } } }]);
    let joins = telling(with(op("collect", &["train"]), "joins", joins), &["nets", "folders"]);
    let top = scene.submit(&dag(&[op("train", &[]), user, joins]));
    scene.play();
    let train = scene.child(top, "train").uuid;
    let artifacts = json!([{ "name": "net", "kind": "model", "path": "outputs/net.bin" },
        { "name": "remote", "kind": "model", "path": "s3://models/net" },
        { "name": "net", "kind": "data", "path": "elsewhere", "is_input": true }]);
    let artifacts: Vec<NewArtifact> = serde_json::from_value(artifacts).unwrap();
    scene.store.write_blocking(move |tx| lineage::add(tx, train, &artifacts, now())).unwrap();
    scene.finish(train, &End::Succeed);
    scene.play();
    assert_eq!(scene.status(top), Status::Succeeded, "{:?}", scene.statuses(top));

    let hex = train.to_hex();
    let (net, outputs) = (format!("{hex}/outputs/net.bin"), format!("{hex}/outputs"));
    let args = told(&scene.child(top, "use"));
    let values: Vec<Json> =
        args.as_array().unwrap().iter().map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap()).collect();
    let all = json!({ "base": hex, "outputs": outputs, "net": net, "remote": "s3://models/net" });
    assert_eq!(values, [json!(net), json!(hex), json!(format!("{hex}/logs/a")), json!("s3://models/net"), all]);
    let args = told(&scene.child(top, "collect"));
    let values: Vec<Json> =
        args.as_array().unwrap().iter().map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap()).collect();
    assert_eq!(values, [json!([net]), json!({ "dirs": [outputs] })]);
}

#[test]
fn edges_say_what_was_taken_over_them() {
    let mut scene = Scene::new(|_| End::Succeed);
    let user = with(op("use", &[]), "params", json!({ "net": asked("artifacts.net"), "all": asked("artifacts") }));
    let top = scene.submit(&dag(&[op("train", &[]), user]));
    let joins = json!([{ "query": "name: train",
        "params": { "nets": { "value": "artifacts.net" }, "folders": { "value": { "dirs": ["outputs"] } } } }]);
    scene.play();
    let joining = scene.submit(&with(operation(&job()), "joins", joins));
    scene.play();
    let edges = |run| {
        let wanted = EdgeQuery { query: String::new(), sort: String::new(), paging: Paging::first(10) };
        let page = scene.store.read_blocking(|tx| edges::list(tx, run, Side::Upstream, &wanted, now())).unwrap();
        page.results.into_iter().map(|edge| (edge.kind.to_string(), edge.values)).collect::<Vec<_>>()
    };
    let dag_values = json!({ "net": "artifacts.net", "all": "artifacts" });
    assert_eq!(edges(scene.child(top, "use").uuid), [("dag".to_owned(), Some(dag_values))]);
    let join_values = json!({ "nets": "artifacts.net", "folders": { "dirs": ["outputs"] } });
    assert_eq!(edges(joining), [("join".to_owned(), Some(join_values))]);
}
