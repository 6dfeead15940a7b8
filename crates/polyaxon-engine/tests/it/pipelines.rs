//! Lives that others decide about: pipelines, their children, the runs of schedules.

use polyaxon_engine::state::Place;
use polyaxon_model::kinds::{ManagedBy, Pending, RunKind};
use polyaxon_model::time::Timestamp;
use snapbox::{assert_data_eq, str};

use crate::script::{JOB, Setting, check, told};

const DAG: Setting = Setting { kind: RunKind::Dag, ..JOB };
const CHILD: Setting = Setting { place: Place::Child, ..JOB };

#[test]
fn a_pipeline_gets_children_and_ends_as_they_say() {
    check(
        &DAG,
        "compiled expanded concluded:failed",
        str![[r#"
created      -> created [compile]
compiled     -> compiled [expand]
expanded     -> running []
concluded:failed -> failed [react 0]

"#]],
    );
    check(
        &DAG,
        "compiled empty expanded",
        str![[r#"
created      -> created [compile]
compiled     -> compiled [expand]
empty        -> failed [react 0]
expanded     -> failed []

"#]],
    );
}

#[test]
fn a_pipeline_that_is_stopped_waits_for_its_children() {
    check(
        &DAG,
        "compiled expanded stop stop concluded:stopped",
        str![[r#"
created      -> created [compile]
compiled     -> compiled [expand]
expanded     -> running []
stop         -> stopping [cascade stop]
stop         -> stopping []
concluded:stopped -> stopped [react 0]

"#]],
    );
    check(
        &Setting { timeout: Some(60), ..DAG },
        "compiled expanded +60 woke concluded:stopped",
        str![[r#"
created      -> created [compile]
compiled     -> compiled [expand]
expanded     -> running [wake at 62]
woke         -> stopping [cascade stop]
concluded:stopped -> failed [react 0]

"#]],
    );
}

#[test]
fn early_stopping_chooses_the_end() {
    check(
        &DAG,
        "compiled expanded early:succeeded concluded:stopped",
        str![[r#"
created      -> created [compile]
compiled     -> compiled [expand]
expanded     -> running []
early:succeeded -> stopping [cascade stop]
concluded:stopped -> succeeded [react 0]

"#]],
    );
}

#[test]
fn a_pruned_run_says_so_at_its_end() {
    let life = check(
        &CHILD,
        "released compiled enqueued admitted running pruned pruned gone",
        str![[r#"
created      -> created []
released     -> created [compile]
compiled     -> compiled []
enqueued     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
pruned       -> stopping [stop 1, wake at 1806]
pruned       -> stopping []
gone         -> stopped [react 0]

"#]],
    );
    assert_data_eq!(
        told(&life),
        str![[r#"
created OperationServiceInit: Run is created
compiled SchedulerPrepare: Run is compiled
queued AgentController: Run is queued
scheduled AgentController: Operation is scheduled {"attempt":1}
running Executor: Operation is running {"attempt":1}
stopping EarlyStopping: Run is stopping; At step 4 it was 3.
stopped EarlyStopping: At step 4 it was 3. {"attempt":1}

"#]]
    );
}

#[test]
fn somebody_else_may_end_a_pipeline() {
    check(
        &DAG,
        "compiled expanded post:failed",
        str![[r#"
created      -> created [compile]
compiled     -> compiled [expand]
expanded     -> running []
post:failed  -> failed [cascade stop, react 0]

"#]],
    );
}

#[test]
fn a_child_waits_for_its_turn_and_for_room() {
    check(
        &CHILD,
        "released released compiled enqueued admitted exit:0",
        str![[r#"
created      -> created []
released     -> created [compile]
released     -> created []
compiled     -> compiled []
enqueued     -> queued []
admitted     -> scheduled [launch 1]
exit:0       -> succeeded [react 0]

"#]],
    );
}

#[test]
fn a_child_can_be_over_before_its_turn() {
    check(
        &CHILD,
        "concluded:upstream_failed released",
        str![[r#"
created      -> created []
concluded:upstream_failed -> upstream_failed [react 0, hooks of life 0]
released     -> upstream_failed []

"#]],
    );
    check(
        &CHILD,
        "stop reset released compiled",
        str![[r#"
created      -> created []
stop         -> stopped [react 0, hooks of life 0]
reset        -> resuming []
released     -> resuming [compile]
compiled     -> compiled []

"#]],
    );
}

#[test]
fn approval_of_a_child_is_asked_once_before_or_after_its_turn() {
    let gated = Setting { requires_approval: true, ..CHILD };
    let before = str![[r#"
created      -> created (approval) []
approve      -> created []
released     -> created [compile]
compiled     -> compiled []

"#]];
    check(&gated, "approve released compiled", before);
    let after = str![[r#"
created      -> created (approval) []
released     -> created (approval) []
approve      -> created [compile]
compiled     -> compiled []

"#]];
    check(&gated, "released approve compiled", after);
}

#[test]
fn what_the_command_line_executes_it_lets_begin() {
    let gated = Setting { managed_by: ManagedBy::Cli, pending: Some(Pending::Approval), ..CHILD };
    check(
        &gated,
        "approve compiled enqueued",
        str![[r#"
created      -> created (approval) []
approve      -> created [compile]
compiled     -> compiled []
enqueued     -> compiled []

"#]],
    );
}

#[test]
fn a_run_of_a_schedule_begins_at_its_time() {
    let at: Timestamp = "2026-11-22T01:00:00Z".parse().unwrap();
    check(
        &Setting { place: Place::Tick { at }, ..JOB },
        "woke +3600 woke released compiled admitted exit:0",
        str![[r#"
created      -> created [wake at 3600]
woke         -> created [wake at 3600]
woke         -> on_schedule [tick]
released     -> on_schedule [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
exit:0       -> succeeded [react 0]

"#]],
    );
}

#[test]
fn a_pipeline_goes_on_when_a_child_does() {
    check(
        &DAG,
        "compiled expanded concluded:failed reopened concluded:succeeded",
        str![[r#"
created      -> created [compile]
compiled     -> compiled [expand]
expanded     -> running []
concluded:failed -> failed [react 0]
reopened     -> running []
concluded:succeeded -> succeeded [react 1]

"#]],
    );
}

#[test]
fn a_pipeline_that_waited_for_an_equal_one_goes_on_by_itself_after_it_was_stopped() {
    check(
        &DAG,
        "compiled expanded concluded:failed resume cache-awaited stop reopened",
        str![[r#"
created      -> created [compile]
compiled     -> compiled [expand]
expanded     -> running []
concluded:failed -> failed [react 0]
resume       -> resuming [compile]
cache-awaited -> resuming (cache) []
stop         -> stopped [react 1]
reopened     -> running []

"#]],
    );
}
