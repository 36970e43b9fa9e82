package main

import "io"

// standardOutput is the standard output. It remembers the first write that failed, so that no command that says
// something ends as if it had been heard.
type standardOutput struct {
	io.Writer
	err error
}

// Write implements io.Writer.
func (o *standardOutput) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}
