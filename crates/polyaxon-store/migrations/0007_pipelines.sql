-- What decisions about a pipeline depend on, counted as it happens, so that no decision looks at all of its children.

CREATE TABLE pipelines (
    run_id BIGINT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    -- The dag or matrix around it, whose limits hold for it as well.
    parent_id BIGINT,
    life BIGINT NOT NULL DEFAULT 0,
    -- Children there will be, those that were looked at in this life, those that exist.
    expected BIGINT NOT NULL,
    position BIGINT NOT NULL DEFAULT 0,
    created BIGINT NOT NULL DEFAULT 0,
    -- Children that ended, by how they did.
    succeeded BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    broken BIGINT NOT NULL DEFAULT 0,
    upstream_failed BIGINT NOT NULL DEFAULT 0,
    stopped BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    -- Children that are prepared or wait for a slot; working descendants that wait for a slot or have one.
    preparing BIGINT NOT NULL DEFAULT 0,
    queued BIGINT NOT NULL DEFAULT 0,
    leaves BIGINT NOT NULL DEFAULT 0,
    -- What the runs of a schedule are made of.
    plan TEXT
);
CREATE INDEX pipelines_parent ON pipelines (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE pipeline_children (
    run_id BIGINT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    pipeline_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    -- waiting (for upstreams), ready, released, decided (its trigger cannot come true)
    state TEXT NOT NULL,
    trigger_rule TEXT NOT NULL,
    on_skip BOOLEAN NOT NULL,
    -- Direct upstreams, and those that ended, by how they did; bad ones break what was to follow them.
    upstreams BIGINT NOT NULL,
    succeeded BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    stopped BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    bad BIGINT NOT NULL DEFAULT 0,
    -- The end that was counted, above and in its downstreams.
    counted TEXT,
    counted_bad BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX pipeline_children_state ON pipeline_children (pipeline_id, state, position);
CREATE INDEX runs_pipeline_status ON runs (pipeline_id, status, created_at) WHERE pipeline_id IS NOT NULL;
DROP INDEX runs_pipeline;
