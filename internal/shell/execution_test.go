package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const wholeCall = "platform backup:create --yes --no-wait"

func TestRun_UnsetGuardVariableEndsTheScriptAsASkip(t *testing.T) {
	for _, tt := range []struct {
		src     string
		skipped bool
		calls   int
	}{
		{`if [ "$PLATFORM_BRANCH" = main ]; then ` + wholeCall + `; fi`, true, 0},
		{`if [ "$PLATFORM_BRANCH" != main ]; then ` + wholeCall + `; fi`, true, 0},
		{`if [ "$PLATFORM_BRANCH" = "$OTHER" ]; then ` + wholeCall + `; fi`, true, 0},
		{`case $PLATFORM_BRANCH in *) ` + wholeCall + `;; esac`, true, 0},
		{`for b in "$PLATFORM_BRANCH"; do ` + wholeCall + `; done`, true, 0},
		{`b=$PLATFORM_BRANCH; ` + wholeCall, true, 0},
		{`b=$(echo "$PLATFORM_BRANCH"); ` + wholeCall, true, 0},
		{`b="x${PLATFORM_BRANCH#y}"; ` + wholeCall, true, 0},
		{`[ ${#PLATFORM_BRANCH} = 0 ] && ` + wholeCall, true, 0},
		{`echo "$PLATFORM_BRANCH" | read b; ` + wholeCall, true, 0},
		{`eval '[ "$PLATFORM_BRANCH" = x ]' || ` + wholeCall, true, 0},
		{`(: "$PLATFORM_BRANCH"); ` + wholeCall, true, 0},
		{`platform backup:create -W -e "$PLATFORM_BRANCH"; ` + wholeCall, true, 0},
		{`trap '` + wholeCall + `' EXIT; : $PLATFORM_BRANCH`, true, 0},
		{wholeCall + `; : "$PLATFORM_BRANCH"; ` + wholeCall, true, 1},
		{`unset PLATFORM_PROJECT; : "$PLATFORM_BRANCH"; ` + wholeCall, true, 0},
		{`[ -z "$PLATFORM_BRANCH" ] && ` + wholeCall, false, 1},
		{`[ -n "$PLATFORM_BRANCH" ] || ` + wholeCall, false, 1},
		{`[ -n "$PLATFORM_BRANCH" ] && [ "$PLATFORM_BRANCH" = x ] || ` + wholeCall, false, 1},
		{`: "${PLATFORM_BRANCH:-x}${PLATFORM_BRANCH-x}${PLATFORM_BRANCH:+x}"; ` + wholeCall, false, 1},
		{`PLATFORM_BRANCH=x; [ "$PLATFORM_BRANCH" = x ] && ` + wholeCall, false, 1},
		{`[ "$PLATFORM_MODE" = x ] || ` + wholeCall, false, 1},
		{`if false; then : "$PLATFORM_BRANCH"; fi; ` + wholeCall, false, 1},
	} {
		result, calls := play(t, tt.src, map[string]string{"PLATFORM_PROJECT": "abc"})
		if (result.Skipped != "") != tt.skipped || len(calls) != tt.calls || result.Calls != tt.calls {
			t.Errorf("%s: got %+v and calls %q", tt.src, result, calls)
		}
		if tt.skipped && (result.Err != nil || !strings.Contains(result.Skipped, "PLATFORM_BRANCH, which is not set")) {
			t.Errorf("%s: got %+v", tt.src, result)
		}
	}
}

