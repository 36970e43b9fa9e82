-- +goose Up

-- The projects that were found out last, by where they were asked for. A start without the platform goes
-- on with them, and replicas agree on them.
CREATE TABLE discoveries (
    source    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    projects  TEXT   NOT NULL,  -- JSON: a list of {"id", "title"}
    listed_at BIGINT NOT NULL
);
