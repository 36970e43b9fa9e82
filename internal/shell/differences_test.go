package shell

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// snippet is a script of testdata/dash.txtar.
type snippet struct {
	name string
	row  string // of the table in docs/shell.md that allows it to differ, or empty
	src  string
}

func snippets(t testing.TB) []snippet {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/dash.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var list []snippet
	for _, f := range archive.Files {
		name, row, _ := strings.Cut(f.Name, " | ")
		// The archive cannot hold a carriage return.
		list = append(list, snippet{name, row, strings.ReplaceAll(strings.TrimSuffix(string(f.Data), "\n"), "@CR@", "\r")})
	}
	return list
}

// TestScript_DoesWhatItDoesUnderDash runs every snippet in every context, and
// in one of them as the platform does, in a process of its own.
func TestScript_DoesWhatItDoesUnderDash(t *testing.T) {
	d := newDash(t)
	list := snippets(t)
	refused := refusedRows(t)
	var batch []sample
	for _, s := range list {
		for _, c := range contexts {
			batch = append(batch, sample{s.src, c.vars})
		}
	}
	traces := d.batch(t, batch)
	for i, s := range list {
		of := i * len(contexts)
		one := i % len(contexts)
		traces[of+one] = d.run(t, batch[of+one])
		t.Run(s.name, func(t *testing.T) {
			if s.row == "" {
				agree(t, batch[of:of+len(contexts)], traces[of:])
			} else if script, _ := Parse(s.src); refused[s.row] && script != nil {
				t.Errorf("%s\nis said to be refused (%s), and is not", s.src, s.row)
			} else if !differs(t, batch[of:of+len(contexts)], traces[of:]) {
				t.Errorf("%s\nis said to differ (%s), and does not", s.src, s.row)
			}
		})
	}
}

func agree(t *testing.T, samples []sample, want []trace) {
	t.Helper()
	for i, s := range samples {
		script, problems := Parse(s.src)
		if script == nil {
			t.Fatalf("%s\nis refused: %+v", s.src, problems)
		}
		got, result, stopped := s.here(t)
		if want[i].invalid {
			got.status = want[i].status
		}
		if !got.equal(want[i]) || stopped {
			t.Errorf("%s\nin %s: got %q and status %d\ndash %q and status %d\nresult %+v",
				s.src, contexts[i].name, got.calls, got.status, want[i].calls, want[i].status, result)
		}
	}
}

// differs reports whether a snippet is refused, stopped, or does something
// else than under dash in any context.
func differs(t *testing.T, samples []sample, want []trace) bool {
	for i, s := range samples {
		if script, _ := Parse(s.src); script == nil {
			return true
		}
		if got, _, stopped := s.here(t); stopped || want[i].invalid || !got.equal(want[i]) {
			return true
		}
	}
	return false
}

var tableRow = regexp.MustCompile(`(?m)^\| \*\*(.+?)\*\* \|.* \| (.+) \| .+ \|$`)

// tableRows returns the table of docs/shell.md: what each row is called, and what is done here.
func tableRows(t *testing.T) (rows [][2]string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/shell.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range tableRow.FindAllStringSubmatch(string(page), -1) {
		rows = append(rows, [2]string{m[1], m[2]})
	}
	return rows
}

// refusedRows returns the rows of which everything is refused at load.
func refusedRows(t *testing.T) map[string]bool {
	t.Helper()
	refused := map[string]bool{}
	for _, row := range tableRows(t) {
		refused[row[0]] = row[1] == "refused at load"
	}
	return refused
}

// TestDocs_TellEveryDifference holds the table of docs/shell.md against the
// snippets that are allowed to differ.
func TestDocs_TellEveryDifference(t *testing.T) {
	var rows, shown []string
	for _, row := range tableRows(t) {
		rows = append(rows, row[0])
	}
	plain := 0
	for _, s := range snippets(t) {
		if s.row == "" {
			plain++
		} else {
			shown = append(shown, s.row)
		}
	}
	slices.Sort(rows)
	slices.Sort(shown)
	if diff := cmp.Diff(rows, slices.Compact(shown)); diff != "" {
		t.Errorf("differences from dash (-docs/shell.md +testdata/dash.txtar):\n%s", diff)
	}
	if plain < 250 {
		t.Errorf("only %d snippets are compared", plain)
	}
}

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")

// TestDocs_SnippetsRun parses the scripts that docs/shell.md shows and compares
// them with dash.
func TestDocs_SnippetsRun(t *testing.T) {
	page, err := os.ReadFile("../../docs/shell.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := shellBlock.FindAllStringSubmatch(string(page), -1)
	if len(blocks) == 0 {
		t.Fatal("docs/shell.md shows no script")
	}
	d := newDash(t)
	for i, block := range blocks {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			var samples []sample
			for _, c := range contexts {
				samples = append(samples, sample{block[1], c.vars})
			}
			agree(t, samples, d.batch(t, samples))
		})
	}
}
