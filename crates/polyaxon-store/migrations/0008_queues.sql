-- Queues of agents. The agent inside of the server has the id of nobody; a default queue has the id of its agent.
CREATE TABLE queues (
    id {pk},
    uuid TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    tags {json},
    priority BIGINT NOT NULL DEFAULT 0,
    concurrency BIGINT,
    resource TEXT,
    quota TEXT,
    live_state BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (agent, name)
);
INSERT INTO queues (uuid, agent, name, created_at, updated_at)
    VALUES ('00000000000000000000000000000000', '00000000000000000000000000000000', 'default', 0, 0);
INSERT INTO queues (uuid, agent, name, created_at, updated_at)
    SELECT uuid, uuid, 'default', created_at, created_at FROM agents WHERE uuid <> '00000000000000000000000000000000';

-- 0 is the default queue of whoever takes the run. The devices of a run are its own while its attempt lives.
ALTER TABLE runs ADD COLUMN queue_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN queued_at BIGINT;
ALTER TABLE runs ADD COLUMN devices TEXT;
UPDATE runs SET queued_at = updated_at WHERE status = 'queued';
CREATE INDEX runs_waiting_by_hand ON runs (queue_id, priority DESC, queued_at, id)
    WHERE status = 'queued' AND pipeline_id IS NULL;
CREATE INDEX runs_waiting_by_pipelines ON runs (queue_id, priority DESC, queued_at, id)
    WHERE status = 'queued' AND pipeline_id IS NOT NULL;
CREATE INDEX runs_unschedulable ON runs (id) WHERE status = 'unschedulable';
ALTER TABLE servers ADD COLUMN capacity TEXT;
