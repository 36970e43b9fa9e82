package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/config"
)

var (
	yamlBlock    = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")
	consoleBlock = regexp.MustCompile("(?ms)^```console\n(.*?)^```")
)

// TestDocs_ConfigurationsLoad loads every configuration that the pages show.
func TestDocs_ConfigurationsLoad(t *testing.T) {
	for _, page := range []string{"README.md", "docs/shell.md"} {
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

// TestDocs_CommandsPrintWhatTheyShow runs the README's automatond commands on its first
// configuration, and compares their output with the README's.
func TestDocs_CommandsPrintWhatTheyShow(t *testing.T) {
	dir := t.TempDir()
	first := yamlBlocks(t, "README.md")[0]
	if err := os.WriteFile(filepath.Join(dir, "automatond.yaml"), []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, block := range consoleBlock.FindAllStringSubmatch(readPage(t, "README.md"), -1) {
		for _, example := range strings.Split("\n"+block[1], "\n$ ")[1:] {
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
			if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(string(got))); diff != "" {
				t.Errorf("%s (-README +command):\n%s", line, diff)
			}
			ran++
		}
	}
	if ran == 0 {
		t.Error("the README shows no command of automatond")
	}
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
