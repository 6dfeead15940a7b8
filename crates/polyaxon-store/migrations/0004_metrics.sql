-- The numbers among the outputs of runs, one row each; written with the outputs.
CREATE TABLE run_metrics (
    name TEXT NOT NULL,
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    value DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (name, run_id)
) {clustered};
CREATE INDEX run_metrics_run ON run_metrics (run_id);
--sqlite INSERT INTO run_metrics (name, run_id, value)
--sqlite     SELECT e.key, r.id, e.value FROM runs r, json_each(r.outputs) e
--sqlite     WHERE e.type IN ('integer', 'real') AND length(e.key) <= 200;
--postgres INSERT INTO run_metrics (name, run_id, value)
--postgres     SELECT e.key, r.id, CAST(e.value #>> '{}' AS DOUBLE PRECISION) FROM runs r, jsonb_each(r.outputs) e
--postgres     WHERE jsonb_typeof(r.outputs) = 'object' AND jsonb_typeof(e.value) = 'number' AND length(e.key) <= 200;

-- Which runs changed, in the order of commits: readers keep what they know about runs up to date with it. Only the
-- newest numbers are kept; a reader that missed some begins anew.
CREATE TABLE run_changes (
    seq {pk},
    run_id BIGINT NOT NULL
);
--sqlite CREATE TRIGGER runs_inserted AFTER INSERT ON runs BEGIN
--sqlite     INSERT INTO run_changes (run_id) VALUES (NEW.id);
--sqlite END;
--sqlite CREATE TRIGGER runs_updated AFTER UPDATE ON runs BEGIN
--sqlite     INSERT INTO run_changes (run_id) VALUES (NEW.id);
--sqlite END;
--sqlite CREATE TRIGGER runs_deleted AFTER DELETE ON runs BEGIN
--sqlite     INSERT INTO run_changes (run_id) VALUES (OLD.id);
--sqlite END;
--sqlite CREATE TRIGGER run_changes_trimmed AFTER INSERT ON run_changes WHEN NEW.seq % 1024 = 0 BEGIN
--sqlite     DELETE FROM run_changes WHERE seq <= NEW.seq - 65536;
--sqlite END;
--postgres CREATE FUNCTION note_run_change() RETURNS trigger LANGUAGE plpgsql AS $$
--postgres DECLARE number BIGINT;
--postgres BEGIN
--postgres     INSERT INTO run_changes (run_id) VALUES (coalesce(NEW.id, OLD.id)) RETURNING seq INTO number;
--postgres     IF number % 1024 = 0 THEN
--postgres         DELETE FROM run_changes WHERE seq <= number - 65536;
--postgres     END IF;
--postgres     RETURN NULL;
--postgres END $$;
--postgres CREATE TRIGGER runs_changed AFTER INSERT OR UPDATE OR DELETE ON runs
--postgres     FOR EACH ROW EXECUTE FUNCTION note_run_change();
