package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// duration reads whole seconds, as the platform writes them, or a number with a unit as Go does.
func (r reader) duration(n *yaml.Node, least, most time.Duration) (time.Duration, bool) {
	return r.durationIn(n, least, most, durationForm{
		"a duration, such as 90s, 10m or 24h, or whole seconds", parseDuration, short, durationHint,
	})
}

// durationForm is how durations of one kind are written.
type durationForm struct {
	wanted string
	parse  func(*yaml.Node) (time.Duration, bool)
	show   func(time.Duration) string
	hint   func(text string) string // what to write instead of text
}

func (r reader) durationIn(n *yaml.Node, least, most time.Duration, form durationForm) (time.Duration, bool) {
	n, ok := r.scalar(n, form.wanted)
	if !ok {
		return 0, false
	}
	value, ok := form.parse(n)
	switch {
	case !ok && (n.Tag == "!!bool" || n.Tag == "!!timestamp"):
		r.wrongType(n, form.wanted)
	case !ok:
		r.errorf(n, "duration-invalid", form.hint(n.Value), "%s is not a duration", r.quote(n.Value))
	case value < least || value > most:
		least, most := form.show(least), form.show(most)
		r.errorf(n, "value-range", fmt.Sprintf("write a duration from %s to %s", least, most), "%s is out of range %s to %s", n.Value, least, most)
	default:
		return value, true
	}
	return 0, false
}

// spokenDuration is a duration as people say it.
var spokenDuration = regexp.MustCompile(`(?i)^(\d{1,6}) *(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$`)

func durationHint(text string) string {
	if m := spokenDuration.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // six digits at most
		switch unit := strings.ToLower(m[2][:1]); unit {
		case "d":
			return fmt.Sprintf("write %dh", 24*n)
		case "w":
			return fmt.Sprintf("write %dh", 7*24*n)
		default:
			return fmt.Sprintf("write %d%s", n, unit)
		}
	}
	if _, err := strconv.ParseUint(text, 10, 32); err == nil {
		return fmt.Sprintf("write %sm for minutes, or %ss for seconds", text, text)
	}
	if d, err := time.ParseDuration(strings.ReplaceAll(text, " ", "")); err == nil {
		return "write " + short(d)
	}
	return "write whole seconds, or a duration such as 90s, 10m or 24h"
}

func parseDuration(n *yaml.Node) (time.Duration, bool) {
	if n.Tag == "!!int" {
		seconds, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return 0, false
		}
		if seconds > math.MaxInt64/int64(time.Second) {
			return math.MaxInt64, true
		}
		return time.Duration(max(seconds, -1)) * time.Second, true
	}
	value, err := time.ParseDuration(n.Value)
	return value, err == nil
}

// short writes a duration as a person would: 24h instead of 24h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if s, ok := strings.CutSuffix(text, "m0s"); ok {
		text = s + "m"
	}
	if s, ok := strings.CutSuffix(text, "h0m"); ok {
		text = s + "h"
	}
	return text
}
