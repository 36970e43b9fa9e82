-- The schema of the version with the same number in ../sqlite; what the columns mean stands there.
-- The text of keys sorts by its bytes, whatever the database's own collation: slots and ids must
-- sort as their times do.

-- +goose Up

CREATE TABLE fires (
    slot         TEXT COLLATE "C" NOT NULL,
    cron         TEXT COLLATE "C" NOT NULL,
    project      TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    scheduled_at BIGINT  NOT NULL,
    claimed_at   BIGINT  NOT NULL,
    owner        TEXT COLLATE "C" NOT NULL,
    open_runs    INTEGER NOT NULL,
    severity     INTEGER NOT NULL,
    outcome      TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    message      TEXT    NOT NULL,
    targets      INTEGER NOT NULL,
    not_run      TEXT,
    missed_from  BIGINT,
    missed_count BIGINT  NOT NULL,
    PRIMARY KEY (slot, cron, project)
);

CREATE TABLE runs (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    fire_id        TEXT COLLATE "C" NOT NULL,
    environment    TEXT COLLATE "C" NOT NULL,
    cron           TEXT COLLATE "C" NOT NULL,
    project        TEXT COLLATE "C" NOT NULL,
    slot           TEXT COLLATE "C" NOT NULL,
    lane           TEXT COLLATE "C" NOT NULL,
    scheduled_at   BIGINT  NOT NULL,
    start_deadline BIGINT,
    deadline       BIGINT,
    claimed_at     BIGINT  NOT NULL,
    finished_at    BIGINT,
    tracking       INTEGER NOT NULL,
    outcome        TEXT    NOT NULL,
    reason         TEXT    NOT NULL,
    message        TEXT    NOT NULL,
    owner          TEXT COLLATE "C" NOT NULL,
    snapshot       TEXT
);

CREATE UNIQUE INDEX runs_fire ON runs (fire_id, environment);

CREATE UNIQUE INDEX runs_open ON runs (cron, project, environment, lane) WHERE finished_at IS NULL;

CREATE TABLE dispatches (
    run_id       TEXT COLLATE "C" NOT NULL,
    ordinal      INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    params       TEXT,
    project      TEXT COLLATE "C" NOT NULL,
    environment  TEXT COLLATE "C" NOT NULL,
    slot         TEXT COLLATE "C" NOT NULL,
    dedupe       TEXT COLLATE "C",
    attempts     INTEGER NOT NULL,
    sent_at      BIGINT,
    settle_at    BIGINT,
    status_code  INTEGER NOT NULL,
    outcome      TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    message      TEXT    NOT NULL,
    exit_status  INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    activities   TEXT,
    command_line TEXT,
    PRIMARY KEY (run_id, ordinal)
);

CREATE UNIQUE INDEX dispatches_dedupe ON dispatches (slot, dedupe) WHERE dedupe IS NOT NULL;

CREATE TABLE activities (
    project TEXT COLLATE "C" NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    run_id  TEXT COLLATE "C" NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (project, id)
);

CREATE TABLE replicas (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    host        TEXT   NOT NULL,
    config_hash TEXT   NOT NULL,
    started_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

CREATE TABLE schedules (
    cron          TEXT COLLATE "C" NOT NULL,
    project       TEXT COLLATE "C" NOT NULL,
    hash          TEXT,
    first_seen_at BIGINT,
    edited_at     BIGINT,
    removed_at    BIGINT,
    watermark     BIGINT,
    PRIMARY KEY (cron, project)
);

CREATE TABLE targets (
    cron              TEXT COLLATE "C" NOT NULL,
    project           TEXT COLLATE "C" NOT NULL,
    environment       TEXT COLLATE "C" NOT NULL,
    last_scheduled_at BIGINT NOT NULL,
    last_success_at   BIGINT,
    PRIMARY KEY (cron, project, environment)
);

CREATE TABLE suspensions (
    cron         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    suspended_at BIGINT NOT NULL,
    ends_at      BIGINT,
    note         TEXT   NOT NULL
);

CREATE TABLE heartbeat (
    id      INTEGER NOT NULL PRIMARY KEY,
    beat_at BIGINT  NOT NULL
);
