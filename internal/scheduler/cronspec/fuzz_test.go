package cronspec_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

func FuzzParse(f *testing.F) {
	for _, expr := range []string{
		"0 5 * * *", "H H(0-7) * * *", "H/15 * H(1-28)/7 H H", "*/15,5 1-7/2 ? JAN-DEC MON,5-7", "@daily", "@every -5m",
		"TZ=UTC", "TZ=", "CRON_TZ=Europe/Paris @hourly", "0 0 31 2 *", "0 0 29 2 */7", "@", "", " ", ",,,, , , , ,",
		"* */30 * * *", "60 24 32 13 8", "H( * * * *", "H(-) - / , H()/", "\x00 \xff * * *", "99999999999999999999/9 * * * *",
		"0 0 H(28-31) 2 *", "0 0 31 H/2 1", "-1--1 * * * *", "*/0 * * * *",
	} {
		f.Add(expr, int64(1743296400))
	}
	f.Add("30 2 * * *", int64(-1<<63))
	f.Add("30 2 * * *", int64(1<<63-1))
	berlin, err := cronspec.LoadZone("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, expr string, unix int64) {
		spec, err := cronspec.Parse(expr)
		if err != nil {
			e, ok := errors.AsType[*cronspec.Error](err)
			if !ok || e.Offset < 0 || e.Length < 0 || e.Offset+e.Length > len(expr) || e.Message == "" || e.Spec != expr {
				t.Fatalf("%q: %#v", expr, err)
			}
			return
		}
		spec.Warnings()
		s := spec.Schedule(expr, berlin)
		if again, err := cronspec.Parse(s.String()); err != nil || again.Schedule("", berlin) != s {
			t.Fatalf("%q is written as %q: %v", expr, s, err)
		} else if again.Describe(s) != strings.TrimSuffix(spec.Describe(s), " (H)") {
			t.Fatalf("%q is %q, %q is %q", expr, spec.Describe(s), s, again.Describe(s))
		}
		if spec.Schedule(expr, time.UTC).Next(time.Unix(0, 0)).IsZero() {
			t.Fatalf("%q never fires", expr)
		}
		at := time.Unix(unix, 0)
		if next := s.Next(at); !next.IsZero() {
			if !next.After(at) {
				t.Fatalf("%q: after %s comes %s", expr, at, next)
			}
			if n := s.Count(at, next); n != 1 {
				t.Fatalf("%q: %d fires after %s until %s", expr, n, at, next)
			}
			if prev := s.Prev(next); !prev.IsZero() && prev.After(at) {
				t.Fatalf("%q: %s lies between %s and %s", expr, prev, at, next)
			}
			s.Transition(next)
		}
	})
}
