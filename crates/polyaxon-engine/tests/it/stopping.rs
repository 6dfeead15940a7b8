//! Stop, skip, archive, delete, in every phase of a life.

use polyaxon_model::kinds::ManagedBy;
use snapbox::str;

use crate::script::{JOB, Setting, check, told};

#[test]
fn nothing_runs_yet_so_stop_is_immediate() {
    check(
        &JOB,
        "stop compiled",
        str![[r#"
created      -> created [compile]
stop         -> stopped [hooks of life 0]
compiled     -> stopped []

"#]],
    );
    check(
        &Setting { managed_by: ManagedBy::Cli, ..JOB },
        "compiled stop",
        str![[r#"
created      -> created [compile]
compiled     -> compiled []
stop         -> stopped []

"#]],
    );
}

#[test]
fn a_queued_run_is_stopped_by_whoever_would_start_it() {
    check(
        &JOB,
        "compiled stop admitted gone",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
stop         -> stopping [stop 0, wake at 1802]
admitted     -> stopping []
gone         -> stopped []

"#]],
    );
}

#[test]
fn a_running_run_is_stopped_when_its_process_is_gone() {
    let life = check(
        &JOB,
        "compiled admitted running stop stop running exit:0",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
stop         -> stopping [stop 1, wake at 1804]
stop         -> stopping []
running      -> stopping []
exit:0       -> stopped []

"#]],
    );
    snapbox::assert_data_eq!(
        told(&life),
        str![[r#"
created OperationServiceInit: Run is created
compiled SchedulerPrepare: Run is compiled
queued SchedulerStart: Run is queued
scheduled AgentController: Operation is scheduled {"attempt":1}
running Executor: Operation is running {"attempt":1}
stopping StateManager: Run is stopping; User requested to stop the run.
stopped StateManager: Run is stopped

"#]]
    );
}

#[test]
fn stop_during_the_retry_delay_is_immediate() {
    check(
        &Setting { max_retries: 3, ..JOB },
        "compiled admitted running exit:1 stop woke",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
exit:1       -> retrying [wake at 14]
stop         -> stopped []
woke         -> stopped []

"#]],
    );
}

#[test]
fn a_job_that_says_how_it_ended_while_being_stopped_is_believed() {
    check(
        &JOB,
        "compiled admitted running stop post:running post:succeeded gone",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
stop         -> stopping [stop 1, wake at 1804]
post:running -> stopping []
post:succeeded -> succeeded []
gone         -> succeeded []

"#]],
    );
}

#[test]
fn a_silent_stop_ends_after_half_an_hour() {
    let life = check(
        &JOB,
        "compiled admitted running stop woke +1800 woke gone",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
stop         -> stopping [stop 1, wake at 1804]
woke         -> stopping [wake at 1804]
woke         -> stopped []
gone         -> stopped []

"#]],
    );
    snapbox::assert_data_eq!(
        told(&life),
        str![[r#"
created OperationServiceInit: Run is created
compiled SchedulerPrepare: Run is compiled
queued SchedulerStart: Run is queued
scheduled AgentController: Operation is scheduled {"attempt":1}
running Executor: Operation is running {"attempt":1}
stopping StateManager: Run is stopping; User requested to stop the run.
stopped HeartbeatStopping: Run was stopping for 30 minutes without a sign of life.

"#]]
    );
}

#[test]
fn tracked_runs_stop_at_once() {
    let life = check(
        &Setting { managed_by: ManagedBy::User, ..JOB },
        "post:running stop",
        str![[r#"
created      -> created []
post:running -> running []
stop         -> stopped []

"#]],
    );
    snapbox::assert_data_eq!(
        told(&life),
        str![[r#"
created ModelManager: Run is created
running Test: posted
stopping StateManager: Run is stopping; User requested to stop the run.
stopped StateManager: Run is stopped

"#]]
    );
}

#[test]
fn skip_works_before_the_queue_only() {
    check(
        &JOB,
        "skip",
        str![[r#"
created      -> created [compile]
skip         -> skipped [hooks of life 0]

"#]],
    );
    check(
        &JOB,
        "compiled skip admitted skip running skip",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
skip         -> queued []
admitted     -> scheduled [launch 1]
skip         -> scheduled []
running      -> running []
skip         -> running []

"#]],
    );
}

#[test]
fn archive_stops_and_restore_shows_again() {
    check(
        &JOB,
        "compiled admitted running archive archive gone restore",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
archive      -> stopping [stop 1, wake at 1804]
archive      -> stopping []
gone         -> stopped []
restore      -> stopped []

"#]],
    );
}

#[test]
fn delete_stops_first_and_removes_the_folder_later() {
    check(
        &JOB,
        "compiled admitted running delete delete restore gone resume",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
delete       -> stopping [stop 1, wake at 1804]
delete       -> stopping []
restore      -> stopping []
gone         -> stopped [delete at 87]
resume       -> stopped []

"#]],
    );
    check(
        &JOB,
        "compiled admitted running exit:0 delete",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
exit:0       -> succeeded []
delete       -> succeeded [delete at 85]

"#]],
    );
    check(
        &JOB,
        "delete",
        str![[r#"
created      -> created [compile]
delete       -> stopped [delete at 81, hooks of life 0]

"#]],
    );
}

#[test]
fn warnings_end_after_three_days() {
    check(
        &JOB,
        "compiled admitted running warning +259200 woke gone",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
warning      -> warning [wake at 259204]
woke         -> stopping [stop 1, wake at 261005]
gone         -> stopped []

"#]],
    );
}
