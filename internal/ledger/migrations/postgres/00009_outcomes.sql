-- +goose Up

-- A cron, a project or an environment may have very many runs, of which few ended in one way.
DROP INDEX runs_of_cron;
DROP INDEX runs_of_project;
DROP INDEX runs_of_environment;
CREATE INDEX runs_of_cron ON runs (cron, outcome, id) WHERE finished_at IS NOT NULL;
CREATE INDEX runs_of_project ON runs (project, outcome, id) WHERE finished_at IS NOT NULL;
CREATE INDEX runs_of_environment ON runs (environment, outcome, id) WHERE finished_at IS NOT NULL;

-- Rows grow on their way to an outcome. With room left for that, new ones do not go, each by itself, into
-- the gaps that remain on the pages of a long history.
ALTER TABLE fires SET (fillfactor = 70);
ALTER TABLE runs SET (fillfactor = 70);
ALTER TABLE dispatches SET (fillfactor = 70);
