//! From creation to the end: success, failure, retries, timeouts, lost processes, resumes.

use polyaxon_model::kinds::{ManagedBy, RunKind};
use snapbox::str;

use crate::script::{JOB, Setting, check, told};

#[test]
fn a_job_succeeds() {
    let life = check(
        &JOB,
        "compiled admitted starting running exit:0 exit:1 post:failed",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
starting     -> starting []
running      -> running []
exit:0       -> succeeded []
exit:1       -> succeeded []
post:failed  -> succeeded []

"#]],
    );
    snapbox::assert_data_eq!(
        told(&life),
        str![[r#"
created OperationServiceInit: Run is created
compiled SchedulerPrepare: Run is compiled
queued SchedulerStart: Run is queued
scheduled AgentController: Operation is scheduled {"attempt":1}
starting Executor: Operation is starting {"attempt":1}
running Executor: Operation is running {"attempt":1}
succeeded Executor: Operation succeeded {"attempt":1}

"#]]
    );
    assert_eq!((life.run.wait_time, life.run.duration), (Some(3.0), Some(2.0)));
}

#[test]
fn a_job_that_cannot_be_compiled_fails() {
    let life = check(
        &JOB,
        "invalid compiled admitted",
        str![[r#"
created      -> created [compile]
invalid      -> failed [hooks of life 0]
compiled     -> failed []
admitted     -> failed []

"#]],
    );
    snapbox::assert_data_eq!(
        told(&life),
        str![[r#"
created OperationServiceInit: Run is created
failed SchedulerPrepare: Failed to compile.
params.lr: expected a number

"#]]
    );
    assert_eq!(life.run.duration, Some(1.0));
}

#[test]
fn false_conditions_skip() {
    check(
        &JOB,
        "conditions-false compiled",
        str![[r#"
created      -> created [compile]
conditions-false -> skipped [hooks of life 0]
compiled     -> skipped []

"#]],
    );
}

#[test]
fn retries_wait_longer_each_time_and_then_fail() {
    let life = check(
        &Setting { max_retries: 2, ..JOB },
        "compiled admitted running exit:1 woke +10 woke compiled admitted running exit:1 +20 woke compiled admitted \
         running exit:3",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
exit:1       -> retrying [wake at 14]
woke         -> retrying [wake at 14]
woke         -> retrying [compile]
compiled     -> queued []
admitted     -> scheduled [launch 2]
running      -> running []
exit:1       -> retrying [wake at 40]
woke         -> retrying [compile]
compiled     -> queued []
admitted     -> scheduled [launch 3]
running      -> running []
exit:3       -> failed []

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
retrying ExitCode: attempt 1/3, next in 10 s: the process exited with code 1 {"attempt":1,"exit_code":1}
compiled SchedulerPrepare: Run is compiled
queued SchedulerStart: Run is queued
scheduled AgentController: Operation is scheduled {"attempt":2}
running Executor: Operation is running {"attempt":2}
retrying ExitCode: attempt 2/3, next in 20 s: the process exited with code 1 {"attempt":2,"exit_code":1}
compiled SchedulerPrepare: Run is compiled
queued SchedulerStart: Run is queued
scheduled AgentController: Operation is scheduled {"attempt":3}
running Executor: Operation is running {"attempt":3}
failed ExitCode: the process exited with code 3 {"attempt":3,"exit_code":3}

"#]]
    );
}

#[test]
fn a_program_that_cannot_start_is_not_tried_again() {
    check(
        &Setting { max_retries: 2, ..JOB },
        "compiled admitted rejected",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
rejected     -> failed []

"#]],
    );
}

#[test]
fn words_about_earlier_attempts_are_ignored() {
    check(
        &Setting { max_retries: 1, ..JOB },
        "compiled admitted running exit:1 +10 woke compiled admitted old-exit running exit:0",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
exit:1       -> retrying [wake at 14]
woke         -> retrying [compile]
compiled     -> queued []
admitted     -> scheduled [launch 2]
old-exit     -> scheduled []
running      -> running []
exit:0       -> succeeded []

"#]],
    );
}

#[test]
fn lost_processes_are_retried_and_then_fail() {
    let life = check(
        &Setting { max_retries: 1, ..JOB },
        "compiled admitted running lost +10 woke compiled admitted running lost",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
lost         -> retrying [wake at 14]
woke         -> retrying [compile]
compiled     -> queued []
admitted     -> scheduled [launch 2]
running      -> running []
lost         -> failed []

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
retrying ResourceLost: attempt 1/2, next in 10 s: The process of the run disappeared without a trace. {"attempt":1}
compiled SchedulerPrepare: Run is compiled
queued SchedulerStart: Run is queued
scheduled AgentController: Operation is scheduled {"attempt":2}
running Executor: Operation is running {"attempt":2}
failed ResourceLost: The process of the run disappeared without a trace. {"attempt":2}

"#]]
    );
}

#[test]
fn a_job_that_takes_too_long_is_ended_and_has_failed() {
    let life = check(
        &Setting { timeout: Some(60), max_retries: 3, ..JOB },
        "compiled admitted running woke +60 woke gone",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running [wake at 63]
woke         -> running [wake at 63]
woke         -> stopping [stop 1, wake at 1865]
gone         -> failed []

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
stopping DeadlineExceeded: Run is stopping; its timeout has passed.
failed DeadlineExceeded: The run was active longer than its timeout of 60 s. {"attempt":1}

"#]]
    );
}

#[test]
fn a_service_that_takes_too_long_is_stopped() {
    let setting = Setting { kind: RunKind::Service, timeout: Some(60), ..JOB };
    check(
        &setting,
        "compiled admitted running +60 woke gone",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running [wake at 63]
woke         -> stopping [stop 1, wake at 1864]
gone         -> stopped []

"#]],
    );
    check(
        &setting,
        "compiled admitted running timed-out",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running [wake at 63]
timed-out    -> stopped []

"#]],
    );
}

#[test]
fn the_timeout_goes_on_while_a_retry_waits() {
    check(
        &Setting { timeout: Some(8), max_retries: 1, ..JOB },
        "compiled admitted running exit:1 +7 woke woke",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running [wake at 11]
exit:1       -> retrying []
woke         -> failed []
woke         -> failed []

"#]],
    );
}

#[test]
fn a_resume_is_another_life_of_the_same_run() {
    let life = check(
        &Setting { max_retries: 1, ..JOB },
        "compiled admitted running exit:1 +10 woke compiled admitted running exit:1 resume compiled admitted running \
         exit:1 +10 woke compiled admitted running exit:0",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
exit:1       -> retrying [wake at 14]
woke         -> retrying [compile]
compiled     -> queued []
admitted     -> scheduled [launch 2]
running      -> running []
exit:1       -> failed []
resume       -> resuming [compile]
compiled     -> queued []
admitted     -> scheduled [launch 3]
running      -> running []
exit:1       -> retrying [wake at 34]
woke         -> retrying [compile]
compiled     -> queued []
admitted     -> scheduled [launch 4]
running      -> running []
exit:0       -> succeeded []

"#]],
    );
    // Each life: running, one second, retry, ten seconds, woke, compiled, admitted, running, exit.
    assert_eq!(life.run.duration, Some(32.0));
    assert_eq!(life.run.wait_time, Some(3.0));
    assert_eq!(life.run.control.attempt, 4);
}

#[test]
fn a_resume_disowns_a_process_that_outlived_the_end_of_its_run() {
    check(
        &JOB,
        "compiled admitted running post:succeeded resume compiled admitted running exit:0",
        str![[r#"
created      -> created [compile]
compiled     -> queued []
admitted     -> scheduled [launch 1]
running      -> running []
post:succeeded -> succeeded []
resume       -> resuming [stop 1, compile]
compiled     -> queued []
admitted     -> scheduled [launch 2]
running      -> running []
exit:0       -> succeeded []

"#]],
    );
}

#[test]
fn only_runs_that_ended_are_resumed() {
    check(
        &JOB,
        "resume compiled resume admitted resume",
        str![[r#"
created      -> created [compile]
resume       -> created []
compiled     -> queued []
resume       -> queued []
admitted     -> scheduled [launch 1]
resume       -> scheduled []

"#]],
    );
}

#[test]
fn command_line_runs_are_compiled_and_left_alone() {
    check(
        &Setting { managed_by: ManagedBy::Cli, ..JOB },
        "compiled admitted post:scheduled post:running post:succeeded",
        str![[r#"
created      -> created [compile]
compiled     -> compiled []
admitted     -> compiled []
post:scheduled -> scheduled []
post:running -> running []
post:succeeded -> succeeded []

"#]],
    );
}

#[test]
fn tracked_runs_tell_their_statuses_themselves() {
    let life = check(
        &Setting { managed_by: ManagedBy::User, ..JOB },
        "post:created post:running post:running post:succeeded post:failed force:running post:failed",
        str![[r#"
created      -> created []
post:created -> created []
post:running -> running []
post:running -> running []
post:succeeded -> succeeded []
post:failed  -> succeeded []
force:running -> running []
post:failed  -> failed []

"#]],
    );
    assert_eq!(life.history.len(), 5);
}
