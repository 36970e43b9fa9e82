-- +goose Up

-- What a long history is asked for. A claim writes to none of this: runs enter the indexes at their
-- end, and fires when they led to no run, or have ended.

CREATE INDEX runs_of_cron ON runs (cron, id) WHERE finished_at IS NOT NULL;
CREATE INDEX runs_of_project ON runs (project, id) WHERE finished_at IS NOT NULL;
CREATE INDEX runs_of_environment ON runs (environment, id) WHERE finished_at IS NOT NULL;
CREATE INDEX runs_of_outcome ON runs (outcome, id) WHERE finished_at IS NOT NULL;
CREATE INDEX runs_of_reason ON runs (reason, id) WHERE finished_at IS NOT NULL AND reason <> '';

-- 1 for a fire that led to no run.
ALTER TABLE fires ADD COLUMN without_run INTEGER NOT NULL DEFAULT 0;
UPDATE fires SET without_run = 1 WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.fire_id = fires.id);

CREATE INDEX fires_without_run ON fires (scheduled_at) WHERE without_run = 1;
CREATE INDEX fires_without_run_id ON fires (id) WHERE without_run = 1;
CREATE INDEX fires_without_run_of_cron ON fires (cron, scheduled_at) WHERE without_run = 1;
CREATE INDEX fires_without_run_of_project ON fires (project, scheduled_at) WHERE without_run = 1;
CREATE INDEX fires_without_run_of_outcome ON fires (outcome, scheduled_at) WHERE without_run = 1;
CREATE INDEX fires_without_run_of_reason ON fires (reason, scheduled_at) WHERE without_run = 1;

-- In the order in which they are pruned.
CREATE INDEX fires_ended ON fires (severity, scheduled_at) WHERE open_runs = 0;
