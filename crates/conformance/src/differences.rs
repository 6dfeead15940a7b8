//! Recorded behaviour that we decided not to follow, each with the reason.
//!
//! All of it is marked as a defect of the reference implementation in the corpus.

/// A stage of a case that differs on purpose.
pub struct Difference {
    pub id: &'static str,
    pub stage: &'static str,
    pub reason: &'static str,
}

pub const ALLOWED: &[Difference] = &[
    Difference {
        id: "dag/bad-metric-to-float",
        stage: "check",
        reason: "a metric is a float: the edge is safe and was meant to be allowed",
    },
    Difference {
        id: "job/literal-evaluation-odd",
        stage: "resolved",
        reason: "texts that are Python tuples, complex numbers or an ellipsis stay text instead of failing",
    },
    Difference {
        id: "job/volumes-odd-names",
        stage: "compiled",
        reason: "compiled operations keep the public name downwardAPI, not the internal downwardApi",
    },
    Difference {
        id: "job/volumes-odd-names",
        stage: "resolved",
        reason: "resolved operations keep the public name downwardAPI, not the internal downwardApi",
    },
    Difference {
        id: "matrix/bad-bayes-non-uniform",
        stage: "check",
        reason: "the model of a bayes search takes every distribution, so there is no reason to refuse them",
    },
    Difference {
        id: "matrix/bad-hp-flag-sexagesimal",
        stage: "check",
        reason: "`-HP n=range:1:10:3` is the documented form; reading it as a number of base 60 makes it unusable",
    },
    Difference {
        id: "matrix/bad-iterative-no-params",
        stage: "check",
        reason: "`params` is optional in an iterative search; inputs with a default need nothing from it",
    },
    Difference {
        id: "patch/mount-both-layers-post_merge",
        stage: "check",
        reason: "mounts of two layers merge like other lists instead of failing with an internal error",
    },
    Difference {
        id: "patch/mount-both-layers-pre_merge",
        stage: "check",
        reason: "mounts of two layers merge like other lists instead of failing with an internal error",
    },
    Difference {
        id: "raycluster/workers-globals",
        stage: "resolved",
        reason: "worker groups see `globals` like every other replica, not below the name of the group",
    },
    Difference {
        id: "raycluster/workers-globals-plain",
        stage: "resolved",
        reason: "worker groups see `globals` like every other replica, not below the name of the group",
    },
];
