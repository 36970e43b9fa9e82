package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/automatond/automatond/internal/control"
	"github.com/automatond/automatond/internal/sandbox"
)

// TestRun_SendsNothingWhileItsStoreFailsAndGoesOnAfterwards takes the store away from one daemon in
// several ways. Each time two crons are asked for, one that can wait and one that cannot.
func TestRun_SendsNothingWhileItsStoreFailsAndGoesOnAfterwards(t *testing.T) {
	t.Parallel()
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: 10 * time.Millisecond}, "")
	small := mountSmall(t, s.dir)
	s.write("automatond.yaml", `
projects: {shop: {id: shopid}}
crons:
  patient: {spec: '0 5 29 2 *', only: {branches: [main]}, overlap: allow, task: {redeploy: {}}}
  hasty: {spec: '0 5 29 2 *', only: {branches: [staging]}, start_deadline: 1s, task: {backup: {}}}
`)
	d := s.start()
	d.eventually("ready", d.ready)
	away := s.data() + ".away"
	for _, fault := range []struct {
		name  string
		begin func() (mend func())
		dir   string // where the data is meanwhile
	}{
		{"locked", func() func() { return hold(t, s.data()) }, s.data()},
		{"renamed", func() func() { return rename(t, s.data(), away) }, away},
		{"full", func() func() { return fill(t, filepath.Join(s.dir, "junk")) }, s.data()},
	} {
		if fault.name == "full" && !small {
			continue
		}
		posts, failures := len(s.posts()), len(d.lines("store failed"))
		mend := fault.begin()
		for _, cron := range []string{"patient", "hasty"} {
			ask := control.Trigger{Cron: cron, ID: fault.name}
			if _, err := (control.Client{Dir: fault.dir}).Trigger(t.Context(), ask); err != nil {
				t.Fatal(err)
			}
		}
		asked := time.Now()
		d.eventually("not ready while "+fault.name, func() bool { return !d.ready() })
		d.eventually("failing while "+fault.name, func() bool { return len(d.lines("store failed")) > failures })
		d.eventually("the deadline is over", func() bool { return time.Since(asked) > time.Second })
		if n := len(s.posts()); n != posts {
			t.Errorf("%s: %d requests left without a claim", fault.name, n-posts)
		}
		mend()
		d.eventually("ready after it was "+fault.name, d.ready)
		d.eventually("the one has left and the other has ended", func() bool {
			return len(s.posts()) > posts && s.ended("hasty", fault.name) != ""
		})
		if got := s.ended("hasty", fault.name); got != "missed/deadline" {
			t.Errorf("%s: what could not wait ended %s, want missed/deadline", fault.name, got)
		}
		if n := len(s.posts()); n != posts+1 {
			t.Errorf("%s: %d requests afterwards, want 1", fault.name, n-posts)
		}
	}
	d.stop()
	contains(t, s.mustCommand("ledger", "check"), "is sound")
}

// ended returns how the run of a cron ended that was asked for under an id, "" while it has not.
func (s *site) ended(cron, id string) string {
	s.t.Helper()
	var records []struct{ Manual, Outcome, Reason string }
	if err := json.Unmarshal([]byte(s.mustCommand("runs", "--cron", cron, "-o", "json")), &records); err != nil {
		s.t.Fatal(err)
	}
	for _, r := range records {
		if r.Manual == id && r.Outcome != "" {
			return r.Outcome + "/" + r.Reason
		}
	}
	return ""
}

// mountSmall puts a small disk on a directory, if the test may do so.
func mountSmall(t *testing.T, dir string) bool {
	if syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m,mode=700") != nil {
		return false
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return true
}

// fill leaves no room on the disk of a file.
func fill(t *testing.T, name string) (mend func()) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for page := make([]byte, 4096); err == nil; {
		_, err = file.Write(page)
	}
	if err := errors.Join(err, file.Close()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// hold keeps the ledger's write lock, as a stuck tool of the operator's would.
func hold(t *testing.T, dir string) (mend func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "ledger.db")+"?_busy_timeout=5000") // the daemon may be writing
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err == nil {
		_, err = conn.ExecContext(context.Background(), "BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(conn.Close(), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func rename(t *testing.T, from, to string) (back func()) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(to, from); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRun_LeavesADamagedLedgerAndSaysWhatToDo(t *testing.T) {
	at := justNow()
	s := newSite(t, sandbox.Options{Open: true}, hourly(1, at))
	s.owe(at.Add(-time.Minute))
	damaged := bytes.Repeat([]byte("damaged "), 4096)
	s.write("data/ledger.db", string(damaged))
	d := s.start()
	d.refuses()
	contains(t, d.log.String(), "is damaged and was left as it is: stop automatond, restore the file from a backup")
	if now, err := os.ReadFile(filepath.Join(s.data(), "ledger.db")); err != nil || !bytes.Equal(now, damaged) {
		t.Errorf("the damaged file was changed: %v", err)
	}
	if n := len(s.posts()); n != 0 || strings.Contains(d.log.String(), `"started"`) {
		t.Errorf("%d requests left, and it has started", n)
	}
}
