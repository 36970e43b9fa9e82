package cronspec_test

import (
	"testing"
	"time"

	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

func TestNextMoved_FindsTheNightsThatChangeAFire(t *testing.T) {
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, tt := range []struct {
		expr, zone, after, fire string
		effect                  cronspec.Effect
	}{
		{"30 2 * * *", "Europe/Paris", "2026-01-01T00:00:00Z", "2026-03-29T01:00:00Z", cronspec.InGap},
		{"30 2 * * *", "Europe/Paris", "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z", cronspec.InFold},
		{"30 2 * * *", "Europe/Paris", "2026-10-25T00:30:00Z", "", ""},
		{"30 2 * * *", "UTC", "2026-01-01T00:00:00Z", "", ""},
		{"0 3 * * *", "Europe/Paris", "2026-01-01T00:00:00Z", "", ""},
		{"0 2 * * *", "Europe/Paris", "2026-01-01T00:00:00Z", "2026-03-29T01:00:00Z", cronspec.InGap},
		{"*/30 2 * * *", "Europe/Paris", "2026-01-01T00:00:00Z", "", ""},
		{"30 2 * * 1", "Europe/Paris", "2026-01-01T00:00:00Z", "", ""},
		{"30 1 * * 0", "Europe/London", "2026-01-01T00:00:00Z", "2026-03-29T01:00:00Z", cronspec.InGap},
		{"45 1 * * *", "Australia/Lord_Howe", "2026-01-01T00:00:00Z", "2026-04-04T14:45:00Z", cronspec.InFold},
	} {
		s := parse(t, tt.expr).Schedule("", zone(t, tt.zone))
		fire, transition, ok := s.NextMoved(at(tt.after), at("2026-12-31T00:00:00Z"))
		if tt.fire == "" {
			if ok {
				t.Errorf("%s in %s: got %s, want none", tt.expr, tt.zone, fire)
			}
			continue
		}
		if !ok || !fire.Equal(at(tt.fire)) || transition.Effect != tt.effect {
			t.Errorf("%s in %s: got %s %+v %v, want %s %s", tt.expr, tt.zone, fire, transition, ok, tt.fire, tt.effect)
			continue
		}
		if same, ok := s.Transition(fire); !ok || same != transition {
			t.Errorf("%s in %s: Transition says %+v, NextMoved %+v", tt.expr, tt.zone, same, transition)
		}
	}
}
