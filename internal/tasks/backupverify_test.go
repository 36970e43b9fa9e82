package tasks

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/automatond/automatond/internal/platform"
)

func TestBackupVerify_WantsARecentBackupThatCanBeRestored(t *testing.T) {
	const list = testEnvironment + "/backups"
	for name, tt := range map[string]struct {
		automated *bool
		backups   string
		reason    string
		message   string
	}{
		"recent": {backups: `[{"id":"b2","created_at":"1999-12-31T12:30:00.123456+00:00"},{"id":"b1","created_at":"1999-01-01T00:00:00Z"}]`,
			reason: "already", message: "b2 of 1999-12-31 12:30 UTC, is 11h29m old"},
		"as old as may be": {backups: `[{"id":"b1","created_at":"1999-12-31T00:00:00+00:00"}]`, reason: "already", message: "is 24h old"},
		"too old":          {backups: `[{"id":"b1","created_at":"1999-12-30T23:58:00+00:00"}]`, reason: "missing", message: "b1 of 1999-12-30 23:58 UTC, is 24h2m old, more than 24h"},
		"in no order": {backups: `[{"id":"b1","created_at":"1999-01-01T00:00:00Z"},{"id":"b2","created_at":"1999-12-31T12:00:00+02:00"}]`,
			reason: "already", message: "b2"},
		"recent but of no use": {backups: `[{"id":"b2","created_at":"1999-12-31T12:00:00Z","restorable":false},{"id":"b1","created_at":"1999-12-01T00:00:00Z"}]`,
			reason: "missing", message: "b1"},
		"being deleted":           {backups: `[{"id":"b1","created_at":"1999-12-31T12:00:00Z","status":"DELETING"}]`, reason: "missing", message: "has no backup"},
		"of an unknown age":       {backups: `[{"id":"b1","created_at":null}]`, reason: "missing", message: "has no backup"},
		"none":                    {backups: `[]`, reason: "missing", message: `environment "x" has no backup that can be restored`},
		"manual, automated asked": {new(true), `[{"id":"b1","created_at":"1999-12-31T12:00:00Z"}]`, "missing", "has no automated backup"},
		"manual, manual asked":    {new(false), `[{"id":"b1","created_at":"1999-12-31T12:00:00Z"}]`, "already", "the newest manual backup"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // it is midnight, and the year 2000 begins
				env := &platform.Environment{ID: "x", Status: "active"}
				task := &BackupVerify{MaxAge: Duration(24 * time.Hour), Automated: tt.automated}
				_, err := Prepare(task, env, resources(map[string]string{list: tt.backups}))
				refusal, ok := errors.AsType[*Refusal](err)
				if !ok || refusal.Reason != tt.reason || !strings.Contains(refusal.Message, tt.message) {
					t.Errorf("got %+v, want %s: %s", err, tt.reason, tt.message)
				}
			})
		})
	}
}