func TestRun_ReportsWhatWentWrong(t *testing.T) {
	for _, tt := range []struct {
		src    string
		want   string // part of the error
		status int
		calls  int
	}{
		{`[ $X = y ]; ` + wholeCall, "unexpected operator", 0, 1},
		{`[ a -eq 1 ]; ` + wholeCall, "illegal number: a", 0, 1},
		{`$X php x; ` + wholeCall, `program "php" cannot be run`, 0, 1},
		{`x=drush; $x cr || ` + wholeCall, `program "drush" cannot be run`, 0, 1},
		{`x=source; $x f || ` + wholeCall, `program "source" cannot be run`, 0, 1},
		{`x=db:dump; platform $x -W`, "automatond does not offer it", 1, 0},
		{`platform backup:create -W -e "$X"`, "the environment is empty", 1, 0},
		{`f=/etc/passwd; read x < $f; ` + wholeCall, "open /etc/passwd: only /dev/null can be opened", 1, 0},
		{`{ x=$(echo a >&2; echo b); ` + wholeCall + `; } >&-`, "a redirection of an output that was closed around it", 1, 0},
		{`{ { : >/dev/null; echo b; } | { read x; ` + wholeCall + `; }; } >&-`, "a redirection of an output that was closed around it", 1, 0},
		{`f=/dev/tty; echo > $f; ` + wholeCall, "only /dev/null can be opened", 1, 0},
		{`x=if; eval "$x"; ` + wholeCall, "eval: syntax error", 2, 0},
		{`x='drush cr'; eval "$x"; ` + wholeCall, "program \"drush\"", 0, 1},
		{`x='[[ a ]]'; eval "$x"; ` + wholeCall, "[[", 1, 0},
		{`printf '%8*s'; ` + wholeCall, "a width in printf", 1, 0},
		{`printf '%.3*d' 1; ` + wholeCall, "a width in printf", 1, 0},
		{`x='<<='; eval "$x"; ` + wholeCall, "here-document", 1, 0},
		{`shift; ` + wholeCall, "can't shift that many", 2, 0},
		{`exit x; ` + wholeCall, "illegal number: x", 2, 0},
		{`x=if; trap "$x" EXIT; ` + wholeCall, "trap: syntax error", 2, 1},
		{`set -o nosuch; ` + wholeCall, "illegal option -o nosuch", 2, 0},
		{`printf '%q' x; ` + wholeCall, "invalid directive", 0, 1},
	} {
		result, calls := play(t, tt.src, nil)
		if result.Err == nil || !strings.Contains(result.Err.Error(), tt.want) || len(calls) != tt.calls || result.ExitStatus != tt.status {
			t.Errorf("%s: got %+v and calls %q, want %q", tt.src, result, calls, tt.want)
		}
	}
}

// The interpreter goes on after some errors as if the command had succeeded.
func TestRun_ErrorInAConditionIsNotTrue(t *testing.T) {
	for _, src := range []string{
		`if [ "$((1/0))" = 0 ]; then ` + wholeCall + `; fi`,
		`if [ "$((1/0))" = 0 ] 2>/dev/null; then ` + wholeCall + `; fi`,
		`{ : $((1/0)); } 2>&1 | read x; ` + wholeCall,
		`x=$({ : $((1/0)); } 2>&1); ` + wholeCall,
		`readonly A=1; A=2; ` + wholeCall,
		`if : > "$X"; then ` + wholeCall + `; fi`,
		`${X:?is missing}; ` + wholeCall,
	} {
		result, calls := play(t, src, nil)
		if len(calls) != 0 || result.Err == nil {
			t.Errorf("%s: got %+v and calls %q", src, result, calls)
		}
	}
}

func TestRun_LeavesTheApplicationsScriptsAlone(t *testing.T) {
	s, problems := Parse("drush cr")
	if s == nil {
		t.Fatal(problems)
	}
	if result := s.Run(t.Context(), nil, nil); result.Err == nil || !strings.Contains(result.Err.Error(), "it runs drush") {
		t.Errorf("got %+v", result)
	}
}

func TestRun_ExitStatus(t *testing.T) {
	for _, tt := range []struct {
		src  string
		want int
	}{
		{"true", 0},
		{"false", 1},
		{"exit 7", 7},
		{"exit 300", 44},
		{`[ "$PLATFORM_BRANCH" = main ] && ` + wholeCall, 1},
		{"f() { return 4; }; f", 4},
		{wholeCall + "; exit 5", 5},
		{"return 6", 6},
	} {
		if result, _ := play(t, tt.src, map[string]string{"PLATFORM_BRANCH": "x"}); result.ExitStatus != tt.want || result.Err != nil {
			t.Errorf("%s: got %+v, want %d", tt.src, result, tt.want)
		}
	}
}

