-- Big texts stand last in a table, so that reading the columns before them touches no overflow pages.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE projects (
    id {pk},
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    tags {json},
    live_state BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT,
    deleted_at BIGINT,
    readme TEXT
);
CREATE INDEX projects_list ON projects (live_state, updated_at, id);

CREATE TABLE runs (
    id {pk},
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id),
    name TEXT,
    kind TEXT NOT NULL,
    runtime TEXT,
    status TEXT NOT NULL,
    managed_by TEXT NOT NULL,
    pending TEXT,
    live_state BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    schedule_at BIGINT,
    archived_at BIGINT,
    deleted_at BIGINT,
    wait_time DOUBLE PRECISION,
    duration DOUBLE PRECISION,
    pipeline_id BIGINT REFERENCES runs (id) ON DELETE SET NULL,
    controller_id BIGINT REFERENCES runs (id) ON DELETE SET NULL,
    original_id BIGINT REFERENCES runs (id) ON DELETE SET NULL,
    cloning_kind TEXT,
    state TEXT,
    component_state TEXT,
    namespace TEXT,
    priority BIGINT NOT NULL DEFAULT 0,
    attempt BIGINT NOT NULL DEFAULT 0,
    attempt_live BOOLEAN NOT NULL DEFAULT FALSE,
    cpu DOUBLE PRECISION NOT NULL DEFAULT 0,
    memory DOUBLE PRECISION NOT NULL DEFAULT 0,
    gpu DOUBLE PRECISION NOT NULL DEFAULT 0,
    custom DOUBLE PRECISION NOT NULL DEFAULT 0,
    cost DOUBLE PRECISION NOT NULL DEFAULT 0,
    tags {json},
    meta_info {json} NOT NULL,
    inputs {json},
    outputs {json},
    control {json} NOT NULL,
    description TEXT,
    readme TEXT,
    raw_content TEXT,
    content TEXT,
    submission {json}
);
-- The order of lists, then what they are filtered by most, so that only the rows of a page are looked at.
CREATE INDEX runs_list ON runs (project_id, live_state, updated_at, id, created_at, status, kind, name);
CREATE INDEX runs_created ON runs (project_id, live_state, created_at);
CREATE INDEX runs_name ON runs (name) WHERE name IS NOT NULL;
CREATE INDEX runs_status ON runs (status, created_at);
CREATE INDEX runs_attempts ON runs (id) WHERE attempt_live;
CREATE INDEX runs_pipeline ON runs (pipeline_id) WHERE pipeline_id IS NOT NULL;
CREATE INDEX runs_controller ON runs (controller_id) WHERE controller_id IS NOT NULL;
CREATE INDEX runs_original ON runs (original_id) WHERE original_id IS NOT NULL;

CREATE TABLE status_conditions (
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    condition {json} NOT NULL,
    PRIMARY KEY (run_id, seq)
);

CREATE TABLE actions (
    id {pk},
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    action {json} NOT NULL,
    created_at BIGINT NOT NULL,
    done_at BIGINT,
    UNIQUE (run_id, seq)
);
CREATE INDEX actions_open ON actions (id) WHERE done_at IS NULL;
CREATE INDEX actions_open_of_run ON actions (run_id) WHERE done_at IS NULL;

CREATE TABLE artifacts (
    id {pk},
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    path TEXT,
    summary {json} NOT NULL,
    UNIQUE (name, state)
);

CREATE TABLE run_artifacts (
    id {pk},
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    artifact_id BIGINT NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    is_input BOOLEAN,
    UNIQUE (run_id, artifact_id)
);
CREATE INDEX run_artifacts_artifact ON run_artifacts (artifact_id);

CREATE TABLE run_edges (
    id {pk},
    upstream_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    downstream_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    param_values {json},
    statuses {json},
    UNIQUE (upstream_id, downstream_id, kind)
);
CREATE INDEX run_edges_downstream ON run_edges (downstream_id);

CREATE TABLE run_bookmarks (
    run_id BIGINT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    enabled BOOLEAN NOT NULL
);

CREATE TABLE project_bookmarks (
    project_id BIGINT PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    enabled BOOLEAN NOT NULL
);
