package config

import "testing"

func TestHistory_KeepsFailuresAtLeastAsLongAsTheRest(t *testing.T) {
	for written, want := range map[string]History{
		"":                        {90 * day, 365 * day},
		"history:\n":              {90 * day, 365 * day},
		"history: {keep: 30d}\n":  {30 * day, 365 * day},
		"history: {keep: 400d}\n": {400 * day, 400 * day},
		"history: {keep: 48h, keep_failures: 2d}\n":    {2 * day, 2 * day},
		"history: {keep_failures: 100d}\n":             {90 * day, 100 * day},
		"history: {keep: 7d, keep_failures: 604800}\n": {7 * day, 7 * day},
	} {
		got := mustLoad(t, written+"crons: {a: {spec: '0 5 * * *', task: {backup: {}}}}\n").History
		if got != want {
			t.Errorf("%q: %v, want %v", written, got, want)
		}
	}
}
