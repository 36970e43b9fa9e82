package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/sandbox"
	"github.com/automatond/automatond/internal/scheduler"
)

// mishaps are what can become of the first request of two.
var mishaps = map[string]func(*world){
	"all goes well":      func(*world) {},
	"its activity fails": func(w *world) { w.sandbox.NextResult(projectA, "staging", sandbox.Failure) },
	"it is refused": func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/synchronize", Kind: sandbox.Status, Status: 403, Times: 1})
	},
	"it is in doubt": func(w *world) {
		w.sandbox.Inject(sandbox.Fault{Method: "POST", PathSuffix: "/synchronize", Kind: sandbox.ResetBefore, Times: 1})
	},
	"the environment is busy for too long": func(w *world) {
		w.sandbox.SetEnvironment(projectA, "staging", func(e *sandbox.Environment) { e.Status = "dirty" })
	},
}

func TestRunner_AsksAlikeForAScriptAndForTheStepsThatImportMakesOfIt(t *testing.T) {
	yaml := "defaults: {retries: 1, start_deadline: 1m}\ncrons:\n"
	for i, script := range []string{
		"platform sync data -y --no-wait; platform redeploy -y --no-wait",
		"platform sync data -y --wait || true; platform redeploy -y --wait",
		"cd /app && platform sync data -y --wait && platform redeploy -y --no-wait",
		"set -e; platform sync data -y --wait; platform redeploy -y --wait",
	} {
		yaml += fmt.Sprintf("    refresh-%d: {spec: '0 5 * * *', cmd: '[ \"$PLATFORM_BRANCH\" = staging ] || exit 0; %s'}\n", i, script)
	}
	inWorld(t, yaml, func(w *world) {
		scripts := w.jobs
		w.configure(imported(t, yaml))
		for i, steps := range w.jobs {
			if len(steps.Tasks) != 2 || scripts[i].Script == nil {
				t.Fatalf("%s has %d tasks, want a script that became two", steps.Name, len(steps.Tasks))
			}
			for mishap, inject := range mishaps {
				was, is := w.asked(scripts[i], inject), w.asked(steps, inject)
				if diff := cmp.Diff(was, is); diff != "" {
					t.Errorf("%s, when %s (-script +steps):\n%s", steps.Name, mishap, diff)
				}
			}
		}
	})
}

// imported is what import makes of a file.
func imported(t *testing.T, yaml string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	result, diagnostics, err := config.Import([]string{file})
	if err != nil || result == nil {
		t.Fatalf("%v %v", err, diagnostics)
	}
	return string(result.YAML)
}

// asked lists the changes that one fire of a cron asks for, and how it ends.
func (w *world) asked(j *job.Job, inject func(*world)) []string {
	w.t.Helper()
	before := len(w.sandbox.Journal())
	w.sandbox.SetEnvironment(projectA, "staging", func(e *sandbox.Environment) { e.Status = "active" })
	inject(w)
	at := time.Now().Truncate(time.Second)
	w.runner.Fire([]scheduler.Fire{{Job: j, Project: j.Projects[0], ScheduledAt: at}})
	w.wait(4 * time.Minute)
	var list []string
	for _, e := range w.sandbox.Journal()[before:] {
		if e.Method != "GET" && e.Path != "/oauth2/token" {
			list = append(list, fmt.Sprintln(e.Method, e.Path, e.Body, e.Status))
		}
	}
	fires, err := w.ledger.Fires(context.Background(), ledger.Filter{Limit: 1})
	if err != nil || len(fires) != 1 || !fires[0].ScheduledAt.Equal(at) {
		w.t.Fatalf("the newest fire is not this one: %+v, %v", fires, err)
	}
	return append(list, fmt.Sprint(fires[0].Outcome, "/", fires[0].Reason))
}
