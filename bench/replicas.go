package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// replicas are the daemons of one round: one with a ledger of its own, or one or several that share
// one in PostgreSQL.
type replicas []*daemon

// startReplicas starts daemons on a configuration file, one after the other, with an empty ledger.
func (b *bench) startReplicas(ctx context.Context, dir, config string, count int) (replicas, error) {
	var more []string
	if b.store != "" {
		schema := filepath.Base(dir)
		if err := b.execute(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize()); err != nil {
			return nil, err
		}
		more = []string{"--store", inSchema(b.store, schema)}
	}
	var all replicas
	for i := range count {
		own := filepath.Join(dir, strconv.Itoa(i))
		err := os.Mkdir(own, 0o700)
		var d *daemon
		if err == nil {
			d, err = b.startDaemon(ctx, own, config, more...)
		}
		if err != nil {
			return nil, errors.Join(err, all.kill())
		}
		all = append(all, d)
	}
	return all, nil
}

// describeStore says what the ledgers of dispatch are kept in, "" for files.
func (b *bench) describeStore(ctx context.Context) (text string, err error) {
	if b.store == "" {
		return "", nil
	}
	conn, err := pgx.Connect(ctx, b.store)
	if err != nil {
		return "", fmt.Errorf("connect to the store: %w", err)
	}
	err = conn.QueryRow(ctx, `SELECT format('PostgreSQL %s, fsync %s',
		current_setting('server_version'), current_setting('fsync'))`).Scan(&text)
	return text, errors.Join(err, conn.Close(ctx))
}

// dropLedger removes what the replicas of a directory have left in PostgreSQL.
func (b *bench) dropLedger(ctx context.Context, dir string) error {
	if b.store == "" {
		return nil
	}
	return b.execute(context.WithoutCancel(ctx), "DROP SCHEMA "+pgx.Identifier{filepath.Base(dir)}.Sanitize()+" CASCADE")
}

func (b *bench) execute(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, b.store)
	if err != nil {
		return fmt.Errorf("connect to the store: %w", err)
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// inSchema is the URL of a store whose tables are in a schema. The store was connected to, so its URL
// can be read.
func inSchema(store, schema string) string {
	u, err := url.Parse(store)
	if err != nil {
		return store
	}
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	return u.String()
}

func (r replicas) cpu() (sum time.Duration, err error) {
	for _, d := range r {
		used, failed := d.process.cpu()
		sum, err = sum+used, errors.Join(err, failed)
	}
	return sum, err
}

func (r replicas) gone() error {
	for _, d := range r {
		if err := d.gone(); err != nil {
			return err
		}
	}
	return nil
}

func (r replicas) explain(err error) error { return r[0].explain(err) }

func (r replicas) stop() (err error) {
	for _, d := range r {
		err = errors.Join(err, d.stop())
	}
	return err
}

func (r replicas) kill() (err error) {
	for _, d := range r {
		err = errors.Join(err, d.kill())
	}
	return err
}
