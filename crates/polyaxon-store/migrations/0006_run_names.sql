-- Lists in the order of names, with runs without a name first.
DROP INDEX runs_name;
--sqlite CREATE INDEX runs_by_name ON runs (project_id, live_state, name, id);
--postgres CREATE INDEX runs_by_name ON runs (project_id, live_state, name NULLS FIRST, id NULLS FIRST);
