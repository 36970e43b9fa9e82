package ledger_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/automatond/automatond/internal/ledger"
)

// TestPairs_StandInTheDocs holds the table of docs/run-states.md against the one in the code.
func TestPairs_StandInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/run-states.md")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- pairs: begin -->\n", "<!-- pairs: end -->"
	_, rest, found := strings.Cut(string(page), begin)
	got, _, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("docs/run-states.md has no table between %q and %q", begin, end)
	}
	var want strings.Builder
	want.WriteString("| outcome | reason | what happened | what to do |\n|---|---|---|---|\n")
	for _, p := range ledger.Pairs() {
		reason := "(none)"
		if p.Reason != "" {
			reason = "`" + string(p.Reason) + "`"
		}
		remedy := p.Remedy
		if remedy == "" {
			remedy = "Nothing."
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", p.Outcome, reason, p.Meaning, remedy)
	}
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("the table in docs/run-states.md differs from ledger.Pairs (-code +page):\n%s\nthe code's:\n%s", diff, want.String())
	}
}
