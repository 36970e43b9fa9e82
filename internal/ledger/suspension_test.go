package ledger

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// mustSuspend writes a suspension.
func mustSuspend(t testing.TB, l *Ledger, v Suspension) {
	t.Helper()
	holds, written, err := l.Suspend(t.Context(), v)
	must(t, err)
	if !written {
		t.Fatalf("suspension %+v is refused, %+v stands", v, holds)
	}
}

func TestSuspend_ReplacesTheFormerOne(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		until := slotTime.Add(time.Hour)
		mustSuspend(t, l, Suspension{Cron: "a", Since: slotTime, Until: until, Note: "one"})
		mustSuspend(t, l, Suspension{Cron: "a", Since: slotTime, Until: until.Add(time.Hour)}) // keeps the note
		mustSuspend(t, l, Suspension{Cron: "b", Since: slotTime, Until: until, Note: "two"})
		mustSuspend(t, l, Suspension{Cron: "b", Since: until, Until: until.Add(time.Minute)}) // the former one is over
		mustSuspend(t, l, Suspension{Cron: AllCrons, Since: slotTime})
		must(t, l.Close())
		all, err := open(t, o).Suspensions(t.Context())
		must(t, err)
		want := []Suspension{
			{Cron: AllCrons, Since: slotTime},
			{Cron: "a", Since: slotTime, Until: until.Add(time.Hour), Note: "one"},
			{Cron: "b", Since: until, Until: until.Add(time.Minute)},
		}
		if !slices.Equal(all, want) {
			t.Errorf("suspensions %+v, want %+v", all, want)
		}
		if !all[1].Covers(until) || all[1].Covers(until.Add(time.Hour)) || !all[0].Covers(until.Add(1000*time.Hour)) {
			t.Error("a suspension covers what is due before its end, and no end covers all")
		}
	})
}

func TestSuspend_OfSeveralReplicasAtOnceTheLongestHolds(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		var all sync.WaitGroup
		for i := range 9 {
			replica := l
			if o.Store != "" && i%3 == 0 {
				replica = open(t, Options{Dir: t.TempDir(), Store: o.Store})
			}
			all.Go(func() {
				until := slotTime.Add(time.Duration(9-i) * time.Hour)
				if _, _, err := replica.Suspend(t.Context(), Suspension{Cron: "a", Since: slotTime, Until: until}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got, err := l.Suspensions(t.Context())
		must(t, err)
		if want := slotTime.Add(9 * time.Hour); len(got) != 1 || !got[0].Until.Equal(want) {
			t.Errorf("suspensions %+v, want one until %s", got, want)
		}
		holds, written, err := l.Suspend(t.Context(), Suspension{Cron: "a", Since: slotTime, Until: slotTime.Add(time.Hour)})
		if err != nil || written || holds != got[0] {
			t.Errorf("a shorter one: %+v, written %t, %v; want the one that stands", holds, written, err)
		}
	})
}

func TestResume_EndsWhatIsInForce(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		mustSuspend(t, l, Suspension{Cron: "a", Since: slotTime, Note: "n"})
		end := slotTime.Add(time.Hour)
		for i, want := range []bool{true, false} { // the second finds it over
			_, was, err := l.Resume(t.Context(), "a", end.Add(time.Duration(i)*time.Minute))
			if err != nil || was != want {
				t.Errorf("resumed %t, %v; want %t", was, err, want)
			}
		}
		if _, was, err := l.Resume(t.Context(), AllCrons, end); err != nil || was {
			t.Errorf("all crons resumed %t, %v; want false, for they were not suspended", was, err)
		}
		got, err := l.Suspensions(t.Context())
		must(t, err)
		if len(got) != 1 || !got[0].Until.Equal(end) || got[0].Note != "n" {
			t.Errorf("suspensions %+v, want the one, ended at %s", got, end)
		}
	})
}
