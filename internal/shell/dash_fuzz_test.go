package shell

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// contexts are what a script may find in its environment.
var contexts = []struct {
	name string
	vars map[string]string
}{
	{"production", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "master", "PLATFORM_ENVIRONMENT": "master-7rqtwti", "PLATFORM_ENVIRONMENT_TYPE": "production", "RUN_CRON": "Yes"}},
	{"main", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "main", "PLATFORM_ENVIRONMENT": "main-bvxea6i", "PLATFORM_ENVIRONMENT_TYPE": "production", "RUN_CRON": "No", "UPDATES_ENVIRONMENT": "main", "HOME": "/app"}},
	{"staging", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "staging", "PLATFORM_ENVIRONMENT": "staging-5em2ouy", "PLATFORM_ENVIRONMENT_TYPE": "staging", "S3_BACKUP": "On", "PLATFORM_MODE": "enterprise"}},
	{"feature", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "feature/x-1", "PLATFORM_ENVIRONMENT": "feature-x-1-abcdefg", "PLATFORM_ENVIRONMENT_TYPE": "development", "COUNT": "3"}},
	{"nested", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "a/b/c", "PLATFORM_ENVIRONMENT": "a-b-c-1234567", "PLATFORM_ENVIRONMENT_TYPE": "development", "COUNT": "010", "X": "a:b"}},
	{"odd", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "a b*", "PLATFORM_ENVIRONMENT": "a-b", "PLATFORM_ENVIRONMENT_TYPE": "", "RUN_CRON": "-n", "COUNT": "x", "X": "a  b\\c"}},
	{"numbers", map[string]string{"PLATFORM_PROJECT": "abc123", "PLATFORM_BRANCH": "42", "PLATFORM_ENVIRONMENT": "42-abcdefg", "PLATFORM_ENVIRONMENT_TYPE": "development", "RUN_CRON": "1", "COUNT": "-1", "IFS": ":"}},
	{"empty", map[string]string{"PLATFORM_PROJECT": "", "PLATFORM_BRANCH": "", "PLATFORM_ENVIRONMENT": "", "PLATFORM_ENVIRONMENT_TYPE": "", "RUN_CRON": "", "COUNT": ""}},
}

// TestShell_AgreesWithDashOnRandomScripts compares generated scripts. It takes
// AUTOMATOND_DASH_TIME (2s) and begins with the seed AUTOMATOND_DASH_SEED (1).
func TestShell_AgreesWithDashOnRandomScripts(t *testing.T) {
	d := newDash(t)
	limit, seed := 2*time.Second, uint64(1)
	var err error
	if s := os.Getenv("AUTOMATOND_DASH_TIME"); s != "" {
		if limit, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv("AUTOMATOND_DASH_SEED"); s != "" {
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	const size = 200
	began := time.Now()
	compared, refused, stopped, calls := 0, 0, 0, 0
	for time.Since(began) < limit && !t.Failed() {
		var batch []sample
		var seeds []uint64
		for ; len(batch) < size; seed++ {
			s := sample{generate(seed), contexts[seed%uint64(len(contexts))].vars}
			if !comparable(t, s) {
				refused++
				continue
			}
			batch = append(batch, s)
			seeds = append(seeds, seed)
		}
		for i, want := range d.batch(t, batch) {
			calls += len(want.calls)
			got, _, stop := batch[i].here(t)
			if stop {
				stopped++
			} else {
				compared++
			}
			if !differ(got, want, stop) {
				continue
			}
			if os.Getenv("AUTOMATOND_DASH_ALL") != "" {
				t.Errorf("seed %d", seeds[i])
				continue
			}
			small := d.smallest(t, batch[i])
			got, result, _ := small.here(t)
			t.Errorf("seed %d: in %v:\n%s\ngot  %+v\ndash %+v\nresult %+v", seeds[i], small.vars, small.src, got.brief(), d.run(t, small).brief(), result)
			break
		}
	}
	took := time.Since(began)
	t.Logf("%d scripts compared in %v, %.0f a second, with %d calls; %d refused at load, %d stopped", compared, took.Round(time.Millisecond), float64(compared)/took.Seconds(), calls, refused, stopped)
	if compared < 2*(refused+stopped) {
		t.Errorf("too few of the scripts could be compared")
	}
}

var (
	// outputs finds what stands behind the redirections of outputs, and comparisons find other signs that
	// look like them.
	outputs     = regexp.MustCompile("[>]+[|]?[ \t]*([^ \t\n;|()<>'\"`}]*)")
	comparisons = regexp.MustCompile(`(?s)\$\(\(.*?\)\)`)
)

// writesFile reports whether an output goes to something else than descriptors and /dev/null. Dash
// writes the file then, or does not run the command.
func writesFile(src string) bool {
	return slices.ContainsFunc(outputs.FindAllStringSubmatch(comparisons.ReplaceAllString(src, ""), -1), func(m []string) bool {
		return !strings.HasPrefix(m[1], "&") && m[1] != "/dev/null"
	})
}

// comparable reports whether a script is accepted, writes no file, and ends.
func comparable(t *testing.T, s sample) bool {
	script, _ := Parse(s.src)
	if script == nil || len(script.programs) > 0 || writesFile(s.src) {
		return false
	}
	_, result, _ := s.here(t)
	return result.Err == nil || !strings.Contains(result.Err.Error(), "stopped after")
}

// differ compares two traces. A script that was stopped, because it did what
// this package does not offer, has at least to agree until then.
func differ(got, want trace, stopped bool) bool {
	if want.invalid || want.crashed || want.status == -1 {
		return false
	}
	const killed = 128 + 9 // after the time that batch gives a script
	if stopped {
		if want.status == killed {
			return false // neither would have ended
		}
		return len(got.calls) > len(want.calls) || !slices.Equal(got.calls, want.calls[:len(got.calls)])
	}
	return !got.equal(want)
}

// smallest removes from a script what is not needed for the difference.
func (d dash) smallest(t *testing.T, s sample) sample {
	deadline := time.Now().Add(20 * time.Second)
	for size := len(s.src) / 2; size > 0 && time.Now().Before(deadline); {
		var batch []sample
		for from := 0; from < len(s.src); from += max(1, size/2) {
			src := s.src[:from] + s.src[min(len(s.src), from+size):]
			if comparable(t, sample{src, s.vars}) {
				batch = append(batch, sample{src, s.vars})
			}
		}
		found := false
		if len(batch) > 0 {
			for i, want := range d.batch(t, batch) {
				got, _, stop := batch[i].here(t)
				if differ(got, want, stop) {
					s, found = batch[i], true
					break
				}
			}
		}
		if !found {
			size /= 2
		} else {
			size = min(size, len(s.src)/2)
		}
	}
	return s
}
