package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/plan"
	"github.com/automatond/automatond/internal/platform"
)

// guardsConfig has the two forms of one guard.
const guardsConfig = `crons:
    declared:
        spec: '0 5 * * *'
        only:
            branches: [master]
        task:
            backup: {}
    shell:
        spec: '0 5 * * *'
        cmd: |
            if [ "$PLATFORM_BRANCH" = master ]; then
                platform snapshot:create --yes --no-wait
            fi
`

// guardFigures are the cost of one decision that a guard ended.
type guardFigures struct {
	Cron   string   `json:"cron"`
	Time   duration `json:"seconds_per_decision"`
	Bytes  int64    `json:"bytes_per_decision"`
	Allocs int64    `json:"allocations_per_decision"`
}

// measureGuards decides both crons, in this process, on a branch that neither may run on.
func measureGuards(ctx context.Context, dir string) ([]guardFigures, error) {
	file := filepath.Join(dir, "guards.yaml")
	if err := os.WriteFile(file, []byte(guardsConfig), 0o600); err != nil {
		return nil, err
	}
	cfg, diagnostics := config.Load(config.Input{
		Paths: []string{file}, Offline: true,
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if cfg == nil {
		return nil, fmt.Errorf("load the guards: %w", diagnostics)
	}
	target := plan.NewTarget(&job.Project{ID: "k3qz7p2m5nwya"}, "master", &platform.Environment{
		ID: "feature/x", Name: "feature/x", MachineName: "feature-x-7rqtwti", Type: "development",
		Status: "active", Project: "k3qz7p2m5nwya",
	})
	var list []guardFigures
	for _, j := range cfg.Jobs {
		if d := plan.Decide(ctx, j, target); d.Action != plan.Skip || d.Reason != plan.ReasonGuard {
			return list, fmt.Errorf("cron %q: got decision %s (%s), want a skip by its guard", j.Name, d.Action, d.Message)
		}
		result := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				plan.Decide(ctx, j, target)
			}
		})
		if result.N == 0 {
			return list, errors.New("the guard's benchmark did not run")
		}
		list = append(list, guardFigures{
			Cron:   j.Name,
			Time:   duration(result.T / time.Duration(result.N)),
			Bytes:  result.AllocedBytesPerOp(),
			Allocs: result.AllocsPerOp(),
		})
	}
	return list, nil
}
