-- What a search learned from earlier runs when it began, and how often a child of a pipeline was let go on after its end.
ALTER TABLE pipelines ADD COLUMN experience TEXT;
ALTER TABLE pipelines ADD COLUMN reopened BIGINT NOT NULL DEFAULT 0;
