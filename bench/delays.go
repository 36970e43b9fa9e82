package main

import (
	"encoding/json"
	"slices"
	"time"
)

// delays are durations from a scheduled time to what should have happened then.
type delays []time.Duration

// summary is what is told of a set of delays.
type summary struct {
	Min duration `json:"min_seconds"` // the first to arrive
	P50 duration `json:"p50_seconds"`
	P99 duration `json:"p99_seconds"`
	Max duration `json:"max_seconds"`
}

func (d delays) summary() summary {
	sorted := slices.Sorted(slices.Values(d))
	return summary{
		Min: duration(percentile(sorted, 0)),
		P50: duration(percentile(sorted, 50)),
		P99: duration(percentile(sorted, 99)),
		Max: duration(percentile(sorted, 100)),
	}
}

// percentile is the smallest value that at least p percent do not exceed (nearest rank).
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1]
}

// median is the middle of the values, or the mean of the two middle ones.
func median[T ~int64 | ~float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// medians condenses the rounds of one measurement, figure by figure.
func medians(rounds []summary) summary {
	pick := func(figure func(summary) duration) duration {
		values := make([]duration, len(rounds))
		for i, s := range rounds {
			values[i] = figure(s)
		}
		return median(values)
	}
	return summary{
		Min: pick(func(s summary) duration { return s.Min }),
		P50: pick(func(s summary) duration { return s.P50 }),
		P99: pick(func(s summary) duration { return s.P99 }),
		Max: pick(func(s summary) duration { return s.Max }),
	}
}

// duration prints with three significant digits and is a number of seconds in JSON.
type duration time.Duration

func (d duration) String() string {
	t := time.Duration(d)
	unit := time.Nanosecond
	for abs := t.Abs(); abs >= 1000*unit; {
		unit *= 10
	}
	return t.Round(unit).String()
}

func (d duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).Seconds())
}
