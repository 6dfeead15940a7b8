//! The pages of the reference: which sections they hold, and what a reader should know before the tables.

use crate::schema::{
    ARTIFACTS, BUILD, CACHE, DOCKERFILE, DOCUMENT, EARLY_STOPPING, ENVIRONMENT, EVENT_TRIGGER, FILE, GIT, HOOK,
    HYPER_PARAMETERS, INIT, IO, JOIN, MATRICES, MOUNT, NOTIFICATION, PARAM, PLUGINS, RUNTIMES, SCHEDULES, SIDECAR,
    STOPPING_POLICIES, TEMPLATE, TENSORBOARD, TERMINATION, TUNER, VALIDATION,
};
use crate::section::Section;

pub(super) struct Page {
    pub(super) file: &'static str,
    pub(super) title: &'static str,
    /// For the table of pages.
    pub(super) summary: &'static str,
    pub(super) intro: &'static str,
    /// A valid document, or nothing.
    pub(super) example: &'static str,
    pub(super) sections: &'static [Which],
}

/// Sections of a page; what they lead to and no page asks for follows them.
pub(super) enum Which {
    Section(&'static Section),
    Kinds(&'static [(&'static str, &'static Section)]),
    Kind(&'static [(&'static str, &'static Section)], &'static str),
}

use Which::{Kind, Kinds, Section as One};

pub(super) const PAGES: &[Page] = &[
    Page {
        file: "document.md",
        title: "Documents",
        summary: "components, operations, references between them, shortcuts",
        intro: "\
Components and operations have the same fields. With a `kind`, the fields of the root are spelled in camelCase; in
sections and in documents without `kind` the form with underscores is read too.

An operation runs one component, which it holds (`component`) or names: `hubRef` for the hub, `pathRef` for a file,
`urlRef` for an address, `dagRef` inside a dag. What the operation says itself is laid over the component as
`patchStrategy` tells: `post_merge` (the operation wins, lists are joined), `pre_merge` (the component wins), `isnull`
(only what the component leaves open) or `replace`.

The last fields, from `container` to `volumes`, are shortcuts for parts of `run`: a file that only names an image and a
command is complete.",
        example: "\
kind: operation
name: train-large
pathRef: ./train.yaml
params:
  epochs: 50
container:
  image: registry.example.com/train:1.4
resources: {cpu: 2..4, memory: 8Gi, gpu: 1}
termination: {maxRetries: 2}",
        sections: &[One(&DOCUMENT), One(&TEMPLATE), One(&MOUNT)],
    },
    Page {
        file: "inputs-outputs.md",
        title: "Inputs and outputs",
        summary: "what a component takes and gives, types and rules for values",
        intro: "\
A component declares its inputs and outputs; templates use them by name, and params give them values. A value is checked
against its type before the run is submitted.

Types are `any`, `int`, `float`, `bool`, `str`, `dict`, `list`, `path`, `uri`, `gcs`, `s3`, `wasb`, `image`, `metric`,
`metadata`, `date`, `datetime`, `timedelta`, `uuid`, `email`, `git`, `dockerfile`, `file`, `tensorboard`, `artifacts` and
`event`; Python's spellings such as `List[int]` are read too. An input with a default is optional. `toEnv` hands the value on as an environment variable, `toInit` turns
it into an init step.",
        example: "\
kind: component
inputs:
- {name: lr, type: float, value: 0.01, validation: {gt: 0, lt: 1}}
- {name: optimizer, type: str, options: [adam, sgd], value: adam}
- {name: seed, type: int, isOptional: true, toEnv: SEED}
outputs:
- {name: loss, type: float}
run:
  kind: job
  container:
    image: python:3.12
    command: [python, train.py, \"--lr={{ lr }}\", \"--optimizer={{ optimizer }}\"]",
        sections: &[One(&IO), One(&VALIDATION)],
    },
    Page {
        file: "params.md",
        title: "Params and joins",
        summary: "values for inputs, references to other runs, values of many runs",
        intro: "\
A param is a value, or a mapping that says more about it: `{value: 0.1}`, `{ref: ops.train, value: outputs.loss}`. A
mapping with one of the fields below counts as the long form. References name `ops.NAME` (another operation of the same
dag), `runs.UUID`, or `dag`; what is asked of them is `inputs.NAME`, `outputs.NAME`, `globals.NAME`, `artifacts.NAME`,
or a whole section.

A join collects values of all runs that a query finds; each of its params is a list.",
        example: "\
kind: operation
params:
  lr: 0.1
  data: {value: /data/train.csv, toEnv: DATA}
  start: {ref: runs.8aac02e3a62a4f0aaa257c59da5eab80, value: outputs.checkpoint}
joins:
- query: \"project.name:search, status:succeeded\"
  sort: metrics.loss
  limit: 5
  params:
    losses: {value: outputs.loss}
hubRef: report",
        sections: &[One(&PARAM), One(&JOIN)],
    },
    Page {
        file: "runtimes.md",
        title: "Jobs and services",
        summary: "what runs one container: `run.kind: job` and `service`",
        intro: "\
`run` says what runs. A job runs its container to the end; a service runs until it is stopped. Fields of containers,
volumes and other Kubernetes objects are those of the Kubernetes API; `polyaxon explain run.job.container` lists them.",
        example: "\
kind: component
name: notebook
run:
  kind: service
  ports: [8888]
  init:
  - {git: {url: https://github.com/org/notebooks, revision: main}}
  container:
    image: jupyter/base-notebook:2024-05-27
    command: [jupyter, lab, --ip=0.0.0.0]",
        sections: &[
            Kind(RUNTIMES, "job"),
            Kind(RUNTIMES, "service"),
            Kind(RUNTIMES, "notifier"),
            Kind(RUNTIMES, "cleaner"),
            Kind(RUNTIMES, "tuner"),
        ],
    },
    Page {
        file: "distributed.md",
        title: "Distributed jobs and clusters",
        summary: "TensorFlow, PyTorch, MPI, Ray and Dask",
        intro: "\
Each role of a distributed job is a replica: a container with everything around it, and how many copies of it run.
Templates may use `{{ globals.uuid }}` and the other globals in every replica.",
        example: "\
kind: component
run:
  kind: pytorchjob
  master:
    replicas: 1
    container: {image: \"train:1.0\", command: [python, -m, train]}
  worker:
    replicas: 3
    environment: {nodeSelector: {accelerator: a100}}
    container: {image: \"train:1.0\", command: [python, -m, train]}",
        sections: &[
            Kind(RUNTIMES, "tfjob"),
            Kind(RUNTIMES, "pytorchjob"),
            Kind(RUNTIMES, "mpijob"),
            Kind(RUNTIMES, "raycluster"),
            Kind(RUNTIMES, "daskcluster"),
        ],
    },
    Page {
        file: "dag.md",
        title: "Dags",
        summary: "operations that depend on each other",
        intro: "\
A dag holds operations. One waits for another when it names it in `dependencies`, or when a param refers to it with
`ref: ops.NAME`. `components` are declared once and used with `dagRef`.",
        example: "\
kind: component
inputs: [{name: rows, type: int, value: 1000}]
run:
  kind: dag
  concurrency: 2
  components:
  - name: step
    inputs: [{name: rows, type: int}]
    outputs: [{name: path, type: str}]
    run: {kind: job, container: {image: \"step:1.0\", args: [\"{{ rows }}\"]}}
  operations:
  - name: prepare
    dagRef: step
    params: {rows: {ref: dag, value: inputs.rows}}
  - name: train
    dependencies: [prepare]
    component:
      inputs: [{name: data, type: str}]
      run: {kind: job, container: {image: \"train:1.0\", args: [\"{{ data }}\"]}}
    params: {data: {ref: ops.prepare, value: outputs.path}}",
        sections: &[Kind(RUNTIMES, "dag")],
    },
    Page {
        file: "environment.md",
        title: "Environment",
        summary: "where and how pods are placed",
        intro: "\
The environment of a runtime or of a replica: labels, nodes, rights, network. At the root of a document it is short for
`run.environment`.",
        example: "\
kind: component
environment:
  labels: {team: vision}
  nodeSelector: {accelerator: a100}
  tolerations: [{key: gpu, operator: Exists}]
  restartPolicy: Never
container: {image: \"train:1.0\"}",
        sections: &[One(&ENVIRONMENT)],
    },
    Page {
        file: "init.md",
        title: "Init steps",
        summary: "what is fetched or written before the container starts",
        intro: "\
Init steps run one after another before the main container starts. Each does one thing: fetch files of a store, clone a
repository, write a file, generate a Dockerfile, or run a container of your own.",
        example: "\
kind: component
run:
  kind: job
  init:
  - {git: {url: https://github.com/org/repo, revision: v1.2}}
  - {connection: s3-data, artifacts: {files: [train.csv]}}
  - {file: {filename: settings.yaml, content: \"seed: 42\"}}
  - {container: {image: \"busybox:1.36\", command: [sh, -c, \"echo ready\"]}}
  container: {image: \"train:1.0\"}",
        sections: &[One(&INIT), One(&ARTIFACTS), One(&GIT), One(&FILE), One(&DOCKERFILE), One(&TENSORBOARD)],
    },
    Page {
        file: "plugins.md",
        title: "Plugins",
        summary: "logs, artifacts, notifications and other helpers around a job",
        intro: "What runs around the job. The defaults are right for most runs.",
        example: "\
kind: component
plugins:
  collectArtifacts: true
  shm: false
  notifications: [{connections: [slack], trigger: failed}]
container: {image: \"train:1.0\"}",
        sections: &[One(&PLUGINS), One(&SIDECAR), One(&NOTIFICATION)],
    },
    Page {
        file: "termination.md",
        title: "Termination and cache",
        summary: "retries, time limits, clean-up; when an earlier result is used",
        intro: "\
`termination` says when a run is retried, stopped or cleaned up; `cache` says whether an equal run that has succeeded may
stand for it. All times are in seconds.",
        example: "\
kind: component
termination: {maxRetries: 3, timeout: 7200, ttl: 3600}
cache: {ttl: 86400, io: [lr], sections: [containers]}
inputs: [{name: lr, type: float, value: 0.1}]
container: {image: \"train:1.0\", args: [\"{{ lr }}\"]}",
        sections: &[One(&TERMINATION), One(&CACHE)],
    },
    Page {
        file: "matrix.md",
        title: "Searches",
        summary: "one operation run many times: mapping, grid, random, hyperband, bayes, tpe, iterative",
        intro: "\
A matrix runs its operation once for each set of params. `mapping`, `grid` and `random` know their sets from the start;
the others learn from a metric of the runs that have ended. How params are chosen is on the page
[Hyper-parameters](hyper-parameters.md), when a search ends early on the page [Early stopping](early-stopping.md).",
        example: "\
kind: operation
matrix:
  kind: tpe
  numRuns: 20
  concurrency: 4
  metric: {name: loss, optimization: minimize}
  params:
    lr: {kind: loguniform, value: [-9, -2]}
    units: {kind: choice, value: [32, 64, 128]}
pathRef: ./train.yaml",
        sections: &[Kinds(MATRICES), One(&TUNER)],
    },
    Page {
        file: "hyper-parameters.md",
        title: "Hyper-parameters",
        summary: "the values that a search tries",
        intro: "\
`choice` and the ranges and spaces have a fixed number of values; the distributions are for every search but `grid`.
Bounds are written as mapping (`{low: 0, high: 1}`), as list (`[0, 1]`), or as text in quotes (`\"0:1\"`).",
        example: "\
kind: operation
matrix:
  kind: random
  numRuns: 10
  params:
    lr: {kind: uniform, value: {low: 0.001, high: 0.1}}
    layers: {kind: range, value: [1, 5, 1]}
    optimizer: {kind: pchoice, value: [[adam, 0.8], [sgd, 0.2]]}
pathRef: ./train.yaml",
        sections: &[Kinds(HYPER_PARAMETERS)],
    },
    Page {
        file: "early-stopping.md",
        title: "Early stopping",
        summary: "when a search or a dag ends before its last run",
        intro: "\
A search stops when a metric is good enough, or when too many runs fail. A policy stops single runs that are worse than
the others.",
        example: "\
kind: operation
matrix:
  kind: grid
  params: {lr: {kind: choice, value: [0.1, 0.01, 0.001]}}
  earlyStopping:
  - {kind: metric_early_stopping, metric: loss, value: 0.05, optimization: minimize}
  - {kind: failure_early_stopping, percent: 50}
pathRef: ./train.yaml",
        sections: &[Kinds(EARLY_STOPPING), Kinds(STOPPING_POLICIES)],
    },
    Page {
        file: "schedules.md",
        title: "Schedules",
        summary: "operations that run again: cron, interval, datetime",
        intro: "A schedule starts the operation again and again, or once at a given time. Times without zone are UTC.",
        example: "\
kind: operation
schedule: {kind: cron, cron: \"0 6 * * 1-5\", maxRuns: 100, dependsOnPast: true}
pathRef: ./report.yaml",
        sections: &[Kinds(SCHEDULES)],
    },
    Page {
        file: "hooks-events-builds.md",
        title: "Hooks, events and builds",
        summary: "runs that follow, what starts an operation, images made before a run",
        intro: "\
A hook is a run that follows when this run ends.

A build is a run that makes the image before this run starts. It gets the param `destination`, by default the project and
the uuid of the run that waits (`vision:8aac02e3…`), `connection`, and the inputs of the run. Its `destination`, behind
the `url` of the connection of that param, takes the place of the image of the main container, or what the build records
itself as the artifact `destination` of the kind `docker_image`. A run whose build does not succeed ends as
`upstream_failed`, and a build that no run waits for any more is stopped. A search is built once for all of its runs, and
clones keep the image. With `cache`, a build with the same params (but `destination`) and the same code is reused.

Events start an operation when something happens to a run: to an operation of the same dag (`ops.NAME`), which need not
have ended, or to any run of the project (`runs.UUID`). The first event that happens starts the operation, once, even
when it happened before the operation was there; other dependencies are not waited for. When no event can happen any
more because the runs have ended, the operation follows its `trigger` and `dependencies`; one without `dependencies`
ends as `upstream_failed`. `run_status_*` (with `run_status_done` for any end), `run_new_artifacts`,
`run_approved_actor` and `run_invalidated_actor` happen. The other kinds, and sources that are no runs, are accepted and never happen; `polyaxon
check` warns of them.",
        example: "\
kind: operation
hooks:
- {hubRef: slack, connection: slack, trigger: failed}
events:
- {kinds: [run_status_running], ref: runs.a1b2c3d4e5f647898abcdef012345678}
build:
  hubRef: kaniko
  connection: registry
  params: {destination: {value: \"train:1.1\"}}
pathRef: ./train.yaml",
        sections: &[One(&HOOK), One(&EVENT_TRIGGER), One(&BUILD)],
    },
];