func TestRun_CallStatusIsTheCommands(t *testing.T) {
	s, _ := Parse(wholeCall + " && platform redeploy -W || platform sync data -W; exit $?")
	var got []string
	result := s.Run(t.Context(), nil, func(_ context.Context, c Call) int {
		got = append(got, c.Task.Kind().Name)
		return map[string]int{"backup": 0, "redeploy": 1, "synchronize": 9}[c.Task.Kind().Name]
	})
	if want := []string{"backup", "redeploy", "synchronize"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if result != (Result{Calls: 3, ExitStatus: 9}) {
		t.Errorf("got %+v", result)
	}
}

func TestRun_CallTakesItsTargetFromChangedVariables(t *testing.T) {
	for _, tt := range []struct{ src, project, environment string }{
		{"platform redeploy -W", "", ""},
		{"PLATFORM_BRANCH=other platform redeploy -W", "", "other"},
		{"export PLATFORM_PROJECT=p2; platform redeploy -W", "p2", ""},
		{"PLATFORM_BRANCH=other; platform redeploy -W -e mine", "", "mine"},
		{"PLATFORM_BRANCH=main; platform redeploy -W", "", ""},
	} {
		s, problems := Parse(tt.src)
		if s == nil {
			t.Fatal(problems)
		}
		s.Run(t.Context(), map[string]string{"PLATFORM_BRANCH": "main", "PLATFORM_PROJECT": "p1"}, func(_ context.Context, c Call) int {
			if c.Project != tt.project || c.Environment != tt.environment {
				t.Errorf("%s: got project %q and environment %q", tt.src, c.Project, c.Environment)
			}
			return 0
		})
	}
}

// TestRun_IsBounded measures scripts that would take all there is.
func TestRun_IsBounded(t *testing.T) {
	for _, src := range []string{
		"while :; do :; done",
		"while true; do x=1; done",
		"until false; do x=$x; done",
		"f() { f; }; f",
		"f() { f | f; }; f",
		"f() { (f); }; f",
		"f() { x=$(f); }; f",
		"x=aaaaaaaa; while :; do x=$x$x$x$x; done",
		"x=aaaaaaaa; while :; do : ${y:=$x$x} ${x:=$y$y}; x=$y; unset y; done",
		"f() { local x=$1$1$1$1; f $x; }; f aaaaaaaa",
		"set -- a b c d; while :; do set -- $@ $@ $@; done",
		"while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done | while read x; do :; done",
		"x=$(while :; do echo aaaaaaaaaaaaaaa; done)",
		"x=$(printf '%4096s' a); while :; do x=$x$x; done",
		"x='eval \"$x\"'; eval \"$x\"",
		"while :; do echo | :; done",
		"while :; do read x <<E\nE\ndone",
		"trap 'while :; do :; done' EXIT",
		strings.Repeat("(", 2000) + "while :; do :; done" + strings.Repeat(")", 2000),
		"x=$(printf '%4096s' a); x=$x$x$x$x$x$x$x$x; while :; do case $x in *a*a*a*a*b) ;; esac; done",
		"x=$(printf '%4096s' a); x=$x$x$x$x$x$x$x$x; while :; do : ${x%%*b*c}; done",
		"x=$(printf '%4000s' a); while :; do set -- $x $x $x $x; done",
		"x='%4096s'; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do x=$x$x; done; printf \"$x\" | :; while :; do :; done",
		"printf '" + strings.Repeat("%4096s", 10000) + "' | :; while :; do :; done",
		"x='[a]'; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do x=$x$x; done; case a in $x) ;; esac; while :; do :; done",
		"i=0; while :; do i=$((i+1)); eval v$i=$i; (:); done",
		"while :; do x=$(echo a | (read b; echo $b)); done",
		"x=1; while :; do x=$x+1; : $(($x)); done",
		"while read x; do echo $x$x; done <<E\n$(printf '%4000s' a)\nE\nx=a; while :; do read x <<E\n$x$x\nE\ndone",
		"while :; do printf '%4096d' 1; done",
		"f() { local a b c d; f a b c d e f; }; f",
		"while :; do set -- a \"$@\"; done",
		"while :; do trap 'exit 1' EXIT; eval 'trap : EXIT'; done",
		"x=$(printf '%4000s' a); x=$x$x$x$x$x$x$x$x$x$x; while :; do case $x in *[[:alpha:]]*a*a*b*a*) ;; esac; done",
		"x=$(printf '%4000s' a); p='*a*a*a*a*b'; p=$p$p$p$p$p$p; while :; do : ${x##$p} ${x%$p}; done",
		"set -- a; while :; do set -- \"$@\" \"$@\"; done",
		"set -- a; f() { f \"$@\" \"$@\"; }; f a",
		"IFS=:; x=$(printf '%4000s' a); x=$x$x$x$x; IFS=' '; while :; do for i in $x; do :; done; done",
		"x=a:; while :; do x=$x$x; IFS=: read a b c <<E\n$x\nE\ndone",
		"x=1; while :; do x=$x$x; : $(($x)); done",
		"x=1; while :; do x=\"($x)\"; : $(($x)); done",
		"x=1; while :; do x=\"$x+$x*-$x\"; : $(($x)); done",
		"x='eval \"$x\"; eval \"$x\"'; eval \"$x\"",
		"x='echo a'; while :; do x=\"eval '$x'\"; eval $x; x=\"$x;$x\"; done",
		"x=$(printf '%4000s' a); while :; do read y <<E\n$x$x$x$x$x$x$x$x\nE\ndone",
		"f() { echo \"$(f)$(f)\"; }; f",
		"while :; do printf '%4096s%4096s%4096s\\\\n' a b c d e f g h i; done | while read x; do :; done",
		"printf \"$(printf '%4000s' a | { read -r x; echo \"$x\"; })%s\" $(i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo $i; done); while :; do :; done",
		"while :; do getopts abc x -a -b -c; OPTIND=1; done",
		"x=$(printf '%4000s' a); while :; do [ \"$x$x$x\" = \"$x$x$x\" ]; done",
		"i=0; while :; do i=$((i+1)); eval \"f$i() { :; }\"; ( : ); done",
		"x=abcdefgh; while :; do x=${x:+$x$x}${y:-$x}; done",
		"x=$(printf '%4000s' a); while :; do echo \"${x#a}${x#b}${x%% *}\" | read y; done",
		":" + strings.Repeat(" | :", 15000) + "; while :; do :; done",
		":" + strings.Repeat(" && :", 12000) + "; while :; do :; done",
		"echo " + strings.Repeat("$(echo ", 4000) + strings.Repeat(")", 4000) + "; while :; do :; done",
	} {
		src := strings.ReplaceAll(src, "\\n", "\n")
		s, problems := Parse(src)
		if s == nil {
			t.Errorf("%.80s: %+v", src, problems)
			continue
		}
		goroutines := runtime.NumGoroutine()
		before := processorTime(t)
		var result Result
		held := peak(func() { result = s.Run(t.Context(), nil, nil) })
		if result.Err == nil || !strings.Contains(result.Err.Error(), "stopped after") {
			t.Errorf("%.80s: got %+v", src, result)
		}
		if took := processorTime(t) - before; took > time.Second && !raced {
			t.Errorf("%.80s: took %v of a processor", src, took)
		}
		if held > 64<<20 && !raced {
			t.Errorf("%.80s: held %d MiB", src, held>>20)
		}
		if more := left(goroutines); more > 0 {
			t.Errorf("%.80s: left %d goroutines", src, more)
		}
	}
}

// left returns how many goroutines there are beyond a number. One that has said that it is done may
// take a moment until it is gone.
func left(number int) int {
	for range 200 {
		if runtime.NumGoroutine() <= number {
			return 0
		}
		time.Sleep(5 * time.Millisecond)
	}
	return runtime.NumGoroutine() - number
}

// processorTime returns what this process has used.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peak returns how much more memory than before was in use while a function
// ran, garbage that the collector had not yet found included.
func peak(run func()) uint64 {
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	runtime.GC()
	before := inUse()
	most := before
	done := make(chan struct{})
	var sampler sync.WaitGroup
	sampler.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				most = max(most, inUse())
			}
		}
	})
	run()
	close(done)
	sampler.Wait()
	return max(most, inUse()) - before
}

