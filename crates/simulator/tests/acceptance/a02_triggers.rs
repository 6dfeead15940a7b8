//! 2: when an operation begins. Every pair and triple in every order as values is the table in
//! `engine::flow::trigger`; here it is a dag that really runs, in both orders of the ends.

use polyaxon_engine::state::Event;
use polyaxon_model::status::Status;
use serde_json::json;

use crate::scene::{End, Scene, dag, is_named, op, with};

const TRIGGERS: [&str; 6] = ["all_succeeded", "all_failed", "all_done", "one_succeeded", "one_failed", "one_done"];

/// Pairs of upstreams that (S)ucceed, (F)ail, are stopped (X) or s(K)ipped, in the order of the triggers.
const TABLE: &str = "\
    SS run UF  run run UF  run
    SF UF  UF  run run run run
    FF UF  run run UF  run run
    SX UF  UF  run run UF  run
    SK run UF  run run UF  run
    FK UF  UF  run UF  run run
    KK run UF  run run UF  run
    FX UF  UF  run UF  run run
    XX UF  UF  run UF  UF  run
    KX UF  UF  run UF  UF  run";

#[test]
fn every_pair_and_trigger_in_both_orders() {
    for is_reversed in [false, true] {
        check(is_reversed);
    }
}

fn check(is_reversed: bool) {
    let ends = ["s1", "s2", "f1", "f2", "x1", "x2", "k1", "k2"];
    let mut operations: Vec<_> = ends
        .iter()
        .map(|name| {
            if name.starts_with('k') { with(op(name, &[]), "conditions", json!("{{ 1 > 2 }}")) } else { op(name, &[]) }
        })
        .collect();
    let mut expected = Vec::new();
    for line in TABLE.lines() {
        let mut words = line.split_whitespace();
        let pair = words.next().unwrap().to_lowercase();
        let upstreams = [format!("{}1", &pair[..1]), format!("{}2", &pair[1..])];
        for (trigger, verdict) in TRIGGERS.iter().zip(words) {
            let name = format!("{pair}-{}", trigger.replace('_', "-"));
            let operation = op(&name, &[&upstreams[0], &upstreams[1]]);
            operations.push(with(operation, "trigger", json!(trigger)));
            expected.push((name, if verdict == "run" { Status::Succeeded } else { Status::UpstreamFailed }));
        }
    }
    let mut scene = Scene::new(move |run| {
        let is_upstream = ends.iter().any(|name| is_named(run, name));
        if is_upstream { End::Hang } else { End::Succeed }
    });
    let top = scene.submit(&dag(&operations));
    scene.play();
    let mut order = ends.to_vec();
    if is_reversed {
        order.reverse();
    }
    for name in order {
        let run = scene.child(top, name).uuid;
        match &name[..1] {
            "s" => scene.finish(run, &End::Succeed),
            "f" => scene.finish(run, &End::Fail),
            "x" => scene.apply(run, Event::StopRequested),
            _ => {}
        }
        scene.play();
    }
    let statuses = scene.statuses(top);
    for (name, status) in expected {
        assert_eq!(statuses[&name], status, "{name}, reversed: {is_reversed}");
    }
    assert_eq!(scene.status(top), Status::Failed);
}

#[test]
fn a_skip_takes_downstreams_along_when_they_want() {
    let mut scene = Scene::new(|_| End::Succeed);
    let first = with(op("first", &[]), "conditions", json!("{{ 1 > 2 }}"));
    let along = with(op("along", &["first"]), "skipOnUpstreamSkip", json!(true));
    let top = scene.submit(&dag(&[first, along, op("on", &["first"])]));
    scene.play();
    let statuses = scene.statuses(top);
    assert_eq!((statuses["along"], statuses["on"]), (Status::Skipped, Status::Succeeded));
}
