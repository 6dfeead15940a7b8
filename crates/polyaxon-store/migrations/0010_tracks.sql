-- The metrics of runs over time, as far as the policies of their pipeline compare them.

CREATE TABLE tracks (
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    -- The place of the policy in `earlyStopping`.
    policy BIGINT NOT NULL,
    pipeline_id BIGINT NOT NULL,
    -- The values came from event files, otherwise from outputs.
    from_events BOOLEAN NOT NULL,
    -- The run was stopped by a policy once; when somebody lets it go on, that holds.
    exempt BOOLEAN NOT NULL DEFAULT FALSE,
    -- Values that came; then the step of the last number, the best, the sum and how many there are.
    taken BIGINT NOT NULL,
    last_step BIGINT,
    best DOUBLE PRECISION NOT NULL,
    total DOUBLE PRECISION NOT NULL,
    numbers BIGINT NOT NULL,
    PRIMARY KEY (run_id, policy)
) {clustered};
CREATE INDEX tracks_pipeline ON tracks (pipeline_id, policy, last_step);

-- How a run stood at the checkpoints at which something was new.
CREATE TABLE marks (
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    policy BIGINT NOT NULL,
    step BIGINT NOT NULL,
    best DOUBLE PRECISION NOT NULL,
    mean DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (run_id, policy, step)
) {clustered};

-- How often something of its tracks changed, and up to which change its runs were judged.
ALTER TABLE pipelines ADD COLUMN heard BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pipelines ADD COLUMN judged BIGINT NOT NULL DEFAULT 0;
CREATE INDEX pipelines_to_judge ON pipelines (run_id) WHERE heard <> judged;