func TestRun_TimeOfCallsIsNotTheScripts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := Parse("i=0; while [ $i -lt 50 ]; do i=$((i+1)); platform redeploy --wait; done")
		result := s.Run(t.Context(), nil, func(context.Context, Call) int {
			time.Sleep(time.Hour)
			return 0
		})
		if result != (Result{Calls: 50}) {
			t.Errorf("got %+v", result)
		}
	})
}

func TestRun_CancelledContextEndsTheScript(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("shutting down")
	s, _ := Parse(wholeCall + "; " + wholeCall)
	calls := 0
	result := s.Run(ctx, nil, func(context.Context, Call) int {
		calls++
		cancel(cause)
		return 0
	})
	if calls != 1 || !errors.Is(result.Err, cause) {
		t.Errorf("got %d calls and %+v", calls, result)
	}
}

func TestRun_SeesNothingOfTheProcess(t *testing.T) {
	t.Setenv("SECRET_OF_THE_PROCESS", "x")
	dir := t.TempDir()
	// The interpreter opens files of its own whose names begin like this.
	fifo := filepath.Join(os.TempDir(), "sh-interp-automatond")
	for _, src := range []string{
		`[ -n "$SECRET_OF_THE_PROCESS" ] && ` + wholeCall,
		`[ -n "$HOME$USER$UID$EUID$GID$TMPDIR$PATH$PPIDX" ] && ` + wholeCall,
		`[ -d / ] && ` + wholeCall,
		`[ -e "` + dir + `" ] && ` + wholeCall,
		`for f in /*; do [ "$f" = "/*" ] || ` + wholeCall + `; done`,
		`x=$(echo ~root); [ "$x" = "~root" ] || ` + wholeCall,
		`command -v /bin/sh && ` + wholeCall,
		`type sh && ` + wholeCall,
		`f=` + dir + `/new; echo x > "$f"; [ -e "$f" ] && ` + wholeCall,
		`f=` + fifo + `; echo x > "$f"; [ -e "$f" ] && ` + wholeCall,
	} {
		if _, calls := play(t, src, nil); len(calls) != 0 {
			t.Errorf("%s: got calls %q", src, calls)
		}
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*")); len(found) != 0 {
		t.Errorf("a script wrote %q", found)
	}
	if os.Remove(fifo) == nil {
		t.Errorf("a script wrote %s", fifo)
	}
}

