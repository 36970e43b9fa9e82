package runner

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/sandbox"
	"github.com/automatond/automatond/internal/secret"
	"github.com/automatond/automatond/internal/tasks"
)

// faulty is what has to be said of each kind of the catalogue to try it under faults: its section, and
// the state in which staging can do it.
var faulty = map[string]struct {
	task   string
	before func(*sandbox.Environment)
	// underway is whether it needs an activity under way, which then takes longer than the test.
	underway bool
}{
	"backup":           {task: "{}"},
	"redeploy":         {task: "{}"},
	"synchronize":      {task: "{data: true}"},
	"source_operation": {task: "{operation: update}"},

	"pause":              {task: "{}"},
	"resume":             {task: "{}", before: func(e *sandbox.Environment) { e.Status = "paused" }},
	"activate":           {task: "{}", before: func(e *sandbox.Environment) { e.Status = "inactive" }},
	"deactivate":         {task: "{}"},
	"environment_delete": {task: "{}", before: func(e *sandbox.Environment) { e.Status = "inactive" }},
	"deploy_type":        {task: "{type: manual}"},
	"activity_cancel":    {task: "{types: [cron]}", underway: true},
	"project_info":       {task: "{description: New}"},
	"environment_info":   {task: "{title: New}"}, // there is no activity for it

	"deploy":          {task: "{}", before: func(e *sandbox.Environment) { e.HasStagedActivities = true }},
	"http_access":     {task: "{enabled: true}"},
	"operation":       {task: "{operation: clear-cache}"},
	"variable_set":    {task: "{name: A, value: b}"},
	"variable_create": {task: "{name: A, value: b}"},
	"variable_update": {task: "{name: OLD, level: project, value: new}"},

	"domain_add":         {task: "{name: new.example}"},
	"domain_delete":      {task: "{name: staging.example}"},
	"certificate_add":    {task: "{certificate_file: " + testFile("certificate.pem") + ", key_file: " + testFile("key.pem") + "}"},
	"certificate_delete": {task: "{certificate: c1}"},
	"autoscaling_set":    {task: "{service: app, instances_max: 4}"},

	"variable_delete":   {task: "{name: OLD, level: project}"},
	"variable_enable":   {task: "{name: OFF}"},
	"variable_disable":  {task: "{name: ON}"},
	"backup_restore":    {task: "{backup: b1}"},
	"backup_delete":     {task: "{backup: b1}"},
	"backup_verify":     {task: "{max_age: 26h}"},
	"branch":            {task: "{name: new}"},
	"merge":             {task: "{}"},
	"clear_build_cache": {task: "{}"},
	"task_run":          {task: "{task: migrate}"},
	"resources_set":     {task: "{counts: {app: 2}}"},
	"api":               {task: "{method: POST, path: 'environments/{environment}/redeploy', witness: environment.redeploy}"},
}

