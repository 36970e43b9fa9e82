-- +goose Up

-- Which installation this ledger is, and the one environment that it is for. One row.
CREATE TABLE installation (
    singleton  INTEGER NOT NULL PRIMARY KEY,  -- 1
    id         TEXT    NOT NULL,
    project    TEXT    NOT NULL,              -- '' when it is for no one environment
    branch     TEXT    NOT NULL,
    created_at BIGINT  NOT NULL
);