func TestRun_ConcurrentRunsOfOneScriptAreApart(t *testing.T) {
	s, problems := Parse(`b=$PLATFORM_BRANCH; f() { local e=$1; platform backup:create -W -e "$e-{x,y}"; }
echo "$b" | while read x; do for i in 1 2; do f "$x$i"; done; done`)
	if s == nil {
		t.Fatal(problems)
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			var got []string
			result := s.Run(t.Context(), map[string]string{"PLATFORM_BRANCH": fmt.Sprint("b", i)}, func(_ context.Context, c Call) int {
				got = append(got, c.Environment)
				return 0
			})
			want := []string{fmt.Sprintf("b%d1-{x,y}", i), fmt.Sprintf("b%d2-{x,y}", i)}
			if !slices.Equal(got, want) || result != (Result{Calls: 2}) {
				t.Errorf("got %q and %+v, want %q", got, result, want)
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	for _, s := range snippets(f) {
		f.Add(s.src)
	}
	f.Add("x='a\x00b'; ${x#[z-a]} <<-E\n\tx$x\n\tE\n")
	f.Add("case a in [[:x:]) ;; [!a-]*) ;; esac")
	f.Add("echo $((1 << 70 ? x++ : 08 % 3)) | read a b c")
	vars := contexts[3].vars
	f.Fuzz(func(t *testing.T, src string) {
		s, problems := Parse(src)
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.EndColumn < p.Column || p.Code == "" || p.Message == "" {
				t.Errorf("%q: problem %+v", src, p)
			}
		}
		if s == nil {
			if !hasErrors(problems) {
				t.Errorf("%q: no script, and no error but %+v", src, problems)
			}
			return
		}
		record := func(calls *[]string) CallFunc {
			return func(_ context.Context, c Call) int {
				*calls = append(*calls, strings.Join(c.Args, "\x00"))
				return len(*calls) % 2
			}
		}
		// A run is bounded, and a second one does the same.
		var first, second []string
		a := s.Run(t.Context(), vars, record(&first))
		b := s.Run(t.Context(), vars, record(&second))
		if a.Err == nil && b.Err == nil && (!slices.Equal(first, second) || a.ExitStatus != b.ExitStatus || a.Skipped != b.Skipped) {
			t.Errorf("%q: got %q %+v, then %q %+v", src, first, a, second, b)
		}
	})
}
