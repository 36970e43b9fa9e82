package shell

import (
	"os/exec"
	"testing"
)

// What echo, printf and test give is compared with the dash at hand, and with
// what dash gave when this was written, so that the test is one without it too.

func TestEchoAndPrintf_PrintWhatDashPrints(t *testing.T) {
	dash, _ := exec.LookPath("dash")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"echo"}, "\n"},
		{[]string{"echo", "-n"}, ""},
		{[]string{"echo", "-n", "-n", "a"}, "-n a"},
		{[]string{"echo", "-e", "a"}, "-e a\n"},
		{[]string{"echo", `a\tb\\c\n`, "d"}, "a\tb\\c\n d\n"},
		{[]string{"echo", `a\cb`, "d"}, "a"},
		{[]string{"echo", `\0101\101\x41\q\`}, "AA\\x41\\q\\\n"},
		{[]string{"echo", `\é`}, "\\é\n"},
		{[]string{"printf", "a"}, "a"},
		{[]string{"printf", "%s\n"}, "\n"},
		{[]string{"printf", "%s-%s\n", "a", "b", "c"}, "a-b\nc-\n"},
		{[]string{"printf", "%5s|%-5s|%.2s|", "ab", "ab", "abc"}, "   ab|ab   |ab|"},
		{[]string{"printf", "%05d %x %X %o %+d %i %u", "42", "255", "255", "8", "7", "3", "9"}, "00042 ff FF 10 +7 3 9"},
		{[]string{"printf", "%d %d %d", "0x10", "010", "'a"}, "16 8 97"},
		{[]string{"printf", "%*d|%-*d|", "4", "7", "3", "8"}, "   7|8  |"},
		{[]string{"printf", "%b|%b", `a\tb`, `x\cy`}, "a\tb|x"},
		{[]string{"printf", "%c%c", "abc", "d"}, "ad"},
		{[]string{"printf", `\101\t%%\\\n`}, "A\t%\\\n"},
		{[]string{"printf", "%.3f %e", "1.5", "2"}, "1.500 2.000000e+00"},
		{[]string{"printf", "--", "%s", "-x"}, "-x"},
	} {
		var got string
		if tt.args[0] == "echo" {
			got = echo(tt.args[1:])
		} else {
			var err error
			if got, err = printf(tt.args[1:]); err != nil {
				t.Errorf("%q: %v", tt.args, err)
			}
		}
		if got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.args, got, tt.want)
		}
		if dash == "" {
			continue
		}
		out, err := exec.Command(dash, append([]string{"-c", `"$@"`, "dash"}, tt.args...)...).Output()
		if string(out) != tt.want {
			t.Errorf("%q: dash prints %q, want %q, %v", tt.args, out, tt.want, err)
		}
	}
}

func TestTest_DecidesAsDash(t *testing.T) {
	dash, _ := exec.LookPath("dash")
	for _, tt := range []struct {
		args []string
		want int
	}{
		{nil, 1},
		{[]string{""}, 1},
		{[]string{"a"}, 0},
		{[]string{"!"}, 0},
		{[]string{"-n"}, 0},
		{[]string{"-n", ""}, 1},
		{[]string{"-z", ""}, 0},
		{[]string{"!", ""}, 0},
		{[]string{"!", "a"}, 1},
		{[]string{"a", "=", "a"}, 0},
		{[]string{"a", "=", "b"}, 1},
		{[]string{"a", "!=", "b"}, 0},
		{[]string{"a", "==", "a"}, 2},
		{[]string{"=", "=", "="}, 0},
		{[]string{"!", "=", "!"}, 0},
		{[]string{"(", "=", ")"}, 1},
		{[]string{"-n", "=", "-n"}, 0},
		{[]string{"(", "a", ")"}, 0},
		{[]string{"(", "", ")"}, 1},
		{[]string{"(", ")"}, 1},
		{[]string{"!", "a", "=", "b"}, 0},
		{[]string{"!", "!", "a"}, 0},
		{[]string{"a", "-a", ""}, 1},
		{[]string{"a", "-o", ""}, 0},
		{[]string{"", "-o", "", "-o", "b"}, 0},
		{[]string{"a", "=", "a", "-a", "b", "=", "c"}, 1},
		{[]string{"a", "=", "b", "-o", "b", "=", "b", "-a", "c", "=", "c"}, 0},
		{[]string{"(", "a", "=", "b", "-o", "b", "=", "b", ")", "-a", "c", "=", "d"}, 1},
		{[]string{"!", "a", "=", "b", "-a", "!", "c", "=", "d"}, 0},
		{[]string{"=", "b"}, 2},
		{[]string{"a", "b"}, 2},
		{[]string{"a", "b", "c"}, 2},
		{[]string{"-z", "a", "b"}, 2},
		{[]string{"-z", "a", "b", "c"}, 2},
		{[]string{"1", "-eq", "01"}, 0},
		{[]string{" 1 ", "-eq", "1"}, 0},
		{[]string{"1", "-lt", "2"}, 0},
		{[]string{"-1", "-ge", "2"}, 1},
		{[]string{"1", "-eq", "a"}, 2},
		{[]string{"", "-eq", "0"}, 2},
		{[]string{"1x", "-eq", "1"}, 2},
		{[]string{"a", "<", "b"}, 0},
		{[]string{"a", ">", "b"}, 1},
		{[]string{"a", "="}, 2},
		{[]string{"(", "a"}, 2},
		{[]string{"-f", "/nonexistent"}, 1},
		{[]string{"-a", "b"}, 2},
		{[]string{"a", "-a"}, 1},
		{[]string{"a", "-o", "b", "c"}, 2},
	} {
		got, err := test("test", tt.args)
		if got != tt.want || (err != nil) != (got == 2) {
			t.Errorf("%q: got %d, %v, want %d", tt.args, got, err, tt.want)
		}
		if dash == "" {
			continue
		}
		cmd := exec.Command(dash, append([]string{"-c", `test "$@"`, "dash"}, tt.args...)...)
		_ = cmd.Run()
		if status := cmd.ProcessState.ExitCode(); status != tt.want {
			t.Errorf("%q: dash gives %d, want %d", tt.args, status, tt.want)
		}
	}
}
