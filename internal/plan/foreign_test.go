package plan_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/plan"
)

// contexts are where every file is planned.
var contexts = []plan.Offline{
	{Branch: "main", MachineName: "main-bvxea6i", EnvironmentType: "production"},
	{Branch: "master", MachineName: "master-7rqtwti", EnvironmentType: "production", Variables: map[string]string{"RUN_CRON": "Yes"}},
	{Branch: "main", MachineName: "main-abcdefg", EnvironmentType: "production", Variables: map[string]string{"PLATFORM_MODE": "enterprise", "S3_BACKUP": "On"}},
	{Branch: "staging", MachineName: "staging-5em2ouy", EnvironmentType: "staging", Variables: map[string]string{"RUN_CRON": "No", "UPDATES_ENVIRONMENT": "staging"}},
	{Branch: "feature/x-1", MachineName: "feature-x-1-abcdefg", EnvironmentType: "development"},
	{Branch: "updates", MachineName: "updates-abcdefg", EnvironmentType: "development", Variables: map[string]string{"UPDATES_ENVIRONMENT": "updates"}},
	{Branch: "dev", Variables: map[string]string{"RUN_CRON": "Yes"}}, // of which nothing else is known
	{Branch: "a/b/c-*", MachineName: "a-b-c-1234567", EnvironmentType: "development", Variables: map[string]string{"RUN_CRON": "-n"}},
}

// shapes are files as people have them.
func shapes(t *testing.T) []txtar.File {
	t.Helper()
	var files []txtar.File
	for _, name := range []string{"testdata/foreign.txtar", "testdata/shapes.txtar"} {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(archive.Files) < 80 {
			t.Errorf("only %d files in %s", len(archive.Files), name)
		}
		for _, f := range archive.Files {
			// The archive cannot hold a carriage return.
			f.Data = bytes.ReplaceAll(f.Data, []byte("@CR@"), []byte("\r"))
			files = append(files, f)
		}
	}
	return files
}

// TestOffline_CallsWhatDashCallsInFilesAsTheyAre plans every file in every
// context, and runs its scripts under dash there, with the CLI and all other programs played.
func TestOffline_CallsWhatDashCallsInFilesAsTheyAre(t *testing.T) {
	d := newDash(t)
	files := shapes(t)
	var batch []sample
	for _, f := range files {
		batch = append(batch, samplesOf(t, f.Data)...)
	}
	calls := d.run(t, batch)
	dir := t.TempDir()
	planned, dispatched, closed := 0, 0, 0
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			jobs := foreign(t, dir, string(f.Data))
			want := map[string][]string{}
			for range samplesOf(t, f.Data) {
				want[batch[0].name] = calls[0]
				batch, calls = batch[1:], calls[1:]
			}
			for i, context := range contexts {
				context.Project = "abc123"
				for _, cron := range context.For(t.Context(), jobs).Crons {
					planned++
					made, ok := want[fmt.Sprint(i, " ", cron.Cron)]
					delete(want, fmt.Sprint(i, " ", cron.Cron))
					switch {
					case !ok:
						t.Errorf("there is no cron %s in the file", cron.Cron)
					case strings.Contains(cron.Message, "which is not set"):
						// The one difference that is meant: dash compares with nothing.
						closed++
						made = nil
					case len(made) > 0:
						dispatched++
					}
					if diff := cmp.Diff(made, shown(cron.Calls)); diff != "" {
						t.Errorf("cron %s in context %d, %s: %s (-dash +plan):\n%s", cron.Cron, i+1, context.Branch, cron.Message, diff)
					}
				}
			}
			for name := range want {
				t.Errorf("context and cron %s are not planned", name)
			}
		})
	}
	t.Logf("%d files, %d decisions, %d with calls, %d skipped because something is not set", len(files), planned, dispatched, closed)
}

// TestLoad_ReadsAnApplicationAlikeInEveryLayout writes the files with one application in the layouts
// for several.
func TestLoad_ReadsAnApplicationAlikeInEveryLayout(t *testing.T) {
	dir := t.TempDir()
	for _, f := range shapes(t) {
		if !strings.HasPrefix(f.Name, "app/") {
			continue
		}
		want := described(foreign(t, dir, string(f.Data)))
		for layout, text := range map[string]string{
			"list":    "-\n" + indented(f.Data),
			"section": "app:\n" + indented(f.Data),
			"upsun":   "applications:\n    app:\n" + indented([]byte(indented(f.Data))),
		} {
			if diff := cmp.Diff(want, described(foreign(t, dir, text))); diff != "" {
				t.Errorf("%s as a %s (-file +layout):\n%s", f.Name, layout, diff)
			}
		}
	}
}

func indented(text []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		b.WriteString("    " + line)
	}
	return b.String()
}

func described(jobs []*job.Job) []string {
	var list []string
	for _, j := range jobs {
		list = append(list, fmt.Sprint(j.Application, " ", j.Name, " ", j.Spec, " ", j.Location, " ", j.Timeout, " ", j.Hash, " ", j.Left))
	}
	return list
}

// foreign loads a file of the vendor's, whatever it is called.
func foreign(t *testing.T, dir, text string) []*job.Job {
	t.Helper()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diagnostics := config.Load(config.Input{Paths: []string{file}, Offline: true})
	if cfg == nil {
		t.Fatalf("%s\n%v", text, diagnostics)
	}
	return cfg.Jobs
}

// sample is a script and what it finds in its environment.
type sample struct {
	name string // the context's index and the cron
	src  string
	vars map[string]string
}

