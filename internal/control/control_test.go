package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/automatond/automatond/internal/ledger"
)

// serve opens a socket in dir until the test ends.
func serve(t *testing.T, o Options) {
	t.Helper()
	o.Logger = zerolog.Nop()
	server, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestSocket_CarriesRequestsAndAnswers(t *testing.T) {
	until := time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	serve(t, Options{
		Dir: dir,
		Trigger: func(_ context.Context, in Trigger) (Asked, error) {
			return Asked{ID: in.ID, Fires: []AskedFire{{Cron: in.Cron, Project: in.Project, Slot: in.Environment, Record: "r"}}}, nil
		},
		Suspend: func(_ context.Context, in Suspend) ([]ledger.Suspension, error) {
			return []ledger.Suspension{{Cron: in.Cron, Until: in.Until, Note: in.Note}}, nil
		},
		Resume: func(_ context.Context, cron string) ([]ledger.Suspension, error) {
			return nil, errors.New("disk full: " + cron)
		},
		Reload: func(context.Context) (Reloaded, error) {
			return Reloaded{}, &Refusal{Message: "not valid", Diagnostics: []byte(`[{"line":7}]`)}
		},
	})
	client := Client{Dir: dir}
	asked, err := client.Trigger(t.Context(), Trigger{Cron: "c", Project: "p", Environment: "e", ID: "i"})
	if want := (AskedFire{"c", "p", "e", "r"}); err != nil || asked.ID != "i" || len(asked.Fires) != 1 || asked.Fires[0] != want {
		t.Errorf("Trigger = %+v, %v", asked, err)
	}
	active, err := client.Suspend(t.Context(), Suspend{Cron: AllCrons, Until: until, Note: "n"})
	if err != nil || len(active) != 1 || !active[0].All || !active[0].Until.Equal(until) || active[0].Note != "n" {
		t.Errorf("Suspend = %+v, %v", active, err)
	}
	if _, err := client.Resume(t.Context(), "c"); err == nil || err.Error() != "disk full: c" {
		t.Errorf("Resume = %v, want the daemon's error", err)
	}
	var refusal *Refusal
	if _, err := client.Reload(t.Context()); !errors.As(err, &refusal) || string(refusal.Diagnostics) != `[{"line":7}]` {
		t.Errorf("Reload = %v, want the refusal with its diagnostics", err)
	}
}

func TestListen_ReplacesASocketThatWasLeftBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, socketName)
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false) // as when a process is killed
	old.Close()
	client := Client{Dir: dir}
	if _, err := client.Reload(t.Context()); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("error %v beside a socket that was left behind, want ErrNoDaemon", err)
	}
	serve(t, Options{Dir: dir, Reload: func(context.Context) (Reloaded, error) { return Reloaded{Crons: 3}, nil }})
	if r, err := client.Reload(t.Context()); err != nil || r.Crons != 3 {
		t.Errorf("Reload = %+v, %v", r, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

func TestListen_ReachesALongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	serve(t, Options{Dir: dir, Reload: func(context.Context) (Reloaded, error) { return Reloaded{Crons: 3}, nil }})
	if r, err := (Client{Dir: dir}).Reload(t.Context()); err != nil || r.Crons != 3 {
		t.Errorf("Reload = %+v, %v", r, err)
	}
}

func TestRun_RemovesTheSocket(t *testing.T) {
	for name, below := range map[string]string{"short": "x", "long": strings.Repeat("long/", 30)} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), below)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			t.Run("serve", func(t *testing.T) { serve(t, Options{Dir: dir}) })
			if _, err := os.Lstat(filepath.Join(dir, socketName)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the socket is still there: %v", err)
			}
			if _, err := (Client{Dir: dir}).Reload(t.Context()); !errors.Is(err, ErrNoDaemon) {
				t.Errorf("error %v, want ErrNoDaemon", err)
			}
		})
	}
}
