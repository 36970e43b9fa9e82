package main

import (
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// terminal reports whether a person looks at what is written to w.
func terminal(w io.Writer) bool {
	if out, ok := w.(*standardOutput); ok {
		w = out.Writer
	}
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// colored reports whether what is written to w may be coloured: on a terminal, unless NO_COLOR is
// set or the terminal says that it cannot.
func colored(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// counted writes how many there are of something: 1 cron, 2 crons.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
