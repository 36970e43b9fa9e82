package runner

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/ledger"
)

func TestMetrics_AProjectsSeriesEndWhenItsCronLeavesIt(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	series := func() int {
		n, err := testutil.GatherAndCount(registry, "automatond_last_success_timestamp_seconds")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	on := func(projects ...string) []*job.Job {
		j := &job.Job{Name: "c"}
		for _, id := range projects {
			j.Projects = append(j.Projects, &job.Project{ID: id})
		}
		return []*job.Job{j}
	}
	known := func(project, environment string) ledger.Target {
		return ledger.Target{Cron: "c", Project: project, Environment: environment, LastSuccess: time.Unix(1, 0)}
	}
	m.Load(on("shop", "blog"), false, []ledger.Target{known("shop", "main"), known("blog", "main"), known("gone", "main")})
	if got := series(); got != 2 {
		t.Errorf("%d series of what the ledger knows, want those of the two projects", got)
	}
	run := ledger.Run{ID: "r", Cron: "c", Project: "blog", Environment: "dev"}
	m.claimed(ledger.Claimed{Fire: ledger.Fire{Cron: "c", Project: "blog", Targets: 1}, Runs: []ledger.Run{run}})
	if got := series(); got != 2 {
		t.Errorf("%d series when another environment of a project passed, want 2", got)
	}
	m.Load(on("shop"), false, nil)
	if got := series(); got != 1 {
		t.Errorf("%d series when one project is left, want 1", got)
	}
}
