-- Runs with the same key may stand for each other.
CREATE INDEX runs_state ON runs (state, created_at) WHERE state IS NOT NULL;
