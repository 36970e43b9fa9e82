package ledger

import (
	"reflect"
	"testing"
	"time"
)

func TestDiscover_KeepsTheLastListOfEachSource(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		l := open(t, o)
		must(t, l.Discover(t.Context(), Discovery{"b", []DiscoveredProject{{ID: "p1", Title: "Shop"}, {ID: "p2"}}, slotTime}))
		must(t, l.Discover(t.Context(), Discovery{"a", []DiscoveredProject{{ID: "p1"}}, slotTime}))
		later := slotTime.Add(time.Minute)
		must(t, l.Discover(t.Context(), Discovery{"a", []DiscoveredProject{}, later}))
		must(t, l.Close())
		got, err := open(t, o).Discoveries(t.Context())
		must(t, err)
		want := []Discovery{{"a", []DiscoveredProject{}, later}, {"b", []DiscoveredProject{{ID: "p1", Title: "Shop"}, {ID: "p2"}}, slotTime}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("discoveries %+v, want %+v", got, want)
		}
	})
}
