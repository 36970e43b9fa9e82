package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/config"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/sandbox"
)

var (
	yamlBlock    = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")
	anyBlock     = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```")
	shBlock      = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")
	fileName     = regexp.MustCompile(`\A# ([\w.]+\.yaml)\n`)
	consoleBlock = regexp.MustCompile("(?ms)^```console\n(.*?)^```")
)

// TestDocs_ConfigurationsLoad loads every configuration that the pages show.
func TestDocs_ConfigurationsLoad(t *testing.T) {
	for _, page := range []string{"README.md", "docs/guards.md", "docs/shell.md"} {
		loaded := 0
		for i, block := range yamlBlocks(t, page) {
			if !strings.HasPrefix(block, "crons:") && !strings.Contains(block, "\ncrons:") {
				continue
			}
			file := filepath.Join(t.TempDir(), "automatond.yaml")
			if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, diagnostics := config.Load(config.Input{Paths: []string{file}, Offline: true})
			if cfg == nil {
				t.Errorf("%s: block %d: %v", page, i+1, diagnostics)
			}
			loaded++
		}
		if loaded == 0 {
			t.Errorf("%s shows no configuration", page)
		}
	}
}

// TestDocs_CommandsPrintWhatTheyShow runs the README's automatond commands beside its first
// configuration and the files that begin with their name, and compares their output with the
// README's.
func TestDocs_CommandsPrintWhatTheyShow(t *testing.T) {
	blocks := yamlBlocks(t, "README.md")
	files := map[string]string{"automatond.yaml": blocks[0]}
	for _, block := range blocks {
		if name := fileName.FindStringSubmatch(block); name != nil {
			files[name[1]] = block
		}
	}
	ran := 0
	for _, block := range consoleBlock.FindAllStringSubmatch(readPage(t, "README.md"), -1) {
		ran += compareCommands(t, files, block[1])
	}
	if ran == 0 {
		t.Error("the README shows no command of automatond")
	}
}

// TestDocs_GuardsAreExplainedAsShown runs each command of docs/guards.md on the configuration above
// it.
func TestDocs_GuardsAreExplainedAsShown(t *testing.T) {
	config, ran := "", 0
	for _, block := range anyBlock.FindAllStringSubmatch(readPage(t, "docs/guards.md"), -1) {
		switch block[1] {
		case "yaml":
			config = block[2]
		case "console":
			ran += compareCommands(t, map[string]string{"automatond.yaml": config}, block[2])
		}
	}
	if ran == 0 {
		t.Error("the page shows no command of automatond")
	}
}

// TestDocs_ImportPrintsWhatItShows runs the commands of docs/import.md beside the file it shows.
func TestDocs_ImportPrintsWhatItShows(t *testing.T) {
	files := map[string]string{".platform.app.yaml": yamlBlocks(t, "docs/import.md")[0]}
	ran := 0
	for _, block := range consoleBlock.FindAllStringSubmatch(readPage(t, "docs/import.md"), -1) {
		ran += compareCommands(t, files, block[1])
	}
	if ran == 0 {
		t.Error("the page shows no command of automatond")
	}
}

// compareCommands runs the automatond commands of a console block beside some files, compares what
// they print with what the block shows, and returns how many there are.
func compareCommands(t *testing.T, files map[string]string, console string) int {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, example := range strings.Split("\n"+console, "\n$ ")[1:] {
		line, want, _ := strings.Cut(example, "\n")
		args, ok := strings.CutPrefix(line, "automatond ")
		if !ok {
			continue
		}
		cmd := exec.Command(os.Args[0], strings.Fields(args)...)
		cmd.Dir, cmd.Env = dir, []string{beTheDaemon + "=1"}
		got, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if diff := gocmp.Diff(strings.TrimSpace(want), strings.TrimSpace(string(got))); diff != "" {
			t.Errorf("%s (-page +command):\n%s", line, diff)
		}
		ran++
	}
	return ran
}

// loadBlocks loads the configurations of a page and returns their crons.
func loadBlocks(t *testing.T, text string) []*job.Job {
	t.Helper()
	var jobs []*job.Job
	for _, block := range yamlBlock.FindAllStringSubmatch(text, -1) {
		file := filepath.Join(t.TempDir(), "automatond.yaml")
		if err := os.WriteFile(file, []byte(block[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diagnostics := config.Load(config.Input{Paths: []string{file}, Offline: true})
		if cfg == nil || diagnostics.Count(config.Warning) > 0 {
			t.Fatalf("%s\n%v", block[1], diagnostics)
		}
		jobs = append(jobs, cfg.Jobs...)
	}
	return jobs
}

var (
	helpLine  = regexp.MustCompile(`(?m)^# HELP (automatond_\w+) `)
	metricRow = regexp.MustCompile("(?m)^\\| `(automatond_\\w+)` \\|")
)

// TestDocs_NameEveryMetric holds the table of docs/metrics.md against a daemon that has run a cron.
func TestDocs_NameEveryMetric(t *testing.T) {
	t.Parallel()
	at := justNow()
	yaml := strings.Replace(hourly(1, at), "crons:", "crons:\n  aged: {spec: '0 5 1 1 *', max_success_age: 400h, task: {backup: {}}}", 1)
	yaml = strings.Replace(yaml, "projects:", "projects:\n  acme: {organization: acme}", 1)
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: time.Second}, yaml)
	s.owe(at.Add(-time.Minute))
	d := s.start()
	d.eventually("an outcome", func() bool { return len(d.lines("run ended")) > 0 })
	web, _ := d.addresses()
	_, page := d.get(web + "/metrics")
	d.stop()
	if diff := gocmp.Diff(names(metricRow, readPage(t, "docs/metrics.md")), names(helpLine, page)); diff != "" {
		t.Errorf("metrics (-docs/metrics.md +daemon):\n%s", diff)
	}
}

// names lists what an expression finds, in order.
func names(e *regexp.Regexp, text string) []string {
	var list []string
	for _, m := range e.FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	slices.Sort(list)
	return list
}

func yamlBlocks(t *testing.T, page string) []string {
	t.Helper()
	var blocks []string
	for _, block := range yamlBlock.FindAllStringSubmatch(readPage(t, page), -1) {
		blocks = append(blocks, block[1])
	}
	return blocks
}

func readPage(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
