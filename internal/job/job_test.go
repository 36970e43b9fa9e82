package job

import (
	"slices"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
	"github.com/automatond/automatond/internal/shell"
	"github.com/automatond/automatond/internal/tasks"
)

func parseSpec(t *testing.T, expr string) *cronspec.Spec {
	t.Helper()
	spec, err := cronspec.Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func task(t *testing.T, name string) tasks.Task {
	t.Helper()
	kind, ok := tasks.ByName(name)
	if !ok {
		t.Fatalf("there is no task %s", name)
	}
	return kind.New()
}

func TestJob_ScheduleSpreadsHOverProjectsApplicationsAndNames(t *testing.T) {
	base := Job{Name: "backup", Spec: parseSpec(t, "H H * * *"), Location: time.UTC}
	renamed, moved := base, base
	renamed.Name = "other"
	moved.Application = "app"
	shop := &Project{Alias: "shop", ID: "k3qz7p2m5nwya"}
	first := base.Schedule(shop).String()
	if again := base.Schedule(&Project{Alias: "renamed", ID: shop.ID}).String(); again != first {
		t.Errorf("another alias moves the schedule from %s to %s", first, again)
	}
	for what, other := range map[string]string{
		"project":     base.Schedule(&Project{ID: "a1b2c3d4e5f6g"}).String(),
		"name":        renamed.Schedule(shop).String(),
		"application": moved.Schedule(shop).String(),
	} {
		if other == first {
			t.Errorf("another %s has the same schedule %s", what, first)
		}
	}
}

func TestJob_ScheduleStaysWhereItIsWhenAnotherApplicationComes(t *testing.T) {
	alone := Job{Name: "backup", Application: "app", Spec: parseSpec(t, "H H * * *"), Location: time.UTC}
	beside := alone
	beside.Name = "app:backup"
	shop := &Project{ID: "k3qz7p2m5nwya"}
	if got, want := beside.Schedule(shop).String(), alone.Schedule(shop).String(); got != want {
		t.Errorf("it moves from %s to %s", want, got)
	}
	colon := Job{Name: ":backup", Spec: alone.Spec, Location: time.UTC}
	plain := Job{Name: "backup", Spec: alone.Spec, Location: time.UTC}
	if colon.Schedule(shop).String() == plain.Schedule(shop).String() {
		t.Error("without an application a part of the name is left out")
	}
}

func TestJob_FirstScheduleStandsForAllProjects(t *testing.T) {
	shop := &Project{ID: "k3qz7p2m5nwya"}
	j := Job{Name: "backup", Spec: parseSpec(t, "H 5 * * *"), Location: time.UTC, Projects: []*Project{shop, {ID: "b"}}}
	if got, want := j.FirstSchedule().String(), j.Schedule(shop).String(); got != want {
		t.Errorf("FirstSchedule = %s, want %s", got, want)
	}
	j.Projects = nil
	after := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if next := j.FirstSchedule().Next(after); next.Hour() != 5 {
		t.Errorf("without a project it fires at %s, want 05:xx", next)
	}
}

func TestJob_StatusesAreThoseItsFirstTaskAccepts(t *testing.T) {
	tests := map[string]struct {
		tasks []tasks.Task
		want  []string
	}{
		"script":          {nil, []string{"active"}},
		"backup":          {[]tasks.Task{task(t, "backup")}, []string{"active"}},
		"resume":          {[]tasks.Task{task(t, "resume")}, []string{"paused"}},
		"resume and more": {[]tasks.Task{task(t, "resume"), task(t, "backup")}, []string{"paused"}},
	}
	for name, tt := range tests {
		j := Job{Tasks: tt.tasks}
		if got := j.Statuses(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: Statuses = %v, want %v", name, got, tt.want)
		}
	}
	one := Job{Tasks: []tasks.Task{task(t, "backup")}}
	if n := testing.AllocsPerRun(10, func() { one.Statuses() }); n != 0 {
		t.Errorf("Statuses of one task allocates %v times", n)
	}
}

func TestJob_FingerprintChangesWithWhatItDoesOnly(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	script, problems := shell.Parse("platform backup:create --yes --no-wait")
	if script == nil {
		t.Fatal(problems)
	}
	job := func(change func(*Job)) string {
		j := Job{Name: "backup", Spec: parseSpec(t, "0 5 * * *"), Location: time.UTC, Tasks: []tasks.Task{task(t, "backup")}}
		change(&j)
		return j.Fingerprint()
	}
	base := job(func(*Job) {})
	for what, change := range map[string]func(*Job){
		"name":     func(j *Job) { j.Name = "other" },
		"projects": func(j *Job) { j.Projects = []*Project{{ID: "a"}} },
		"policies": func(j *Job) { j.Overlap, j.Timeout, j.Suspended = OverlapAllow, time.Hour, true },
		"source":   func(j *Job) { j.Source.Line = 7 },
		"no variables": func(j *Job) {
			j.Variables = map[string]string{}
		},
	} {
		if job(change) != base {
			t.Errorf("%s changes the fingerprint", what)
		}
	}
	seen := map[string]string{base: "the base"}
	for what, change := range map[string]func(*Job){
		"spec":           func(j *Job) { j.Spec = parseSpec(t, "1 5 * * *") },
		"zone":           func(j *Job) { j.Location = berlin },
		"guard":          func(j *Job) { j.Guard.Only.Status = []string{"active"} },
		"veto":           func(j *Job) { j.Guard.Except = guard.Condition{Status: []string{"active"}} },
		"application":    func(j *Job) { j.Application = "app" },
		"script":         func(j *Job) { j.Tasks, j.Script = nil, script },
		"task":           func(j *Job) { j.Tasks = []tasks.Task{task(t, "redeploy")} },
		"parameter":      func(j *Job) { j.Tasks = []tasks.Task{&tasks.Backup{Live: true}} },
		"variable":       func(j *Job) { j.Variables = map[string]string{"A": "b"} },
		"variable value": func(j *Job) { j.Variables = map[string]string{"A": "c"} },
		"variables":      func(j *Job) { j.Variables = map[string]string{"A": "b", "B": "b"} },
	} {
		got := job(change)
		if before, ok := seen[got]; ok {
			t.Errorf("%s has the fingerprint of %s", what, before)
		}
		seen[got] = what
	}
	many := func(j *Job) { j.Variables = map[string]string{"A": "1", "B": "2", "C": "3", "D": "4", "E": "5"} }
	first := job(many)
	for range 20 {
		if job(many) != first {
			t.Fatal("the order of a map shows in the fingerprint")
		}
	}
}
