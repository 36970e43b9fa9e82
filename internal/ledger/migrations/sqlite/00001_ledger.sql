-- Times are Unix microseconds in UTC. Keys begin with what grows with time (slots, ids), so that
-- the rows of one burst lie together at the end of each tree instead of all over it.

-- +goose Up

-- One row for each cron, project and slot; whoever inserts it owns the fire.
CREATE TABLE fires (
    slot         TEXT    NOT NULL,
    cron         TEXT    NOT NULL,
    project      TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    scheduled_at BIGINT  NOT NULL,
    claimed_at   BIGINT  NOT NULL,
    owner        TEXT    NOT NULL,
    open_runs    INTEGER NOT NULL,  -- the outcome below is final when this is 0
    severity     INTEGER NOT NULL,  -- of the outcome, 0 for none
    outcome      TEXT    NOT NULL,  -- worst of the runs that ended so far
    reason       TEXT    NOT NULL,
    message      TEXT    NOT NULL,
    targets      INTEGER NOT NULL,
    not_run      TEXT,              -- JSON object, reason to count
    missed_from  BIGINT,
    missed_count INTEGER NOT NULL,
    PRIMARY KEY (slot, cron, project)
) WITHOUT ROWID;

CREATE TABLE runs (
    id             TEXT   NOT NULL PRIMARY KEY,
    fire_id        TEXT   NOT NULL,
    environment    TEXT   NOT NULL,
    cron           TEXT   NOT NULL,
    project        TEXT   NOT NULL,
    slot           TEXT   NOT NULL,
    lane           TEXT   NOT NULL,  -- '' for an exclusive run, else its id
    scheduled_at   BIGINT NOT NULL,
    start_deadline BIGINT,
    deadline       BIGINT,
    claimed_at     BIGINT NOT NULL,
    finished_at    BIGINT,           -- NULL while open
    tracking       INTEGER NOT NULL, -- 1 when it was moved to tracking by itself; see its dispatches' last
    outcome        TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    message        TEXT   NOT NULL,
    owner          TEXT   NOT NULL,
    snapshot       TEXT
) WITHOUT ROWID;

CREATE UNIQUE INDEX runs_fire ON runs (fire_id, environment);

-- Overlap is decided here. The index holds open runs only, so it also finds those quickly.
CREATE UNIQUE INDEX runs_open ON runs (cron, project, environment, lane) WHERE finished_at IS NULL;

CREATE TABLE dispatches (
    run_id       TEXT    NOT NULL,
    ordinal      INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    params       TEXT,
    project      TEXT    NOT NULL,
    environment  TEXT    NOT NULL,
    slot         TEXT    NOT NULL,  -- the run's
    dedupe       TEXT,              -- NULL for a duplicate, and where the run's key is enough
    attempts     INTEGER NOT NULL,
    sent_at      BIGINT,
    settle_at    BIGINT,
    status_code  INTEGER NOT NULL,
    outcome      TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    message      TEXT    NOT NULL,
    exit_status  INTEGER NOT NULL,
    last         INTEGER NOT NULL,  -- 1 when no other dispatch of the run will follow
    activities   TEXT,              -- JSON array
    command_line TEXT,              -- JSON array
    PRIMARY KEY (run_id, ordinal)
) WITHOUT ROWID;

-- What the runs of one slot ask for once between them.
CREATE UNIQUE INDEX dispatches_dedupe ON dispatches (slot, dedupe) WHERE dedupe IS NOT NULL;

-- Which dispatch an activity belongs to: one in the whole ledger.
CREATE TABLE activities (
    project TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    run_id  TEXT    NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (project, id)
) WITHOUT ROWID;

CREATE TABLE replicas (
    id          TEXT   NOT NULL PRIMARY KEY,
    host        TEXT   NOT NULL,
    config_hash TEXT   NOT NULL,
    started_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL  -- by the database's clock
) WITHOUT ROWID;

CREATE TABLE schedules (
    cron            TEXT NOT NULL,
    project         TEXT NOT NULL,
    hash            TEXT,    -- NULL until the cron was seen in a configuration
    first_seen_at   BIGINT,
    edited_at       BIGINT,
    removed_at      BIGINT,  -- when it left the configuration; NULL while it is there
    watermark       BIGINT,  -- newest scheduled time among its fires
    suspended_at    BIGINT,
    suspended_until BIGINT,
    suspended_note  TEXT,
    resumed_at      BIGINT,
    PRIMARY KEY (cron, project)
) WITHOUT ROWID;

CREATE TABLE targets (
    cron              TEXT   NOT NULL,
    project           TEXT   NOT NULL,
    environment       TEXT   NOT NULL,
    last_scheduled_at BIGINT NOT NULL,
    last_success_at   BIGINT,
    PRIMARY KEY (cron, project, environment)
) WITHOUT ROWID;

-- One row, written to find out whether writing works.
CREATE TABLE heartbeat (
    id      INTEGER NOT NULL PRIMARY KEY,
    beat_at BIGINT  NOT NULL
);
