//! 8: schedules by a clock that is turned. `schedule-cases.json`, time zones and changes of the clock are in
//! `engine::flow::schedule` and `engine::flow::cron`.

use polyaxon_model::status::Status;
use serde_json::{Value as Json, json};

use crate::scene::{End, Scene, job, operation, pass, with};

fn scheduled(schedule: Json) -> Json {
    with(operation(&job()), "schedule", schedule)
}

/// Minutes after the start at which runs of the schedule were due, and how they stand.
fn ticks(scene: &Scene, top: polyaxon_model::ids::RunId) -> Vec<(i64, Status)> {
    let begin = scene.run(top).created_at;
    let minutes = |at: polyaxon_model::time::Timestamp| (at.seconds_since(begin) / 60.0).round() as i64;
    scene.children(top).into_iter().map(|tick| (minutes(tick.schedule_at.unwrap()), tick.status)).collect()
}

#[test]
fn a_schedule_ends_after_its_runs_or_its_time() {
    for schedule in [
        json!({ "kind": "interval", "frequency": 600, "maxRuns": 2 }),
        json!({ "kind": "interval", "frequency": 600, "endAt": "2026-01-10T13:25:00Z" }),
        json!({ "kind": "cron", "cron": "*/10 * * * *", "maxRuns": 2 }),
    ] {
        let mut scene = Scene::new(|_| End::Succeed);
        let top = scene.submit(&scheduled(schedule.clone()));
        scene.wait(3600);
        assert_eq!(ticks(&scene, top), [(10, Status::Succeeded), (20, Status::Succeeded)], "{schedule}");
        assert_eq!(scene.status(top), Status::Succeeded);
    }
}

#[test]
fn a_datetime_comes_once() {
    let mut scene = Scene::new(|_| End::Succeed);
    let top = scene.submit(&scheduled(json!({ "kind": "datetime", "startAt": "2026-01-10T14:00:00Z" })));
    scene.wait(86_400);
    assert_eq!(ticks(&scene, top), [(60, Status::Succeeded)]);
    assert_eq!(scene.status(top), Status::Succeeded);
}

#[test]
fn ticks_that_were_missed_are_caught_up_as_the_schedule_says() {
    for (policy, expected) in [("all", vec![10, 20, 30]), ("latest", vec![30]), ("none", vec![])] {
        let mut scene = Scene::new(|_| End::Succeed);
        let schedule = json!({ "kind": "interval", "frequency": 600, "catchup": policy });
        let top = scene.submit(&scheduled(schedule));
        scene.play();
        // Nobody is there for three ticks.
        pass(35 * 60);
        scene.wait(60);
        let ran: Vec<i64> = ticks(&scene, top)
            .into_iter()
            .filter(|(_, status)| *status == Status::Succeeded)
            .map(|(at, _)| at)
            .collect();
        assert_eq!(ran, expected, "{policy}");
        scene.wait(600);
        assert!(ticks(&scene, top).contains(&(40, Status::Succeeded)), "{policy} goes on");
    }
}

#[test]
fn a_tick_can_wait_for_the_one_before() {
    let mut scene = Scene::new(|_| End::Hang);
    let schedule = json!({ "kind": "interval", "frequency": 600, "dependsOnPast": true });
    let top = scene.submit(&scheduled(schedule));
    scene.wait(35 * 60);
    assert_eq!(ticks(&scene, top), [(10, Status::Running)]);
    let first = scene.launched[0];
    scene.finish(first, &End::Fail);
    scene.wait(60);
    assert_eq!(ticks(&scene, top), [(10, Status::Failed), (20, Status::Running)], "its time was in the past");
    assert_eq!(scene.status(top), Status::Running);
}

#[test]
fn a_tick_that_reuses_a_result_does_not_hold_up_the_next() {
    for depends_on_past in [false, true] {
        let mut scene = Scene::new(|_| End::Succeed);
        let schedule = json!({ "kind": "interval", "frequency": 600, "maxRuns": 4, "dependsOnPast": depends_on_past });
        let top = scene.submit(&with(scheduled(schedule), "cache", json!({ "disable": false })));
        scene.wait(3600);
        assert_eq!(ticks(&scene, top), [10, 20, 30, 40].map(|at| (at, Status::Succeeded)));
        assert_eq!((scene.status(top), scene.launched.len()), (Status::Succeeded, 1), "the others are reused");
    }
}

#[test]
fn clocks_that_change_make_a_tick_neither_twice_nor_never() {
    for (day, expected) in [
        // 2:30 does not exist on March 29: it comes with the next instant that does.
        (json!("2026-03-28T00:00:00Z"), ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]),
        // 2:30 exists twice on October 25.
        (json!("2026-10-24T00:00:00Z"), ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
    ] {
        let mut scene = Scene::new(|_| End::Succeed);
        let begin: polyaxon_model::time::Timestamp = serde_json::from_value(day.clone()).unwrap();
        pass(begin.seconds_since(crate::scene::now()) as u64);
        let schedule = json!({ "kind": "cron", "cron": "30 2 * * *", "timezone": "Europe/Berlin", "maxRuns": 3 });
        let top = scene.submit(&scheduled(schedule));
        scene.wait(4 * 86_400);
        let times: Vec<Json> = scene.children(top).into_iter().map(|tick| json!(tick.schedule_at.unwrap())).collect();
        let times: Vec<&str> = times.iter().map(|time| time.as_str().unwrap()).collect();
        assert!(times.iter().zip(expected).all(|(time, expected)| time[..16] == expected[..16]), "{day}: {times:?}");
        assert_eq!((times.len(), scene.launched.len()), (3, 3));
    }
}
