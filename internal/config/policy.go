package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/scheduler/cronspec"
	"gopkg.in/yaml.v3"
)

// maxTimeout is the platform's own limit for a cron, from its JSON Schema.
const maxTimeout = 24 * time.Hour

// policy is what `defaults:` sets for all crons and a cron may set for itself.
type policy struct {
	location      *time.Location
	spread        time.Duration
	startDeadline time.Duration
	timeout       time.Duration
	maxSuccessAge time.Duration
	overlap       job.Overlap
	inDoubt       job.InDoubt
	catchUp       job.CatchUp
	retries       int
}

func standardPolicy() policy {
	return policy{
		location:      time.UTC,
		startDeadline: 10 * time.Minute,
		timeout:       maxTimeout,
		overlap:       job.OverlapSkip,
		inDoubt:       job.InDoubtGiveUp,
		catchUp:       job.CatchUpLatest,
	}
}

func policyFields() []field[policy] {
	return []field[policy]{
		{"timezone", "time zone", "`UTC`", func(r reader, p *policy, v *yaml.Node) { r.readZone(v, p) }},
		{"spread", "duration, at most 24h", "`0`", func(r reader, p *policy, v *yaml.Node) {
			r.readDuration(v, 0, maxTimeout, &p.spread)
		}},
		{"start_deadline", "duration, 1s to 24h", "`10m`", func(r reader, p *policy, v *yaml.Node) {
			r.readDuration(v, time.Second, maxTimeout, &p.startDeadline)
		}},
		{"timeout", "duration, 1s to 24h", "`24h`", func(r reader, p *policy, v *yaml.Node) {
			r.readDuration(v, time.Second, maxTimeout, &p.timeout)
		}},
		{"overlap", "`skip` or `allow`", "`skip`", func(r reader, p *policy, v *yaml.Node) {
			if word, ok := oneOf(r, v, job.OverlapSkip, job.OverlapAllow); ok {
				p.overlap = word
			}
		}},
		{"in_doubt", "`give_up` or `redispatch`", "`give_up`", func(r reader, p *policy, v *yaml.Node) {
			if word, ok := oneOf(r, v, job.InDoubtGiveUp, job.InDoubtRedispatch); ok {
				p.inDoubt = word
			}
		}},
		{"catch_up", "`latest` or `none`", "`latest`", func(r reader, p *policy, v *yaml.Node) {
			if word, ok := oneOf(r, v, job.CatchUpLatest, job.CatchUpNone); ok {
				p.catchUp = word
			}
		}},
		{"retries", "whole number, 0 to 10", "`0`", func(r reader, p *policy, v *yaml.Node) {
			if n, ok := r.integer(v, 0, 10); ok {
				p.retries = n
			}
		}},
		{"max_success_age", "duration; 0 is any age", "`0`", func(r reader, p *policy, v *yaml.Node) {
			r.readDuration(v, 0, 10*366*24*time.Hour, &p.maxSuccessAge)
		}},
	}
}

func (r reader) readDuration(v *yaml.Node, least, most time.Duration, into *time.Duration) {
	d, ok := r.duration(v, least, most)
	if !ok {
		return
	}
	*into = d
	if n := r.value(v); r.app == nil && n.Tag == "!!int" && d > 0 && d < time.Minute {
		r.report(Warning, n, "no-unit", fmt.Sprintf("write %sm for minutes, %sh for hours, or %ss if it is seconds", n.Value, n.Value, n.Value),
			"a number without a unit is seconds")
	}
}

func (r reader) readZone(v *yaml.Node, into *policy) {
	name, ok := r.text(v)
	if !ok {
		return
	}
	zone, ok := r.zones[name]
	if !ok {
		var err error
		if zone, err = cronspec.LoadZone(name); err != nil {
			hint := ""
			if zoneError, ok := errors.AsType[*cronspec.ZoneError](err); ok {
				hint = zoneError.Hint()
			}
			r.errorf(r.value(v), "timezone-unknown", hint, "%s", err)
			return
		}
		r.zones[name] = zone
	}
	into.location = zone
}
