package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

func TestSummary_TakesTheNearestRank(t *testing.T) {
	var d delays
	for i := 200; i >= 1; i-- {
		d = append(d, time.Duration(i)*time.Millisecond)
	}
	got := d.summary()
	want := summary{Min: duration(time.Millisecond), P50: duration(100 * time.Millisecond), P99: duration(198 * time.Millisecond), Max: duration(200 * time.Millisecond)}
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := (delays{1, 2, 3}).summary(), (summary{Min: 1, P50: 2, P99: 3, Max: 3}); got != want {
		t.Errorf("got %v of three, want %v: ranks are rounded up", got, want)
	}
	one := delays{time.Second}.summary()
	if one.P50 != one.P99 || one.P99 != one.Max || one.Max != duration(time.Second) {
		t.Errorf("got %v of a single delay", one)
	}
}

func TestMedian_IsTheMiddle(t *testing.T) {
	for _, c := range []struct {
		values []int64
		want   int64
	}{{nil, 0}, {[]int64{7}, 7}, {[]int64{9, 1, 4}, 4}, {[]int64{9, 1, 4, 6}, 5}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median(%v): got %d, want %d", c.values, got, c.want)
		}
	}
}

func TestDuration_HasThreeDigitsAndIsSecondsInJSON(t *testing.T) {
	for _, c := range []struct {
		d          time.Duration
		text, json string
	}{
		{29318, "29.3µs", "0.000029318"},
		{37123456, "37.1ms", "0.037123456"},
		{5 * time.Second, "5s", "5"},
		{-1234567, "-1.23ms", "-0.001234567"},
		{0, "0s", "0"},
	} {
		if got := fmt.Sprint(duration(c.d)); got != c.text {
			t.Errorf("%d ns: got text %s, want %s", c.d, got, c.text)
		}
		got, err := json.Marshal(duration(c.d))
		if err != nil || string(got) != c.json {
			t.Errorf("%d ns: got JSON %s (%v), want %s", c.d, got, err, c.json)
		}
	}
}
