//! The four gates: one approval opens each of them.

use polyaxon_model::kinds::Pending;
use snapbox::str;

use crate::script::{JOB, Setting, check};

#[test]
fn a_run_that_needs_approval_is_approved_once() {
    check(
        &Setting { requires_approval: true, ..JOB },
        "compiled approve compiled approve admitted",
        str![[r#"
created      -> created (approval) []
compiled     -> compiled (approval) []
approve      -> queued []
compiled     -> queued []
approve      -> queued []
admitted     -> scheduled [launch 1]

"#]],
    );
}

#[test]
fn an_upload_that_needs_approval_is_first_told_to_be_complete_and_then_approved() {
    check(
        &Setting { pending: Some(Pending::Upload), requires_approval: true, ..JOB },
        "compiled approve approve",
        str![[r#"
created      -> created (upload) [compile, wake at 7200]
compiled     -> compiled (upload) []
approve      -> compiled (approval) []
approve      -> queued []

"#]],
    );
}

#[test]
fn uploads_are_compiled_meanwhile_and_started_after() {
    check(
        &Setting { pending: Some(Pending::Upload), ..JOB },
        "compiled admitted approve admitted",
        str![[r#"
created      -> created (upload) [compile, wake at 7200]
compiled     -> compiled (upload) []
admitted     -> compiled (upload) []
approve      -> queued []
admitted     -> scheduled [launch 1]

"#]],
    );
    check(
        &Setting { pending: Some(Pending::Upload), ..JOB },
        "approve compiled admitted",
        str![[r#"
created      -> created (upload) [compile, wake at 7200]
approve      -> created []
compiled     -> queued []
admitted     -> scheduled [launch 1]

"#]],
    );
}

#[test]
fn uploads_that_do_not_come_fail() {
    check(
        &Setting { pending: Some(Pending::Upload), ..JOB },
        "compiled +7200 woke woke",
        str![[r#"
created      -> created (upload) [compile, wake at 7200]
compiled     -> compiled (upload) []
woke         -> failed (upload) []
woke         -> failed (upload) []

"#]],
    );
}

#[test]
fn builds_and_cache_wait_before_compilation() {
    check(
        &Setting { pending: Some(Pending::Build), ..JOB },
        "approve compiled",
        str![[r#"
created      -> created (build) []
approve      -> created [compile]
compiled     -> queued []

"#]],
    );
    check(
        &Setting { pending: Some(Pending::Cache), ..JOB },
        "approve compiled",
        str![[r#"
created      -> created (cache) []
approve      -> created [compile]
compiled     -> queued []

"#]],
    );
}

#[test]
fn a_gated_run_can_be_stopped_and_stays_ended() {
    check(
        &Setting { requires_approval: true, ..JOB },
        "stop approve",
        str![[r#"
created      -> created (approval) []
stop         -> stopped (approval) [hooks of life 0]
approve      -> stopped []

"#]],
    );
}
