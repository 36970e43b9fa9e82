-- +goose Up

-- What is suspended, and what was: a suspension that was resumed ended then. Its end is a baseline.
CREATE TABLE suspensions (
    cron         TEXT   NOT NULL PRIMARY KEY,  -- '' for all
    suspended_at BIGINT NOT NULL,
    ends_at      BIGINT,                       -- NULL until it is resumed
    note         TEXT   NOT NULL
) WITHOUT ROWID;

ALTER TABLE schedules DROP COLUMN suspended_at;
ALTER TABLE schedules DROP COLUMN suspended_until;
ALTER TABLE schedules DROP COLUMN suspended_note;
ALTER TABLE schedules DROP COLUMN resumed_at;
