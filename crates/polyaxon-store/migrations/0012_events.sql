-- What must happen to the upstream run for the downstream run to begin, in the words of `events`.
ALTER TABLE run_edges ADD COLUMN events TEXT;
CREATE INDEX run_edges_told ON run_edges (upstream_id) WHERE events IS NOT NULL;
CREATE INDEX run_edges_listening ON run_edges (downstream_id) WHERE events IS NOT NULL;

-- Whether an operation waits for events.
ALTER TABLE pipeline_children ADD COLUMN listens BOOLEAN NOT NULL DEFAULT FALSE;
