-- Notifications about the ends of runs: who is told, and how that went.
-- `due_at` is when one is tried next; nothing once it was sent or given up.
CREATE TABLE notifications (
    id {pk},
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    life BIGINT NOT NULL,
    status TEXT NOT NULL,
    connection TEXT NOT NULL,
    condition {json} NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT,
    claimed_by TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    sent_at BIGINT,
    error TEXT,
    UNIQUE (run_id, life, status, connection)
);
CREATE INDEX notifications_due ON notifications (due_at, id) WHERE due_at IS NOT NULL;
