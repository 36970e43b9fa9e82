package cronspec

import (
	"testing"
	"time"
)

func TestEvery_FiresBetweenTheMinutes(t *testing.T) {
	s := Every(10, 13)
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	for _, c := range []struct{ got, want time.Time }{
		{s.Next(at(1000)), at(1003)},
		{s.Next(at(1003)), at(1013)},
		{s.Prev(at(1003)), at(993)},
		{s.Prev(at(1004)), at(1003)},
		{s.Prev(at(1003).Add(time.Nanosecond)), at(1003)},
	} {
		if !c.got.Equal(c.want) {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	if n := s.Count(at(1003), at(1023)); n != 2 {
		t.Errorf("Count = %d, want 2", n)
	}
}
