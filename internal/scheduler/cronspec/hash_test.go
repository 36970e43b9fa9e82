package cronspec_test

import (
	"fmt"
	"testing"
	"time"
)

// The wanted values were computed apart, from the SHA-256 of the seed: a word of 32 bits a field.
func TestHash_IsTheSameForEver(t *testing.T) {
	const cron, other = "k3qz7p2m5nwya\x00\x00snapshot", "k3qz7p2m5nwya\x00app\x00snapshot"
	for _, tt := range []struct{ expr, seed, want string }{
		{"H H H H H", "", "50 20 13 9 0"},
		{"H H H H H", cron, "56 20 7 2 0"},
		{"H H H H H", other, "14 8 3 5 5"},
		{"H * * * *", other, "14 * * * *"},
		{"H/15 H(0-7) * * *", cron, "11-56/15 4 * * *"},
		{"H/15 H(0-7) * * *", other, "14-59/15 0 * * *"},
		{"H(10-24)/15 * * * *", other, "24 * * * *"},
		{"H/1 * * * *", other, "14 * * * *"},
		{"0,30,H * * * *", other, "0,14,30 * * * *"},
		{"0 0 * * H(6-7)", "", "0 0 * * 6"}, {"0 0 * * H(5-7)", "", "0 0 * * 0"},
	} {
		s := parse(t, tt.expr)
		if !s.HasHash() {
			t.Errorf("%q has an H", tt.expr)
		}
		if got := s.Schedule(tt.seed, time.UTC).String(); got != tt.want {
			t.Errorf("%q with seed %q is %q, want %q", tt.expr, tt.seed, got, tt.want)
		}
	}
	if parse(t, "0 0 * MAR THU").HasHash() {
		t.Error("the H of THU is no hash")
	}
}

func TestHash_SpreadsOverAllValuesAndNoOthers(t *testing.T) {
	for _, tt := range []struct {
		expr, format string
		low, high    int
	}{
		{"H 0 1 1 *", "%d 0 1 1 *", 0, 59},
		{"0 H 1 1 *", "0 %d 1 1 *", 0, 23},
		{"0 0 H 1 *", "0 0 %d 1 *", 1, 28},
		{"0 0 1 H *", "0 0 1 %d *", 1, 12},
		{"0 0 1 1 H", "0 0 1 1 %d", 0, 6},
		{"H(3-7) 0 1 1 *", "%d 0 1 1 *", 3, 7},
		{"0 0 1 1 H(MON-FRI)", "0 0 1 1 %d", 1, 5},
	} {
		spec := parse(t, tt.expr)
		seen := map[string]int{}
		const seeds = 6000
		for i := range seeds {
			seen[spec.Schedule(fmt.Sprintf("project%d\x00\x00nightly", i), time.UTC).String()]++
		}
		values := tt.high - tt.low + 1
		for v := tt.low; v <= tt.high; v++ {
			n := seen[fmt.Sprintf(tt.format, v)]
			if even := seeds / values; n < even/2 || n > even*2 {
				t.Errorf("%q: %d came %d times of %d, even would be %d", tt.expr, v, n, seeds, even)
			}
		}
		if len(seen) != values {
			t.Errorf("%q has %d outcomes, want %d", tt.expr, len(seen), values)
		}
	}
}

func TestHash_KeepsMinuteAndHourApart(t *testing.T) {
	spec := parse(t, "H H * * *")
	seen := map[string]bool{}
	for i := range 20000 {
		seen[spec.Schedule(fmt.Sprint(i), time.UTC).String()] = true
	}
	if len(seen) != 24*60 {
		t.Errorf("H H * * * took %d of the day's 1440 minutes", len(seen))
	}
}
