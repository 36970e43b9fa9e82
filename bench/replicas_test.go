package main

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/automatond/automatond/internal/postgrestest"
)

// TestDaemonRound_GivesEveryRoundAnEmptyStore runs two rounds of the stand-in, which fails when its
// store is not empty.
func TestDaemonRound_GivesEveryRoundAnEmptyStore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.store = postgrestest.URL(t)
	before := schemas(t, b.store)
	for range 2 {
		at := time.Now().Add(1500 * time.Millisecond)
		writeScript(t, b.dir, at, "")
		if _, err := b.daemonRoundAt(t.Context(), at, 1, 1, projectIDs("p", 1), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if after := schemas(t, b.store); after != before {
		t.Errorf("%d schemas are left of what were %d", after, before)
	}
}

func schemas(t *testing.T, store string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_namespace").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