// samplesOf reads a file's scripts without package config, in every context.
func samplesOf(t *testing.T, data []byte) []sample {
	t.Helper()
	var file any
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var list []sample
	applications := applicationsOf(file)
	for name, a := range applications {
		crons, _ := a["crons"].(map[string]any)
		for cron, section := range crons {
			if len(applications) > 1 {
				cron = name + ":" + cron
			}
			for i, context := range contexts {
				vars := variables(context)
				vars["PLATFORM_APPLICATION_NAME"] = name
				list = append(list, sample{fmt.Sprint(i, " ", cron), startOf(section.(map[string]any)), vars})
			}
		}
	}
	slices.SortFunc(list, func(a, b sample) int { return strings.Compare(a.name, b.name) })
	return list
}

func applicationsOf(file any) map[string]map[string]any {
	found := map[string]map[string]any{}
	switch file := file.(type) {
	case []any:
		for i, item := range file {
			a, _ := item.(map[string]any)
			name, ok := a["name"].(string)
			if !ok && len(file) > 1 {
				name = fmt.Sprint(i)
			}
			found[name] = a
		}
	case map[string]any:
		if _, ok := file["type"].(string); ok {
			found[file["name"].(string)] = file
			break
		}
		if a, ok := file["applications"].(map[string]any); ok {
			file = a
		}
		for name, a := range file {
			if a, ok := a.(map[string]any); ok && name[0] != '.' {
				found[name] = a
			}
		}
	}
	return found
}

func startOf(cron map[string]any) string {
	if text, ok := cron["cmd"].(string); ok {
		return text
	}
	if text, ok := cron["commands"].(string); ok {
		return text
	}
	text, _ := cron["commands"].(map[string]any)["start"].(string) // or it is in another file
	return text
}

func shown(calls [][]string) []string {
	var list []string
	for _, words := range calls {
		list = append(list, strings.Join(words, "|"))
	}
	return list
}

// dash runs scripts under the real dash, in a directory that plays the container: the CLI records its
// arguments, some wrappers pass a command on, and every other program does nothing.
type dash struct{ path, root string }

// newDash skips the test on a machine without dash, but not in CI, where the comparison has to be
// made.
func newDash(t *testing.T) dash {
	t.Helper()
	path, err := exec.LookPath("dash")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("dash is not installed, and CI=true: the comparison with dash has to be made")
		}
		t.Skip("dash is not installed, so there is nothing to compare with")
	}
	d := dash{path, t.TempDir()}
	const cli = `name=${0##*/}; { printf '%s' "${name%.phar}"; [ $# = 0 ] || printf '|%s' "$@"; echo; } >&3`
	for _, name := range []string{"bin/platform", "bin/upsun", "app/.platformsh/bin/platform", "app/.upsun/bin/upsun", "app/platform.phar", "app/vendor/bin/platform"} {
		d.program(t, name, cli)
	}
	d.program(t, "bin/croncape", `while getopts e:f:t:v _; do :; done; shift $((OPTIND - 1)); exec "$@"`)
	d.program(t, "bin/php", `while getopts d:c: _; do :; done; shift $((OPTIND - 1)); case "${1##*/}" in platform*) exec "$@" ;; esac`)
	d.program(t, "bin/chronic", `exec "$@"`)
	for _, name := range []string{"tee", "logger"} {
		d.program(t, "bin/"+name, "while read -r _; do :; done")
	}
	for _, name := range []string{"bash", "drush", "npm", "wp"} {
		d.program(t, "bin/"+name, ":")
	}
	for _, name := range []string{"timeout", "nice", "ionice", "nohup", "setsid", "stdbuf", "flock", "env"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(d.root, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d dash) program(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(d.root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("#!"+d.path+"\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// appDir is the container's directory of the application.
var appDir = regexp.MustCompile(`(^|[\s"'=(])/app\b`)

// value is one of a variable's, which may be secret, in a call.
var value = regexp.MustCompile(`(\|--value[|=])[^|]*`)

// run runs scripts in subshells of one process, and returns the calls of each.
func (d dash) run(t *testing.T, batch []sample) [][]string {
	t.Helper()
	b := strings.Builder{}
	b.WriteString("exec 3>&1 >/dev/null 2>&1 </dev/null\n")
	for _, name := range []string{"platform", "upsun"} {
		fmt.Fprintf(&b, "%s() { { printf %%s %[1]s; printf '|%%s' \"$@\"; echo; } >&3; }\n", name)
	}
	for _, s := range batch {
		b.WriteString("(\n")
		for name, value := range s.vars {
			fmt.Fprintf(&b, "export %s=%s\n", name, quoted(value))
		}
		fmt.Fprintf(&b, "eval %s\n)\necho >&3\n", quoted(appDir.ReplaceAllString(s.src, "${1}"+d.root+"/app")))
	}
	file := filepath.Join(d.root, "batch")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.path, file)
	app := d.root + "/app"
	cmd.Dir, cmd.Env = app, []string{"PATH=" + d.root + "/bin", "HOME=" + app, "PLATFORM_APP_DIR=" + app}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	calls := make([][]string, 0, len(batch))
	var made []string
	for line := range strings.Lines(string(out)) {
		if line != "\n" {
			made = append(made, value.ReplaceAllString(strings.TrimSuffix(line, "\n"), "${1}<redacted>"))
			continue
		}
		calls, made = append(calls, made), nil
	}
	if len(calls) != len(batch) {
		t.Fatalf("dash ended after %d of %d scripts", len(calls), len(batch))
	}
	return calls
}

// variables are those of the container that is described.
func variables(o plan.Offline) map[string]string {
	vars := maps.Clone(o.Variables)
	if vars == nil {
		vars = map[string]string{}
	}
	for name, value := range map[string]string{
		"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": o.Branch,
		"PLATFORM_ENVIRONMENT": o.MachineName, "PLATFORM_ENVIRONMENT_TYPE": o.EnvironmentType,
	} {
		if value != "" {
			vars[name] = value
		}
	}
	return vars
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
