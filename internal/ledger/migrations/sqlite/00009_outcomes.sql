-- +goose Up

-- A cron, a project or an environment may have very many runs, of which few ended in one way.
DROP INDEX runs_of_cron;
DROP INDEX runs_of_project;
DROP INDEX runs_of_environment;
CREATE INDEX runs_of_cron ON runs (cron, outcome, id) WHERE finished_at IS NOT NULL;
CREATE INDEX runs_of_project ON runs (project, outcome, id) WHERE finished_at IS NOT NULL;
CREATE INDEX runs_of_environment ON runs (environment, outcome, id) WHERE finished_at IS NOT NULL;
