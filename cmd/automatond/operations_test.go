package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/ledger"
	"github.com/automatond/automatond/internal/sandbox"
)

const operationsPage = "docs/operations.md"

// TestOperations_CommandsPrintWhatTheyShow runs the page's commands, in their order, beside a daemon
// with the page's configuration.
func TestOperations_CommandsPrintWhatTheyShow(t *testing.T) {
	t.Parallel()
	s := newSite(t, sandbox.Options{Open: true, ActivityDuration: time.Second}, yamlBlocks(t, operationsPage)[0])
	d := s.start()
	d.eventually("ready", d.ready)
	ran := 0
	for _, block := range consoleBlock.FindAllStringSubmatch(readPage(t, operationsPage), -1) {
		for _, example := range strings.Split("\n"+block[1], "\n$ automatond ")[1:] {
			line, want, _ := strings.Cut(example, "\n")
			stdout, stderr, code := s.command(words(line)...)
			if code != 0 {
				stderr += "[exit status 1]\n"
			}
			if diff := cmp.Diff(masked(want), masked(stdout+stderr)); diff != "" {
				t.Errorf("%s (-page +command):\n%s", line, diff)
			}
			ran++
		}
	}
	d.stop()
	if ran < 7 {
		t.Errorf("the page shows %d commands", ran)
	}
}

// words splits a command line at blanks outside of single quotes.
func words(line string) []string {
	var list []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			list = append(list, part)
			continue
		}
		list = append(list, strings.Fields(part)...)
	}
	return list
}

var (
	idText   = regexp.MustCompile(`\b[0-9a-v]{20}\b`)
	timeText = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ?`)
	tookText = regexp.MustCompile(`\b\d+(\.\d+)?m?s\b`)
	sizeText = regexp.MustCompile(`\b\d+ bytes\b`)
	fileText = regexp.MustCompile(`\S+/ledger\.db\b`)
	hostText = regexp.MustCompile(`https?://\S+`)
	gapText  = regexp.MustCompile(` {2,}`)
)

// masked puts words in the place of what differs from one time to the next.
func masked(text string) string {
	text = idText.ReplaceAllString(text, "ID")
	text = timeText.ReplaceAllString(text, "TIME")
	text = tookText.ReplaceAllString(text, "TOOK")
	text = fileText.ReplaceAllString(text, "FILE")
	text = hostText.ReplaceAllString(text, "URL")
	text = sizeText.ReplaceAllString(text, "SIZE")
	return strings.TrimSpace(gapText.ReplaceAllString(text, "  "))
}

var pairItem = regexp.MustCompile(`(?m)^- \*\*([a-z_]+)(?:, ([a-z_]+))?\*\*:`)

// TestOperations_ExplainEveryOutcome holds the page against the closed set of outcomes and reasons.
func TestOperations_ExplainEveryOutcome(t *testing.T) {
	var want, got []string
	for _, p := range ledger.Pairs() {
		want = append(want, strings.TrimSpace(string(p.Outcome)+" "+string(p.Reason)))
	}
	for _, m := range pairItem.FindAllStringSubmatch(readPage(t, operationsPage), -1) {
		got = append(got, strings.TrimSpace(m[1]+" "+m[2]))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-ledger +page):\n%s", diff)
	}
}
