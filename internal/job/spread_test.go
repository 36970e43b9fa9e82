package job

import (
	"fmt"
	"testing"
	"time"
)

func TestJob_OffsetSpreadsTargetsAndStays(t *testing.T) {
	j := Job{Name: "backup", Spread: 10 * time.Minute}
	offsets := map[time.Duration]bool{}
	var early, late int
	for p := range 100 {
		for _, environment := range []string{"main", "staging"} {
			project := fmt.Sprintf("project%d", p)
			o := j.Offset(project, environment)
			if o < 0 || o >= j.Spread || o%time.Second != 0 {
				t.Fatalf("offset %s, want whole seconds within %s", o, j.Spread)
			}
			if again := (&Job{Name: "backup", Spread: j.Spread}).Offset(project, environment); again != o {
				t.Fatalf("offset %s, then %s", o, again)
			}
			offsets[o] = true
			if o < j.Spread/2 {
				early++
			} else {
				late++
			}
		}
	}
	if len(offsets) < 150 || early < 70 || late < 70 {
		t.Errorf("%d offsets of 200 targets, %d in the first half and %d in the second", len(offsets), early, late)
	}
	other := Job{Name: "other", Spread: j.Spread}
	if other.Offset("project0", "main") == j.Offset("project0", "main") && other.Offset("project1", "main") == j.Offset("project1", "main") {
		t.Error("another cron has the same offsets")
	}
	if none := (&Job{Name: "backup"}).Offset("project0", "main"); none != 0 {
		t.Errorf("offset %s without a spread", none)
	}
}
