package main

import (
	"fmt"
	"io"
	"time"
)

// progress is a line on a person's terminal that says how far a long examination is. Elsewhere it is nothing.
type progress struct {
	w     io.Writer // nil when nobody looks
	shown bool
	last  time.Time // when the line was written
}

func newProgress(w io.Writer) *progress {
	if !terminal(w) {
		w = nil
	}
	return &progress{w: w}
}

// show says that so many are through. A small number is not worth a line.
func (p *progress) show(done, total int) {
	const small, pause = 20, 100 * time.Millisecond
	switch {
	case p.w == nil, total < small:
	case done == total:
		p.clear()
	case time.Since(p.last) >= pause:
		fmt.Fprintf(p.w, "\r\x1b[Kexamined %d of %d", done, total)
		p.shown, p.last = true, time.Now()
	}
}

// clear takes the line away, so that something else can be written in its place.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
