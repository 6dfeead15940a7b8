-- One row a project and hour; `updated_at` is when it was last taken.
ALTER TABLE project_stats ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
DROP INDEX project_stats_series;
CREATE UNIQUE INDEX project_stats_series ON project_stats (project_id, created_at);
