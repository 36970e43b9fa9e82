-- +goose Up

-- Which dispatch an activity belongs to, for as long as a request may be in doubt that left before it
-- was recorded. Activities' ids are random: over a whole history each answer would write to a page of
-- its own.
CREATE TABLE recent_activities (
    project     TEXT NOT NULL,
    id          TEXT NOT NULL,
    run_id      TEXT NOT NULL,
    ordinal     INTEGER NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (project, id)
) WITHOUT ROWID;

-- In the order in which they are forgotten.
CREATE INDEX recent_activities_recorded ON recent_activities (recorded_at);

INSERT INTO recent_activities (project, id, run_id, ordinal, recorded_at)
    SELECT project, id, run_id, ordinal, CAST(unixepoch('subsec') * 1000000 AS INTEGER)
    FROM activities WHERE run_id IN (SELECT id FROM runs WHERE finished_at IS NULL OR finished_at >=
        (SELECT min(claimed_at) FROM runs WHERE finished_at IS NULL) - 3600000000);

DROP TABLE activities;

-- When the request of the present attempt was answered.
ALTER TABLE dispatches ADD COLUMN answered_at BIGINT;
