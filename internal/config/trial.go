package config

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/automatond/automatond/internal/guard"
	"github.com/automatond/automatond/internal/job"
	"github.com/automatond/automatond/internal/shell"
)

// Bounds of the trials of one Load. A script mostly takes some microseconds.
const (
	trialTime  = time.Second // of all scripts together
	trialWords = 40          // of one cron
)

// trial finds out whether two crons act on one environment when a script decides about that: it
// runs the scripts on environments that they may have been written for.
type trial struct {
	took time.Duration // so far
}

// place is an environment of a trial.
type place struct{ branch, environmentType string }

// meet reports whether both crons act somewhere. Without a script that asks about its environment
// the answer is true, because their guards have been compared; it is false when the trials
// took too long.
func (t *trial) meet(a, b *job.Job) bool {
	if !asks(a) && !asks(b) {
		return true
	}
	branches := append(words(a), words(b)...)
	branches = append(branches, "another")
	for _, branch := range branches {
		for _, environmentType := range guard.EnvironmentTypes() {
			at := place{branch, environmentType}
			if t.acts(a, at) && t.acts(b, at) {
				return true
			}
		}
	}
	return false
}

func asks(j *job.Job) bool { return j.Script != nil && j.Script.Guarded() }

// words returns what may be a branch in a cron's guard and script. A pattern becomes a name that it
// matches.
func words(j *job.Job) []string {
	text := j.Guard.String()
	if j.Script != nil {
		text += " " + j.Script.Source()
	}
	var list []string
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" \t\n\"'`$(){}[];|&<>=!?,", r) }) {
		if word = strings.ReplaceAll(word, "*", "x"); !slices.Contains(list, word) && len(list) < trialWords {
			list = append(list, word)
		}
	}
	return list
}

// acts reports whether a cron asks the platform for something there.
func (t *trial) acts(j *job.Job, at place) bool {
	if !j.Guard.Admits(at.branch, at.environmentType) || t.took > trialTime {
		return false
	}
	return j.Script == nil || len(t.calls(j, at)) > 0
}

// calls are those of the cron's script there.
func (t *trial) calls(j *job.Job, at place) []shell.Call {
	var calls []shell.Call
	began := time.Now()
	j.Script.Run(context.Background(), at.variables(j), func(_ context.Context, c shell.Call) int {
		calls = append(calls, c)
		return 0
	})
	t.took += time.Since(began)
	return calls
}

// variables are what a script of the cron reads there.
func (at place) variables(j *job.Job) map[string]string {
	all := map[string]string{
		"PLATFORM_PROJECT": "project", "PLATFORM_BRANCH": at.branch,
		"PLATFORM_ENVIRONMENT": at.branch, "PLATFORM_ENVIRONMENT_TYPE": at.environmentType,
	}
	if len(j.Projects) == 0 {
		return merged(j.Variables, all)
	}
	all["PLATFORM_PROJECT"] = j.Projects[0].ID
	return merged(merged(j.Projects[0].Variables, j.Variables), all)
}
