//! 11: the server dies at each of its writes, before it is kept and after it is kept but before it is heard of, and
//! everything comes to the same end. Random crashes are the simulation; real ones are in `tests/`.

use std::collections::BTreeMap;

use polyaxon_engine::state::Event;
use polyaxon_model::status::Status;
use polyaxon_store::Fate;
use serde_json::json;

use crate::scene::{End, Scene, dag, is_named, job, op, with};

fn play(fault: Option<(u64, Fate)>) -> (BTreeMap<String, Status>, Status, u64) {
    let mut scene = Scene::with_fault(fault, |run| if is_named(run, "b") { End::Fail } else { End::Succeed });
    let sweep = with(op("d", &["a"]), "matrix", json!({ "kind": "mapping", "values": [{ "row": 0 }, { "row": 1 }] }));
    let rescue = with(op("c", &["b"]), "trigger", json!("all_failed"));
    let top = scene.submit(&dag(&[op("a", &[]), op("b", &["a"]), rescue, sweep, op("e", &["b"])]));
    scene.play();
    for child in scene.children(top) {
        let finals = scene.history(child.uuid).into_iter().filter(|status| status.is_done()).count();
        assert_eq!(finals, 1, "{fault:?}: {:?}", scene.history(child.uuid));
    }
    (scene.statuses(top), scene.status(top), Scene::writes())
}

#[test]
fn every_write_can_be_the_last_of_a_server() {
    let (statuses, status, writes) = play(None);
    assert_eq!(status, Status::Failed);
    assert_eq!(
        ["a", "b", "c", "d", "e"].map(|name| statuses[name]),
        [Status::Succeeded, Status::Failed, Status::Succeeded, Status::Succeeded, Status::UpstreamFailed]
    );
    for at in 0..writes {
        for fate in [Fate::Lost, Fate::Unheard] {
            let (found, end, _) = play(Some((at, fate)));
            assert_eq!((found, end), (statuses.clone(), status), "write {at} of {writes} was {fate:?}");
        }
    }
}

/// A pipeline whose processes hang is stopped; its hook follows.
fn play_stop(fault: Option<(u64, Fate)>) -> (Vec<Status>, usize, u64) {
    let mut scene = Scene::with_fault(fault, |run| if is_named(run, "hook") { End::Succeed } else { End::Hang });
    let sweep = with(op("b", &[]), "matrix", json!({ "kind": "mapping", "values": [{ "row": 0 }, { "row": 1 }] }));
    let hook = json!({ "kind": "component", "version": 1.1, "name": "hook", "run": job()["run"] });
    let whole = with(dag(&[op("a", &[]), sweep, op("c", &["a"])]), "hooks", json!([{ "component": hook }]));
    let top = scene.submit(&whole);
    scene.play();
    scene.apply(top, Event::StopRequested);
    scene.play();
    let children = scene.children(top);
    let deep = children.iter().flat_map(|child| scene.children(child.uuid));
    let runs: Vec<_> = children.iter().cloned().chain(deep).map(|run| run.uuid).chain([top]).collect();
    for run in &runs {
        let finals = scene.history(*run).into_iter().filter(|status| status.is_done()).count();
        assert_eq!(finals, 1, "{fault:?}: {:?}", scene.history(*run));
    }
    let hooks = scene.launched.iter().filter(|run| !runs.contains(run)).count();
    (runs.into_iter().map(|run| scene.status(run)).collect(), hooks, Scene::writes())
}

#[test]
fn a_stop_reaches_everything_and_hooks_follow_once_whatever_write_is_the_last() {
    let (statuses, hooks, writes) = play_stop(None);
    assert_eq!((statuses.clone(), hooks), (vec![Status::Stopped; 6], 1));
    for at in 0..writes {
        for fate in [Fate::Lost, Fate::Unheard] {
            let (found, hooks, _) = play_stop(Some((at, fate)));
            assert_eq!((&found, hooks), (&statuses, 1), "write {at} of {writes} was {fate:?}");
        }
    }
}
