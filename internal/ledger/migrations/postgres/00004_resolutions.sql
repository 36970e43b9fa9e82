-- +goose Up

-- What people said of runs that were in doubt.
CREATE TABLE resolutions (
    run_id      TEXT   NOT NULL PRIMARY KEY,
    resolved_at BIGINT NOT NULL,
    resolved_by TEXT   NOT NULL,
    outcome     TEXT   NOT NULL,
    note        TEXT   NOT NULL
);

-- The requests that are, or remained, in doubt. There are few of them.
CREATE INDEX dispatches_in_doubt ON dispatches (run_id)
    WHERE state = 'in_doubt' OR outcome = 'unknown' AND reason = 'in_doubt';
