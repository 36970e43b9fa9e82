-- +goose Up

-- Whether something else is under way to an environment is asked for each request in doubt. After a
-- crash there may be as many of those as there are open runs, so neither question may look at all of them.

-- Overlap is decided by this index as before: only the order of its columns has changed.
DROP INDEX runs_open;
CREATE UNIQUE INDEX runs_open ON runs (project, environment, cron, lane) WHERE finished_at IS NULL;

-- The requests on their way that may go elsewhere than to their run's environment. Those of declared
-- tasks have no dedupe, go there, and cost nothing here.
CREATE INDEX dispatches_elsewhere ON dispatches (project, environment)
    WHERE state = 'dispatching' AND dedupe IS NOT NULL;
