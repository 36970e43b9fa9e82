package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dash runs scripts under the real dash, with stand-ins for the CLI that
// record their arguments and print nothing, and with programs that pass a
// command on.
type dash struct {
	path string // of dash
	bin  string // where the stand-ins are
}

// record writes a call to descriptor 3.
const record = `printf '%s\001word\001' "$name" "$@" >&3; printf '\002call\002' >&3`

// What ends a word, a call and a script in the records, so that no script prints it by chance.
const (
	wordEnd   = "\x01word\x01"
	callEnd   = "\x02call\x02"
	scriptEnd = "\x03script\x03"
)

// newDash skips the test on a machine without dash, but not in CI, where the
// comparison has to be made.
func newDash(t *testing.T) dash {
	t.Helper()
	path, err := exec.LookPath("dash")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("dash is not installed, and CI=true: the comparison with dash has to be made")
		}
		t.Skip("dash is not installed, so there is nothing to compare with")
	}
	d := dash{path: path, bin: t.TempDir()}
	for name, stub := range map[string]string{
		"platform": "name=platform\n" + record,
		"upsun":    "name=upsun\n" + record,
		"croncape": `exec "$@"`,
		"php":      `name=${1##*/}; shift; exec "${name%.phar}" "$@"`,
	} {
		if err := os.WriteFile(filepath.Join(d.bin, name), []byte("#!"+path+"\n"+stub+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"timeout", "nice"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(d.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// sample is a script and what it finds in its environment.
type sample struct {
	src  string
	vars map[string]string
}

// trace is what a script did.
type trace struct {
	calls   []string // the words of each, joined by spaces within <>
	status  int
	invalid bool // there was a command line that makes no sense, which is no call here and fails
	crashed bool // dash reads past the end of "test x $y" if y is -a, in a subshell maybe
}

// hasCrashed tells it by dash's messages, which include its subshells', and by how it ended itself.
func hasCrashed(messages string, status int) bool {
	return strings.Contains(messages, "Segmentation fault") || status == 128+int(syscall.SIGSEGV)
}

// brief leaves out most of a long list of calls.
func (a trace) brief() trace {
	const most = 10
	if len(a.calls) > most {
		a.calls = append(a.calls[:most:most], fmt.Sprintf("and %d more", len(a.calls)-most))
	}
	return a
}

func (a trace) equal(b trace) bool { return slices.Equal(a.calls, b.calls) && a.status == b.status }

// run runs one script as the platform does, in a process of its own.
func (d dash) run(t *testing.T, s sample) trace {
	t.Helper()
	out, messages, err := d.output(t, s.vars, "-c", s.src)
	status := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	got := traceOf(out, status)
	got.crashed = hasCrashed(messages, status)
	return got
}

// batch runs many scripts in subshells of one process, which is an order of
// magnitude faster, and the same but for the top level of a script.
func (d dash) batch(t *testing.T, samples []sample) []trace {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{"platform", "upsun"} {
		fmt.Fprintf(&b, "%s() { local name=%s; %s; }\n", name, name, record)
	}
	for _, s := range samples {
		b.WriteString("( ulimit -t 2; ")
		for name, value := range s.vars {
			if name != "IFS" { // dash does not take it from its environment
				fmt.Fprintf(&b, "export %s=%s; ", name, singleQuoted(value))
			}
		}
		fmt.Fprintf(&b, "eval %s\n)\nprintf '%%s\\003script\\003' $? >&3; printf '\\003script\\003' >&2\n", singleQuoted(s.src))
	}
	script := filepath.Join(t.TempDir(), "batch")
	if err := os.WriteFile(script, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, messages, err := d.output(t, nil, script)
	if err != nil {
		t.Logf("dash: %v", err)
	}
	var traces []trace
	said := strings.Split(messages, scriptEnd)
	for part := range strings.SplitSeq(strings.TrimSuffix(out, scriptEnd), scriptEnd) {
		i := strings.LastIndexAny(part, "\x01\x02") + 1 // after a call, or a word if it was killed
		status, err := strconv.Atoi(part[i:])
		if err != nil { // the script has written to the descriptor of the records, which is closed here
			traces = append(traces, trace{invalid: true})
			continue
		}
		got := traceOf(part[:i], status)
		got.crashed = hasCrashed(said[min(len(traces), len(said)-1)], status)
		traces = append(traces, got)
	}
	if len(traces) != len(samples) {
		t.Fatalf("dash ended after %d of %d scripts", len(traces), len(samples))
	}
	return traces
}

// output runs dash and returns what was written to its descriptor 3, and its messages.
func (d dash) output(t *testing.T, vars map[string]string, args ...string) (records, messages string, err error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // a batch may burn minutes on a busy machine
	defer cancel()
	cmd := exec.CommandContext(ctx, d.path, args...)
	cmd.Dir = filepath.Join(t.TempDir(), "empty")
	if err := os.Mkdir(cmd.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd.Env = []string{"PATH=" + d.bin}
	for name, value := range vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.ExtraFiles = []*os.File{w}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	// In a directory that is gone no pattern matches, and no script can make a
	// file that would match later.
	if err := os.Remove(cmd.Dir); err != nil {
		t.Logf("dash: %v", err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	return string(out), stderr.String(), err
}

func traceOf(out string, status int) trace {
	got := trace{status: status}
	for call := range strings.SplitSeq(strings.TrimSuffix(out, callEnd), callEnd) {
		if call != "" {
			args := strings.Split(strings.TrimSuffix(call, wordEnd), wordEnd)
			if _, err := ParseCommandLine(args); err != nil {
				got.invalid = true
				continue
			}
			got.calls = append(got.calls, written(args))
		}
	}
	return got
}

func written(args []string) string { return "<" + strings.Join(args, "> <") + ">" }

// here runs a script in this package. It is stopped when it did what can only
// be done under dash, and wrong when it went on after an error.
func (s sample) here(t *testing.T) (got trace, result Result, stopped bool) {
	t.Helper()
	script, problems := Parse(s.src)
	if script == nil {
		t.Fatalf("%s\nis refused: %+v", s.src, problems)
	}
	x := newExecution(t.Context(), script, s.vars, func(_ context.Context, c Call) int {
		got.calls = append(got.calls, written(c.Args))
		return 0
	})
	result = x.run(script.program)
	got.status = result.ExitStatus
	return got, result, x.stopped
}
