-- +goose Up

-- What came of a dispatch's attempts before this one (a JSON array), and when it is due again. It
-- stays set while that attempt is made.
ALTER TABLE dispatches ADD COLUMN earlier TEXT;
ALTER TABLE dispatches ADD COLUMN retry_at BIGINT;
