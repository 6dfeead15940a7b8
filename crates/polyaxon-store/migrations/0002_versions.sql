-- Conditions and contents are texts: what was given comes back as it was given, in its order.
CREATE TABLE project_versions (
    id {pk},
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    run_id BIGINT REFERENCES runs (id) ON DELETE SET NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    tags {json},
    stage TEXT NOT NULL,
    state TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    stage_conditions TEXT NOT NULL,
    readme TEXT,
    content TEXT,
    UNIQUE (project_id, kind, name)
);
CREATE INDEX project_versions_list ON project_versions (project_id, kind, updated_at, id);
CREATE INDEX project_versions_state ON project_versions (state) WHERE state IS NOT NULL;
CREATE INDEX project_versions_run ON project_versions (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX runs_component ON runs (component_state) WHERE component_state IS NOT NULL;

-- What a version promotes of its run; a link that is removed from the run goes here as well.
CREATE TABLE version_artifacts (
    version_id BIGINT NOT NULL REFERENCES project_versions (id) ON DELETE CASCADE,
    link_id BIGINT NOT NULL REFERENCES run_artifacts (id) ON DELETE CASCADE,
    PRIMARY KEY (version_id, link_id)
);
CREATE INDEX version_artifacts_link ON version_artifacts (link_id);

-- Numbers of a project at moments; taken hourly while its runs change.
CREATE TABLE project_stats (
    id {pk},
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    snapshot TEXT NOT NULL
);
CREATE INDEX project_stats_series ON project_stats (project_id, created_at);