// TestRunner_AnswersEachFaultAsItsTaskDemands lets each fault strike each task of the catalogue. What
// must come of it depends on one thing only: whether the task does harm when it is done twice.
func TestRunner_AnswersEachFaultAsItsTaskDemands(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a hundred worlds")
	}
	const found, lost = "succeeded/", "unknown/in_doubt"
	for name, tt := range map[string]struct {
		skew    time.Duration // of the platform's clock
		strike  func(*world)
		sent    int           // requests that arrive with a valid token
		outcome string        // of a task that must not be done twice
		again   bool          // a task that may is sent once more, and succeeds
		apart   time.Duration // between the first two requests, at least
	}{
		"lost after it was executed":  {strike: strike(sandbox.Fault{Kind: sandbox.ResetAfter}), sent: 1, outcome: found},
		"lost before it was executed": {strike: strike(sandbox.Fault{Kind: sandbox.ResetBefore}), sent: 1, outcome: lost, again: true, apart: time.Minute},
		"half a body":                 {strike: strike(sandbox.Fault{Kind: sandbox.Truncated}), sent: 1, outcome: found},
		"30 s of 503":                 {strike: unavailable, sent: 1, outcome: lost, again: true, apart: 30 * time.Second},
		"429": {
			strike: strike(sandbox.Fault{Kind: sandbox.Status, Status: 429, RetryAfter: 20 * time.Second}),
			sent:   2, outcome: found, apart: 20 * time.Second,
		},
		"token revoked":               {strike: revoke, sent: 0, outcome: "failed/auth"},
		"token revoked and replaced":  {strike: replace, sent: 1, outcome: found},
		"lost, the clock 90 s ahead":  {skew: 90 * time.Second, strike: strike(sandbox.Fault{Kind: sandbox.ResetAfter}), sent: 1, outcome: found},
		"lost, the clock 90 s behind": {skew: -90 * time.Second, strike: strike(sandbox.Fault{Kind: sandbox.ResetAfter}), sent: 1, outcome: found},
	} {
		for _, kind := range tasks.Catalogue() {
			t.Run(name+"/"+kind.Name, func(t *testing.T) {
				t.Parallel()
				given, ok := faulty[kind.Name]
				if !ok {
					t.Fatal("nobody has said how to try it under faults")
				}
				outcome, sent := tt.outcome, tt.sent
				switch {
				case kind.ReadOnly && outcome != "failed/auth":
					outcome, sent = found, 0
				case tt.again && kind.Repeatable:
					outcome, sent = found, sent+1
				}
				inPreparedWorld(t, onStaging+"    task: {"+kind.Name+": "+given.task+"}\n", func(w *world) {
					duration := 20 * time.Second
					if given.underway {
						duration = time.Hour
					}
					w.simulate(sandbox.Options{ActivityDuration: duration, ClockSkew: tt.skew})
					w.sandbox.AddVariable(projectA, "", sandbox.Variable{Name: "OLD", Value: "old"})
					w.sandbox.AddVariable(projectA, "staging", sandbox.Variable{Name: "OFF", Value: "old"})
					w.sandbox.AddVariable(projectA, "staging", sandbox.Variable{Name: "ON", Value: "old", Enabled: true})
					w.addDomainsAndCertificate()
					w.sandbox.AddBackup(projectA, "staging", sandbox.Backup{ID: "b1", CreatedAt: time.Now()})
					if given.underway {
						w.sandbox.StartActivity(projectA, "staging", "environment.cron", "somebody")
					}
					w.token = secret.FromFile(filepath.Join(w.dir, "token"))
					w.putToken(token)
					if given.before != nil {
						w.sandbox.SetEnvironment(projectA, "staging", given.before)
					}
				}, func(w *world) {
					if _, err := w.runner.Inventory.Environments(context.Background(), projectA, 0); err != nil {
						t.Fatal(err)
					}
					tt.strike(w)
					w.fire()
					w.wait(4 * time.Minute)
					w.wantSent(sent, tt.apart)
					if got := strings.Join(w.outcomes(), " "); got != outcome {
						t.Errorf("ended %q, want %q\n%s", got, outcome, w.logs)
					}
					executed := 0
					if outcome == found && !kind.ReadOnly {
						executed = 1
					}
					if got := w.changes(); len(got) != executed {
						t.Errorf("%q took effect, want %d", got, executed)
					}
				})
			})
		}
	}
}

// strike lets a fault befall the next request that changes something.
func strike(f sandbox.Fault) func(*world) {
	return func(w *world) {
		for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete} {
			next := f
			next.Method, next.Match = method, "/projects/"
			w.sandbox.Inject(next)
		}
	}
}

// unavailable lets every request fail for half a minute.
func unavailable(w *world) {
	strike(sandbox.Fault{Kind: sandbox.Status, Status: 503})(w)
	go func() {
		time.Sleep(time.Second / 2) // so that what a task looks up before it is sent is still read
		w.sandbox.Inject(sandbox.Fault{Kind: sandbox.Status, Status: 503, Times: -1})
		time.Sleep(30 * time.Second)
		w.sandbox.ClearFaults()
	}()
}

func revoke(w *world) {
	w.sandbox.RevokeToken(token)
	w.sandbox.ExpireAccessTokens()
}

// replace revokes the token that is in use, when its successor is in the file already.
func replace(w *world) {
	revoke(w)
	const successor = token + "-either"
	w.sandbox.AddToken(sandbox.User{Token: successor, ID: "automation-id", Name: "automation"})
	w.putToken(successor)
}

func (w *world) putToken(text string) {
	w.t.Helper()
	if err := os.WriteFile(w.token.File, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// wantSent holds the requests that were to change something against their number, and the time between
// the first two.
func (w *world) wantSent(want int, apart time.Duration) {
	w.t.Helper()
	var at []time.Time
	for _, e := range w.sandbox.Journal() {
		if e.Method != http.MethodGet && strings.Contains(e.Path, "/projects/") && e.Status != http.StatusUnauthorized {
			at = append(at, e.At)
		}
	}
	if len(at) != want {
		w.t.Errorf("%d requests arrived, want %d", len(at), want)
	}
	if len(at) > 1 && at[1].Sub(at[0]) < apart {
		w.t.Errorf("the second request came %s after the first, want at least %s", at[1].Sub(at[0]), apart)
	}
}
