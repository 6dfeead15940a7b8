-- Who executes runs. A server performs the actions that it has claimed; an agent asks for runs and holds them by lease.

CREATE TABLE servers (
    id TEXT PRIMARY KEY,
    address TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);

CREATE TABLE agents (
    id {pk},
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    tags {json},
    live_state BIGINT NOT NULL DEFAULT 1,
    namespace TEXT,
    version TEXT,
    version_api {json},
    settings {json},
    status TEXT NOT NULL,
    status_conditions {json} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    seen_at BIGINT,
    instance BIGINT,
    strays {json},
    content TEXT
);

ALTER TABLE runs ADD COLUMN executor_id TEXT;
ALTER TABLE runs ADD COLUMN lease_until BIGINT;
ALTER TABLE runs ADD COLUMN checked_at BIGINT;
ALTER TABLE runs ADD COLUMN cleaned_at BIGINT;
ALTER TABLE runs ADD COLUMN beat_at BIGINT;
ALTER TABLE runs ADD COLUMN misses BIGINT NOT NULL DEFAULT 0;

DROP INDEX runs_attempts;
CREATE INDEX runs_attempts ON runs (executor_id, id) WHERE attempt_live;
CREATE INDEX runs_pending ON runs (pending) WHERE pending IS NOT NULL;
CREATE INDEX runs_archived ON runs (archived_at) WHERE archived_at IS NOT NULL AND live_state = 0;
CREATE INDEX runs_deleting ON runs (deleted_at) WHERE live_state = -1;
CREATE INDEX runs_beats ON runs (beat_at) WHERE beat_at IS NOT NULL AND finished_at IS NULL;

ALTER TABLE actions ADD COLUMN claimed_by TEXT;
ALTER TABLE actions ADD COLUMN needs_executor BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE actions SET needs_executor = TRUE WHERE CAST(action AS TEXT) LIKE '%"launch"%' OR CAST(action AS TEXT) LIKE '%"stop"%';
DROP INDEX actions_open;
CREATE INDEX actions_open ON actions (claimed_by, id) WHERE done_at IS NULL;
