//go:build race

package shell

// raced says that the race detector takes time and memory of its own.
const raced = true
