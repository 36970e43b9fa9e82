package cronspec_test

import (
	"testing"
	"time"

	"github.com/automatond/automatond/internal/scheduler/cronspec"
)

func BenchmarkNext(b *testing.B) {
	for _, name := range []string{"UTC", "Europe/Paris"} {
		for _, expr := range []string{"* * * * *", "*/5 * * * *", "0 5 * * *", "0 20 * * 1-5", "0 0 1 1 *"} {
			b.Run(name+"/"+expr, func(b *testing.B) {
				s := parse(b, expr).Schedule("", zone(b, name))
				at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
				b.ReportAllocs()
				for b.Loop() {
					s.Next(at)
				}
			})
		}
	}
}

func BenchmarkNext_OnTheNightOfTheChange(b *testing.B) {
	s := parse(b, "30 2 * * *").Schedule("", zone(b, "Europe/Paris"))
	at := time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC)
	for b.Loop() {
		s.Next(at)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, expr := range []string{"0 5 * * *", "H/15 0-7,20-23 * JAN-MAR MON-FRI"} {
		b.Run(expr, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cronspec.Parse(expr); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSchedule_WithHash(b *testing.B) {
	spec := parse(b, "H H * * *")
	b.ReportAllocs()
	for b.Loop() {
		spec.Schedule("k3qz7p2m5nwya\x00\x00snapshot", time.UTC)
	}
}
